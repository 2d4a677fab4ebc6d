"""Recognise a file by its first bytes, and refuse one that does not hold rows. Pure."""

from pathlib import Path

from plumbline.cleaning.json_remedy import array_as_lines, array_of_others, object_over_lines
from plumbline.cleaning.row_columns import possible_columns
from plumbline.cleaning.source_format import Compression, Container, SourceFormat
from plumbline.pipeline.refused import InputRefused
from plumbline.separators import separator_of

HEAD_BYTES = 1 << 16
MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7z",
}
TABLES = {b"PAR1": Container.PARQUET, b"ARROW1\0\0": Container.ARROW_FILE, b"\xff\xff\xff\xff": Container.ARROW_STREAM}
FOREIGN = {
    b"SQLite format 3": "a SQLite database. Export the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file. Save it as CSV (UTF-8)",
    b"%PDF": "a PDF. Give the rows as JSON lines or CSV",
    b"\x89HDF": "HDF5. Write the rows as Parquet or JSON lines",
    b"\x93NUMPY": "a NumPy array. Write the rows as Parquet or JSON lines",
    b"\x80\x04": "a pickle, which is never loaded. Write the rows as Parquet or JSON lines",
    b"\x80\x05": "a pickle, which is never loaded. Write the rows as Parquet or JSON lines",
}
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def compression_of(path: Path, head: bytes) -> Compression:
    """What a file is packed with. InputRefused if nothing here can unpack it."""
    name = next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)
    if name is None:
        return Compression.NONE
    if name in (Compression.GZIP, Compression.ZSTD):
        return Compression(name)
    if b"[Content_Types].xml" in head[:4096] or b"xl/" in head[:4096]:
        raise InputRefused("foreign", f"{path} is an Excel workbook. Save it as CSV (UTF-8) and give that file.")
    raise InputRefused("compressed", f"{path} is {name} data. Unpack it and give the unpacked file, or pack it as gzip or zstd.")


def table_of(head: bytes) -> Container | None:
    """Which table of columns begins with these bytes; None for text."""
    return next((container for magic, container in TABLES.items() if head.startswith(magic)), None)


def container_of(path: Path, head: bytes) -> Container:
    """How the rows are laid out, by the first bytes of what is inside. InputRefused if the file does not hold rows."""
    if container := table_of(head):
        return container
    refuse_no_text(path, head)
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if is_json_array(text):
        return Container.JSON_ARRAY
    first = text.split(b"\n", 1)[0].strip()
    if first == b"{":
        raise InputRefused("not_jsonl", object_over_lines(path, text))
    if first == b"[":
        raise InputRefused("not_jsonl", array_of_others(path))
    return Container.JSON_LINES if first.startswith((b"{", b'"{', b"[")) else Container.CSV


def refuse_but_json_lines(path: Path, head: bytes) -> None:
    """InputRefused if a file is not JSON lines; it says what the file is."""
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            auto = ", or set clean.format to auto, which unpacks it" if name in (Compression.GZIP, Compression.ZSTD) else ""
            raise InputRefused("compressed", f"{path} is {name} data. Unpack it and give the unpacked file{auto}.")
    for magic, container in TABLES.items():
        if head.startswith(magic) and container is not Container.ARROW_STREAM:
            raise InputRefused(container.value.split()[-1].lower(), f"{path} is {container}. Set clean.format to auto.")
    refuse_no_text(path, head)
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    first = text.split(b"\n", 1)[0].strip()
    if is_json_array(text):
        raise InputRefused("not_jsonl", array_as_lines(path))
    if first == b"{":
        raise InputRefused("not_jsonl", object_over_lines(path, text))
    if first == b"[":
        raise InputRefused("not_jsonl", array_of_others(path))
    if (table := table_in(text)) is not None:
        raise InputRefused("not_jsonl", f"{path} looks like {table}. Set clean.format to auto in params.yaml.")


def refuse_no_text(path: Path, head: bytes) -> None:
    """InputRefused for bytes that are not rows of text: another encoding, a pointer to the file, a page, a file of another program."""
    for magic, words in FOREIGN.items():
        if head.startswith(magic):
            raise InputRefused("foreign", f"{path} is {words}.")
    if head.startswith(WIDE_MARKS) or head[1:2] == b"\0" or head[:1] == b"\0":
        raise InputRefused("utf16", f"{path} is UTF-16, UTF-32 or binary. Save it as UTF-8 text.")
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if text.startswith(b"version https://git-lfs"):
        raise InputRefused("lfs_pointer", f"{path} is a Git LFS pointer. Run `git lfs pull`.")
    if text.startswith((b"outs:", b"md5:")) and b"md5:" in text:
        raise InputRefused("dvc_pointer", f"{path} is a DVC file. Run `dvc pull` and give the file that it names.")
    if text[:64].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise InputRefused("html", f"{path} is HTML or XML, perhaps an error page. Download the data again.")


def is_json_array(text: bytes) -> bool:
    """Whether a file is one array of objects. An array that ends on the first line, with more lines after it, is a line of JSON lines."""
    if not text.startswith(b"[") or not text[1:].lstrip().startswith(b"{"):
        return False
    first, ended, rest = text.partition(b"\n")
    return not (first.rstrip().endswith(b"]") and ended and rest.lstrip().startswith((b"{", b"[")))


def table_in(text: bytes) -> SourceFormat | None:
    """The table that a text looks like: several names on its first line, and few lines of JSON below. None if it does not look like a table."""
    lines = [line.strip() for line in text.split(b"\n") if line.strip()]
    if not lines or lines[0].startswith((b"{", b"[", b'"{', b"<")) or b"{" in lines[0]:
        return None
    if 2 * sum(line.startswith((b"{", b'"{')) for line in lines[1:]) > len(lines) - 1:
        return None
    separator = separator_of(text.decode("utf-8", "replace"), lambda names: any(possible_columns(frozenset(names))))
    return None if separator is None else SourceFormat(Container.CSV, Compression.NONE, separator)
