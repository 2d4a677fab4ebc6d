"""Grade an answer of several letters: it is right if it names the right ones and no others. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from plumbline.grading.answer_phrases import retracted
from plumbline.grading.answer_targets import parse_letters
from plumbline.grading.answer_zones import Cleaned, Zone, cleaned, zones
from plumbline.grading.letter_lists import LIST, WHOLE, letters_of, read_zone
from plumbline.grading.patterns import bounded
from plumbline.rows.outcome import Outcome, Reading
from plumbline.rows.question import PartialCredit

DECLARED = bounded(
    r"""
    \b (?: (?:(?: correct | right | true | final | my ) \s+)* (?: answers | options | choices | statements | letters )
      | (?: correct | right | true ) \s+ ones ) \s*
    (?: (?: which | that ) \s+ are \s+ (?: correct | true | right ) \s* )?
    (?: are | : | = ) \s* (?: (?: both | only | therefore | thus | : ) \s* )*
    """,
    re.IGNORECASE | re.VERBOSE,
)
BELIEVED = bounded(
    rf"(?P<list>{LIST}) \s+ (?: are | is ) \s+ (?:(?: both | all | also | each ) \s+)? (?: correct | true | right ) \b", re.VERBOSE
)
# "The incorrect options are", "Wrong answer:": this does not declare the answer.
DENIED = bounded(
    r"""
    \b (?:
        incorrect | wrong | false | untrue | invalid | remaining | other | eliminated | excluded | rejected | not \s+ (?: the \s+ )? (?: correct | right | true )
      | (?: rule | rules | ruled | ruling ) \s+ out | (?: eliminate | discard | reject | exclude ) s?
    ) (?: \s+ (?: the | these | those | both | following ) ){0,2} \s+ (?: answer | option | choice | statement | letter | one ) s?
    \s* (?: (?: are | is | : | = ) \s* (?: (?: both | only | therefore | thus | : ) \s* )* )? $
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "A is correct", "Option B: incorrect", "C) wrong": verdicts that a response gives one after another.
EACH = bounded(
    r"""
    (?<![A-Za-z]) [(\[]? (?P<letter>[A-Z]) [)\]]? (?![A-Za-z'’])
    (?:
        (?: \s* [:.–—-]+ \s* [^\n.]{0,200}? | \s+ ) (?: (?: \b is | \b was | → | -> | = | : | [–—-] ) \s* )
      | \s* [:.–—-]+ \s* | (?<=[)\]]) \s+
    )
    (?P<not> (?i: not | also | therefore ) \s+ )? (?P<word> (?i: correct | incorrect | true | false | right | wrong ) ) \b
    """,
    re.VERBOSE,
)
QUARTER = 0.25
SEPARATOR = ","


class LettersGrade(NamedTuple):
    """The verdict on one answer of several letters."""

    outcome: Outcome
    score: float | None
    """Partial credit of an answer that is not fully right; None if it gets none."""
    extracted: str | None
    """The letters in their order, `A,C`."""
    reading: Reading
    span: tuple[int, int] | None
    tier: str | None
    flags: frozenset[str] = frozenset()


class Named(NamedTuple):
    """Letters that a response names in one place."""

    letters: frozenset[str]
    tier: str
    start: int | None
    end: int


def read_place(text: str, zone: Zone, known: frozenset[str]) -> tuple[frozenset[str], int, int] | None:
    """The letters at the beginning of a zone. A declared list may continue after the end of its line."""
    if zone.start is None or zone.tier != "anchored":
        return read_zone(zone.text, known)
    return None if is_denied(text, zone.start) else read_zone(text[zone.start :], known)


def is_denied(text: str, place: int) -> bool:
    """Whether the text calls the declaration at this place wrong."""
    return DENIED.search(text[max(0, place - 80) : place]) is not None


def named(read: Cleaned, known: frozenset[str]) -> Named | None:
    """The letters that the response commits to; None if it commits to none."""
    text = read.text
    for zone in zones(read, choices=True):
        if zone.tier in ("whole", "last_line"):
            break
        found = read_place(text, zone, known)
        if found is not None:
            begin = None if zone.start is None else zone.start + found[1]
            return Named(found[0], zone.tier, begin, (zone.start or 0) + found[2])
    for declared in reversed(list(DECLARED.finditer(text))):
        if is_denied(text, declared.end()):
            continue
        found = read_zone(text[declared.end() :], known)
        if found is not None:
            return Named(found[0], "anchored", declared.end() + found[1], declared.end() + found[2])
    for tier, begin in (("whole", 0), ("last_line", text.rstrip().rfind("\n") + 1)):
        lone = WHOLE.fullmatch(text, begin)
        if lone and letters_of(lone["list"]) <= known:
            return Named(letters_of(lone["list"]), tier, lone.start("list"), lone.end("list"))
    each = verdicts(text, known)
    if each is not None:
        return each
    for believed in reversed(list(BELIEVED.finditer(text))):
        letters = letters_of(believed["list"])
        if letters <= known:
            return Named(letters, "believed", believed.start("list"), believed.end("list"))
    return None


def verdicts(text: str, known: frozenset[str]) -> Named | None:
    """The letters that are called right, if at least two letters are each called right or wrong; else None."""
    said: dict[str, bool] = {}
    last = 0
    for match in EACH.finditer(text):
        if match["letter"] in known:
            is_not = (match["not"] or "").strip().lower() == "not"
            said[match["letter"]] = (match["word"].lower() in ("correct", "true", "right")) is not is_not
            last = match.end()
    letters = frozenset(letter for letter, is_right in said.items() if is_right)
    return Named(letters, "each", None, last) if len(said) > 1 and letters else None


def contradicted(read: Cleaned, known: frozenset[str], last: Named) -> bool:
    """Whether an earlier declaration names other letters and is not taken back."""
    if last.start is None:
        return False
    for zone in zones(read, choices=True):
        if zone.tier != last.tier or zone.start is None or zone.start >= last.start:
            continue
        found = read_place(read.text, zone, known)
        if found is not None and found[0] != last.letters and not retracted(read.text, zone.start + found[2], last.end):
            return True
    return False


def credit(letters: frozenset[str], wanted: frozenset[str], rule: PartialCredit | None) -> float | None:
    """The credit for some of the right letters; None without a rule, with a wrong letter, or without letters."""
    if rule is None or not letters or not letters < wanted:
        return None
    return len(letters) / len(wanted) if rule == "share" else min(QUARTER * len(letters), 1 - QUARTER)


def grade_letters(response: str, choices: Mapping[str, str], target: str, partial_credit: PartialCredit | None = None) -> LettersGrade:
    """Grade a response against the set of right letters. ValueError for a target that does not name choices."""
    known, wanted = frozenset(choices), parse_letters(target, choices)
    read = cleaned(response)
    if read.own.is_cut:
        return LettersGrade(Outcome.UNPARSED, None, None, Reading.NONE, None, None, frozenset({"cut_while_thinking"}))
    found = named(read, known)
    if found is None or not found.letters:
        return LettersGrade(Outcome.UNPARSED, None, None, Reading.NONE, None, None)
    span = None if found.start is None else read.span(found.start, found.end)
    if contradicted(read, known, found):
        return LettersGrade(Outcome.UNPARSED, None, None, Reading.CONFLICT, span, found.tier)
    written = SEPARATOR.join(sorted(found.letters))
    if found.letters == wanted:
        return LettersGrade(Outcome.CORRECT, None, written, Reading.VALUE, span, found.tier)
    worth = credit(found.letters, wanted, partial_credit)
    flags = frozenset({"partly_right"} if worth is not None else ())
    return LettersGrade(Outcome.INCORRECT, worth, written, Reading.VALUE, span, found.tier, flags)
