"""The verdict of a rule on one response, for answer kinds that are read as text. Pure."""

from typing import NamedTuple

from plumbline.rows.outcome import Outcome, Reading


class ReadGrade(NamedTuple):
    """What was read, and whether it is right."""

    outcome: Outcome
    extracted: str | None
    """The answer that was read: a formula as written, the numbers in the target's unit (`1; 2`), or the label of a choice."""
    reading: Reading
    span: tuple[int, int] | None
    """[start, end) in the response; None if nothing was read, or it is inside JSON."""
    tier: str | None
    """The rule that read it."""
    flags: frozenset[str] = frozenset()
