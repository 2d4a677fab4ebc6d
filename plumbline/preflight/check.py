"""One check that preflight makes before anything is spent."""

from typing import Literal

from plumbline.pipeline.record import Record


class Check(Record):
    """`fail` keeps `train` from starting; a person decides what to do about `warn`."""

    name: str
    status: Literal["pass", "warn", "fail"]
    found: str
    """What was measured, as a number with its unit."""
    remedy: str
    """What to do; empty if the check passes."""
