"""Every answer with its verdict, whoever gave it: the rows that the ledger counts. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Kind, Question
from plumbline.thinking import is_cut_while_thinking


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One arm's answer to one question with its verdict, whoever gave it."""

    id: str
    kind: Kind
    cluster: str
    arm: str
    outcome: Outcome
    score: float | None
    """In 0..1; None where unjudged."""
    truncated: bool
    logprob_correct: bool | None
    """mcq: whether the letter of the highest log-probability is the target; None for the other kinds."""
    reading: str
    """What the rule read (`value`, `none`, ...) or why the judge gave this score or none."""
    tier: str | None
    flags: tuple[str, ...]


def score_of(outcome: Outcome, partial: float | None) -> float:
    """A rule's verdict as a score: its partial credit where it gives any, else 1 for right, and 0 for wrong and unreadable."""
    if outcome is Outcome.UNJUDGED:
        raise ValueError("unjudged is no score: rules leave nothing unjudged.")
    if partial is not None:
        return partial
    return 1.0 if outcome is Outcome.CORRECT else 0.0


def join_verdicts(
    questions: Iterable[Question], answers: Iterable[Answer], grades: Iterable[Grade], judgements: Iterable[Judgement]
) -> list[Scored]:
    """Bring question, answer and verdict together, in benchmark order, arms in the order of the answers. KeyError where one is missing."""
    answered: dict[tuple[str, str], Answer] = {(answer.arm, answer.id): answer for answer in answers}
    graded: dict[tuple[str, str], Grade] = {(grade.arm, grade.id): grade for grade in grades}
    judged: dict[tuple[str, str], Judgement] = {(judgement.arm, judgement.id): judgement for judgement in judgements}
    arms = list(dict.fromkeys(arm for arm, _ in answered))
    scored: list[Scored] = []
    for question in questions:
        for arm in arms:
            shared = {
                "id": question.id,
                "kind": question.kind,
                "cluster": question.cluster,
                "arm": arm,
                "truncated": is_cut(answered[arm, question.id]),
            }
            if question.kind == "explanation":
                verdict = judged[arm, question.id]
                row = Scored(
                    **shared,
                    outcome=verdict.outcome,
                    score=verdict.score,
                    logprob_correct=None,
                    reading=verdict.cause,
                    tier=None,
                    flags=(),
                )
            else:
                grade = graded[arm, question.id]
                row = Scored(
                    **shared,
                    outcome=grade.outcome,
                    score=score_of(grade.outcome, grade.score),
                    logprob_correct=None if grade.logprob_outcome is None else grade.logprob_outcome is Outcome.CORRECT,
                    reading=grade.reading,
                    tier=grade.tier,
                    flags=grade.flags,
                )
            scored.append(row)
    return scored


def is_cut(answer: Answer) -> bool:
    """Say whether the text of an answer is not whole: cut at answer.max_new_tokens, or ended while it thinks."""
    return answer.stopped == "max_new_tokens" or is_cut_while_thinking(answer.response)
