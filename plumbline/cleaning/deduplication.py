"""Find rows that say the same, and rows that answer one question differently, by 16-byte keys. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

KEY = np.dtype([("high", "<u8"), ("low", "<u8")])


class Repeats(NamedTuple):
    """Positions are indices into the rows; -1 stands for none."""

    duplicate_of: NDArray[np.int64]
    """First row with the same question and answer, for every later one."""
    contradicts: NDArray[np.int64]
    """A row with the same question and another answer, for every row that has one."""


def find_repeats(question_keys: bytes, row_keys: bytes) -> Repeats:
    """Compare rows by the keys of their questions and of their whole content, 16 bytes a row each.

    This takes 64 MiB for a million rows; a dict would take ten times that.
    """
    rows = np.frombuffer(row_keys, dtype=KEY)
    questions = np.frombuffer(question_keys, dtype=KEY)
    first = first_of_equals(rows)
    duplicate_of = np.where(first == np.arange(len(rows)), -1, first)
    contradicts = np.full(len(rows), -1, dtype=np.int64)
    distinct = np.flatnonzero(duplicate_of < 0)
    asked_first = first_of_equals(questions[distinct])
    later = np.flatnonzero(asked_first != np.arange(len(distinct)))
    contradicts[distinct[later]] = distinct[asked_first[later]]
    # Written backwards, so that the first of a group ends up with the earliest of the others.
    contradicts[distinct[asked_first[later]][::-1]] = distinct[later][::-1]
    repeated = np.flatnonzero(duplicate_of >= 0)
    contradicts[repeated] = contradicts[duplicate_of[repeated]]
    return Repeats(duplicate_of, contradicts)


def first_of_equals(keys: NDArray[np.void]) -> NDArray[np.int64]:
    """For each position the first position with the same key."""
    order = np.lexsort((keys["low"], keys["high"]))  # stable: equal keys keep their order
    ordered = keys[order]
    starts = np.ones(len(keys), dtype=bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    first = np.empty(len(keys), dtype=np.int64)
    first[order] = order[np.maximum.accumulate(np.where(starts, np.arange(len(keys)), 0))]
    return first
