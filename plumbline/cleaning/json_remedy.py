"""Say how to turn other JSON into JSON lines: the jq filter that writes one row per line. Pure."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from plumbline.cleaning.row_columns import TURNS

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SPACE = re.compile(r"\s*")
OPENS_ROWS = re.compile(r"\[\s*\{")
OF_ONE_ROW = frozenset({*TURNS, "tools", "functions"}) - {"data"}
"""A list of objects under one of these keys belongs to one row. `data` is not among them: there a row holds texts."""


def row_filter(key: str) -> str:
    """The filter that writes the rows under a key."""
    return f".{key}[]" if IDENTIFIER.fullmatch(key) else f".[{json.dumps(key)}][]"


def object_filter(text: str) -> str:
    """The filter for a file that begins with an object over many lines: the rows under one of its keys, else each object as a row."""
    return next((row_filter(key) for key in keys_of_rows(text) if key not in OF_ONE_ROW), ".")


def keys_of_rows(text: str) -> Iterator[str]:
    """The keys of an object that hold a list of objects, as far as the beginning of a file shows them."""
    decoder = json.JSONDecoder()
    place = after_space(text, text.find("{") + 1)
    try:
        while text[place : place + 1] == '"':
            key, place = decoder.raw_decode(text, place)
            place = after_space(text, after_space(text, place) + 1)
            if OPENS_ROWS.match(text, place):
                yield key
            _, place = decoder.raw_decode(text, place)
            place = after_space(text, after_space(text, place) + 1)
    except (ValueError, RecursionError):
        return


def after_space(text: str, place: int) -> int:
    """The next place that is not white space."""
    found = SPACE.match(text, place)
    return found.end() if found else place


def jq(filter_: str) -> str:
    """The jq command, quoted for a shell."""
    quoted = filter_.replace("'", "'\\''")
    return "`jq -c .`" if filter_ == "." else f"`jq -c '{quoted}'`"


def object_over_lines(path: Path, head: bytes) -> str:
    """The error for a file that begins with an object over many lines."""
    command = jq(object_filter(head.decode("utf-8", "replace")))
    return f"{path} holds a JSON object over many lines. Write one row per line, as {command} does, and give that file."


def array_as_lines(path: Path) -> str:
    """The error for an array of objects if JSON lines are asked for."""
    return f"{path} is one JSON array. Set clean.format to auto, which reads it, or write one object per line, as {jq('.[]')} does."


def array_of_others(path: Path) -> str:
    """The error for an array that does not hold objects."""
    return f"{path} is a JSON array that does not begin with an object. Give an array of objects, or one object per line."
