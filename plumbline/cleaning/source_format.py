"""What kind of file the rows are in. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Container(StrEnum):
    """How the rows are laid out in a file."""

    JSON_LINES = "JSON lines"
    JSON_ARRAY = "a JSON array"
    CSV = "CSV"
    PARQUET = "Parquet"
    ARROW_FILE = "an Arrow file"
    ARROW_STREAM = "an Arrow stream"


class Compression(StrEnum):
    """How the whole file is packed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


@dataclass(frozen=True)
class SourceFormat:
    """How the rows of a source are found in its bytes."""

    container: Container = Container.JSON_LINES
    compression: Compression = Compression.NONE
    separator: str = ","
    """Between the fields of a CSV file; a tab in a TSV file."""

    @property
    def counted(self) -> str:
        """What the number of a row counts."""
        return "line" if self.container is Container.JSON_LINES else "record"

    def __str__(self) -> str:
        """For a person."""
        names = {"\t": "TSV", ",": "CSV"}
        kind = (
            names.get(self.separator, f"CSV with {self.separator!r} between the fields")
            if self.container is Container.CSV
            else self.container
        )
        return f"{kind} in {self.compression}" if self.compression is not Compression.NONE else str(kind)


JSON_LINES = SourceFormat()
