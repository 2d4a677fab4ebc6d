"""Read an output that is JSON, nearly JSON, or a Python literal, keeping every member and every digit as written. Pure."""

import ast
import json
import re
import warnings
from typing import Any, NamedTuple, NoReturn

from plumbline.cleaning.codes import BrokenCause

MAX_DEPTH = 32
SPACE = re.compile(r"\s*")
STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=\s*(?:[,}\]]|$))")
DOLLARS = re.compile(r"[-+±]?\s*\$[^$\n\"]*\$(?=\s*[,}\]])")
CONSTANT = re.compile(r"(?:true|false|null|True|False|None)(?=\s*(?:[,}\]]|$))")
ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt])|(.))', re.DOTALL)
CONTROL = re.compile(r"[\x00-\x1f]")
SINGLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
SOURCE_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""Lines as Python's parser counts them."""
NEXT_KEY = re.compile(r',\s*"(?:[^"\\]++|\\.)*+"\s*:', re.DOTALL)


class Written(str):
    """A number, constant or expression, as written: never evaluated, never reformatted."""

    __slots__ = ()


class Members(list["tuple[str, Value]"]):
    """The members of an object in their order; a key that comes twice is kept twice."""


Value = str | Written | list["Value"] | Members


class Reading(NamedTuple):
    """A value and what reading it took: empty for strict JSON."""

    value: Value
    faults: frozenset[BrokenCause]


class Unreadable(ValueError):
    """No single reading as JSON."""

    def __init__(self, cause: BrokenCause, position: int) -> None:
        super().__init__(f"{cause} at character {position}")
        self.cause = cause
        self.position = position


class Reader:
    """A JSON reader that goes on over faults with one reading and notes them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.faults: set[BrokenCause] = set()

    def read(self) -> Reading:
        """Read the whole text as one value. Unreadable where a fault has no single reading."""
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
        """The next character that is no space; Unreadable at the end of the text."""
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
            # Two escapes may be the halves of one character; half a pair is no character.
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
    """A bare list `[a, b]` has several readings (is `1,000` one item?): it is not read."""
    return "," in re.sub(r"\d,\d{3}(?!\d)|\$[^$]*\$|\([^()]*\)", "", written)


def refuse_constant(name: str) -> NoReturn:
    """NaN and infinities are no JSON; the patient reader takes them as bare values."""
    raise ValueError(f"{name} is no JSON")


STRICT = json.JSONDecoder(object_pairs_hook=Members, parse_float=Written, parse_int=Written, parse_constant=refuse_constant)


def read_json(text: str) -> Reading:
    """Read text as JSON, with the faults that leave one reading. Unreadable otherwise."""
    # The C decoder reads strict JSON ten times faster; what it will not read, and half surrogates, go to the patient one.
    if "\\ud" not in text and "\\uD" not in text:
        try:
            return Reading(with_written_constants(STRICT.decode(text), depth=0), frozenset())
        except (ValueError, RecursionError):
            pass
    return Reader(text).read()


def with_written_constants(value: Any, depth: int) -> Value:
    """true, false and null as written; text and numbers are already."""
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


def read_python(text: str) -> Value | None:
    """Read a Python dict, list or set literal without evaluating anything; None where it is none.

    A set of bare numbers is set notation (`{1, 2}`) or a LaTeX group (`{10}`): text.
    """
    if not (text.startswith(("{", "[")) and text.endswith(("}", "]"))):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SyntaxWarning: `\p` is no escape; it is read as it stands
            tree = ast.parse(text, mode="eval").body
            return python_value(tree, [line.encode() for line in SOURCE_LINES.findall(text)], depth=0)
    except (SyntaxError, ValueError, MemoryError, RecursionError, TypeError):
        return None


def python_value(node: ast.expr, lines: list[bytes], depth: int) -> Value:
    """Turn one literal node of the source `lines` into a value. ValueError for anything that is no literal."""
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    match node:
        case ast.Constant(value=str() as content):
            return content
        case ast.Constant(value=bool() | None as constant):
            return Written({True: "true", False: "false", None: "null"}[constant])
        case ast.Constant(value=int() | float()) | ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return Written(source_of(node, lines))
        case ast.Dict(keys=keys, values=values):
            if any(key is None for key in keys):
                raise ValueError("** is no literal")
            pairs = zip([key for key in keys if key is not None], values, strict=True)
            return Members((str(python_value(key, lines, depth + 1)), python_value(item, lines, depth + 1)) for key, item in pairs)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [python_value(item, lines, depth + 1) for item in items]
        case ast.Set(elts=items):
            if depth == 0 and not any(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in items):
                raise ValueError("set notation")
            return [python_value(item, lines, depth + 1) for item in items]
        case _:
            raise ValueError(f"{type(node).__name__} is no literal")


def source_of(node: ast.expr, lines: list[bytes]) -> str:
    """A node as written. ast.get_source_segment splits the whole text anew for each: 8 s for a line of 4,000 numbers."""
    assert node.end_lineno is not None and node.end_col_offset is not None, "a parsed node has an end"
    *before, last = lines[node.lineno - 1 : node.end_lineno]
    return b"".join([*before, last[: node.end_col_offset]])[node.col_offset :].decode()
