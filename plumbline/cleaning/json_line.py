"""Read one line as one JSON object, strictly; repair it only if a single reading exists. Pure."""

import ast
import json
import math
import re
import warnings
from typing import Any, NoReturn

import orjson

from plumbline.cleaning.codes import Reason, Repair, RowRefused
from plumbline.twin_keys import TwinKey, object_without_twins

MAX_LINE_BYTES = 1 << 20
"""Longer lines are hashed and counted, never held: one 100 MiB line must not cost 100 MiB."""

MAX_DEPTH = 64
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

QUOTES_OF_THREE_MEMBERS = 12
# A backslash that opens no JSON escape: `\alpha`, `\underline`. Pairs of backslashes are skipped as a whole.
ESCAPES = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
TRAILING_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+")|,(?=\s*[}\]])', re.DOTALL)
STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
RAW_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class LineRefused(RowRefused):
    """The line is not a JSON object that can be trusted."""


def parse_line(raw: bytes) -> tuple[dict[str, Any], list[Repair]]:
    """Return the object on the line and the repairs that reading it took. LineRefused if it cannot be trusted."""
    usual = usual_object(raw)
    if usual is not None:
        return usual, []
    repairs: list[Repair] = []
    if raw.startswith(BYTE_ORDER_MARK):
        raw = raw.removeprefix(BYTE_ORDER_MARK)
        repairs.append(Repair.BYTE_ORDER_MARK)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LineRefused(Reason.INVALID_UTF8, f"byte {error.start} is not UTF-8") from None
    if found := RAW_CONTROLS.search(text):
        raise LineRefused(Reason.CONTROL_CHAR, f"raw control character U+{ord(found[0]):04X} at character {found.start()}")
    content, more = parse_with_repairs(text.strip(" \t\r\n"))
    repairs += more
    if isinstance(content, str):
        # Its brackets stood in a string, where they did not count as nesting.
        refuse_deep(content)
        try:
            inner = strict_loads(content)
        except json.JSONDecodeError:
            inner = None
        if isinstance(inner, dict):
            content = inner
            repairs.append(Repair.LINE_ENCODED_TWICE)
    if not isinstance(content, dict):
        raise LineRefused(Reason.NOT_OBJECT, f"the line holds a JSON {json_type(content)}; write one object per line")
    if has_lone_surrogate(content):
        raise LineRefused(Reason.LONE_SURROGATE, "an escape names half of a surrogate pair, which is not a character")
    return content, repairs


def usual_object(raw: bytes) -> dict[str, Any] | None:
    """The object of a usual line, three members of text, read by the fast reader; None for any other line.

    orjson silently keeps the last of two equal keys. Twelve unescaped quotes are six strings, so three members at most: if they give
    three keys, none was hidden. `\\\\"` could be an escaped backslash before a closing quote, so the careful path reads such lines.
    """
    if raw.count(b'"') - raw.count(b'\\"') != QUOTES_OF_THREE_MEMBERS or b'\\\\"' in raw:
        return None
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None  # the careful path names the fault
    if type(content) is dict and len(content) == 3 and all(type(value) is str for value in content.values()):
        return content
    return None


def parse_with_repairs(text: str) -> tuple[Any, list[Repair]]:
    """Parse strictly, or after the repairs that leave one reading. LineRefused says what is wrong."""
    refuse_deep(text)
    try:
        return strict_loads(text), []
    except json.JSONDecodeError as error:
        first_error = error
    mended, repairs = text, []
    if "Invalid" in first_error.msg and "escape" in first_error.msg:
        mended = double_invalid_escapes(mended)
        repairs.append(Repair.LINE_INVALID_ESCAPE)
    without_commas = TRAILING_COMMA.sub(lambda match: match[1] or "", mended)
    if without_commas != mended:
        mended = without_commas
        repairs.append(Repair.LINE_TRAILING_COMMA)
    if repairs:
        try:
            return strict_loads(mended), repairs
        except json.JSONDecodeError:
            pass  # two faults at once: read it as Python below, or refuse the line
    literal = python_dict(text)
    if literal is not None:
        return literal, [Repair.LINE_PYTHON_LITERAL]
    refuse(text, first_error)


def refuse(text: str, error: json.JSONDecodeError) -> NoReturn:
    """Raise LineRefused with the fault of a line that no repair can fix."""
    where = f"{error.msg} at character {error.pos}"
    if error.msg.startswith("Extra data"):
        raise LineRefused(Reason.TRAILING_DATA, where)
    if error.msg.startswith("Unterminated string") or error.pos >= len(text):
        raise LineRefused(Reason.TRUNCATED, where)
    if error.msg.startswith("Invalid control character"):
        raise LineRefused(Reason.CONTROL_CHAR, where)
    raise LineRefused(Reason.NOT_JSON, where)


def strict_loads(text: str) -> Any:
    """json.loads that refuses duplicate keys, numbers that are not finite, and integers beyond 64 bits."""
    try:
        return json.loads(
            text, object_pairs_hook=object_without_twins, parse_constant=refuse_constant, parse_float=finite_float, parse_int=small_int
        )
    except TwinKey as twins:
        raise twin_refused(twins.key) from None


def twin_refused(key: str) -> LineRefused:
    """The error for a key that occurs twice: such a line has no single reading."""
    return LineRefused(Reason.DUPLICATE_KEY, f"key {key!r} occurs twice")


def refuse_constant(name: str) -> NoReturn:
    """NaN and infinities are not JSON."""
    raise LineRefused(Reason.NON_FINITE_NUMBER, f"{name} is not a finite number")


def finite_float(digits: str) -> float:
    """Refuse an overflow: Python turns it into an infinity without an error."""
    value = float(digits)
    if not math.isfinite(value):
        raise LineRefused(Reason.NON_FINITE_NUMBER, f"{digits[:40]} overflows a double")
    return value


def small_int(digits: str) -> int:
    """Refuse integers beyond 64 bits: many readers round them, and int() itself stops at 4,300 digits."""
    if len(digits) > 20 or not -(1 << 63) <= int(digits) < 1 << 64:
        raise LineRefused(Reason.NUMBER_OUT_OF_RANGE, f"an integer of {len(digits)} digits does not fit 64 bits")
    return int(digits)


def double_invalid_escapes(text: str) -> str:
    """Turn each backslash that opens no JSON escape into a literal one."""
    return ESCAPES.sub(lambda match: match[0] if len(match[0]) > 1 else "\\\\", text)


def python_dict(text: str) -> dict[str, Any] | None:
    """Read a line that is the Python repr of a dict of strings, without evaluating anything. LineRefused if a key occurs twice."""
    if not text.startswith("{"):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `\p` in a literal warns about an escape; it is read as it stands
            tree = ast.parse(text, mode="eval").body
            value = ast.literal_eval(tree)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    if isinstance(tree, ast.Dict):
        # Python silently keeps the last of two equal keys.
        try:
            object_without_twins([(key.value, None) for key in tree.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)])
        except TwinKey as twins:
            raise twin_refused(twins.key) from None
    if isinstance(value, dict) and all(isinstance(key, str) and isinstance(item, str | None) for key, item in value.items()):
        return value
    return None


def refuse_deep(text: str) -> None:
    """LineRefused for text nested so deeply that a recursive reader might crash."""
    if nesting_depth(text) > MAX_DEPTH:
        raise LineRefused(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels")


def nesting_depth(text: str) -> int:
    """Deepest level of brackets outside strings."""
    depth = deepest = 0
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return 0
    for character in STRINGS.sub("", text):
        if character in "{[":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                return deepest
        elif character in "}]":
            depth -= 1
    return deepest


def has_lone_surrogate(content: Any) -> bool:
    """Whether any text in it cannot be written as UTF-8."""
    try:
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def json_type(value: object) -> str:
    """The JSON word for a Python value."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names[type(value)]
