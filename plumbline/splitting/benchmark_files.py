"""Read the rows of a benchmark file as they stand: JSON lines, a JSON list, CSV, TSV or Parquet. Reads the file that is named."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from plumbline.pipeline.refused import Refused
from plumbline.splitting.row_values import Row

CELL_CHARACTERS = 10_000_000
"""Of one cell of a CSV file, at most; Python's own limit would refuse a long passage."""
LETTERS = frozenset("ABCD")
MMLU_COLUMNS = ("question", "A", "B", "C", "D", "answer")
READ = "JSON lines, one JSON list of objects, CSV, TSV or Parquet"


def read_rows(path: Path) -> list[Row]:
    """The rows of a file, each with the words that say where it stands. Refused where a row is not one, with its place."""
    if path.suffix.lower() == ".parquet":
        rows = parquet_rows(path)
    elif path.suffix.lower() in (".csv", ".tsv"):
        rows = table_rows(path)
    else:
        rows = json_rows(path)
    if not rows:
        raise Refused(f"{path}: holds no row; {READ} with at least one question is read.")
    return rows


def text_of(path: Path) -> str:
    """The file as text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8. {READ} is read.") from None


def json_rows(path: Path) -> list[Row]:
    """Rows of JSON lines, or of one JSON list, which may be written over many lines."""
    text = text_of(path)
    if text.lstrip().startswith("["):
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise Refused(f"{path}, line {error.lineno}: no JSON ({error.msg}); correct the list there. {READ} is read.") from None
        except (ValueError, RecursionError) as error:
            raise Refused(f"{path}: JSON that cannot be read ({cause_of(error)}); write the values plainly. {READ} is read.") from None
        for number, one in enumerate(content, start=1):
            if not isinstance(one, dict):
                raise Refused(f"{path}, question {number}: {one!r:.60} is not an object; a question is an object of columns and values.")
        return [Row(f"{path}, question {number}", one) for number, one in enumerate(content, start=1)]
    # Only \n ends a line: a text may hold other separators.
    return [json_row(line, f"{path}, line {number}") for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def json_row(line: str, where: str) -> Row:
    """One line as a row."""
    try:
        content = json.loads(line)
    except json.JSONDecodeError as error:
        raise Refused(f"{where}: no JSON ({error}); a line is one question as an object. {READ} is read.") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{where}: JSON that cannot be read ({cause_of(error)}); write the values plainly. {READ} is read.") from None
    if not isinstance(content, dict):
        raise Refused(f"{where}: not an object; a line is one question as an object of columns and values.")
    return Row(where, content)


def cause_of(error: Exception) -> str:
    """Why text that is JSON cannot be read."""
    return "nested too deep" if isinstance(error, RecursionError) else "a number of too many digits"


def table_rows(path: Path) -> list[Row]:
    """Records of a CSV or TSV file with a header. MMLU's own files have none: they are known by their six columns and the letter at the end."""
    csv.field_size_limit(CELL_CHARACTERS)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        records = [cells for cells in csv.reader(io.StringIO(text_of(path), newline=""), delimiter=delimiter, strict=True) if cells]
    except csv.Error as error:
        raise Refused(
            f"{path}: not readable as {path.suffix[1:].upper()} ({error}); close every quote, and write a quote in a cell twice."
        ) from None
    if records and all(len(cells) == len(MMLU_COLUMNS) and cells[-1].strip() in LETTERS for cells in records):
        return [
            Row(f"{path}, record {number}", dict(zip(MMLU_COLUMNS, cells, strict=True))) for number, cells in enumerate(records, start=1)
        ]
    header = records[0] if records else []
    if twice := [name for name in header if header.count(name) > 1]:
        raise Refused(f"{path}: the column {twice[0]!r} stands twice in the header; give each its own name.")
    rows: list[Row] = []
    for number, cells in enumerate(records[1:], start=1):
        if len(cells) != len(header):
            raise Refused(f"{path}, record {number}: {len(cells)} cells under {len(header)} columns; put a cell with a comma in quotes.")
        rows.append(Row(f"{path}, record {number}", dict(zip(header, cells, strict=True))))
    return rows


def parquet_rows(path: Path) -> list[Row]:
    """Records of a Parquet file."""
    import pyarrow
    import pyarrow.parquet

    try:
        records: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
        raise Refused(f"{path}: not readable as Parquet ({error}); download it again. {READ} is read.") from None
    return [Row(f"{path}, record {number}", record) for number, record in enumerate(records, start=1)]
