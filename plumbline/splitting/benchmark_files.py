"""Read the rows of a benchmark file as they stand: JSON lines, a JSON list, CSV, TSV or Parquet. Reads the file that is named."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from plumbline.pipeline.refused import Refused
from plumbline.splitting.fault import Fault
from plumbline.splitting.row_values import Row
from plumbline.splitting.table_rows import table_rows
from plumbline.twin_keys import TwinKey, elements_of, object_without_twins

READ = "JSON lines, one JSON list of objects, CSV, TSV or Parquet"


def read_rows(path: Path, knows: Callable[[Sequence[str]], bool]) -> list[Row | Fault]:
    """The rows of a file, each with the words that say where it stands; a Fault for one that cannot be read.

    `knows` says whether names of columns are those of a shape. Refused where the file as a whole cannot be read.
    """
    if path.suffix.lower() == ".parquet":
        rows: list[Row | Fault] = [*parquet_rows(path)]
    elif path.suffix.lower() in (".csv", ".tsv"):
        rows = table_rows(path, text_of(path), knows)
    else:
        rows = json_rows(path)
    if not rows:
        raise Refused(f"{path}: holds no row; {READ} with at least one question is read.")
    if all(isinstance(row, Fault) for row in rows):
        more = f" None of the {len(rows)} rows can be read." if len(rows) > 1 else ""
        raise Refused(f"{rows[0]}{more}")
    return rows


def text_of(path: Path) -> str:
    """The file as text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8. {READ} is read.") from None


def json_rows(path: Path) -> list[Row | Fault]:
    """Rows of JSON lines, or of one JSON list, which may be written over many lines."""
    text = text_of(path)
    if text.lstrip().startswith("["):
        return [row_of(content, f"{path}, question {number}") for number, content in listed(path, text)]
    # Only \n ends a line: a text may hold other separators.
    return [json_row(line, f"{path}, line {number}") for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def listed(path: Path, text: str) -> list[tuple[int, Any]]:
    """The elements of a JSON list with their numbers, a TwinKey in place of one that holds twin keys."""
    try:
        return list(enumerate(json.loads(text, object_pairs_hook=object_without_twins), start=1))
    except TwinKey:
        return [*elements_of(text)] if is_list(path, text) else []
    except json.JSONDecodeError as error:
        raise broken(path, error) from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path}: JSON that cannot be read ({cause_of(error)}); write the values plainly. {READ} is read.") from None


def is_list(path: Path, text: str) -> bool:
    """Whether the text is one JSON list behind the twin keys as well. Refused where it is none."""
    try:
        return isinstance(json.loads(text), list)
    except json.JSONDecodeError as error:
        raise broken(path, error) from None


def broken(path: Path, error: json.JSONDecodeError) -> Refused:
    """The error for a list that is no JSON."""
    return Refused(f"{path}, line {error.lineno}: no JSON ({error.msg}); correct the list there. {READ} is read.")


def row_of(content: Any, where: str) -> Row | Fault:
    """One object as a row."""
    if isinstance(content, TwinKey):
        return Fault(where, None, f"{content}.")
    if not isinstance(content, dict):
        return Fault(where, None, f"{content!r:.60} is not an object; a question is an object of columns and values.")
    return Row(where, content)


def json_row(line: str, where: str) -> Row | Fault:
    """One line as a row."""
    try:
        return row_of(json.loads(line, object_pairs_hook=object_without_twins), where)
    except json.JSONDecodeError as error:
        return Fault(where, None, f"no JSON ({error}); a line is one question as an object. {READ} is read.")
    except TwinKey as twins:
        return Fault(where, None, f"{twins}.")
    except (ValueError, RecursionError) as error:
        return Fault(where, None, f"JSON that cannot be read ({cause_of(error)}); write the values plainly. {READ} is read.")


def cause_of(error: Exception) -> str:
    """Why text that is JSON cannot be read."""
    return "nested too deep" if isinstance(error, RecursionError) else "a number of too many digits"


def parquet_rows(path: Path) -> list[Row]:
    """Records of a Parquet file."""
    import pyarrow
    import pyarrow.parquet

    try:
        records: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
        raise Refused(f"{path}: not readable as Parquet ({error}); download it again. {READ} is read.") from None
    return [Row(f"{path}, record {number}", record) for number, record in enumerate(records, start=1)]
