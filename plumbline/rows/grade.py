"""The verdict of a rule on one mcq or numeric answer."""

from typing import Literal

from pydantic import Field

from plumbline.pipeline.record import Record
from plumbline.rows.outcome import Outcome, Reading


class Grade(Record):
    """Written by `grade`; read only by `report`, and by commands that compare runs or export one."""

    id: str
    """Id of the question."""
    sample: int | None = Field(default=None, exclude_if=lambda sample: sample is None)
    """Carried from the answer."""
    arm: str
    kind: Literal["mcq", "numeric"]
    outcome: Outcome
    score: float | None = Field(default=None, exclude_if=lambda score: score is None)
    """Partial credit, between 0 and 1, of an answer that is not wholly right; None: 1 for `correct`, 0 for any other outcome."""
    extracted: str | None
    """The letter, or the number in the unit of the target, that the rule read; None if it read nothing."""
    span: tuple[int, int] | None
    """Where in the response it was read: [start, end) in characters."""
    tier: str | None
    """Which rule read it (`anchored`, `boxed`, ...); None if no rule did."""
    reading: Reading
    flags: tuple[str, ...]
    """Sorted codes, such as unit_missing."""
    logprob_choice: str | None
    """mcq: the letter of the highest log-probability; None for numeric."""
    logprob_outcome: Outcome | None
    """mcq: whether that letter is the target; None for numeric."""
    complete: bool
    """Carried from the answer."""
