"""How much of what a right answer needs stands in passages, by rule. Pure."""

from collections.abc import Sequence
from functools import lru_cache

from plumbline.grading.glyphs import tidy
from plumbline.grading.markup import without_markup
from plumbline.grading.numeric_target import close, fits, in_target_unit, parse_target, quantities_in
from plumbline.grading.option_text import find_options, option_tokens, tokens
from plumbline.judging.key_points import Finding, judge_key_points
from plumbline.rows.question import Question

RELATIVE_TOLERANCE = 0.01
"""Of a number that counts as the target's: rounding, and not the tolerance of an answer, which other numbers would meet by chance."""

Needs = frozenset[int]
"""Which of the things that an answer needs are there; of a choice or a number there is only one, number 0."""


def num_needed(question: Question) -> int:
    """How many things a right answer needs: one choice, one number, or the key points; 0 for an explanation without key points."""
    return len(question.key_points) if question.kind == "explanation" else 1


def needs_in(question: Question, text: str) -> Needs:
    """The needed things that stand in one text.

    mcq: the words of the right choice, not inside a longer choice. numeric: the number with its unit, in any unit of its dimension.
    explanation: the key points that the text states, by the rule of judge `key_points`.
    """
    if question.kind == "mcq":
        letters = {letter for _, _, letter in find_options(tokens(text), option_tokens(question.choices))}
        return frozenset({0} if question.target in letters else ())
    if question.kind == "numeric":
        return frozenset({0} if holds_quantity(question, text) else ())
    if not question.key_points:
        return frozenset()
    verdict = judge_key_points(text, question.key_points, question=question.question, reference=question.target)
    return frozenset(place for place, finding in enumerate(verdict.findings) if finding is Finding.STATED)


def holds_quantity(question: Question, text: str) -> bool:
    """Whether the target's number stands in the text, with a unit of its dimension where it has one."""
    target = parse_target(question.target, question.unit)
    for quantity in quantities_in(read_once(text), target):
        if target.unit is not None and not fits(quantity, target):
            continue
        value = in_target_unit(quantity, target)
        if value is not None and close(value, target.value, RELATIVE_TOLERANCE, 0.0):
            return True
    return False


@lru_cache(maxsize=1024)
def read_once(text: str) -> str:
    """The text as quantities are read from it."""
    return tidy(without_markup(text))


def recall_at(question: Question, texts: Sequence[str]) -> list[float] | None:
    """Share (0-1) of the needed things that the first 1, 2, ... texts hold; None where nothing is named that an answer needs."""
    needed = num_needed(question)
    if needed == 0:
        return None
    held: Needs = frozenset()
    shares: list[float] = []
    for text in texts:
        held |= needs_in(question, text)
        shares.append(len(held) / needed)
    return shares
