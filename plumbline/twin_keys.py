"""JSON objects in which a key occurs twice: Python would silently keep the last value. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any

SPACE = re.compile(r"\s*")


class TwinKey(ValueError):
    """A key occurs twice in one object, which then has no single reading."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} occurs twice in one object; remove one of them")
        self.key = key


def object_without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, for `json.loads`. TwinKey if a key comes twice."""
    content = dict(pairs)
    if len(content) < len(pairs):
        seen: set[str] = set()
        raise TwinKey(next(key for key, _ in pairs if key in seen or seen.add(key)))
    return content


def refuse_twins(text: str) -> None:
    """TwinKey if a text that is known to be JSON holds an object with twin keys."""
    json.loads(text, object_pairs_hook=object_without_twins)


def elements_of(text: str) -> Iterator[tuple[int, Any]]:
    """(number, element) of a JSON list that is known to be one; a TwinKey stands for an element that holds twin keys."""
    plain, strict = json.JSONDecoder(), json.JSONDecoder(object_pairs_hook=object_without_twins)
    place, number = after_space(text, text.index("[") + 1), 0
    while text[place] != "]":
        number += 1
        try:
            found, end = strict.raw_decode(text, place)
        except TwinKey as twins:
            found, end = twins, plain.raw_decode(text, place)[1]
        yield number, found
        place = after_space(text, end)
        place = after_space(text, place + 1) if text[place] == "," else place


def after_space(text: str, place: int) -> int:
    """The next place that is not white space."""
    found = SPACE.match(text, place)
    return found.end() if found else place
