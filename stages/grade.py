"""Grade multiple-choice and numeric answers by rule, both arms; no model is asked."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric, parse_target
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.pipeline.refused import Refused
from plumbline.rows.answer import ARMS, Answer, Arm
from plumbline.rows.grade import Grade
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Question

log = logging.getLogger("grade")


class GradeParams(Params):
    relative_tolerance: float
    """Fraction of a numeric target within which a value is right."""
    absolute_tolerance: float | None
    """In the target's unit; needed only where a numeric target is 0."""


def most_likely_choice(logprobs: Mapping[str, float]) -> str | None:
    """Return the letter of the highest log-probability; None without any. Letters that tie go to the first of the alphabet."""
    return min(logprobs, key=lambda letter: (-logprobs[letter], letter)) if logprobs else None


def grade_answer(answer: Answer, question: Question, params: GradeParams) -> Grade:
    """Grade one answer to its mcq or numeric question."""
    if question.kind == "mcq":
        mcq = grade_mcq(answer.response, question.choices, question.target)
        choice = most_likely_choice(answer.choice_logprobs)
        likely = None if choice is None else Outcome.CORRECT if choice == question.target else Outcome.INCORRECT
        return Grade(
            id=answer.id,
            arm=answer.arm,
            kind="mcq",
            outcome=mcq.outcome,
            extracted=mcq.extracted,
            span=mcq.span,
            tier=mcq.tier,
            reading=mcq.reading,
            flags=(),
            logprob_choice=choice,
            logprob_outcome=likely,
            complete=answer.complete,
        )
    assert question.kind == "numeric"
    numeric = grade_numeric(
        answer.response,
        question.target,
        question.unit,
        relative_tolerance=params.relative_tolerance,
        absolute_tolerance=params.absolute_tolerance,
    )
    return Grade(
        id=answer.id,
        arm=answer.arm,
        kind="numeric",
        outcome=numeric.outcome,
        extracted=None if numeric.extracted is None else f"{numeric.extracted:.12g}",
        span=numeric.span,
        tier=numeric.tier,
        reading=numeric.reading,
        flags=tuple(sorted(numeric.flags)),
        logprob_choice=None,
        logprob_outcome=None,
        complete=answer.complete,
    )


def main(params: GradeParams, *, benchmark: Path, base: Path, tuned: Path, graded: Path) -> None:
    questions = {question.id: question for question in read_jsonl(benchmark, Question)}
    refuse_unbounded_zero(questions.values(), params)
    due = [question_id for question_id, question in questions.items() if question.kind != "explanation"]
    grades: list[Grade] = []
    for arm, path in zip(ARMS, (base, tuned), strict=True):
        answers = answers_by_id(path, arm, questions)
        missing = [question_id for question_id in due if question_id not in answers]
        if missing:
            raise ValueError(f"{path}: no answer to {len(missing)} questions of {benchmark} (first: {missing[0]}); run answer_{arm} again.")
        arm_grades = [grade_answer(answers[question_id], questions[question_id], params) for question_id in due]
        grades += arm_grades
        for kind in ("mcq", "numeric"):
            outcomes = Counter(str(grade.outcome) for grade in arm_grades if grade.kind == kind)
            log.info("%s %s: %d answers %s", arm, kind, outcomes.total(), dict(sorted(outcomes.items())))
    assert len(grades) == len(ARMS) * len(due)
    write_jsonl(graded, grades)


def refuse_unbounded_zero(questions: Iterable[Question], params: GradeParams) -> None:
    """Refuse a target of 0 where only a fraction of it would be tolerated. `split` has warned of it."""
    if params.absolute_tolerance is not None:
        return
    for question in questions:
        if question.kind == "numeric" and parse_target(question.target, question.unit).value == 0:
            raise Refused(
                f"question {question.id} has target 0, which no fraction bounds: set grade.absolute_tolerance, "
                f"in {question.unit or 'the unit of the target'}, or take the question out of the benchmark."
            )


def answers_by_id(path: Path, arm: Arm, questions: Mapping[str, Question]) -> dict[str, Answer]:
    """Read an arm's answers. ValueError for one of the other arm, a second one to the same question, and one to no question."""
    answers: dict[str, Answer] = {}
    for answer in read_jsonl(path, Answer):
        if answer.arm != arm:
            raise ValueError(f"{path}: answer {answer.id} is of arm {answer.arm!r}; only {arm!r} belongs here.")
        if answer.id in answers:
            raise ValueError(f"{path}: two answers to {answer.id}; one is accepted.")
        if answer.id not in questions:
            raise ValueError(f"{path}: answer to {answer.id}, which the benchmark does not hold; run answer_{arm} again.")
        answers[answer.id] = answer
    return answers


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("grade", GradeParams),
            benchmark=Path("data/split/benchmark.jsonl"),
            base=Path("data/answers/base.jsonl"),
            tuned=Path("data/answers/tuned.jsonl"),
            graded=Path("data/grades/graded.jsonl"),
        )
