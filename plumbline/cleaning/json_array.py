"""Cut a JSON array into its elements as the bytes come, in bounded memory; their content is read later."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from plumbline.cleaning.json_line import MAX_LINE_BYTES
from plumbline.cleaning.quarantined_row import RedactedLine
from plumbline.pipeline.refused import InputRefused

BLOCK_BYTES = 1 << 18
OUTSIDE = re.compile(rb'["{}\[\],]')
INSIDE = re.compile(rb'["\\]')
WHOLE_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


class Element:
    """The bytes of one element so far; beyond 1 MiB only their number and hash."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.length = 0
        self.digest = hashlib.sha256()

    def add(self, part: bytes) -> None:
        self.length += len(part)
        if self.length <= MAX_LINE_BYTES:
            self.parts.append(part)
            return
        for held in (*self.parts, part):
            self.digest.update(held)
        self.parts.clear()

    def content(self) -> bytes | RedactedLine:
        if self.length > MAX_LINE_BYTES:
            return RedactedLine(length=self.length, sha256=self.digest.hexdigest())
        return b"".join(self.parts).strip()


class Cutter:
    """Finds the borders of elements block by block: commas outside strings and inner brackets."""

    def __init__(self) -> None:
        self.depth = 0
        """Number of open brackets: 1 between elements, 0 before and after the array."""
        self.is_over = False
        self._in_string = False
        self._is_escaped = False
        """The previous block ended with a backslash inside a string."""

    def borders(self, block: bytes) -> Iterator[tuple[int, int]]:
        """Start and end of each token that separates elements: the opening bracket, commas between them, the closing bracket."""
        place = 1 if self._is_escaped and block else 0
        self._is_escaped = False
        while True:
            if self._in_string:
                found = INSIDE.search(block, place)
                if found is None:
                    return
                place = found.end()
                if found[0] == b'"':
                    self._in_string = False
                elif place == len(block):
                    self._is_escaped = True
                    return
                else:
                    place += 1
                continue
            found = OUTSIDE.search(block, place)
            if found is None:
                return
            place = found.end()
            if found[0] == b'"':
                whole = WHOLE_STRING.match(block, found.start())
                self._in_string = whole is None
                place = place if whole is None else whole.end()
            elif self._is_border(found[0]):
                yield found.span()
                if self.is_over:
                    return

    def _is_border(self, token: bytes) -> bool:
        if token == b",":
            return self.depth == 1
        if token in b"{[":
            self.depth += 1
            return self.depth == 1
        if self.depth > 1:
            self.depth -= 1
            return False
        self.is_over = token == b"]"
        return self.is_over


def array_elements(path: Path, stream: IO[bytes]) -> Iterator[bytes | RedactedLine]:
    """Yield each element as it is written. InputRefused if the array does not end, or if text follows it."""
    cutter, element, number = Cutter(), Element(), 0
    while block := stream.read(BLOCK_BYTES):
        start = 0
        for left, right in cutter.borders(block):
            element.add(block[start:left])
            start = right
            content, element = element.content(), Element()
            if number == 0:  # what stands before the opening bracket: white space, or a byte order mark
                number = 1
            elif content or not cutter.is_over:  # a comma before the closing bracket opens no element
                yield content
                number += 1
        if cutter.is_over:
            refuse_more(path, block[start:], stream)
            return
        element.add(block[start:])
    raise InputRefused(
        "truncated",
        f"{path} ends inside its JSON array, in record {max(1, number)} or before the closing bracket. It is incomplete: download it again.",
    )


def refuse_more(path: Path, rest: bytes, stream: IO[bytes]) -> None:
    """InputRefused if more than white space follows the array: no one can say which of the two is the data."""
    while rest:
        if rest.strip():
            raise InputRefused(
                "not_jsonl", f"{path} has text after its JSON array. Give one array, or one object per line (`jq -c '.[]'`)."
            )
        rest = stream.read(BLOCK_BYTES)
