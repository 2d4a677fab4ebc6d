"""Find the one JSON object in a judge's reply, or say why there is none. Pure.

The text around the object decides whether it is the verdict or a quotation. In doubt there is none.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from plumbline.judging.causes import JudgeCause
from plumbline.judging.reply_wrapping import read_wrapping

MAX_REPLY_CHARACTERS = 100_000
"""A verdict of 4,096 tokens has about 16,000 characters; a longer one is hostile or broken."""
MAX_BRACES = 200
"""Most places to look for an object. A verdict with formulas before it has about ten; each try may read to the end."""

GRADE_TOOL = "grade"
THINKING_BLOCKS = frozenset({"thinking", "redacted_thinking"})
FINISHED = frozenset({"end_turn", "stop_sequence", "tool_use"})


class ReplyOutcome(StrEnum):
    """What to do with a reply."""

    SCORE = "score"
    RETRY = "retry"
    """There is no usable verdict: ask again."""
    FAILURE = "failure"
    """Asking the same model again is pointless."""


@dataclass(frozen=True)
class NoObject:
    """Why a reply holds no object that could be a verdict."""

    cause: JudgeCause
    outcome: ReplyOutcome = ReplyOutcome.RETRY


STOPPED_BECAUSE: dict[str, NoObject] = {
    "refusal": NoObject(JudgeCause.REFUSED, ReplyOutcome.FAILURE),
    "model_context_window_exceeded": NoObject(JudgeCause.CONTEXT_EXCEEDED, ReplyOutcome.FAILURE),
    "max_tokens": NoObject(JudgeCause.TRUNCATED),
    "pause_turn": NoObject(JudgeCause.PAUSED),
}

ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|["\\/bfnrt]|)')
# JSON has four kinds of white space. If a judge indents with another one, it means a blank.
SPACES = str.maketrans(
    dict.fromkeys("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " ")
)


class _DuplicateKeyError(ValueError):
    pass


class _UnreadableNumberError(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise _DuplicateKeyError
    return content


def _integer(digits: str) -> int:
    # int() of more than 4,300 digits raises a different ValueError; no menu has a value of 20 digits.
    if len(digits) > 20:
        raise _UnreadableNumberError
    return int(digits)


def _constant(name: str) -> float:
    raise _UnreadableNumberError(name)


# strict=False: a raw newline or tab inside the reasoning is untidy, not ambiguous.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_constant=_constant, strict=False)


def _repair_escapes(text: str) -> str:
    """Double every backslash that begins no JSON escape (`\\underline`, `C:\\dir`): this has one reading and loses nothing."""
    return ESCAPE.sub(lambda match: match[0] if match[1] else "\\\\", text)


@dataclass(frozen=True)
class _Place:
    """An object in a text."""

    content: dict[str, Any]
    before: str
    after: str


def _objects(text: str) -> list[_Place] | JudgeCause:
    """Every object of a text that is not part of another one, at most two. A brace that begins no object is prose.

    Empty also if an escape is in the way: the text after it may lie inside a string.
    """
    found: list[_Place] = []
    place = 0
    for _ in range(MAX_BRACES):
        start = text.find("{", place)
        if start < 0 or len(found) == 2:
            return found
        try:
            content, end = _DECODER.raw_decode(text, start)
        except _DuplicateKeyError:
            return JudgeCause.DUPLICATE_KEY
        except _UnreadableNumberError:
            return JudgeCause.WRONG_TYPE
        except RecursionError:
            return JudgeCause.OVERSIZED
        except ValueError as error:
            if "escape" in str(error):
                return []
            place = start + 1
            continue
        assert isinstance(content, dict), "raw_decode began at a brace"
        found.append(_Place(content, text[:start], text[end:]))
        place = end
    return JudgeCause.NO_VERDICT


def _in_text(text: str) -> Mapping[str, Any] | NoObject:
    if len(text) > MAX_REPLY_CHARACTERS:
        return NoObject(JudgeCause.OVERSIZED)
    if not text.strip():
        return NoObject(JudgeCause.EMPTY_REPLY)
    plain = text.translate(SPACES)
    found = _objects(plain) or _objects(_repair_escapes(plain))
    if isinstance(found, JudgeCause):
        return NoObject(found)
    if len(found) != 1:
        return NoObject(JudgeCause.SEVERAL_VERDICTS if found else JudgeCause.NO_VERDICT)
    problem = read_wrapping(found[0].before, found[0].after)
    return NoObject(problem) if problem else found[0].content


def _in_blocks(blocks: Sequence[object]) -> Mapping[str, Any] | NoObject:
    texts: list[str] = []
    inputs: list[Mapping[str, Any]] = []
    for block in blocks:
        kind = block.get("type") if isinstance(block, Mapping) else None
        if not isinstance(block, Mapping) or not isinstance(kind, str):
            return NoObject(JudgeCause.UNEXPECTED_BLOCK)
        if kind in THINKING_BLOCKS:
            continue
        text, verdict = block.get("text"), block.get("input")
        if kind == "text" and isinstance(text, str):
            texts.append(text)
        elif kind == "tool_use" and block.get("name") == GRADE_TOOL and isinstance(verdict, Mapping):
            inputs.append(verdict)
        else:
            return NoObject(JudgeCause.UNEXPECTED_BLOCK)
    text = "\n".join(texts)
    if not inputs:
        return _in_text(text)
    if len(inputs) > 1:
        return NoObject(JudgeCause.SEVERAL_VERDICTS)
    if len(text) > MAX_REPLY_CHARACTERS:
        return NoObject(JudgeCause.OVERSIZED)
    problem = read_wrapping(text and text + "\n", "")
    return NoObject(problem) if problem else inputs[0]


def find_object(reply: object, stop_reason: str | None) -> Mapping[str, Any] | NoObject:
    """Return the one object in a reply, which is text, a list of content blocks, or anything else.

    The stop reason is checked first: a cut `0` may be the beginning of `0.75`, and a refused turn is never used.
    """
    if not isinstance(stop_reason, str) or stop_reason not in FINISHED:
        return STOPPED_BECAUSE.get(str(stop_reason), NoObject(JudgeCause.UNKNOWN_STOP_REASON))
    if isinstance(reply, str):
        return _in_text(reply)
    if isinstance(reply, list | tuple):
        return _in_blocks(reply) if reply else NoObject(JudgeCause.EMPTY_REPLY)
    return NoObject(JudgeCause.BAD_RESPONSE)
