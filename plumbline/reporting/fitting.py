"""How long texts may be on a page that must stay small: short ones are whole, only the longest are cut. Pure."""

from collections.abc import Sequence


def longest_that_fits(lengths: Sequence[int], budget: int) -> int | None:
    """The greatest length at which all texts together, each cut to it, stay within `budget`; None if nothing must be cut. In characters."""
    left, remaining = budget, len(lengths)
    if sum(lengths) <= budget:
        return None
    for length in sorted(lengths):
        if length * remaining > left:
            return max(1, left // remaining)
        left -= length
        remaining -= 1
    raise AssertionError("texts that do not fit have a longest one")
