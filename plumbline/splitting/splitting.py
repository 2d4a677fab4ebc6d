"""Give each group of near-duplicate rows to training or validation by a hash, so that other rows never move it. Pure."""

import hashlib
from collections.abc import Sequence

from plumbline.near_duplicates import near_duplicate_groups, root
from plumbline.rows.instruction_row import InstructionRow


def group_rows(rows: Sequence[InstructionRow], similarity: float) -> list[str]:
    """Name the group of each row: the smallest id in it. Rows share one if their questions, or they as a whole, are near.

    A name depends on the members alone: neither on their order nor on other rows.
    """
    by_question = near_duplicate_groups((f"{row.instruction}\n{row.input}" for row in rows), similarity)
    by_content = near_duplicate_groups((f"{row.instruction}\n{row.input}\n{row.output}" for row in rows), similarity)
    parents = list(range(len(rows)))

    for grouping in (by_question, by_content):
        for index, first in enumerate(grouping.tolist()):
            left, right = root(parents, index), root(parents, first)
            parents[max(left, right)] = min(left, right)
    names: dict[int, str] = {}
    for index, row in enumerate(rows):
        group = root(parents, index)
        names[group] = min(names.get(group, row.id), row.id)
    return [names[root(parents, index)] for index in range(len(rows))]


def position(group: str, seed: int) -> float:
    """Where a group stands in [0, 1): uniform, and the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def is_validation(group: str, *, seed: int, validation_fraction: float) -> bool:
    """Whether a group's rows validate instead of training."""
    return position(group, seed) < validation_fraction
