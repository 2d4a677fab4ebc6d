"""Find out how the rows of a source are laid out and which key plays which part; log it with three rows before the rest is read."""

import logging
import shlex
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from plumbline.cleaning.answer_cleaning import output_as_it_stands
from plumbline.cleaning.chunk_cleaning import printable
from plumbline.cleaning.column_choice import Choice, choose_columns
from plumbline.cleaning.encoding_advice import TEXT, conversion, is_file_of_windows_1252
from plumbline.cleaning.json_line import LineRefused, parse_line
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.quality_rules import holds_secret
from plumbline.cleaning.quarantined_row import SourceLine
from plumbline.cleaning.row_columns import FORMATS, Columns, name_of, possible_columns
from plumbline.cleaning.row_shapes import is_unread, read_row
from plumbline.cleaning.source_format import Compression, Container, SourceFormat
from plumbline.cleaning.source_head import BYTE_ORDER_MARK, HEAD_BYTES, compression_of, container_of, refuse_but_json_lines
from plumbline.cleaning.source_lines import read_chunks
from plumbline.cleaning.unpacking import unpacked
from plumbline.pipeline.refused import InputRefused
from plumbline.separators import separator_of

log = logging.getLogger("clean")

NUM_LOOKED_AT = 1000
"""Rows of the first MiB to look at: a file is not judged by its first line."""
NUM_SHOWN = 3
MAX_UNREAD = 12
SHOWN_CHARACTERS = 100
TABLE_ONLY = {"csv": (Container.CSV,), "parquet": (Container.PARQUET,)}


def refuse_no_file(path: Path) -> None:
    """InputRefused if there is nothing to read."""
    if path.is_dir():
        joined = f"cat {shlex.quote(path.as_posix())}/*.jsonl > all.jsonl"
        raise InputRefused("no_file", f"{path} is a folder. Set clean.source to one file: `{joined}` joins JSON lines.")
    if not path.is_file():
        raise InputRefused("no_file", f"{path} is not a file. Set clean.source to the path of a file of rows.")
    if path.stat().st_size == 0:
        raise InputRefused("empty_input", f"{path} is empty. Give a file with at least one row.")


def recognised(path: Path, policy: Policy) -> Policy:
    """The policy with what was recognised. InputRefused if no reader knows the file, or if it can be read in two ways."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if policy.shape in FORMATS:
        if policy.given:
            raise InputRefused(
                "columns",
                f"clean.format is {policy.shape}, which does not use clean.columns. Set clean.columns to null, or clean.format to auto.",
            )
        refuse_but_json_lines(path, head)
        return policy
    source = laid_out(path, head, policy.shape, policy.given)
    rows = first_rows(path, source)
    contents = [content for content, _ in rows if content is not None]
    if not contents:
        raise InputRefused(
            "no_rows",
            f"{path} is {source}, but none of its first {len(rows)} rows can be read. {source.counted.capitalize()} 1: {rows[0][1]}"
            + (encoding_remedy(path, source) if "not UTF-8" in rows[0][1] else ""),
        )
    choice = choose_columns(path, source, contents, policy.given)
    policy = replace(policy, recognised=choice.columns, source=source)
    say(path, source, choice, rows, policy)
    return policy


def encoding_remedy(path: Path, source: SourceFormat) -> str:
    """What to do with a file of which no row is UTF-8."""
    is_windows = source.container in TEXT and is_file_of_windows_1252(path, source.compression)
    command = f" It looks like Windows-1252: {conversion(path, source.compression)}." if is_windows else ""
    return f". It has another encoding, such as Windows-1252: save it as UTF-8.{command}"


def laid_out(path: Path, head: bytes, shape: str, given: Columns | None) -> SourceFormat:
    """Compression, container and separator of a file. InputRefused if it is not what `clean.format` asks for."""
    if shape == "parquet" and not head.startswith(b"PAR1"):
        raise InputRefused("not_parquet", f"{path} does not begin as Parquet. Set clean.format to auto.")
    compression = compression_of(path, head)
    with unpacked(path, compression) as stream:
        head = stream.read(HEAD_BYTES)
    container = container_of(path, head)
    if compression is not Compression.NONE and container in (Container.PARQUET, Container.ARROW_FILE):
        raise InputRefused("compressed", f"{path} is {container} in {compression}. Unpack it first: this format is read from its end.")
    if shape in TABLE_ONLY and container not in TABLE_ONLY[shape]:
        raise InputRefused(f"not_{shape}", f"{path} is {container}, but clean.format is {shape}. Set clean.format to auto.")
    if container is not Container.CSV:
        return SourceFormat(container, compression)
    wanted = given.needed if given else ()
    text = head.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "replace")
    separator = separator_of(text, lambda names: set(wanted) <= set(names) if wanted else any(possible_columns(frozenset(names))))
    if not text.strip():
        raise InputRefused("empty_input", f"{path} begins with blank lines only. Give a file with at least one row, without these lines.")
    if separator is None:
        first = text.split("\n", 1)[0][:80].strip()
        raise InputRefused(
            "missing_columns",
            f"{path}, line 1: {first!r} is neither JSON nor the header of a table. Give a header with names between commas, semicolons, tabs or bars.",
        )
    return SourceFormat(container, compression, separator)


def first_rows(path: Path, source: SourceFormat) -> list[tuple[Mapping[str, Any] | None, str]]:
    """The first rows as objects, or why a row cannot be read. InputRefused if the file has no row."""
    with closing(read_chunks(path, source)) as chunks:
        lines: list[SourceLine] = next((chunk.lines for chunk in chunks), [])[:NUM_LOOKED_AT]
    if not any(lines):
        raise InputRefused("empty_input", f"{path} is {source} without a row. Give a file with at least one row.")
    return [object_of(line) for line in lines if line]


def object_of(line: SourceLine) -> tuple[Mapping[str, Any] | None, str]:
    """The object on a line, or why it cannot be read."""
    if not isinstance(line, bytes):
        return None, getattr(line, "detail", "longer than 1 MiB")
    if not line.strip():
        return None, "blank"
    try:
        return parse_line(line)[0], ""
    except LineRefused as refusal:
        return None, refusal.detail


def say(path: Path, source: SourceFormat, choice: Choice, rows: list[tuple[Mapping[str, Any] | None, str]], policy: Policy) -> None:
    """Log what was recognised and why, and three rows as they are read."""
    parts = ", ".join(f"{part}: {name}" for part, name in choice.columns.parts().items() if name in choice.names)
    log.info("%s is %s; its keys are %s", path, source, printable(", ".join(choice.names[:12])))
    why = "as clean.columns says" if policy.given else f"{choice.num_fitting} of the first {choice.num_rows} rows have these keys"
    log.info("its rows are read as %s (%s): %s", name_of(choice.columns), parts, why)
    if unread := [name for name in choice.names if is_unread(name, choice.columns)]:
        log.info("not read: %s", printable(", ".join(unread[:MAX_UNREAD]) + (", ..." if len(unread) > MAX_UNREAD else "")))
    if not policy.given:
        log.info("to read them in another way, set clean.columns in params.yaml, for example {instruction: NAME, output: NAME}")
    for number, (content, detail) in enumerate(rows[:NUM_SHOWN], start=1):
        log.info("%s %d: %s", source.counted, number, shown_row(content, policy) if content is not None else f"put aside: {detail[:200]}")


def shown_row(content: Mapping[str, Any], policy: Policy) -> str:
    """A row as it is read; key material is not shown."""
    try:
        row = read_row(content, policy.columns)
    except LineRefused as refusal:
        return f"put aside: {refusal.detail[:200]}"
    asked, answer = f"{row.instruction}\n{row.input}".strip(), output_as_it_stands(row.output)
    if holds_secret(f"{asked}\n{answer}"):
        return "holds key material, which is not shown"
    before = f"after {len(row.earlier)} earlier exchanges, " if row.earlier else ""
    return f"{before}asked {short(asked)}, answered {short(answer)}"


def short(text: str) -> str:
    """The beginning of a text on one line, safe for a terminal."""
    cut = text[:SHOWN_CHARACTERS] + ("…" if len(text) > SHOWN_CHARACTERS else "")
    return repr(cut)
