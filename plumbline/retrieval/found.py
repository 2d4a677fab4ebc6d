"""Whether passages hold what a right answer needs, by rule. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from plumbline.grading.answer_targets import split_numbers
from plumbline.grading.glyphs import tidy
from plumbline.grading.markup import without_markup
from plumbline.grading.numeric_target import close, fits, in_target_unit, parse_target, quantities_in
from plumbline.grading.option_text import find_options, option_tokens, tokens
from plumbline.judging.key_points import Finding, judge_key_points
from plumbline.rows.question import Question

RELATIVE_TOLERANCE = 0.01
"""Tolerance for a number that counts as the target's. It allows only rounding: with the tolerance of answers, others match by chance."""

HELD_OF_PASSAGE = 0.5
"""From this share of the word runs of the gold passage (or of a text inside it) on, the two are the same passage."""
MIN_RUNS_OF_A_PART = 12
WORD = re.compile(r"\w+")

Needs = frozenset[int]
"""Numbers of the needed things that are there. A choice or a number is only one thing, number 0."""


def num_needed(question: Question) -> int:
    """How many things a right answer needs: its choices, its numbers, or the key points. 0 if no rule can look for one."""
    if question.kind == "explanation":
        return len(question.key_points)
    if question.answer_kind in ("yes_no", "expression"):
        return 0
    return len(right_choices(question)) if question.kind == "mcq" else len(split_numbers(question.target)) if question.answer_kind else 1


def right_choices(question: Question) -> list[str]:
    """The labels of the choices that are right."""
    return question.target.split(",") if question.answer_kind == "letters" else [question.target]


def needs_in(question: Question, text: str) -> Needs:
    """The needed things that one text holds.

    mcq: the words of the right choice, not inside a longer choice. numeric: the number with its unit, in any unit of its dimension.
    explanation: the key points that the text states, by the rule of judge `key_points`.
    """
    if num_needed(question) == 0:
        return frozenset()
    if question.kind == "mcq":
        letters = {letter for _, _, letter in find_options(tokens(text), option_tokens(question.choices))}
        return frozenset(place for place, letter in enumerate(right_choices(question)) if letter in letters)
    if question.kind == "numeric":
        written = split_numbers(question.target) if question.answer_kind else [question.target]
        return frozenset(place for place, number in enumerate(written) if holds_quantity(number, question.unit, text))
    verdict = judge_key_points(text, question.key_points, question=question.question, reference=question.target)
    return frozenset(place for place, finding in enumerate(verdict.findings) if finding is Finding.STATED)


def holds_passage(passage: str, text: str) -> bool:
    """Whether a text holds most of the passage, by its runs of three words: a corpus is cut at other places than a benchmark."""
    wanted, held = word_runs(passage), word_runs(text)
    shared = len(wanted & held)
    is_part = shared >= MIN_RUNS_OF_A_PART and shared >= HELD_OF_PASSAGE * len(held)
    return bool(wanted) and (shared >= HELD_OF_PASSAGE * len(wanted) or is_part)


def word_runs(text: str) -> frozenset[tuple[str, ...]]:
    """Every run of three words."""
    words = WORD.findall(text.lower())
    return frozenset(zip(words, words[1:], words[2:], strict=False))


def holds_quantity(number: str, unit: str | None, text: str) -> bool:
    """Whether the text holds a target's number, with a unit of its dimension if it has one."""
    target = parse_target(number, unit)
    for quantity in quantities_in(read_once(text), target):
        if target.unit is not None and not fits(quantity, target):
            continue
        value = in_target_unit(quantity, target)
        if value is not None and close(value, target.value, RELATIVE_TOLERANCE, 0.0):
            return True
    return False


@lru_cache(maxsize=1024)
def read_once(text: str) -> str:
    """The text in the form from which quantities are read."""
    return tidy(without_markup(text))


def recall_at(question: Question, texts: Sequence[str]) -> list[float] | None:
    """Share (0-1) of the needed things that the first 1, 2, ... texts hold; None if the question names nothing that is needed.

    If the benchmark names the passage with the answer, only that passage is needed.
    """
    if question.gold_passage is not None:
        found = [holds_passage(question.gold_passage, text) for text in texts]
        return [float(any(found[: place + 1])) for place in range(len(found))]
    needed = num_needed(question)
    if needed == 0:
        return None
    held: Needs = frozenset()
    shares: list[float] = []
    for text in texts:
        held |= needs_in(question, text)
        shares.append(len(held) / needed)
    return shares
