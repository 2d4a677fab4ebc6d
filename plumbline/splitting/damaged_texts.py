"""Find texts of a question that were damaged on their way into the file: control characters, lost backslashes of LaTeX. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from plumbline.cleaning.latex_repair import NEVER_IN_TEXT, SWALLOWED, between_dollars, restore_swallowed
from plumbline.rows.question import Question

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
NAMES = {
    "\a": "a bell",
    "\b": "a backspace",
    "\v": "a vertical tab",
    "\f": "a page break",
    "\t": "a tab",
    "\n": "a line break",
    "\r": "a line end",
}
BELONG_IN_TEXT = "\t\n\r"
LATEX = re.compile(r"\\[A-Za-z(\[]|\$\$")
WORD_AFTER_LINE_END = re.compile(r"\r(?:angle|ceil|floor|ight(?!\s*[)\]}|.\\>/]))(?![A-Za-z])")
"""Old files end their lines with \\r alone. What follows here is a LaTeX command only in maths."""
WORD_AFTER_TAB = re.compile(r"\tan[(\d]")
"""A tab of a cell and a function `an(t)`; in JSON rather `\\tan(t)`, since JSON reads `\\t` as a tab."""


class LostCommand(NamedTuple):
    """A LaTeX command that may have lost its backslash."""

    place: int
    """Of the character that stands in its place."""
    name: str
    """With its backslash; no text if it is not known."""


def damage_fault(question: Question, *, is_of_table: bool) -> str | None:
    """What is wrong if a text lost a backslash of LaTeX, or holds a control character: every arm would be asked the damaged text."""
    for name, text in texts_of(question):
        restored = restore_swallowed(text).text
        lost = [one for one in lost_commands(text, restored) if not is_text(text, one.place, is_of_table=is_of_table)]
        if lost:
            return f"{name} {lost_words(text, lost[0], is_of_table=is_of_table)}"
        if found := CONTROL.search(text):
            return f"{name} {control_words(found[0], is_of_table=is_of_table)}"
    return None


def texts_of(question: Question) -> Iterator[tuple[str, str]]:
    """Every text of a question with its name."""
    yield from (("id", question.id), ("question", question.question), ("target", question.target), ("cluster", question.cluster))
    yield from ((f"choice {label}", text) for label, text in question.choices.items())
    yield from (("a key point", point) for point in question.key_points)
    yield from (("a tag", tag) for tag in question.tags)
    yield from ((name, text) for name, text in (("unit", question.unit), ("gold_passage", question.gold_passage)) if text is not None)


def lost_commands(damaged: str, restored: str) -> Iterator[LostCommand]:
    """The commands that were restored: each is longer by one character than what stands in its place."""
    shift = 0
    for place, character in enumerate(damaged):
        if restored[place + shift] != character:
            found = re.match(r"\\[A-Za-z]+", restored[place + shift :])
            yield LostCommand(place, "" if found is None else found[0])
            shift += 1


def is_text(text: str, place: int, *, is_of_table: bool) -> bool:
    """Whether what looks like a lost command is a line end or a tab, and the word after it."""
    if not WORD_AFTER_LINE_END.match(text, place) and not (is_of_table and WORD_AFTER_TAB.match(text, place)):
        return False
    return not between_dollars(text, place) and LATEX.search(text) is None


def lost_words(text: str, lost: LostCommand, *, is_of_table: bool) -> str:
    """What is wrong with a lost command, and what to do; a tab or a line break may also be meant."""
    command = f" (`{lost.name}`)" if lost.name else ""
    kept = text[lost.place]
    meant = f" If {NAMES[kept]} is meant there, put a space after it." if kept in BELONG_IN_TEXT else ""
    if is_of_table:
        how = "the program that wrote the file read its `\\` and the next letter as one character. Write the command with its backslash."
    else:
        how = "JSON and Python read `\\f`, `\\t`, `\\n`, `\\b` and `\\r` as one character. Write each backslash twice, as in `\\\\frac`."
    return f"holds a LaTeX command that lost its backslash{command}: {how}{meant}"


def control_words(control: str, *, is_of_table: bool) -> str:
    """What is wrong with a control character, and what to do for each of its causes."""
    code = f"holds the control character U+{ord(control):04X}"
    if control not in NEVER_IN_TEXT:
        return f"{code}. Remove it."
    twice = "" if is_of_table else ", with its backslash written twice"
    return (
        f"{code}, {NAMES[control]}. Remove it, or write a line break. "
        f"If it stands for the `\\{SWALLOWED[control][0]}` of a LaTeX command that lost its backslash, write the command again{twice}."
    )
