"""Every answer with its verdict, whoever gave it: the rows that the ledger counts. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from plumbline.judging.prompt import CORRECT_FROM
from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Outcome, score_of
from plumbline.rows.question import Kind, Question
from plumbline.thinking import is_cut_while_thinking

Row = TypeVar("Row", Answer, Grade, Judgement)
Sample = int | None
"""Number of an answer; None if the arm gave one to each question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One arm on one question with its verdict, whoever gave it. For several samples it holds their mean, because the question is the unit."""

    id: str
    kind: Kind
    cluster: str
    arm: str
    outcome: Outcome
    score: float | None
    """In 0..1; None if unjudged."""
    truncated: bool
    logprob_correct: bool | None
    """mcq: whether the letter of the highest log-probability is the target; None for the other kinds."""
    reading: str
    """What the rule read (`value`, `none`, ...) or why the judge gave this score or none."""
    tier: str | None
    flags: tuple[str, ...]
    samples: "tuple[Scored, ...]" = ()
    """Each sample with its own verdict, by number; empty if the arm gave one answer to each question."""
    sample: Sample = None
    """Of a row in `samples`."""

    @property
    def answers(self) -> "tuple[Scored, ...]":
        """What was said to the question: the samples, or the one answer."""
        return self.samples or (self,)


def by_question(rows: Iterable[Row]) -> dict[tuple[str, str], dict[Sample, Row]]:
    """(arm, question) -> sample -> row."""
    found: dict[tuple[str, str], dict[Sample, Row]] = defaultdict(dict)
    for row in rows:
        found[row.arm, row.id][row.sample] = row
    return dict(found)


def join_verdicts(
    questions: Iterable[Question], answers: Iterable[Answer], grades: Iterable[Grade], judgements: Iterable[Judgement]
) -> list[Scored]:
    """Bring question, answer and verdict together: one row per question and arm, in benchmark order, arms in the order of the answers.

    KeyError if one is missing.
    """
    answered, graded, judged = by_question(answers), by_question(grades), by_question(judgements)
    arms = list(dict.fromkeys(arm for arm, _ in answered))
    scored: list[Scored] = []
    for question in questions:
        for arm in arms:
            key = arm, question.id
            verdicts: dict[Sample, Grade] | dict[Sample, Judgement] = judged[key] if question.kind == "explanation" else graded[key]
            samples = answered[key]
            scored.append(
                mean_of_samples([scored_answer(question, samples[number], verdicts[number]) for number in sorted(samples, key=in_order)])
            )
    return scored


def in_order(sample: Sample) -> int:
    """The order of samples."""
    return sample or 0


def scored_answer(question: Question, answer: Answer, verdict: Grade | Judgement) -> Scored:
    """One answer with its verdict."""
    is_grade = isinstance(verdict, Grade)
    logprob = verdict.logprob_outcome if is_grade else None
    return Scored(
        id=question.id,
        kind=question.kind,
        cluster=question.cluster,
        arm=answer.arm,
        outcome=verdict.outcome,
        score=score_of(verdict.outcome, verdict.score) if is_grade else verdict.score,
        truncated=is_cut(answer),
        logprob_correct=None if logprob is None else logprob is Outcome.CORRECT,
        reading=verdict.reading if is_grade else verdict.cause,
        tier=verdict.tier if is_grade else None,
        flags=verdict.flags if is_grade else (),
        sample=answer.sample,
    )


def mean_of_samples(rows: Sequence[Scored]) -> Scored:
    """The samples of one question as one row. A sample is left out of the mean if our judge failed at it; one that cannot be read counts 0."""
    first = rows[0]
    if len(rows) == 1 and first.sample is None:
        return first
    scores = [row.score for row in rows if row.score is not None]
    score = math.fsum(scores) / len(scores) if scores else None
    return replace(
        first,
        outcome=outcome_of_samples([row.outcome for row in rows], score),
        score=score,
        truncated=any(row.truncated for row in rows),
        # Nothing is drawn for the likeliest choice: one sample carries it for the question.
        logprob_correct=next((row.logprob_correct for row in rows if row.logprob_correct is not None), None),
        samples=tuple(rows),
        sample=None,
    )


def outcome_of_samples(outcomes: Sequence[Outcome], mean: float | None) -> Outcome:
    """One word for several samples, to filter questions by. The ledger counts the outcomes of the samples."""
    if mean is None:
        return Outcome.UNJUDGED
    if mean >= CORRECT_FROM:
        return Outcome.CORRECT
    return Outcome.UNPARSED if set(outcomes) <= {Outcome.UNPARSED, Outcome.UNJUDGED} else Outcome.INCORRECT


def is_cut(answer: Answer) -> bool:
    """Say whether the text of an answer is not whole: cut at answer.max_new_tokens, or ended while it thinks."""
    return answer.stopped == "max_new_tokens" or is_cut_while_thinking(answer.response)
