"""Read the rows of a benchmark in Parquet or Arrow, with the cells as JSON would hold them. Reads the stream that it is given."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from plumbline.cleaning.arrow_records import CellRefused, as_json, batches, named_errors, with_plain_floats
from plumbline.cleaning.source_format import Container
from plumbline.pipeline.refused import Refused
from plumbline.splitting.row_values import Row


def arrow_rows(path: Path, stream: IO[bytes], container: Container) -> list[Row]:
    """All records of a table. Refused if the file is damaged, if two columns share a name, or if a text is not UTF-8."""
    with named_errors(path, container):
        try:
            return [Row(f"{path}, record {number}", record) for number, record in enumerate(records(path, stream, container), start=1)]
        except UnicodeDecodeError as error:
            raise Refused(f"{path}: a text cell is not UTF-8 ({error.reason}); write the table again from UTF-8.") from None


def records(path: Path, stream: IO[bytes], container: Container) -> Iterator[dict[str, Any]]:
    """The records, one after the other."""
    for batch in batches(path, stream, container):
        for record in with_plain_floats(batch).to_pylist():
            yield {name: plain(value) for name, value in record.items()}


def plain(value: Any) -> Any:
    """A decimal, date or binary cell as text, also within lists and structs. Bytes that are not text stay: a picture is left out by name later."""
    if isinstance(value, dict):
        return {name: plain(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [plain(inside) for inside in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    try:
        return as_json(value)
    except CellRefused:
        return value
