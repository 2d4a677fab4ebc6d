"""One line that `clean` did not keep, with its reason and the line itself."""

from plumbline.pipeline.record import Record
from plumbline.rows.instruction_row import Origin


class RedactedLine(Record):
    """Stands in for a line that must not be copied: key material, or longer than 1 MiB."""

    length: int
    """Bytes."""
    sha256: str


class RefusedRecord(Record):
    """Stands in for a record of a table that is no row: a reader saw it first."""

    raw: str
    """As the table holds it; bytes that are no UTF-8 as escapes."""
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
    """What was found, for a person."""
    raw: str | RedactedLine
