"""Say if a split missed its share because near-duplicates stay together, and which similarity would help. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from plumbline.rows.instruction_row import InstructionRow
from plumbline.splitting.splitting import group_rows, is_validation

TIGHTER = (0.8, 0.85, 0.9, 0.95, 0.99)
MAX_ROWS_TRIED = 50_000
"""Grouping rows again costs as much as the split: with more rows no similarity is tried."""
MIN_EXPECTED_ROWS = 10
"""With fewer expected rows to validate on, chance alone moves their share by half."""


class Remedy(NamedTuple):
    """A similarity at which the split works."""

    similarity: float
    num_groups: int
    num_validation: int


def is_far_off(num_validation: int, num_rows: int, fraction: float) -> bool:
    """Whether the share of validation rows is less than half of what was asked, or more than twice."""
    expected = fraction * num_rows
    return expected >= MIN_EXPECTED_ROWS and not expected / 2 <= num_validation <= 2 * expected


def find_remedy(rows: Sequence[InstructionRow], *, seed: int, fraction: float, similarity: float) -> Remedy | None:
    """The lowest tighter similarity with rows on both sides in about the shares asked for; else the first with rows on both sides."""
    if len(rows) > MAX_ROWS_TRIED:
        return None
    second_best: Remedy | None = None
    for tighter in TIGHTER:
        if tighter <= similarity:
            continue
        groups = group_rows(rows, tighter)
        num_validation = sum(is_validation(group, seed=seed, validation_fraction=fraction) for group in groups)
        found = Remedy(tighter, len(set(groups)), num_validation)
        if 0 < num_validation < len(rows):
            if not is_far_off(num_validation, len(rows), fraction):
                return found
            second_best = second_best or found
    return second_best


def largest_group(groups: Sequence[str]) -> str:
    """Words for the largest group of near-duplicates."""
    number = Counter(groups).most_common(1)[0][1]
    return (
        f"the largest of {len(set(groups))} groups of near-duplicates holds {number} of {len(groups)} rows, and a group stays on one side"
    )


def advice(remedy: Remedy | None, *, similarity: float, seed: int) -> str:
    """What to do about a split in which groups are too large."""
    if remedy is None:
        return f"Raise split.near_duplicate_similarity ({similarity}), take another split.seed ({seed}), or bring rows that differ more."
    return (
        f"Set split.near_duplicate_similarity to {remedy.similarity} (now {similarity}): there are then {remedy.num_groups} groups, "
        f"and {remedy.num_validation} rows validate."
    )
