"""Grade an answer of yes or no, or of true or false. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from plumbline.grading.answer_phrases import retracted
from plumbline.grading.answer_targets import YES, is_pair
from plumbline.grading.answer_zones import Cleaned, cleaned, zones
from plumbline.grading.patterns import bounded
from plumbline.rows.outcome import Outcome, Reading

# Whole words: the "no" in "not" and in "know" answers nothing.
WORD = r"(?: (?P<not> not \s+ | n['’]t \s+ )? (?P<word> yes | no | true | false | correct | incorrect ) (?![\w-]) )"
QUOTED = r"""[\s"'“‘(\[*:$]*"""
OPENING = bounded(rf"{QUOTED} (?: \\ text \s* \{{ \s* )? {WORD}", re.IGNORECASE | re.VERBOSE)
# "The statement is false.", "so this is not true".
STATED = bounded(
    rf"\b (?: statement | claim | assertion | proposition | this | that | it | assumption ) \s+ (?: is | was | isn(?=['’]t) ) \s* {WORD}",
    re.IGNORECASE | re.VERBOSE,
)
NEITHER = bounded(r"\b (?: yes \s* (?: / | or | and ) \s* no | true \s* (?: / | or | and ) \s* false )", re.IGNORECASE | re.VERBOSE)


# "No one knows": what goes on without a mark answers nothing.
ENDS = bounded(
    r"\s* (?: $ | [.,;:!?)\]}\n*\"'”’—–-] | (?: because | since | as | it | the | this | that | they | there | for ) \b )",
    re.IGNORECASE | re.VERBOSE,
)
JSON_ANSWER = bounded(r"\" (?: \w{1,12} [ _] )? answer \" \s* : \s* (?P<not>) (?P<word> true | false ) \b", re.IGNORECASE | re.VERBOSE)


class YesNoGrade(NamedTuple):
    """The verdict on one answer."""

    outcome: Outcome
    extracted: str | None
    """The label of the choice that was read."""
    reading: Reading
    span: tuple[int, int] | None
    tier: str | None
    flags: frozenset[str] = frozenset()


class Said(NamedTuple):
    """One place that says yes or no."""

    is_yes: bool
    tier: str
    start: int | None
    end: int


def meaning(match: re.Match[str]) -> bool:
    """Whether the matched words say yes."""
    return (match["word"].lower() in ("yes", "true", "correct")) is not bool(match["not"])


def said(read: Cleaned) -> Iterator[Said]:
    """Yield what the response says, in the order in which it counts."""
    opened: Said | None = None
    for match in reversed(list(JSON_ANSWER.finditer(read.own.text))):
        yield Said(meaning(match), "json", None, match.end())
    for zone in zones(read):
        match = None if NEITHER.match(zone.text.strip()) else OPENING.match(zone.text)
        if match is None or (zone.tier in ("whole", "last_line") and not ENDS.match(zone.text, match.end())):
            continue
        begin = None if zone.start is None else zone.start + match.start("word")
        found = Said(meaning(match), zone.tier, begin, (zone.start or 0) + match.end())
        if zone.tier == "whole":
            opened = found
        else:
            yield found
    if opened is not None:
        yield opened
    for match in reversed(list(STATED.finditer(read.text))):
        yield Said(meaning(match), "stated", match.start("word"), match.end())


def grade_yes_no(response: str, choices: Mapping[str, str], target: str) -> YesNoGrade:
    """Grade a response against the label of the right choice. ValueError where the choices are not yes and no, or true and false."""
    if not is_pair(choices) or target not in choices:
        raise ValueError(
            f"choices {dict(choices)!r} with target {target!r}: not a yes or no; write Yes and No, or True and False, and the label of one."
        )
    labels = {text.strip().lower() in YES: label for label, text in choices.items()}
    read = cleaned(response)
    if read.own.is_cut:
        return YesNoGrade(Outcome.UNPARSED, None, Reading.NONE, None, None, frozenset({"cut_while_thinking"}))
    statements = list(said(read))
    if not statements:
        return YesNoGrade(Outcome.UNPARSED, None, Reading.NONE, None, None)
    first = statements[0]
    span = None if first.start is None else read.span(first.start, first.end)
    for other in statements[1:]:
        # "It is true that ice floats. Answer: no": what is said on the way answers nothing where an answer is declared.
        if other.tier == "stated" and first.tier != "stated":
            continue
        if other.is_yes is not first.is_yes and not taken_back(read, other, first):
            return YesNoGrade(Outcome.UNPARSED, None, Reading.CONFLICT, span, first.tier)
    label = labels[first.is_yes]
    return YesNoGrade(Outcome.CORRECT if label == target else Outcome.INCORRECT, label, Reading.VALUE, span, first.tier)


def taken_back(read: Cleaned, earlier: Said, later: Said) -> bool:
    """Whether the text between two statements takes the first one back."""
    if earlier.start is None or later.start is None or earlier.start > later.start:
        return False
    return retracted(read.text, earlier.end, later.start)
