"""Objects of a JSON lines file, each with its line. Reads the file that is named."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plumbline.pipeline.refused import Refused
from plumbline.twin_keys import TwinKey, elements_of, object_without_twins

ODD = (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError)
"""The errors of reading a value of another shape."""
CUT = "If the run was killed while it wrote, remove this line. Otherwise copy the file again."
AGAIN = "Copy the log again from where it was made."


@contextmanager
def as_written_by(tool: str, where: str) -> Iterator[None]:
    """Read one row of a tool. Refused, with the place, if a value in it has a shape that the tool does not write."""
    try:
        yield
    except Refused:
        raise
    except ODD as error:
        raise Refused(
            f"{where}: a value in it has another shape than {tool} writes ({type(error).__name__}: {str(error)[:80]}). "
            "If the file was edited, undo that. Otherwise copy it again, or remove this entry."
        ) from error


def json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line, object) of JSON lines, or (place, object) of one JSON list. Refused names the first line that is not an object."""
    with path.open("rb") as stream:
        start = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        stream.seek(0)
        if start.startswith(b"["):
            yield from listed(path, stream.read())
            return
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield number, as_object(line, f"{path}, line {number}")


def listed(path: Path, content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file that is one list."""
    try:
        found = json.loads(content, object_pairs_hook=object_without_twins)
    except TwinKey as twins:
        number = next((number for number, one in elements_of(content.decode("utf-8-sig")) if isinstance(one, TwinKey)), 1)
        raise Refused(f"{path}, entry {number}: {twins}.") from None
    except (ValueError, RecursionError) as error:
        raise Refused(
            f"{path} begins as a JSON list, but is not one ({error}). Copy the file again, or write one object per line."
        ) from None
    for number, one in enumerate(found, start=1):
        if not isinstance(one, dict):
            raise Refused(f"{path}, entry {number}: {str(one)[:60]!r} is not an object. Give a list of objects, or one object per line.")
        yield number, one


def as_object(content: bytes, where: str, *, remedy: str = CUT) -> dict[str, Any]:
    """One line, or one file, as an object. Refused if it holds none, with what to do."""
    try:
        found = json.loads(content, object_pairs_hook=object_without_twins)
    except TwinKey as twins:
        raise Refused(f"{where}: {twins}.") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{where}: not JSON ({error}). {remedy}") from None
    if not isinstance(found, dict):
        raise Refused(f"{where}: {str(found)[:60]!r} is not an object, but one is expected here. {remedy}")
    return found


def first_object(path: Path) -> dict[str, Any]:
    """The first object of a file. Refused if it holds none."""
    for _, found in json_objects(path):
        return found
    raise Refused(f"{path}: no line holds an object. Give a log with at least one answer.")
