"""Find the places of a response that state its answer, in the order in which they count. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from plumbline.grading.answer_regions import boxes, declarations, headings
from plumbline.grading.glyphs import tidy
from plumbline.grading.json_answers import read_json
from plumbline.grading.markup import without_markup
from plumbline.grading.own_text import OwnText, own_answer


class Zone(NamedTuple):
    """A place that may hold the answer."""

    text: str
    """The text there, without Markdown."""
    tier: str
    """How it was found."""
    start: int | None
    """Where it begins in the cleaned text of the response; None if it is inside JSON."""


class Cleaned(NamedTuple):
    """A response in the form that the rules read."""

    own: OwnText
    text: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return [start, end) in the response."""
        return self.own.span(start, end)


def cleaned(response: str) -> Cleaned:
    """Return the text of the response for its reader, without thinking and Markdown. Every character keeps its position."""
    own = own_answer(response)
    return Cleaned(own, tidy(without_markup(own.text)))


def zones(read: Cleaned, *, choices: bool = False, to_line_end: bool = False) -> Iterator[Zone]:
    """Yield the places in the order in which they count: JSON, boxes, declared answers from last to first, the whole, the last line.

    `to_line_end`: a declared answer continues after a semicolon, as a list of numbers does.
    """
    wrapped = read_json(tidy(read.own.text))
    if wrapped is not None:
        for value in wrapped.answers:
            yield Zone(tidy(without_markup(value)), "json", None)
    for _, start, end, _ in reversed(boxes(read.text)):
        yield Zone(read.text[start:end], "boxed", start)
    declared = [(start, end) for _, start, end in declarations(read.text, choices=choices)]
    declared += [(start, end) for _, start, end in headings(read.text)]
    for start, end in sorted(declared, reverse=True):
        if to_line_end:
            line_end = read.text.find("\n", start)
            end = max(end, line_end if line_end >= 0 else len(read.text))
        yield Zone(read.text[start:end], "anchored", start)
    yield Zone(read.text, "whole", 0)
    stripped = read.text.rstrip()
    begin = stripped.rfind("\n") + 1
    if begin:
        yield Zone(read.text[begin:], "last_line", begin)
