"""Read source files as chunks of physical lines, in bounded memory; refuse a file that holds a merge conflict."""

import hashlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from plumbline.cleaning.csv_records import csv_records
from plumbline.cleaning.json_array import array_elements
from plumbline.cleaning.json_line import MAX_LINE_BYTES
from plumbline.cleaning.quarantined_row import RedactedLine, RefusedRecord, SourceLine
from plumbline.cleaning.source_format import Container, SourceFormat
from plumbline.cleaning.unpacking import unpacked
from plumbline.pipeline.refused import InputRefused

CHUNK_BYTES = 1 << 20

CONFLICT_MARKERS = (b"<<<<<<< ", b">>>>>>> ")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive lines without their line ends."""

    first_line: int
    """Number of the first one, from 1: of the physical line in JSON lines, else of the record."""
    lines: list[SourceLine]


def read_chunks(path: Path, source: SourceFormat) -> Generator[Chunk, None, None]:
    """Yield every row of the source in order, in bounded memory. InputRefused if the file as a whole cannot be read.

    A record of a table becomes a JSON object, as in JSON lines.
    """
    with unpacked(path, source.compression) as stream, closing(source_lines(path, stream, source)) as lines:
        yield from chunked(lines, first_line=1)


def source_lines(path: Path, stream: IO[bytes], source: SourceFormat) -> Generator[SourceLine, None, None]:
    """The lines or records of the source, one by one."""
    match source.container:
        case Container.JSON_LINES:
            yield from physical_lines(path, stream)
        case Container.JSON_ARRAY:
            yield from array_elements(path, stream)
        case Container.CSV:
            yield from csv_records(path, stream, source.separator)
        case Container.PARQUET | Container.ARROW_FILE | Container.ARROW_STREAM:
            # Only here: pyarrow takes longer to import than the whole stage takes on a small file.
            from plumbline.cleaning.arrow_records import arrow_records

            yield from arrow_records(path, stream, source.container)


def chunked(lines: Iterable[SourceLine], first_line: int) -> Iterator[Chunk]:
    """Cut lines into chunks of about a MiB."""
    batch: list[SourceLine] = []
    size, number = 0, first_line
    for line in lines:
        batch.append(line)
        size += 64 + (len(line) if isinstance(line, bytes) else len(line.raw) if isinstance(line, RefusedRecord) else 0)
        if size >= CHUNK_BYTES:
            yield Chunk(number, batch)
            number += len(batch)
            batch, size = [], 0
    if batch:
        yield Chunk(number, batch)


def physical_lines(path: Path, stream: IO[bytes]) -> Iterator[bytes | RedactedLine]:
    """Yield lines; only LF ends one. InputRefused at a conflict marker: both sides would be kept."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 2):
        number += 1
        if len(line) > MAX_LINE_BYTES + 1 and not line.endswith(b"\n"):
            yield redact_rest(line, stream)
            continue
        if line[:1] in (b"<", b">") and line.startswith(CONFLICT_MARKERS):
            raise InputRefused("conflict_marker", f"{path}, line {number} is a merge conflict marker. Resolve the conflict and run again.")
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
