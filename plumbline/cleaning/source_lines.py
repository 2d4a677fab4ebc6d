"""Read source files as chunks of physical lines, in bounded memory; refuse files that are no data at all."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from plumbline.cleaning.json_line import MAX_LINE_BYTES
from plumbline.cleaning.quarantined_row import RedactedLine
from plumbline.pipeline.refused import InputRefused

CHUNK_BYTES = 1 << 20

MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7z",
}
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
CONFLICT_MARKERS = (b"<<<<<<< ", b">>>>>>> ")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive lines without their line ends."""

    first_line: int
    """Number of the first one, from 1: of the physical line, or of the record in csv and parquet."""
    lines: list[bytes | RedactedLine]


def read_chunks(path: Path, shape: str) -> Iterator[Chunk]:
    """Yield every line of the source in order. InputRefused where the file as a whole is no table of rows.

    For csv and parquet a line is one record, written as the JSON object that the other shapes have.
    """
    if not path.is_file():
        raise InputRefused("no_file", f"{path} is no file; give the path of a {shape} file in clean.source.")
    if path.stat().st_size == 0:
        raise InputRefused("empty_input", f"{path} is empty; a file with at least one row is read.")
    with path.open("rb") as stream:
        head = stream.read(4096)
        if shape == "parquet":
            yield from chunked(parquet_records(path, head), first_line=1)
            return
        refuse_foreign(path, head, shape)
        stream.seek(0)
        if shape == "csv":
            yield from csv_chunks(path, stream)
        else:
            yield from chunked(physical_lines(path, stream), first_line=1)


def chunked(lines: Iterable[bytes | RedactedLine], first_line: int) -> Iterator[Chunk]:
    """Cut lines into chunks of about a MiB."""
    batch: list[bytes | RedactedLine] = []
    size, number = 0, first_line
    for line in lines:
        batch.append(line)
        size += len(line) + 64 if isinstance(line, bytes) else 64
        if size >= CHUNK_BYTES:
            yield Chunk(number, batch)
            number += len(batch)
            batch, size = [], 0
    if batch:
        yield Chunk(number, batch)


def physical_lines(path: Path, stream: IO[bytes]) -> Iterator[bytes | RedactedLine]:
    """Yield lines; only LF ends one. A conflict marker refuses the file: it would keep both sides."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 2):
        number += 1
        if len(line) > MAX_LINE_BYTES + 1 and not line.endswith(b"\n"):
            yield redact_rest(line, stream)
            continue
        if line[:1] in (b"<", b">") and line.startswith(CONFLICT_MARKERS):
            raise InputRefused("conflict_marker", f"{path}, line {number}: a merge conflict marker; resolve the conflict and run again.")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        yield line.rstrip(b"\r\n") if line.endswith(b"\n") else line


def redact_rest(start: bytes, stream: IO[bytes]) -> RedactedLine:
    """Length and hash of a line too long to hold."""
    digest, length, block = hashlib.sha256(), 0, start
    while block:
        ended = block.endswith(b"\n")
        content = block.rstrip(b"\r\n") if ended else block
        digest.update(content)
        length += len(content)
        block = b"" if ended else stream.readline(CHUNK_BYTES)
    return RedactedLine(length=length, sha256=digest.hexdigest())


def refuse_foreign(path: Path, head: bytes, shape: str) -> None:
    """Refuse what is no JSON lines (or CSV) by its first bytes, with a word on what it is."""
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            raise InputRefused("compressed", f"{path} is {name} data; unpack it and give the unpacked file.")
    if head.startswith(WIDE_MARKS) or head[1:2] == b"\0" or head[:1] == b"\0":
        raise InputRefused("utf16", f"{path} is UTF-16 or UTF-32, or binary; save it as UTF-8.")
    if head.startswith(b"PAR1"):
        raise InputRefused("parquet", f"{path} is Parquet; set clean.format to parquet.")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"version https://git-lfs"):
        raise InputRefused("lfs_pointer", f"{path} is a Git LFS pointer; run git lfs pull.")
    if text.startswith((b"outs:", b"md5:")) and b"md5:" in text:
        raise InputRefused("dvc_pointer", f"{path} is a DVC file; run dvc pull and give the file that it names.")
    if text[:64].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise InputRefused("html", f"{path} is HTML or XML, perhaps an error page; download the data again.")
    if shape == "csv":
        return
    first = text.split(b"\n", 1)[0].strip()
    if first in (b"[", b"{") or (first.startswith(b"[{") and b"\n" not in text.strip() and not first.endswith(b"]") and len(head) < 4096):
        raise InputRefused("not_jsonl", f"{path} is one JSON document over many lines; write one object a line, as `jq -c '.[]'` does.")
    if first and b"," in first and not first.startswith((b"{", b"[", b'"{', b"<")) and b"{" not in first:
        names = {name.strip(b" \"'").lower() for name in first.split(b",")}
        if names & {b"instruction", b"output", b"prompt", b"completion"}:
            raise InputRefused("not_jsonl", f"{path} is CSV; set clean.format to csv.")


def csv_chunks(path: Path, stream: IO[bytes]) -> Iterator[Chunk]:
    """Records of a CSV file with a header; a record over several lines is one record. Numbers count records, from 1."""
    csv.field_size_limit(MAX_LINE_BYTES)
    # Bytes that are no UTF-8 pass through as they are, so that their record, and no other, is rejected later.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=False)
    try:
        header = next(reader, [])
        refuse_columns(path, header)
        yield from chunked((csv_record(header, cells) for cells in reader), first_line=1)
    except csv.Error as error:
        raise InputRefused("broken_csv", f"{path}, line {reader.line_num}: {error}; mend the quoting there.") from None


def refuse_columns(path: Path, names: Sequence[str]) -> None:
    """InputRefused where a column that is needed is not there, or a name stands over two columns: only one of them would be read."""
    if not {"instruction", "output"} <= set(names):
        raise InputRefused("missing_columns", f"{path}: columns {list(names[:8])}; instruction and output are needed, input is optional.")
    # Spreadsheets leave columns without a name at the end; none of them is read.
    if twice := sorted(name for name, number in Counter(names).items() if number > 1 and name):
        raise InputRefused(
            "duplicate_column", f"{path}: two columns are called {twice[0]!r}; give each a name of its own, or take one out."
        )


def csv_record(header: list[str], cells: list[str]) -> bytes:
    """A record as a JSON object; one of another width as an array, which no shape accepts."""
    if not cells:
        return b""
    content = dict(zip(header, cells, strict=True)) if len(cells) == len(header) else cells
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogateescape")


def parquet_records(path: Path, head: bytes) -> Iterator[bytes]:
    """Records of a Parquet file as JSON objects."""
    # Only here: pyarrow takes longer to import than the whole stage takes on a small file.
    import pyarrow.parquet

    if not head.startswith(b"PAR1"):
        raise InputRefused("not_parquet", f"{path} does not begin as Parquet; set clean.format to what it is.")
    with pyarrow.parquet.ParquetFile(path) as table:
        refuse_columns(path, table.schema_arrow.names)
        for batch in table.iter_batches(batch_size=2048):
            for record in batch.to_pylist():
                yield json.dumps(record, ensure_ascii=False, default=repr).encode("utf-8", "surrogatepass")
