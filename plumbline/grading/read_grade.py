"""The verdict of a rule on one response, for the answer kinds that are read as text. Pure."""

from typing import NamedTuple

from plumbline.rows.outcome import Outcome, Reading


class ReadGrade(NamedTuple):
    """What was read, and whether it is right."""

    outcome: Outcome
    extracted: str | None
    """What was read: a formula as it was written, the numbers in the target's unit (`1; 2`), or the label of a choice."""
    reading: Reading
    span: tuple[int, int] | None
    """[start, end) in the response; None if nothing was read, or if it stands in JSON."""
    tier: str | None
    """Which rule read it."""
    flags: frozenset[str] = frozenset()
