"""Grade a multiple-choice answer by rule: find the one option it commits to. Pure."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from plumbline.grading.answer_phrases import ABSTENTION, retracted
from plumbline.grading.answer_regions import sentences
from plumbline.grading.asserted_option import asserted_text
from plumbline.grading.choice_statements import McqTier, Statement, explicit
from plumbline.grading.glyphs import tidy
from plumbline.grading.json_answers import read_json
from plumbline.grading.lone_letter import lone_letter, without_echo
from plumbline.grading.option_letters import Options, denials_of, read_options
from plumbline.grading.option_text import without_options
from plumbline.grading.own_text import own_answer
from plumbline.rows.outcome import Outcome, Reading

DEFAULT_LETTERS = "ABCDEFGHIJ"
FULLWIDTH = str.maketrans(
    {**{chr(0xFF21 + place): chr(0x41 + place) for place in range(26)}, "（": "(", "）": ")", "［": "[", "］": "]", "：": ":"}
)


class McqFlag(StrEnum):
    """What is worth knowing about one multiple-choice answer."""

    CUT_WHILE_THINKING = "cut_while_thinking"
    """The response ends before its thinking does."""


class McqGrade(NamedTuple):
    """The verdict on one multiple-choice answer."""

    outcome: Outcome
    extracted: str | None
    """The letter; None unless exactly one was read."""
    reading: Reading
    span: tuple[int, int] | None
    """[start, end) in the response of what was read; None where nothing was, or where it stands in JSON."""
    tier: McqTier | None
    """Which rule read it."""
    flags: frozenset[McqFlag] = frozenset()


def decide(statements: list[Statement], text: str) -> Statement:
    """Return the last statement, undecided where an earlier one differs and was not taken back."""
    last = statements[-1]
    for statement in statements[:-1]:
        differs = statement.choice and last.choice and statement.choice != last.choice
        if differs and not retracted(text, statement.end, last.end):
            return last._replace(contradicted=True)
    return last


def read_text(text: str, options: Options) -> Statement | None:
    """Read prose by tier; None where it commits to nothing."""
    quiet = without_echo(text)
    denials = denials_of(text, options)
    quiet_denials = denials if quiet == text else denials_of(quiet, options)
    statements = explicit(text, denials, options)
    opened = lone_letter(quiet, quiet_denials, options)
    if opened and opened.tier is McqTier.LETTER and opened.start <= len(text) - len(text.lstrip()) + 5:
        statements = [opened, *[statement for statement in statements if statement.start > opened.start]]
    if statements:
        last = decide(statements, text)
        # "D) None of the above" abstains from nothing, "A. None of the above fits." does.
        own = {letter: words for letter, words in options.denying.items() if last.choice == letter}
        return None if ABSTENTION.search(without_options(quiet, own), last.end) else last
    if opened:
        return opened
    spans = list(sentences(text))
    if spans and ABSTENTION.search(without_options(text, options.denying), spans[-1][0]):
        return None
    return asserted_text(quiet, quiet_denials, options)


def read_wrapped(response: str, options: Options) -> Statement | None:
    """Read a JSON-wrapped response: its answer keys, or else its text as prose."""
    wrapped = read_json(response)
    if wrapped is None:
        return None
    for value in wrapped.answers:
        statement = read_text(own_answer(value).text, options)
        if statement:
            return statement._replace(tier=McqTier.JSON)
    prose = "\n".join(value for _, value in wrapped.leaves if not re.fullmatch(r"[\d\s.$]*", value))
    statement = read_text(own_answer(prose).text, options) if prose and not wrapped.answers else None
    return statement._replace(tier=McqTier.JSON) if statement else Statement((), McqTier.JSON, 0, 0)


def grade_mcq(response: str, choices: Mapping[str, str], target: str) -> McqGrade:
    """Grade a response against a target letter.

    choices: letter -> text, or {} where the options stand in the question; then only letters can be read. Exactly one
    option read and right is correct, read and wrong incorrect; none, several, or a letter that contradicts its text are
    unparsed. Raises ValueError for a target that is not a letter among the choices.
    """
    letters = frozenset(letter.strip().upper() for letter in choices) or frozenset(DEFAULT_LETTERS)
    wanted = target.strip().upper()
    if len(wanted) != 1 or not wanted.isalpha() or wanted not in letters:
        raise ValueError(f"target {target!r}: not a letter of the choices {sorted(letters)}.")
    options = read_options(choices, letters)
    own = own_answer(response)
    if own.is_cut:
        return McqGrade(Outcome.UNPARSED, None, Reading.NONE, None, None, frozenset({McqFlag.CUT_WHILE_THINKING}))
    text = tidy(own.text).translate(FULLWIDTH)
    wrapped = read_wrapped(text, options)
    statement = wrapped or read_text(text, options)
    if statement is None or not statement.letters:
        return McqGrade(Outcome.UNPARSED, None, Reading.NONE, None, statement.tier if statement else None)
    span = None if wrapped else own.span(statement.start, statement.end)
    if statement.contradicted:
        return McqGrade(Outcome.UNPARSED, None, Reading.CONFLICT, span, statement.tier)
    if len(statement.letters) != 1:
        return McqGrade(Outcome.UNPARSED, None, Reading.MULTIPLE, span, statement.tier)
    letter = statement.letters[0]
    return McqGrade(Outcome.CORRECT if letter == wanted else Outcome.INCORRECT, letter, Reading.VALUE, span, statement.tier)
