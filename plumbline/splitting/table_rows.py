"""Read the records of a benchmark that is CSV or TSV, with any separator between its fields. Pure."""

import csv
import io
import string
from collections.abc import Callable, Sequence
from pathlib import Path

from plumbline.pipeline.refused import Refused
from plumbline.separators import HEAD_CHARACTERS, is_said, separator_of
from plumbline.splitting.fault import Fault
from plumbline.splitting.row_values import Row

CELL_CHARACTERS = 10_000_000
"""The most characters of one cell; Python's own limit would refuse a long passage."""
NUM_CHOICES = 4
"""Of MMLU's own files."""


def table_rows(path: Path, text: str, knows: Callable[[Sequence[str]], bool]) -> list[Row | Fault]:
    """Records below a header. MMLU's own files have no header; their columns and the letter at the end show them.

    `knows` says whether names of columns are those of a shape. Refused if the quoting is broken or a column occurs twice; a record of
    another width is a Fault.
    """
    csv.field_size_limit(CELL_CHARACTERS)
    separator = separator_of(text[:HEAD_CHARACTERS], knows) or ("\t" if path.suffix.lower() == ".tsv" else ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[list[str]] = []
    start = 1
    try:
        for cells in reader:
            start = reader.line_num + 1
            records += [cells] if cells else []
    except csv.Error as error:
        sort = "TSV" if separator == "\t" else "CSV"
        raise Refused(
            f"{path}, line {start}: the record that begins there is not readable as {sort} ({error}). "
            "Close every quote, and write a quote in a cell twice."
        ) from None
    if records and is_said(records[0], separator):
        del records[0]
    if header_of_mmlu := columns_of_mmlu(records):
        records.insert(0, header_of_mmlu)
    header = [name.strip() for name in records[0]] if records else []
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise Refused(f"{path}: the column {twice[0]!r} occurs twice in the header. Give each its own name.")
    rows: list[Row | Fault] = []
    for number, cells in enumerate(records[1:], start=1):
        where = place_of(path, number)
        if len(cells) != len(header):
            rows.append(Fault(where, None, width_words(len(cells), header, separator)))
        else:
            rows.append(Row(where, dict(zip(header, cells, strict=True)), separator=separator, is_of_table=True))
    return rows


def columns_of_mmlu(records: Sequence[Sequence[str]]) -> list[str] | None:
    """The columns of records that are questions of MMLU without a header; None if they are not, or if one column may be something else.

    With more than four choices, the letter of the last must be an answer: else the first cell may be an id before a question with fewer.
    """
    width = len(records[0]) if records else 0
    letters = string.ascii_uppercase[: max(width - 2, 0)]
    if not NUM_CHOICES <= len(letters) == width - 2:
        return None
    answers = [cells[-1].strip() if len(cells) == width else "" for cells in records]
    are_of_mmlu = [answer in [*letters] for answer in answers]
    if not are_of_mmlu[0] or 2 * sum(are_of_mmlu) <= len(records) or (len(letters) > NUM_CHOICES and letters[-1] not in answers):
        return None
    return ["question", *letters, "answer"]


def place_of(path: Path, number: int) -> str:
    """Where a record stands."""
    return f"{path}, record {number}"


def width_words(number: int, header: Sequence[str], separator: str) -> str:
    """What is wrong with a record of another width than the header."""
    if len(header) == 1:
        return (
            f"{number} cells, but the header names one column, {header[0][:60]!r}. Put commas, semicolons, tabs or bars between the names, "
            "and the same sign between the cells."
        )
    cells = "1 cell" if number == 1 else f"{number} cells"
    return f"{cells} under {len(header)} columns. Put a cell that holds {separator!r} in quotes."
