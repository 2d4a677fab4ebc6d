"""Read the rows of a benchmark file: JSON lines, a JSON list, CSV, TSV, Parquet or Arrow. Reads the named file."""

import json
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from plumbline.cleaning.encoding_advice import conversion, is_windows_1252
from plumbline.cleaning.source_format import Compression, Container
from plumbline.cleaning.source_head import HEAD_BYTES, compression_of, refuse_no_text, table_in, table_of
from plumbline.cleaning.unpacking import unpacked
from plumbline.pipeline.refused import Refused
from plumbline.splitting.arrow_rows import arrow_rows
from plumbline.splitting.fault import Fault
from plumbline.splitting.row_values import Row
from plumbline.splitting.table_rows import table_rows
from plumbline.twin_keys import TwinKey, elements_of, object_without_twins

OBJECT = re.compile(r"\s*(?:\[\s*)?\{\s*[\"}]")
"""How JSON lines and a JSON list of objects begin."""
READ = "JSON lines, one JSON list of objects, CSV, TSV, Parquet and Arrow, also in gzip or zstd"


def read_rows(path: Path, knows: Callable[[Sequence[str]], bool]) -> list[Row | Fault]:
    """The rows of a file, each with its place in words; a Fault for one that cannot be read.

    `knows` says whether names of columns are those of a shape. Refused if the file as a whole cannot be read.
    """
    refuse_folder(path)
    rows = rows_inside(path, knows)
    if not rows:
        raise Refused(f"{path}: holds no row. Give at least one question. Accepted are {READ}.")
    if all(isinstance(row, Fault) for row in rows):
        more = f" None of the {len(rows)} rows can be read." if len(rows) > 1 else ""
        raise Refused(f"{rows[0]}{more}")
    return rows


def refuse_folder(path: Path) -> None:
    """Refused for a folder: which of its files are meant, and in which order, only a person can say."""
    if path.is_dir():
        joined = f"cat {shlex.quote(path.as_posix())}/*.jsonl > all.jsonl"
        raise Refused(f"{path} is a folder. Give one file: `{joined}` joins JSON lines. Accepted are {READ}.")


def rows_inside(path: Path, knows: Callable[[Sequence[str]], bool]) -> list[Row | Fault]:
    """The rows, whatever is around them and however they are laid out."""
    with path.open("rb") as stream:
        compression = compression_of(path, stream.read(HEAD_BYTES))
    with unpacked(path, compression) as stream:
        head = stream.read(HEAD_BYTES)
        if container := table_of(head):
            if compression is not Compression.NONE and container is not Container.ARROW_STREAM:
                raise Refused(f"{path}: is {container} in {compression}. Unpack it and give the file inside.")
            with unpacked(path, compression) as whole:
                return [*arrow_rows(path, whole, container)]
        refuse_no_text(path, head)
        content = head + stream.read()
    text = text_of(path, content, compression)
    # questions.csv.gz is a CSV file.
    name = path if compression is Compression.NONE else path.with_suffix("")
    return table_rows(path, text, knows) if is_table(name, text) else json_rows(path, text)


def is_table(name: Path, text: str) -> bool:
    """Whether a text is CSV or TSV: objects of JSON are none, whatever the name; a header of several names shows a table under any name."""
    if OBJECT.match(text):
        return False
    return name.suffix.lower() in (".csv", ".tsv") or table_in(text[:HEAD_BYTES].encode()) is not None


def text_of(path: Path, content: bytes, compression: Compression) -> str:
    """The file as text."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        windows = f" It looks like Windows-1252: {conversion(path, compression)}." if is_windows_1252(content.split(b"\n")) else ""
        raise Refused(f"{path}, line {line}: not UTF-8 (byte {error.start}). Save it as UTF-8.{windows} Accepted are {READ}.") from None


def json_rows(path: Path, text: str) -> list[Row | Fault]:
    """Rows of JSON lines, or of one JSON list, which may be written over many lines."""
    if text.lstrip().startswith("["):
        return [row_of(content, f"{path}, question {number}") for number, content in listed(path, text)]
    if text.lstrip().partition("\n")[0].rstrip() == "{":
        return [*one_object(path, text)]
    # Only \n ends a line: a text may hold other separators.
    return [json_row(line, f"{path}, line {number}") for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def listed(path: Path, text: str) -> list[tuple[int, Any]]:
    """The elements of a JSON list with their numbers; a TwinKey replaces an element that holds twin keys."""
    try:
        return list(enumerate(json.loads(text, object_pairs_hook=object_without_twins), start=1))
    except TwinKey:
        return [*elements_of(text)] if is_list(path, text) else []
    except json.JSONDecodeError as error:
        raise broken(path, error) from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path}: JSON that cannot be read ({cause_of(error)}). Write simpler values. Accepted are {READ}.") from None


def one_object(path: Path, text: str) -> list[Row | Fault]:
    """The row of a file that is one object over several lines; a Fault if it cannot be read. Refused if several objects follow each other."""
    found = json_row(text, f"{path}, line 1")
    if isinstance(found, Fault) and "Extra data" in found.problem:
        raise Refused(
            f"{path}: holds objects over several lines. Write one object per line, as `jq -c .` does, or one list. Accepted are {READ}."
        )
    return [found]


def is_list(path: Path, text: str) -> bool:
    """Whether the whole text is one JSON list, apart from its twin keys. Refused if it is not JSON."""
    try:
        return isinstance(json.loads(text), list)
    except json.JSONDecodeError as error:
        raise broken(path, error) from None


def broken(path: Path, error: json.JSONDecodeError) -> Refused:
    """The error for a list that is not JSON."""
    return Refused(f"{path}, line {error.lineno}: not JSON ({error.msg}). Correct the list there. Accepted are {READ}.")


def row_of(content: Any, where: str) -> Row | Fault:
    """One object as a row."""
    if isinstance(content, TwinKey):
        return Fault(where, None, f"{content}.")
    if not isinstance(content, dict):
        return Fault(where, None, f"{content!r:.60} is not an object. Write a question as an object of columns and values.")
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        return Fault(
            where,
            None,
            f"cannot be read: it holds half of a character, the escape {half} alone. Write the whole character, or remove the escape.",
        )
    return Row(where, content)


def json_row(line: str, where: str) -> Row | Fault:
    """One line as a row."""
    try:
        return row_of(json.loads(line, object_pairs_hook=object_without_twins), where)
    except json.JSONDecodeError as error:
        return Fault(where, None, f"not JSON ({error.msg}, column {error.colno}). {json_remedy(line, error)}")
    except TwinKey as twins:
        return Fault(where, None, f"{twins}.")
    except (ValueError, RecursionError) as error:
        return Fault(where, None, f"JSON that cannot be read ({cause_of(error)}). Write simpler values. Accepted are {READ}.")


def json_remedy(line: str, error: json.JSONDecodeError) -> str:
    """What to change in a line that is not JSON."""
    if error.msg.startswith("Invalid \\escape"):
        return "Write each backslash twice, as in `\\\\frac`."
    if error.msg == "Extra data" and line[error.pos :].strip() == ",":
        return "Remove the comma after the object."
    return f"Write one question per line, as an object. Accepted are {READ}."


def cause_of(error: Exception) -> str:
    """Why text that is JSON cannot be read."""
    return "nested too deep" if isinstance(error, RecursionError) else "a number with too many digits"
