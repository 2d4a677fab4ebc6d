"""Say what an output is: plain text, one of the structured kinds, or text that only looks structured. Pure."""

import json
import re
from typing import NamedTuple

from plumbline.cleaning.codes import BrokenCause, OutputClass
from plumbline.cleaning.json_reading import Unreadable, read_json
from plumbline.cleaning.python_reading import read_python
from plumbline.cleaning.structured_value import Members, Value, Written

MAY_BE_STRUCTURED = re.compile(r"[{\[\"0-9tfn-]")
# `{"key":` and `["item` begin JSON. `{"Ffriction"} must be larger`, `{10}^{2}` and `[1] shows` do not.
BEGUN_AS_JSON = re.compile(r"""\{\s*(?:"(?:[^"\\]++|\\.)*+"|'[^'{}]*')\s*:|\[\s*(?:["']|\{\s*["'])""", re.DOTALL)
FENCE = "```"
MAX_FENCES = 6
"""Code fences around each other; deeper content is text."""
OPENING_FENCE = re.compile(r"```(?:json|python)?\s*\n", re.IGNORECASE)
JSON_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")


class Classified(NamedTuple):
    """The class of an output, and its value if it is structured and readable."""

    kind: OutputClass
    value: Value | None
    """None for text, and if no single reading exists."""
    faults: frozenset[BrokenCause]
    """The faults that the reader could resolve, or the one that it could not; empty for text and for strict JSON."""


TEXT = frozenset[BrokenCause]()


def classify(output: str) -> Classified:
    """Classify one output. Outer space and code fences around the whole do not count."""
    text, num_fences = output.strip(), 0
    while text.startswith(FENCE) and num_fences < MAX_FENCES and (inside := fenced(text)) is not None:
        text, num_fences = inside, num_fences + 1
    found = classify_bare(text)
    return found if not num_fences or found.value is not None else Classified(OutputClass.PLAIN, None, TEXT)


def classify_bare(text: str) -> Classified:
    """Classify an output without outer space and fences."""
    if not text:
        return Classified(OutputClass.EMPTY, None, TEXT)
    if not MAY_BE_STRUCTURED.match(text):
        return Classified(OutputClass.PLAIN, None, TEXT)
    if text[0] not in '{["':
        return Classified(OutputClass.JSON_SCALAR if JSON_SCALAR.fullmatch(text) else OutputClass.PLAIN, None, TEXT)
    try:
        reading = read_json(text)
    except Unreadable as error:
        return classify_unreadable(text, error.cause)
    if not reading.faults:
        if isinstance(reading.value, str):
            if is_quotation(text, reading.value):
                return Classified(OutputClass.PLAIN, None, TEXT)
            return Classified(OutputClass.ENCODED_TWICE, reading.value, TEXT)
        return Classified(OutputClass.JSON_OBJECT if isinstance(reading.value, Members) else OutputClass.JSON_LIST, reading.value, TEXT)
    if isinstance(reading.value, str):
        return Classified(OutputClass.PLAIN, None, TEXT)  # a quotation with a LaTeX command or a line break in it
    # If Python reads it too, it counts as a Python literal, with the JSON value: Python would read the `\a` of `\alpha` as a bell.
    if read_python(text) is not None:
        return Classified(OutputClass.PYTHON_LITERAL, reading.value, reading.faults)
    if isinstance(reading.value, list) and not BEGUN_AS_JSON.match(text):
        return Classified(OutputClass.LOOKS_LIKE_JSON, None, TEXT)  # `[L T^-2]`: brackets of a formula
    return Classified(OutputClass.BROKEN_JSON, reading.value, reading.faults)


def is_quotation(text: str, inside: str) -> bool:
    """Whether a text in quotes is a quotation: it holds no escape, which encoded text would, and nothing structured."""
    return "\\" not in text and classify_bare(inside.strip()).kind in (OutputClass.PLAIN, OutputClass.LOOKS_LIKE_JSON)


def fenced(text: str) -> str | None:
    """The content between code fences around the whole of a text; None if it has no such fences."""
    opening = OPENING_FENCE.match(text)
    if opening is None or not text.endswith(FENCE) or len(text) < opening.end() + len(FENCE):
        return None
    return text[opening.end() : -len(FENCE)].strip()


def classify_unreadable(text: str, cause: BrokenCause) -> Classified:
    """Classify a text that begins with a quote or bracket and has no single reading as JSON."""
    if text[0] == '"':
        return Classified(OutputClass.PLAIN, None, TEXT)
    literal = read_python(text)
    if literal is not None:
        return Classified(OutputClass.PYTHON_LITERAL, literal, TEXT)
    if BEGUN_AS_JSON.match(text):
        return Classified(OutputClass.BROKEN_JSON, None, frozenset({cause}))
    return Classified(OutputClass.LOOKS_LIKE_JSON, None, TEXT)


def from_python_objects(content: object) -> Value:
    """The value of an output field that holds JSON instead of text. ValueError for a boolean, which could mean yes, true or right.

    Numbers have Python's shortest spelling, since the digits of the line are already lost.
    """
    match content:
        case dict():
            return Members((key, nested_value(item)) for key, item in content.items())
        case list():
            return [nested_value(item) for item in content]
        case int() | float() if not isinstance(content, bool):
            return nested_value(content)
        case _:
            raise ValueError("only objects, lists and numbers")


def nested_value(content: object) -> Value:
    """The value of one member or item of such a field."""
    match content:
        case str():
            return content
        case dict() | list():
            return from_python_objects(content)
        case _:
            return Written(json.dumps(content))
