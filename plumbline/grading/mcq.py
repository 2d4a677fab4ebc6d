"""Grade a multiple-choice answer by rule: find the one option it commits to. Pure."""

import re
import string
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from plumbline.grading.answer_phrases import ABSTENTION, retracted
from plumbline.grading.answer_regions import declarations, sentences
from plumbline.grading.asserted_option import asserted_text
from plumbline.grading.choice_statement import McqTier, Statement
from plumbline.grading.choice_statements import explicit
from plumbline.grading.glyphs import tidy
from plumbline.grading.json_answers import read_json
from plumbline.grading.lone_letter import lone_letter, without_echo
from plumbline.grading.markup import without_markup
from plumbline.grading.option_labels import MARKS_AROUND, as_letters, normal, read_labels, without_capitals
from plumbline.grading.option_letters import Options, denials_of, letter_at, read_options
from plumbline.grading.option_text import starts_with, tokens, without_options, words_only
from plumbline.grading.own_text import own_answer
from plumbline.grading.patterns import bounded
from plumbline.rows.outcome import Outcome, Reading

MIN_DEFAULT_LETTERS = 10
FULLWIDTH = str.maketrans(
    {
        **{chr(0xFF21 + place + case): chr(0x41 + place + case) for place in range(26) for case in (0, 32)},
        "（": "(",
        "）": ")",
        "［": "[",
        "］": "]",
        "：": ":",
        "；": ";",
    }
)
# "A: ..." is also short for "Answer: ...".
ANSWER_LABEL = bounded(r"\s*A\s*:\s*")
# "- B" and nothing else.
LONE_ITEM = bounded(r"\s*[-–—]\s+(?=[(\[]?[A-Za-z][)\]]?\W{0,4}$)")
MAX_WORDS_OF_AN_OPTION = 8


class McqFlag(StrEnum):
    """Flags of one multiple-choice answer."""

    CUT_WHILE_THINKING = "cut_while_thinking"
    """The response ends before its thinking does."""


class McqGrade(NamedTuple):
    """The verdict on one multiple-choice answer."""

    outcome: Outcome
    extracted: str | None
    """The letter; None unless exactly one was read."""
    reading: Reading
    span: tuple[int, int] | None
    """[start, end) of the read part in the response; None if nothing was read, or it is inside JSON."""
    tier: McqTier | None
    """The rule that read it."""
    flags: frozenset[McqFlag] = frozenset()


def decide(statements: list[Statement], text: str) -> Statement:
    """Return the last statement. It is undecided if an earlier one differs and was not taken back."""
    last = statements[-1]
    for statement in statements[:-1]:
        differs = statement.choice and last.choice and statement.choice != last.choice
        if differs and not retracted(text, statement.end, last.end):
            return last._replace(contradicted=True)
    return last


def read_text(text: str, options: Options) -> Statement | None:
    """Read prose by tier; None if it commits to nothing."""
    quiet = without_echo(text)
    denials = denials_of(text, options)
    quiet_denials = denials if quiet == text else denials_of(quiet, options)
    statements = explicit(text, denials, options)
    opened = lone_letter(quiet, quiet_denials, options)
    if opened and opened.tier is McqTier.LETTER and opened.start <= len(text) - len(text.lstrip()) + 5:
        statements = [opened, *[statement for statement in statements if statement.start > opened.start]]
    if (
        opened
        and statements
        and opened.start > statements[-1].end
        and text[: opened.start].rstrip(" \t(*")[-1:] == "\n"
        and len(text) - opened.end < 4
    ):
        # A last line that is only a letter.
        statements = [*statements, opened]
    if statements:
        last = decide(statements, text)
        # "D) None of the above" does not abstain, "A. None of the above fits." does.
        own = {letter: words for letter, words in options.denying.items() if last.choice == letter}
        return None if ABSTENTION.search(without_options(quiet, own), last.end) else last
    if opened:
        return opened
    spans = list(sentences(text))
    if spans and ABSTENTION.search(without_options(text, options.denying), spans[-1][0]):
        return None
    return asserted_text(quiet, quiet_denials, options)


def read_wrapped(response: str, options: Options) -> Statement | None:
    """Read a response in JSON: its answer keys, or else its text as prose."""
    wrapped = read_json(response)
    if wrapped is None:
        return None
    for value in wrapped.answers:
        statement = read_text(plain(own_answer(value).text, options), options)
        if statement:
            return statement._replace(tier=McqTier.JSON)
    prose = "\n".join(value for _, value in wrapped.leaves if not re.fullmatch(r"[\d\s.$]*", value))
    statement = read_text(plain(own_answer(prose).text, options), options) if prose and not wrapped.answers else None
    return statement._replace(tier=McqTier.JSON) if statement else Statement((), McqTier.JSON, 0, 0)


def read_question(choices: Mapping[str, str], target: str) -> tuple[Options, str]:
    """Return the options, and the letter of the target among them. ValueError if the target is not one of them."""
    labels = read_labels(choices)
    if labels is not None:
        wanted = labels.letters.get(normal(target), "")
        texts = {labels.letters[normal(label)]: without_capitals(text) for label, text in choices.items()}
        options = read_options(texts, frozenset(texts))._replace(labels=labels)
    else:
        wanted = target.strip(MARKS_AROUND).upper()
        texts = {letter.strip(MARKS_AROUND).upper(): text for letter, text in choices.items()}
        place = string.ascii_uppercase.find(wanted) if wanted else -1
        options = read_options(texts, frozenset(texts) or frozenset(string.ascii_uppercase[: max(MIN_DEFAULT_LETTERS, place + 1)]))
    if len(wanted) != 1 or not wanted.isalpha() or wanted not in options.letters:
        raise ValueError(f"target {target!r}: not one of the choices {sorted(choices) or 'A to Z'}. Give the label of the right one.")
    return options, wanted


def plain(text: str, options: Options) -> str:
    """Return a text in the form that the rules read: no markup, one glyph per sign, labels as letters, and no "A:" for "Answer:"."""
    text = tidy(without_markup(text)).translate(FULLWIDTH)
    if options.labels:
        text, is_doubtful = as_letters(text, options.labels)
        return "" if is_doubtful else text
    item = LONE_ITEM.match(text)
    if item:
        text = " " * item.end() + text[item.end() :]
    label = ANSWER_LABEL.match(text)
    if label and label.end() < len(text) and not is_option_a(text[label.end() :], options):
        text = " " * label.end() + text[label.end() :]
    return text


def is_option_a(rest: str, options: Options) -> bool:
    """Say whether the text after "A:" is the text of option A. If no option texts are known, say whether it could be one."""
    own = options.texts.get("A")
    if options.texts:
        return own is not None and starts_with(words_only(tokens(rest[:300])), {"A": own}) is not None
    if next(declarations(rest, choices=True), None):
        return False
    return letter_at(rest, 0, options) is None and "\n" not in rest.strip() and len(rest.split()) <= MAX_WORDS_OF_AN_OPTION


def grade_mcq(response: str, choices: Mapping[str, str], target: str) -> McqGrade:
    """Grade a response against a target letter.

    choices: label -> text, or {} if the question text holds the options; then only letters can be read. Labels are letters,
    or 1 to 26, or i to xxvi. If exactly one option is read, the answer is correct or incorrect. No option, several, or a letter
    that contradicts its text are unparsed. Raises ValueError for a target that is not a label among the choices.
    """
    options, wanted = read_question(choices, target)
    own = own_answer(response)
    if own.is_cut:
        return McqGrade(Outcome.UNPARSED, None, Reading.NONE, None, None, frozenset({McqFlag.CUT_WHILE_THINKING}))
    wrapped = read_wrapped(tidy(own.text).translate(FULLWIDTH), options)
    statement = wrapped or read_text(plain(own.text, options), options)
    if statement is None or not statement.letters:
        return McqGrade(Outcome.UNPARSED, None, Reading.NONE, None, statement.tier if statement else None)
    span = None if wrapped else own.span(statement.start, statement.end)
    if statement.contradicted:
        return McqGrade(Outcome.UNPARSED, None, Reading.CONFLICT, span, statement.tier)
    if len(statement.letters) != 1:
        return McqGrade(Outcome.UNPARSED, None, Reading.MULTIPLE, span, statement.tier)
    letter = statement.letters[0]
    label = options.labels.written[letter] if options.labels else letter
    return McqGrade(Outcome.CORRECT if letter == wanted else Outcome.INCORRECT, label, Reading.VALUE, span, statement.tier)
