"""One check that preflight makes before anything is spent."""

from typing import Literal

from plumbline.pipeline.record import Record


class Check(Record):
    """`fail` keeps train from starting; `warn` is for a person to weigh."""

    name: str
    status: Literal["pass", "warn", "fail"]
    found: str
    """The number, with its unit."""
    remedy: str
    """What to do; empty where the check passes."""
