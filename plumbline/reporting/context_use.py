"""How a context was used: how often it holds the answer, what the arm scored with it, and what it cost in tokens. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from plumbline.reporting.gathered import Gathered
from plumbline.reporting.ledger import compare_pairs, estimate_of
from plumbline.reporting.params import ReportParams
from plumbline.reporting.scored import Scored, by_question
from plumbline.rows.answer import Answer
from plumbline.rows.arms import NO_CONTEXT, Arms
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import SIGNIFICANCE, Comparison, Estimate

TERM = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]{4,}")
"""A number, or a word of four letters or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The questions of one kind with the whole answer in their passages, or those without."""

    n: int
    score: Estimate | None
    gain: Comparison | None
    """Against the same weights without a context; None if there is no such arm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextUse:
    """One arm with passages, on one kind."""

    arm: str
    kind: Kind
    recall: float
    """Mean share (0-1) of what a right answer needs that is in the passages."""
    with_answer: Part
    without_answer: Part
    grounded: float | None
    """Mean share (0-1) of an answer's numbers and longer words, without those of the question, that are in its passages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTokens:
    """Length of an arm's prompts in tokens."""

    arm: str
    mean: float
    p90: int
    most: int


def terms(text: str) -> set[str]:
    """The numbers and longer words of a text, in lower case."""
    return set(TERM.findall(text.lower()))


def grounded_share(answer: str, question: str, passages: Sequence[str]) -> float | None:
    """Share of the answer's own terms that the passages hold; None if all its terms are in the question."""
    own = terms(answer) - terms(question)
    if not own:
        return None
    held = set().union(*(terms(passage) for passage in passages)) if passages else set()
    return len(own & held) / len(own)


def bare_arm(arms: Arms, name: str) -> str | None:
    """The arm with the same weights and no context."""
    weights = arms.root[name].weights
    return next((other for other, arm in arms.root.items() if arm.weights == weights and arm.context_name == NO_CONTEXT), None)


def context_uses(questions: Sequence[Question], gathered: Gathered, scored: Sequence[Scored], params: ReportParams) -> list[ContextUse]:
    """How each arm used its passages, kind by kind; `questions`: of the reported part."""
    arms, contexts, answers = gathered.arms, gathered.contexts, gathered.answers
    rows = {(row.arm, row.id): row for row in scored}
    said = by_question(answers)
    found: list[ContextUse] = []
    for name, arm in arms.root.items():
        given = contexts.get(arm.context_name, {})
        bare = bare_arm(arms, name)
        for kind in KINDS:
            asked = [
                question for question in questions if question.kind == kind and (one := given.get(question.id)) and one.recall is not None
            ]
            if not asked:
                continue
            recalls = {question.id: given[question.id].recall or 0.0 for question in asked}
            holding = [question for question in asked if recalls[question.id] >= 1]
            lacking = [question for question in asked if recalls[question.id] < 1]
            parts = [part_of(part, rows, name, bare, params) for part in (holding, lacking)]
            shares = [
                share
                for question in asked
                for answer in said[name, question.id].values()
                if (share := grounded_share(answer.response, question.question, [one.text for one in given[question.id].passages]))
                is not None
            ]
            found.append(
                ContextUse(
                    arm=name,
                    kind=kind,
                    recall=fmean(recalls.values()),
                    with_answer=parts[0],
                    without_answer=parts[1],
                    grounded=fmean(shares) if shares else None,
                )
            )
    return found


def part_of(
    questions: Sequence[Question],
    rows: Mapping[tuple[str, str], Scored],
    arm: str,
    bare: str | None,
    params: ReportParams,
) -> Part:
    """Score and gain of an arm on some questions."""
    mine = [rows[arm, question.id] for question in questions]
    known = [row for row in mine if row.score is not None]
    gain = None
    if bare is not None:
        triples = [(rows[bare, row.id].score, row.score, row.cluster) for row in mine]
        gain = compare_pairs(triples, seed=params.seed, num_resamples=params.num_resamples, level=SIGNIFICANCE)
    scores = [row.score for row in known if row.score is not None]
    return Part(n=len(mine), score=estimate_of(scores, known), gain=gain)


def prompt_tokens(answers: Sequence[Answer], arms: Arms) -> list[PromptTokens]:
    """Length of the prompts of each arm. It may be missing for an arm with answers made elsewhere."""
    found: list[PromptTokens] = []
    for name in arms.names:
        lengths = sorted(answer.num_prompt_tokens for answer in answers if answer.arm == name and answer.num_prompt_tokens is not None)
        if lengths:
            p90 = lengths[math.ceil(0.9 * len(lengths)) - 1]
            found.append(PromptTokens(arm=name, mean=fmean(lengths), p90=p90, most=lengths[-1]))
    return found
