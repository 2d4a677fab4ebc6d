"""Say what to do if rows are not UTF-8 and the whole file looks like Windows-1252, as spreadsheets save it. Reads the source again."""

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from plumbline.cleaning.json_line import MAX_LINE_BYTES
from plumbline.cleaning.source_format import Compression, Container, SourceFormat
from plumbline.cleaning.unpacking import unpacked

TEXT = (Container.JSON_LINES, Container.JSON_ARRAY, Container.CSV)
MIN_SHARE = 0.5
"""Share of the lines that are not ASCII. In a file of Windows-1252 almost none of them is UTF-8 by chance."""

BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
LONG_RUN = 3
WESTERN = "ÄÖÜäöüßÆØÅæøå€…–—‘’“”„«»".encode("cp1252")
"""Bytes that may follow each other in Western text; a word of another script has others as well."""


def encoding_advice(path: Path, source: SourceFormat, *, num_refused: int, num_rows: int) -> str | None:
    """The remedy for the whole file. None if no row was refused, or if the rest of the file is UTF-8: converting would damage it."""
    if not num_refused or source.container not in TEXT or not is_file_of_windows_1252(path, source.compression):
        return None
    return (
        f"{num_refused} of {num_rows} rows are not UTF-8 and are put aside. {path} looks like Windows-1252, as spreadsheets save CSV: "
        f"{conversion(path, source.compression)}."
    )


def conversion(path: Path, compression: Compression) -> str:
    """How to make UTF-8 of a file in Windows-1252: in the spreadsheet, or by a command."""
    other = path.with_name(f"{path.stem}_utf8{path.suffix}")
    command = (
        f", or run `iconv -f WINDOWS-1252 -t UTF-8 {shlex.quote(path.as_posix())} > {shlex.quote(other.as_posix())}` and name that file"
        if compression is Compression.NONE
        else ""
    )
    return f'save it as "CSV UTF-8"{command}'


def is_file_of_windows_1252(path: Path, compression: Compression) -> bool:
    """Whether most lines of a file that are not ASCII are Windows-1252 and not UTF-8."""
    with unpacked(path, compression) as stream:
        return is_windows_1252(iter(lambda: stream.readline(MAX_LINE_BYTES), b""))


def is_windows_1252(lines: Iterable[bytes]) -> bool:
    """Whether most lines that are not ASCII are Windows-1252 and not UTF-8."""
    num_legacy = num_others = 0
    for line in lines:
        if line.isascii():
            continue
        if can_be(line, "utf-8") or not can_be(line, "cp1252") or has_words_beyond_ascii(line):
            num_others += 1
        else:
            num_legacy += 1
    return num_legacy > MIN_SHARE * (num_legacy + num_others)


def has_words_beyond_ascii(line: bytes) -> bool:
    """Whether most letters beyond ASCII come in long runs, as in Chinese, Russian or Greek; in Western text they stand alone."""
    runs = BEYOND_ASCII.findall(line)
    return 2 * sum(len(run) >= LONG_RUN and run.translate(None, WESTERN) != b"" for run in runs) > len(runs)


def can_be(line: bytes, encoding: str) -> bool:
    """Whether bytes are text in an encoding."""
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
