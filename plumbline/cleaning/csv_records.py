"""Read the records of a CSV file as JSON objects, strictly: a quote that is never closed must not swallow the rows after it."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from plumbline.cleaning.codes import Reason
from plumbline.cleaning.json_line import MAX_LINE_BYTES
from plumbline.cleaning.quarantined_row import RefusedRecord
from plumbline.pipeline.refused import InputRefused
from plumbline.separators import is_said

MAX_PHYSICAL_LINE = 4 * MAX_LINE_BYTES
FAULTS = {
    "unexpected end of data": "the file ends inside a quoted field that begins in this record",
    "expected after": "text follows the closing quote of a field",
    "field larger than field limit": "a field is over 1 MiB, most often because an earlier quote is never closed",
}


def csv_records(path: Path, stream: IO[bytes], separator: str) -> Iterator[bytes | RefusedRecord]:
    """Yield each record after the header; a record may span several lines. InputRefused if the quoting is broken."""
    csv.field_size_limit(MAX_LINE_BYTES)
    # Bytes that are not UTF-8 pass through unchanged, so that only their record is rejected later.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(bounded_lines(path, text), delimiter=separator, strict=True)
    start = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        if is_said(header, separator):
            header = [name.strip() for name in next(reader, [])]
        refuse_twins(path, header)
        start = reader.line_num + 1
        for cells in reader:
            yield csv_record(header, cells, separator)
            start = reader.line_num + 1
    except csv.Error as error:
        fault = next((words for sign, words in FAULTS.items() if sign in str(error)), str(error))
        raise InputRefused(
            "broken_csv", f"{path}, line {start}: {fault}. Close the quote there, or write a quote inside a quoted field twice."
        ) from None


def bounded_lines(path: Path, text: io.TextIOWrapper) -> Iterator[str]:
    """The physical lines of a file. InputRefused if one is too long to hold in memory."""
    number = 0
    while line := text.readline(MAX_PHYSICAL_LINE):
        number += 1
        if len(line) == MAX_PHYSICAL_LINE and not line.endswith(("\n", "\r")):
            raise InputRefused("oversize_line", f"{path}, line {number} has over 4 MiB. Shorten it, or write the rows as JSON lines.")
        yield line


def refuse_twins(path: Path, names: Sequence[str]) -> None:
    """InputRefused if two columns have one name: only one of them would be read."""
    # Spreadsheets may end with columns that have no name; these are not read.
    if twice := sorted(name for name, number in Counter(names).items() if number > 1 and name):
        raise InputRefused("duplicate_column", f"{path}: two columns are called {twice[0]!r}. Rename or remove one of them.")


def csv_record(header: list[str], cells: list[str], separator: str) -> bytes | RefusedRecord:
    """A record as a JSON object; refused if it has more or fewer fields than the header, since no one can say which is which."""
    if not cells:
        return b""
    if len(cells) == len(header):
        return json.dumps(dict(zip(header, cells, strict=True)), ensure_ascii=False).encode("utf-8", "surrogateescape")
    raw = json.dumps(cells, ensure_ascii=False).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return RefusedRecord(
        raw=raw,
        reason=Reason.NOT_OBJECT,
        detail=f"the record has {len(cells)} fields and the header {len(header)}; a text that holds {separator!r} needs quotes around it",
    )
