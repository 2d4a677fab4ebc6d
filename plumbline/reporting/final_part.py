"""How often the questions of the claim have been looked at: each look at another tuned model is one more draw to choose from. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from plumbline.reporting.benchmark_parts import Part
from plumbline.reporting.final_part_use import FinalPartUse


def uses_final_part(part: Part) -> bool:
    """Whether a report on this part scores the final questions: alone, or within the whole benchmark."""
    return part != "development"


def uses_of(uses: Iterable[FinalPartUse], benchmark_sha256: str) -> frozenset[FinalPartUse]:
    """The uses of one benchmark; the same answers scored twice are one use."""
    return frozenset(use for use in uses if use.benchmark_sha256 == benchmark_sha256)


def use_in(evaluation: Mapping[str, Any]) -> FinalPartUse | None:
    """The use that a metrics/evaluation.json is, or None where it scores the development part or nothing."""
    if not uses_final_part(evaluation["part"]["name"]) or not evaluation["kinds"]:
        return None
    hashes = evaluation["sha256"]
    return FinalPartUse(benchmark_sha256=hashes["benchmark"], tuned_answers_sha256=hashes["tuned answers"])


def final_part_words(num_uses: int, *, part: Part, num_questions: int, num_questions_in_benchmark: int) -> str:
    """Which part was used, and how often the questions of the claim have been, in a sentence or two."""
    models = f"{num_uses} tuned model{'' if num_uses == 1 else 's'}"
    if part == "development":
        return (
            f"Development part: {num_questions} of {num_questions_in_benchmark} questions, for choosing among runs, not for a claim. "
            f"In the record of this repository {models} {'has' if num_uses == 1 else 'have'} been scored on the other questions, the final part."
        )
    which = (
        f"Final part: {num_questions} of {num_questions_in_benchmark} questions."
        if part == "final"
        else f"The whole benchmark: {num_questions} questions, none kept aside for choosing."
    )
    return f"{which} In the record of this repository {models} {'has' if num_uses == 1 else 'have'} been scored on the final part, this one included."
