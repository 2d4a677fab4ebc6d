"""Say how to turn other JSON into JSON lines: the jq filter that writes one row per line. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
    begins = dict(keys_of_object(text))
    under = next((row_filter(key) for key, begin in begins.items() if begin == "[{" and key not in OF_ONE_ROW), None)
    are_rows = len(begins) > 1 and all(begin == "{" for begin in begins.values())
    return under or (".[]" if are_rows else ".")


def keys_of_object(text: str) -> Iterator[tuple[str, str]]:
    """The keys of an object, as far as the beginning of a file shows them, each with how its value begins: `[{`, or one character."""
    decoder = json.JSONDecoder()
    place = after_space(text, text.find("{") + 1)
    try:
        while text[place : place + 1] == '"':
            key, place = decoder.raw_decode(text, place)
            place = after_space(text, after_space(text, place) + 1)
            yield key, "[{" if OPENS_ROWS.match(text, place) else text[place : place + 1]
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


def columns_as_rows(path: Path) -> str:
    """The error for one object that holds whole columns, as pandas writes them."""
    return (
        f"{path} holds a column of values under each key. Write one object per row, as "
        "`df.to_json(NAME, orient='records', lines=True)` does in pandas, and give that file."
    )


def holds_columns(row: Mapping[str, Any]) -> bool:
    """Whether the only object of a file holds columns: a list of values under each key, all of one length, or an object of their numbers."""
    values = [*row.values()]
    if all(isinstance(value, list) for value in values):
        is_long = len({len(value) for value in values}) == 1 and len(values[0]) > 1
        return len(values) > 1 and is_long and not any(isinstance(item, Mapping | list) for value in values for item in value)
    return len(values) > 1 and all(isinstance(value, Mapping) and value and all(key.isdigit() for key in value) for value in values)


def array_as_lines(path: Path) -> str:
    """The error for an array of objects if JSON lines are asked for."""
    return f"{path} is one JSON array. Set clean.format to auto, which reads it, or write one object per line, as {jq('.[]')} does."


def array_of_others(path: Path) -> str:
    """The error for an array that does not hold objects."""
    return f"{path} is a JSON array that does not begin with an object. Give an array of objects, or one object per line."
