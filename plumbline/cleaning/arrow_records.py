"""Read the records of Parquet and Arrow files as JSON objects, in bounded memory; refuse a cell that JSON cannot hold.

pyarrow is imported inside functions: importing it takes longer than the whole stage takes on a small file.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from plumbline.cleaning.codes import Reason
from plumbline.cleaning.csv_records import refuse_twins
from plumbline.cleaning.quarantined_row import RefusedRecord
from plumbline.cleaning.source_format import Container
from plumbline.pipeline.refused import InputRefused

if TYPE_CHECKING:
    import pyarrow

BATCH_ROWS = 2048
BATCH_BYTES = 4 << 20
READ_BYTES = 1 << 20


class CellRefused(ValueError):
    """A cell holds a value that JSON text cannot."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def arrow_records(path: Path, stream: IO[bytes], container: Container) -> Iterator[bytes | RefusedRecord]:
    """Yield the records of a table. InputRefused if the file is damaged, or if two columns have one name."""
    with named_errors(path, container):
        for batch in batches(path, stream, container):
            yield from batch_records(batch)


def batches(path: Path, stream: IO[bytes], container: Container) -> Iterator["pyarrow.RecordBatch"]:
    """Some rows at a time: fewer if rows are large, so that memory use stays about the same."""
    import pyarrow
    import pyarrow.parquet

    if container is Container.PARQUET:
        with pyarrow.parquet.ParquetFile(path, buffer_size=READ_BYTES, pre_buffer=False) as table:
            refuse_twins(path, table.schema_arrow.names)
            groups = [table.metadata.row_group(index) for index in range(table.metadata.num_row_groups)]
            row_bytes = sum(group.total_byte_size for group in groups) // max(1, table.metadata.num_rows)
            yield from table.iter_batches(batch_size=rows_at_once(row_bytes), use_threads=False)
        return
    if container is Container.ARROW_FILE:
        with pyarrow.OSFile(str(path)) as whole, pyarrow.ipc.open_file(whole) as table:
            refuse_twins(path, table.schema.names)
            for index in range(table.num_record_batches):
                yield from slices(table.get_batch(index))
        return
    with pyarrow.ipc.open_stream(stream) as table:
        refuse_twins(path, table.schema.names)
        for batch in table:
            yield from slices(batch)


def slices(batch: "pyarrow.RecordBatch") -> Iterator["pyarrow.RecordBatch"]:
    """A batch in smaller parts, since the writer of the file chose its size."""
    size = rows_at_once(batch.nbytes // max(1, batch.num_rows))
    for start in range(0, batch.num_rows, size):
        yield batch.slice(start, size)


def rows_at_once(row_bytes: int) -> int:
    """Rows to turn into Python objects at a time."""
    return max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, row_bytes)))


def batch_records(batch: "pyarrow.RecordBatch") -> Iterator[bytes | RefusedRecord]:
    """The rows of a batch as JSON. If a text column holds bytes that are not UTF-8, the rows are read one by one."""
    batch = with_plain_floats(batch)
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError:
        rows = []
    if rows or not batch.num_rows:
        yield from map(record_of, rows)
        return
    for index in range(batch.num_rows):
        row = batch.slice(index, 1)
        try:
            yield record_of(row.to_pylist()[0])
        except UnicodeDecodeError as error:
            raw = {name: shown_cell(row.column(place)) for place, name in enumerate(row.schema.names)}
            yield RefusedRecord(
                raw=json.dumps(raw, ensure_ascii=False), reason=Reason.INVALID_UTF8, detail=f"byte {error.start} of a cell is not UTF-8"
            )


def with_plain_floats(batch: "pyarrow.RecordBatch") -> "pyarrow.RecordBatch":
    """The batch with its floats as JSON shows them. NaN, which tables write for a missing value, becomes null.

    Half and single precision keep their own digits (0.1), not those of the nearest double (0.10000000149011612).
    """
    import pyarrow
    import pyarrow.compute

    columns = batch.columns
    for place, column in enumerate(columns):
        if not pyarrow.types.is_floating(column.type):
            continue
        if column.type != pyarrow.float64():
            column = column.cast(pyarrow.float32()).cast(pyarrow.string()).cast(pyarrow.float64())
        is_missing = pyarrow.compute.call_function("is_nan", [column])
        columns[place] = pyarrow.compute.call_function("if_else", [is_missing, pyarrow.scalar(None, pyarrow.float64()), column])
    return pyarrow.RecordBatch.from_arrays(columns, names=batch.schema.names)


def shown_cell(column: Any) -> str:
    """A cell for a person to read, whatever its bytes."""
    import pyarrow

    if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
        binary = pyarrow.large_binary() if pyarrow.types.is_large_string(column.type) else pyarrow.binary()
        return (column.view(binary)[0].as_py() or b"").decode("utf-8", "backslashreplace")
    return f"a {column.type}"


def record_of(row: dict[str, Any]) -> bytes | RefusedRecord:
    """A row as a JSON object."""
    try:
        return json.dumps(row, ensure_ascii=False, default=as_json).encode("utf-8", "surrogatepass")
    except CellRefused as refusal:
        raw = json.dumps(row, ensure_ascii=False, default=as_shown)
        return RefusedRecord(raw=raw.encode("utf-8", "backslashreplace").decode(), reason=refusal.reason, detail=str(refusal))


def as_json(value: object) -> str:
    """A value without a JSON type, as text: bytes as UTF-8, a decimal by its digits, a date or time as ISO 8601. CellRefused for the rest."""
    match value:
        case bytes():
            try:
                return value.decode("utf-8")
            except UnicodeDecodeError as error:
                raise CellRefused(Reason.INVALID_UTF8, f"byte {error.start} of a binary cell is not UTF-8") from None
        case Decimal() if value.is_finite():
            return format(value, "f")
        case date() | time():  # a datetime is a date
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise CellRefused(
                Reason.WRONG_TYPE, f"a cell is a {type(value).__name__}; write it as text, a number, a date, a list or a struct"
            )


def as_shown(value: object) -> str:
    """A refused cell, for a person to read."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


@contextmanager
def named_errors(path: Path, container: Container) -> Iterator[None]:
    """Raise InputRefused instead of pyarrow's error if a file is cut off or damaged."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk, not the content
            raise
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        word = container.value.split()[1].lower() if " " in container.value else container.value.lower()
        raise InputRefused(
            f"broken_{word}",
            f"{path} begins as {container} but cannot be read ({first}). It may be cut off: download or write it again.",
        ) from None
