"""Read a response that is a JSON object, whole or broken. Pure."""

import ast
import json
import re
from typing import NamedTuple

from plumbline.grading.patterns import bounded

ANSWER_KEYS = (
    "final_answer", "finalanswer", "final answer", "answer", "correct_answer", "correct answer", "correct_option", "correct option",
    "ans", "choice", "option", "letter", "selected_option", "result", "value", "final",
)  # fmt: skip
FENCE = bounded(r"```(?:json|JSON)?\s*\n?(.*?)```", re.DOTALL)
JSON_KEY = bounded(r"\"((?:[^\"\\\n]|\\.){1,80})\"\s*:\s*")
SWALLOWED = bounded(r"\x08(?=[a-z])|\x0c(?=[a-z])|\t(?=imes|ext|frac|heta|au)|\r(?=ightarrow|ho|m\b)")
JSON_OPENED = bounded(r"\{\s*\"[^\"\n]{1,60}\"\s*:")
JSON_STRING = bounded(r"\"((?:[^\"\\]|\\.){0,16000})\"", re.DOTALL)
JSON_BARE = bounded(r"[^,{}\[\]\"\n]{1,200}")


class JsonAnswer(NamedTuple):
    """The content of a response in JSON."""

    answers: tuple[str, ...]
    """Values under an answer key, best key first."""
    leaves: tuple[tuple[str, str], ...]
    """All pairs (key, value as text), in order."""


def text_of(value: object) -> str:
    """Return a leaf as text. LaTeX commands get back the backslash that JSON took for an escape."""
    if not isinstance(value, str):
        return json.dumps(value)
    return SWALLOWED.sub(lambda match: "\\" + {"\b": "b", "\f": "f", "\t": "t", "\r": "r"}[match[0]], value)


def walk(value: object, key: str, leaves: list[tuple[str, str]], depth: int = 0) -> None:
    """Collect the leaves of a JSON value. Booleans and nulls state nothing."""
    if isinstance(value, dict) and depth < 20:
        for name, child in value.items():
            walk(child, str(name), leaves, depth + 1)
    elif isinstance(value, list) and value and all(isinstance(child, str | int | float) and len(str(child)) <= 20 for child in value):
        leaves.append((key, ", ".join(str(child) for child in value)))
    elif isinstance(value, list) and depth < 20:
        for child in value:
            walk(child, key, leaves, depth + 1)
    elif value is not None and not isinstance(value, bool):
        leaves.append((key, text_of(value)))


def unescape(text: str) -> str:
    """Decode the inside of a JSON string leniently: an escape that JSON does not know keeps its backslash (LaTeX)."""
    simple = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "/": "/"}

    def decode(match: re.Match[str]) -> str:
        character = match[1]
        if character in "ntr" and re.match(r"[a-z]{2}", text[match.end() : match.end() + 2]):
            return match[0]
        return simple.get(character, match[0])

    return re.sub(r"\\(.)", decode, text, flags=re.DOTALL)


def read_json(response: str) -> JsonAnswer | None:
    """Read a response that is a JSON object, in a code fence or not, whole or broken; None for prose."""
    body = response.strip()
    fence = FENCE.search(body) if "```" in body else None
    if fence and fence[1].lstrip().startswith("{"):
        body = fence[1].strip()
    if not body.startswith("{"):
        opened = JSON_OPENED.search(body)
        if opened is None or (len(body) - opened.start() < len(body) // 2 and not body.endswith("}")):
            return None
        body = body[opened.start() :]
    if not body.startswith("{'") and not JSON_KEY.search(body):
        return None
    leaves: list[tuple[str, str]] = []
    try:
        parsed = ast.literal_eval(body) if body.startswith("{'") else json.JSONDecoder(strict=False, parse_constant=str).raw_decode(body)[0]
        walk(parsed, "", leaves)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        for match in list(JSON_KEY.finditer(body))[:200]:
            string = JSON_STRING.match(body, match.end())
            bare = JSON_BARE.match(body, match.end())
            if string:
                leaves.append((match[1], unescape(string[1])))
            elif bare and bare[0].strip():
                leaves.append((match[1], bare[0].strip()))
    if not leaves:
        return None
    ranked = sorted(
        (
            (ANSWER_KEYS.index(key.strip().lower()), -place, value)
            for place, (key, value) in enumerate(leaves)
            if key.strip().lower() in ANSWER_KEYS
        ),
    )
    return JsonAnswer(tuple(value for _, _, value in ranked), tuple(leaves))
