"""What a judge finds of one key point in an explanation."""

from enum import StrEnum

from plumbline.pipeline.record import Record


class Finding(StrEnum):
    """What an answer does with one key point."""

    STATED = "stated"
    MISSING = "missing"
    CONTRADICTED = "contradicted"


class PointFinding(Record):
    """What the judge found of one key point."""

    point: str
    """The key point, in the benchmark's words."""
    finding: Finding
    quote: str | None
    """The words of the answer that state or contradict it; None if it is missing."""
