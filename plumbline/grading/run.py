"""Grade the mcq and numeric answers of every arm by rule, and write one grade per answer. Reads and writes files."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from plumbline.grading.by_kind import graded_by_rule
from plumbline.grading.tolerance import Tolerance, needs_absolute_tolerance
from plumbline.pipeline.heartbeat import watched
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Question

log = logging.getLogger("grade")


@dataclass(frozen=True, kw_only=True)
class GradeFiles:
    """What the stage reads and writes."""

    benchmark: Path
    answers: Mapping[str, Path]
    """Arm -> its answers."""
    graded: Path
    """Output: the grades of all arms."""


def grade_files(files: GradeFiles, tolerance: Tolerance) -> list[Grade]:
    """Grade every arm, write the grades, and return them. ValueError if an arm did not answer a question."""
    questions = {question.id: question for question in read_jsonl(files.benchmark, Question)}
    refuse_unbounded_zero(questions.values(), tolerance)
    grades: list[Grade] = []
    for arm, path in files.answers.items():
        answers = answers_by_id(path, arm, questions)
        due = [question for question in questions.values() if question.kind != "explanation"]
        missing = [question.id for question in due if not answers.get(question.id)]
        if missing:
            raise ValueError(
                f"{path}: no answer to {len(missing)} questions of {files.benchmark} (first: {missing[0]}). Run `dvc repro answer@{arm}`."
            )
        arm_grades = [
            grade_answer(answer, question, tolerance)
            for question in watched(due, f"grade {arm}", unit="question", total=len(due))
            for answer in answers[question.id]
        ]
        log_outcomes(arm, arm_grades)
        grades += arm_grades
    write_jsonl(files.graded, grades)
    return grades


def log_outcomes(arm: str, grades: list[Grade]) -> None:
    """Log the outcomes of one arm, by kind of question."""
    for kind in ("mcq", "numeric"):
        outcomes = Counter(str(grade.outcome) for grade in grades if grade.kind == kind)
        log.info("%s %s: %d answers %s", arm, kind, outcomes.total(), dict(sorted(outcomes.items())))


def refuse_unbounded_zero(questions: Iterable[Question], tolerance: Tolerance) -> None:
    """Refuse a target of 0 if the only tolerance is a fraction of it. `split` has warned about it."""
    if tolerance.absolute is not None:
        return
    for question in questions:
        if needs_absolute_tolerance(question):
            raise Refused(
                f"Question {question.id} has target 0, where a relative tolerance has no effect. Set grade.absolute_tolerance, "
                f"in {question.unit or 'the unit of the target'}, or remove the question from the benchmark."
            )


def answers_by_id(path: Path, arm: str, questions: Mapping[str, Question]) -> dict[str, list[Answer]]:
    """Read an arm's answers: question -> its samples by number. ValueError for an answer of another arm, to no question, or doubled."""
    answers: dict[str, dict[int | None, Answer]] = {}
    for answer in read_jsonl(path, Answer):
        if answer.arm != arm:
            raise ValueError(f"{path}: the answer to {answer.id} is of arm {answer.arm!r}, not of {arm!r}. Run `dvc repro answer@{arm}`.")
        if answer.id not in questions:
            raise ValueError(f"{path}: an answer to {answer.id}, which the benchmark does not have. Run `dvc repro answer@{arm}`.")
        mine = answers.setdefault(answer.id, {})
        if answer.sample in mine or (mine and None in {answer.sample, *mine}):
            which = "two answers to" if answer.sample is None or None in mine else f"sample {answer.sample} twice of"
            raise ValueError(f"{path}: {which} {answer.id}. Run `dvc repro answer@{arm}`.")
        mine[answer.sample] = answer
    return {id: [mine[number] for number in sorted(mine, key=lambda number: number or 0)] for id, mine in answers.items()}


def grade_answer(answer: Answer, question: Question, tolerance: Tolerance) -> Grade:
    """Grade one answer to its mcq or numeric question."""
    graded = graded_by_rule(answer.response, question, tolerance)
    # The likeliest choice is one letter: a question for several letters has no such control.
    choice = None if question.answer_kind == "letters" else most_likely_choice(answer.choice_logprobs)
    return Grade(
        id=answer.id,
        sample=answer.sample,
        arm=answer.arm,
        kind="mcq" if question.kind == "mcq" else "numeric",
        outcome=graded.outcome,
        score=graded.score,
        extracted=graded.extracted,
        span=graded.span,
        tier=graded.tier,
        reading=graded.reading,
        flags=graded.flags,
        logprob_choice=choice,
        logprob_outcome=None if choice is None else Outcome.CORRECT if choice == question.target else Outcome.INCORRECT,
        complete=answer.complete,
    )


def most_likely_choice(logprobs: Mapping[str, float]) -> str | None:
    """Return the letter with the highest log-probability; None without any. In a tie, the first letter of the alphabet wins."""
    return min(logprobs, key=lambda letter: (-logprobs[letter], letter)) if logprobs else None
