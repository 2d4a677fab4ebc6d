"""One clean training row, as `clean` keeps it and `split` hands it on."""

from plumbline.pipeline.record import Record


class Origin(Record):
    """Where a row came from."""

    file: str
    """Path of the source as given in params.yaml."""
    line: int
    """Number of the physical line in that file, from 1; in CSV and Parquet, of the record, the header not counted."""


class InstructionRow(Record):
    """An Alpaca row whose output is plain text."""

    id: str
    """Hash of instruction, input and output after cleaning: stable when rows are added or reordered."""
    instruction: str
    input: str
    """Empty string where the source had none."""
    output: str
    """Plain text; where the source had both, `Explanation: ...` and a last line `Answer: ...`."""
    origin: Origin
    repairs: tuple[str, ...]
    """Codes of the lossless changes made, sorted."""
    flags: tuple[str, ...]
    """Codes of what a reader may want to review, sorted."""
