"""Word by word, what a text lost and what it gained. Pure."""

import re
import unicodedata
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

PIECE = re.compile(r"[ \n]+|[^\S \n]|\w+|[^\w\s]")
CONTROL_PICTURES = 0x2400
"""U+2400 and on: a picture for each control character, in their order."""


class Piece(NamedTuple):
    """A run of text that is on both sides, only before, or only after."""

    kind: Literal["same", "removed", "added"]
    text: str


def word_diff(before: str, after: str) -> list[Piece]:
    """The pieces of both texts in reading order: without `added` they join to `before`, without `removed` to `after`."""
    old, new = PIECE.findall(before), PIECE.findall(after)
    pieces: list[Piece] = []
    for kind, i, j, k, m in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(old[i:j])))
            continue
        if i < j:
            pieces.append(Piece("removed", "".join(old[i:j])))
        if k < m:
            pieces.append(Piece("added", "".join(new[k:m])))
    return pieces


def visible(text: str) -> str:
    """The text with invisible characters made visible: control characters as pictures, other format characters by their number."""
    return "".join(character if character == "\n" or character.isprintable() else picture(character) for character in text)


def picture(character: str) -> str:
    """A sign for a character that cannot be seen."""
    code = ord(character)
    if code < 0x20:
        return chr(CONTROL_PICTURES + code)
    if unicodedata.category(character) == "Zs":
        return "␣" if character != "\u00a0" else "⍽"
    return f"[U+{code:04X}]"
