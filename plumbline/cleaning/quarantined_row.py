"""One line that `clean` did not keep, with its reason and the line itself."""

from plumbline.pipeline.record import Record
from plumbline.rows.instruction_row import Origin


class RedactedLine(Record):
    """Replaces a line that must not be copied: one that holds key material, or is longer than 1 MiB."""

    length: int
    """Bytes."""
    sha256: str


class RefusedRecord(Record):
    """Replaces a record of a table that the reader could not turn into a row."""

    raw: str
    """As the table holds it; bytes that are not UTF-8 become escapes."""
    reason: str
    detail: str


SourceLine = bytes | RedactedLine | RefusedRecord
"""A line or record as a reader gives it."""


class QuarantinedRow(Record):
    """Nothing vanishes: lines = kept + quarantined + blank."""

    origin: Origin
    reason: str
    """Stable snake_case code."""
    detail: str
    """What was found, in words."""
    raw: str | RedactedLine
