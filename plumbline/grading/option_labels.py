"""Read options that are labelled 1 to 26 or i to xxvi as if they were labelled A to Z. Pure.

A label in the response becomes its letter, character for character: "(2)", "option ii", "the answer is 3". A number
that is not used as a label ("2 N", "2 forces") stays a number.
"""

import re
import string
from collections.abc import Mapping
from typing import NamedTuple

from plumbline.grading.answer_cues import declared_abroad
from plumbline.grading.patterns import bounded

ROMAN = (
    "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii", "xviii", "xix", "xx", "xxi",
    "xxii", "xxiii", "xxiv", "xxv", "xxvi",
)  # fmt: skip
MARKS_AROUND = " \t()[]{}.:"
# A capital that is not a label becomes a sign that no rule takes for an option: Ⓐ.
CAPITAL = re.compile(r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9])")
CIRCLED = {letter: chr(0x24B6 + place) for place, letter in enumerate(string.ascii_uppercase)}


class Labels(NamedTuple):
    """The labels of the options of one question."""

    letters: dict[str, str]
    """Label in small letters -> the capital that replaces it here."""
    written: dict[str, str]
    """The capital -> the label as the question writes it."""
    in_doubt: frozenset[str]
    """Labels that are also the text of another option: "the answer is 2" may mean either."""


def normal(label: str) -> str:
    """Return a label without the marks around it, in small letters."""
    return label.strip(MARKS_AROUND).lower()


def read_labels(choices: Mapping[str, str]) -> Labels | None:
    """Return the labels of the options if they are not letters. None for letters, or without choices."""
    names = [normal(label) for label in choices]
    if not choices or len(set(names)) != len(names) or len(names) > len(string.ascii_uppercase):
        return None
    if all(len(name) == 1 and name.isascii() and name.isalpha() for name in names) and names != list(ROMAN[: len(names)]):
        return None
    if not (all(name.isascii() and name.isdigit() for name in names) or all(name in ROMAN for name in names)):
        return None
    letters = dict(zip(names, string.ascii_uppercase, strict=False))
    texts = {normal(text): normal(label) for label, text in choices.items()}
    in_doubt = frozenset(name for name in names if texts.get(name, name) != name)
    return Labels(letters, {letters[normal(label)]: label for label in choices}, in_doubt)


def without_capitals(text: str) -> str:
    """Return the text with every lone capital replaced by a sign that names no option."""
    return CAPITAL.sub(lambda match: CIRCLED[match[0]], text)


def as_letters(text: str, labels: Labels) -> tuple[str, bool]:
    """Return the text with its labels as letters, and whether a label in doubt occurs without brackets."""
    name = "|".join(sorted(map(re.escape, labels.letters), key=len, reverse=True))
    characters = list(without_capitals(text))
    named: set[int] = set()
    for match in _sure(name).finditer(text):
        _rename(characters, match, labels, named)
    found = list(_bare(name).finditer(text))
    begins = re.compile(rf"[\s*\"'“(\[$]*(?P<name>{name})(?![\w.,]*\d|\w)", re.IGNORECASE)
    found += [match for _, end in declared_abroad(text) if (match := begins.match(text, end))]
    joined = re.compile(rf"\s*(?:[,;&/+、和]|and\b|or\b)\s*(?:and\b|or\b)?\s*(?P<name>{name})(?![\w.]*\d|\w)", re.IGNORECASE)
    doubtful = False
    for first in found:
        match: re.Match[str] | None = first
        while match:
            doubtful |= match["name"].lower() in labels.in_doubt and match.start("name") not in named
            _rename(characters, match, labels, named)
            match = joined.match(text, match.end())
    return "".join(characters), doubtful


def _rename(characters: list[str], match: re.Match[str], labels: Labels, named: set[int]) -> None:
    """Replace a label by its letter, and note where."""
    start, end = match.span("name")
    characters[start:end] = labels.letters[match["name"].lower()] + " " * (end - start - 1)
    named.add(start)


def _sure(name: str) -> re.Pattern[str]:
    """Labels in brackets, or after a word such as "option"."""
    return bounded(
        rf"""
        (?: [(\[] \s* | (?<![A-Za-z]) (?: options? | choices? | letters? | numbers? | nr \.? | no \. | \# ) \s* [(\[*"']{{0,3}} \s* )
        (?P<name> {name} ) (?! \w | [.,]\d )
        """,
        re.IGNORECASE | re.VERBOSE,
    )


def _bare(name: str) -> re.Pattern[str]:
    """Labels that are alone, that begin a line with a mark after them, or that are declared."""
    return bounded(
        rf"""
        (?:
              (?: ^ | \n ) [^\w\n-]{{0,8}} (?= (?: {name} ) (?: \s* [.):\]] (?=\s|$) | [^\w\n]{{0,8}} (?: \n | $ ) | \s+ [-–—] \s | ,\s ) )
            | \\ (?: boxed | fbox ) \s* \{{ \s* (?:\\ \w+ \s* \{{ \s*)? (?= (?: {name} ) \s* \}} )
            | < (?:final [_\s])? answer > \s* (?= (?: {name} ) \s* (?: < | $ ) )
            | (?<![A-Za-z]) (?: answer | ans | choice | option | choose | pick | select | leaving | (?: go | opt ) \s (?: with | for ) ) \b [^.\n]{{0,40}}? [\s:=("'*$]
              (?= (?: {name} ) (?: [\s"'*$)]* (?: [.,;:!?)\]] (?!\d) | \n | $ ) | \s+ (?: because | since | as | and | or | is | for | which ) \b ) )
            | (?: ^ | [\s("'*] ) (?= (?: {name} ) [)"'*]* \s+ (?: is | must \s+ be ) \s+ (?: the \s+ )? (?: correct | right | true | best | answer ) )
        )
        (?P<name> {name} ) (?! \w )
        """,
        re.IGNORECASE | re.VERBOSE,
    )
