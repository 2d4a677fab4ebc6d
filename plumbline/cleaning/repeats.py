"""Decide what happens to rows that repeat or contradict others. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from plumbline.cleaning.codes import Action, Rule
from plumbline.cleaning.deduplication import find_repeats


class Repeat(NamedTuple):
    """A rule that a row breaks together with another row."""

    rule: Rule
    other: int
    """Index of the row it repeats or contradicts."""


def decide_repeats(
    question_keys: bytes, row_keys: bytes, near_groups: NDArray[np.int64] | None, actions: Mapping[Rule, Action]
) -> dict[int, list[Repeat]]:
    """Return the repeats of each row that has any under a rule that is on. The first of equal rows is never a repeat.

    `near_groups`: first row of the group of near-duplicates, for each row; None if the rule is off.
    """
    found = find_repeats(question_keys, row_keys)
    decisions: dict[int, list[Repeat]] = {}

    def note(rule: Rule, others: NDArray[np.int64]) -> None:
        if actions[rule] is not Action.OFF:
            for row in np.flatnonzero(others >= 0).tolist():
                decisions.setdefault(row, []).append(Repeat(rule, int(others[row])))

    note(Rule.DUPLICATE, found.duplicate_of)
    note(Rule.CONTRADICTION, found.contradicts)
    if near_groups is not None:
        is_first = near_groups == np.arange(len(near_groups))
        note(Rule.NEAR_DUPLICATE, np.where(is_first | (found.duplicate_of >= 0), -1, near_groups))
    return decisions


class Moved(NamedTuple):
    """The row goes to the quarantine."""

    reason: str
    detail: str


class Flagged(NamedTuple):
    """The row stays, with more flags."""

    line: bytes
    new_flags: tuple[str, ...]


def apply_repeats(line: bytes, repeats: Sequence[Repeat], lines: NDArray[np.int64], actions: Mapping[Rule, Action]) -> Moved | Flagged:
    """Flag one kept row or quarantine it, as the rules of its repeats say. `lines`: physical line of each row, for the detail."""
    for repeat in repeats:
        if actions[repeat.rule] is Action.QUARANTINE:
            words = {Rule.DUPLICATE: "same question and answer as", Rule.CONTRADICTION: "another answer to the question of"}
            return Moved(repeat.rule, f"{words.get(repeat.rule, 'nearly the same as')} line {lines[repeat.other]}")
    row = orjson.loads(line)
    new_flags = tuple(repeat.rule.value for repeat in repeats)
    row["flags"] = sorted({*row["flags"], *new_flags})
    return Flagged(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE), new_flags)
