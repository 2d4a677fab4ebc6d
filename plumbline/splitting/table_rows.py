"""Read the records of a benchmark that is CSV or TSV, with any separator between its fields. Pure."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from plumbline.pipeline.refused import Refused
from plumbline.separators import HEAD_CHARACTERS, is_said, separator_of
from plumbline.splitting.fault import Fault
from plumbline.splitting.row_values import Row

CELL_CHARACTERS = 10_000_000
"""The most characters of one cell; Python's own limit would refuse a long passage."""
LETTERS = frozenset("ABCD")
MMLU_COLUMNS = ("question", "A", "B", "C", "D", "answer")


def table_rows(path: Path, text: str, knows: Callable[[Sequence[str]], bool]) -> list[Row | Fault]:
    """Records below a header. MMLU's own files have no header; their six columns and the letter at the end show them.

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
    if records and is_of_mmlu(records[0]) and 2 * sum(map(is_of_mmlu, records)) > len(records):
        records.insert(0, [*MMLU_COLUMNS])
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


def is_of_mmlu(cells: Sequence[str]) -> bool:
    """Whether a record may be a question of MMLU without a header."""
    return len(cells) == len(MMLU_COLUMNS) and cells[-1].strip() in LETTERS


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
