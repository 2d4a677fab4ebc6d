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
    """Where the answer states or contradicts it, in the answer's words; None where it is missing."""
