"""Read an output that is JSON, or nearly JSON with one reading, keeping every member and every digit as written. Pure."""

import json
import re
from typing import Any, NamedTuple, NoReturn

from plumbline.cleaning.codes import BrokenCause
from plumbline.cleaning.structured_value import MAX_DEPTH, Members, Value, Written

SPACE = re.compile(r"\s*")
STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=\s*(?:[,}\]]|$))")
DOLLARS = re.compile(r"[-+±]?\s*\$[^$\n\"]*\$(?=\s*[,}\]])")
CONSTANT = re.compile(r"(?:true|false|null|True|False|None)(?=\s*(?:[,}\]]|$))")
ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt])|(.))', re.DOTALL)
CONTROL = re.compile(r"[\x00-\x1f]")
SINGLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
NEXT_KEY = re.compile(r',\s*"(?:[^"\\]++|\\.)*+"\s*:', re.DOTALL)


class Reading(NamedTuple):
    """A value, and the faults in its text: none for strict JSON."""

    value: Value
    faults: frozenset[BrokenCause]


class Unreadable(ValueError):
    """No single reading as JSON."""

    def __init__(self, cause: BrokenCause, position: int) -> None:
        super().__init__(f"{cause} at character {position}")
        self.cause = cause
        self.position = position


class Reader:
    """A JSON reader that continues past faults with one reading, and records them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.faults: set[BrokenCause] = set()

    def read(self) -> Reading:
        """Read the whole text as one value. Unreadable if a fault has no single reading."""
        value = self.read_value(depth=0)
        self.skip_space()
        if self.position < len(self.text):
            raise Unreadable(BrokenCause.TRAILING_TEXT, self.position)
        return Reading(value, frozenset(self.faults))

    def skip_space(self) -> None:
        found = SPACE.match(self.text, self.position)
        assert found is not None
        self.position = found.end()

    def peek(self) -> str:
        """The next character that is not a space; Unreadable at the end of the text."""
        self.skip_space()
        if self.position >= len(self.text):
            raise Unreadable(BrokenCause.TRUNCATED, self.position)
        return self.text[self.position]

    def read_value(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise Unreadable(BrokenCause.UNREADABLE, self.position)
        first = self.peek()
        if first == '"':
            return self.read_string()
        if first == "{":
            return self.read_object(depth)
        if first == "[":
            return self.read_list(depth)
        for pattern in (NUMBER, CONSTANT):
            if found := pattern.match(self.text, self.position):
                self.position = found.end()
                if found[0] in ("True", "False", "None"):
                    self.faults.add(BrokenCause.BARE_VALUE)
                return Written(found[0])
        if depth == 0:
            raise Unreadable(BrokenCause.UNREADABLE, self.position)
        if found := DOLLARS.match(self.text, self.position):
            self.position = found.end()
            self.faults.add(BrokenCause.BARE_VALUE)
            return Written(found[0])
        return self.read_bare_value()

    def read_string(self) -> str:
        found = STRING.match(self.text, self.position)
        if found is None:
            raise Unreadable(BrokenCause.TRUNCATED, self.position)
        self.position = found.end()
        if CONTROL.search(found[1]):
            self.faults.add(BrokenCause.CONTROL_CHARACTER)
        decoded = ESCAPE.sub(self.decode_escape, found[1]) if "\\" in found[1] else found[1]
        try:
            # Two escapes may be the halves of one character; half a pair is not a character.
            return decoded.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise Unreadable(BrokenCause.INVALID_ESCAPE, found.start()) from None

    def decode_escape(self, escape: re.Match[str]) -> str:
        if escape[1]:
            return chr(int(escape[1], 16))
        if escape[2]:
            return SINGLE[escape[2]]
        self.faults.add(BrokenCause.INVALID_ESCAPE)
        return escape[0]

    def read_object(self, depth: int) -> Members:
        members = Members()
        self.position += 1
        if self.peek() == "}":
            self.position += 1
            return members
        while True:
            if self.peek() != '"':
                raise Unreadable(BrokenCause.UNREADABLE, self.position)
            key = self.read_string()
            if self.peek() != ":":
                raise Unreadable(BrokenCause.UNREADABLE, self.position)
            self.position += 1
            members.append((key, self.read_value(depth + 1)))
            if self.ends("}"):
                return members

    def read_list(self, depth: int) -> list[Value]:
        items: list[Value] = []
        self.position += 1
        if self.peek() == "]":
            self.position += 1
            return items
        while True:
            items.append(self.read_value(depth + 1))
            if self.ends("]"):
                return items

    def ends(self, closing: str) -> bool:
        """Step over the comma or the closing bracket; a comma before the bracket is a fault with one reading."""
        following = self.peek()
        self.position += 1
        if following == ",":
            if self.peek() == closing:
                self.faults.add(BrokenCause.TRAILING_COMMA)
                self.position += 1
                return True
            return False
        if following != closing:
            raise Unreadable(BrokenCause.UNREADABLE, self.position - 1)
        return True

    def read_bare_value(self) -> Written:
        """Read `$16.78$` or `20*pi/180` as it stands: up to the comma before the next key, or the closing bracket."""
        depth, in_dollars, start = 0, False, self.position
        while self.position < len(self.text):
            character = self.text[self.position]
            if character == '"':
                break
            if character == "$":
                in_dollars = not in_dollars
            elif character in "([{":
                depth += 1
            elif character in ")]}":
                if depth == 0:
                    break
                depth -= 1
            elif character == "," and depth == 0 and not in_dollars and NEXT_KEY.match(self.text, self.position):
                break
            self.position += 1
        written = self.text[start : self.position].strip()
        if self.position >= len(self.text):
            raise Unreadable(BrokenCause.TRUNCATED, start)
        if not written or self.text[self.position] == '"' or "\n" in written or ":" in written or holds_comma(written):
            raise Unreadable(BrokenCause.UNREADABLE, start)
        self.faults.add(BrokenCause.BARE_VALUE)
        return Written(written)


def holds_comma(written: str) -> bool:
    """Whether a bare value holds a comma that may separate items: `[a, b]` has several readings, so it is not read."""
    return "," in re.sub(r"\d,\d{3}(?!\d)|\$[^$]*\$|\([^()]*\)", "", written)


def refuse_constant(name: str) -> NoReturn:
    """NaN and infinities are not JSON; `Reader` takes them as bare values."""
    raise ValueError(f"{name} is not JSON")


STRICT = json.JSONDecoder(object_pairs_hook=Members, parse_float=Written, parse_int=Written, parse_constant=refuse_constant)


def read_json(text: str) -> Reading:
    """Read text as JSON, past faults that leave one reading. Unreadable otherwise."""
    # The C decoder reads strict JSON ten times faster. `Reader` gets what the decoder refuses, and half surrogates.
    if "\\ud" not in text and "\\uD" not in text:
        try:
            return Reading(with_written_constants(STRICT.decode(text), depth=0), frozenset())
        except (ValueError, RecursionError):
            pass
    return Reader(text).read()


def with_written_constants(value: Any, depth: int) -> Value:
    """A value with true, false and null as written; text and numbers already are."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return Written({True: "true", False: "false", None: "null"}[value])
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    if isinstance(value, Members):
        for place, (key, item) in enumerate(value):
            if not isinstance(item, str):
                value[place] = (key, with_written_constants(item, depth + 1))
        return value
    return [with_written_constants(item, depth + 1) for item in value]
