"""The questions that chose the checkpoint: never part of a claim, and named if they are scored. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.number_text import counted
from plumbline.reporting.benchmark_parts import Part
from plumbline.rows.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointQuestions:
    """What a report says about them."""

    num_reported: int
    """Of them, those on which this report scores the arms."""
    num_evaluations: int
    """The best of so many was kept."""


def checkpoint_questions(adapter: Mapping[str, Any], questions: Sequence[Question], trained: Sequence[str]) -> CheckpointQuestions | None:
    """What the adapter's record says about the reported questions; None if the loss chose, or no arm has the adapter."""
    choice = adapter.get("choice")
    if choice is None or not trained:
        return None
    asked = set(choice["question_ids"])
    return CheckpointQuestions(num_reported=sum(question.id in asked for question in questions), num_evaluations=choice["num_evaluations"])


def claim_problems(found: CheckpointQuestions | None, *, part: Part) -> list[str]:
    """Why these questions cannot support a claim: some of them chose the checkpoint."""
    if found is None or part == "development" or not found.num_reported:
        return []
    return [
        f"checkpoint: {found.num_reported} of the questions of this report chose the checkpoint, so the score on them is too good. "
        "Set report.part=final with the report.development_fraction that the training had, or train again: `dvc repro`"
    ]


def checkpoint_words(num_reported: int, num_evaluations: int) -> str:
    """A sentence after the one that says which part is reported; empty if none of its questions chose."""
    if not num_reported:
        return ""
    return (
        f" {counted(num_reported, 'question')} of the development part also chose the checkpoint, the best of {counted(num_evaluations, 'evaluation')}: "
        "an arm with the adapter looks better on this part than it is."
    )
