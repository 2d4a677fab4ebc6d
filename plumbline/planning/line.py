"""A line of a plan."""

from dataclasses import dataclass

WHOLE = "all of it"
"""The name of the line about the whole run."""


@dataclass(frozen=True)
class Line:
    """What a run will take of one thing."""

    what: str
    value: str
    known: str
    """counted, computed, measured, estimated or assumed, with what it rests on."""
    seconds: float = 0.0
    """What it adds to the time of the whole run."""
