"""Recognise a letter that names an option, and not an article, a symbol or a word. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from plumbline.grading.answer_phrases import ABSTENTION
from plumbline.grading.glyphs import tidy
from plumbline.grading.latex_commands import WRAPPERS
from plumbline.grading.option_labels import Labels
from plumbline.grading.option_text import option_tokens, placed_tokens, starts_with, tokens, without_options, words_only
from plumbline.grading.patterns import bounded

WRAP = rf"""
    (?:
          \\ {WRAPPERS} \s? \{{?
        | [\s*_$\"'“”‘’«「『【`{{~]
        | \\ [,;:! ]
        | \\ \(
    ){{0,16}}
"""
# A letter that names an option: in brackets, after the word "option", or alone with a mark after it.
BRACKETED = rf"""
    (?:
          \( {WRAP} (?P<round>[A-Za-z]) {WRAP} [\s}}]{{0,4}} \)
        | \[ {WRAP} (?P<square>[A-Za-z]) {WRAP} [\s}}]{{0,4}} \]
    )
"""
NAMED = rf"""
    (?: options? | choices? | letter ) {WRAP} [(\[]? {WRAP} (?P<named>[A-Z]) (?![A-Za-z0-9'’]) \s*
    [)\]]?
"""
# 'B' in quotes is a letter, "A's" is not.
BARE = r"(?: (?<=['‘’]) (?P<quoted>[A-Z]) (?=['’]) | (?P<bare>[A-Z]) (?![A-Za-z0-9'’_^]) )"
NAMES = bounded(rf"{BRACKETED} | {NAMED}", re.VERBOSE)
LETTER = bounded(rf"{WRAP} (?: {NAMED} | {BRACKETED} | {BARE} )", re.IGNORECASE | re.VERBOSE)
DASH = bounded(r"\s+-\s+(?=\S)")
# After a bare A that is an option: the end, a mark, or a word that continues about an option. In "A force" it is an article.
AFTER_A = bounded(
    r"""
    [\s*_}$]*
    (?:
          $
        | [.,;:!?)\]\n—–(&/、和-]
        | (?:
                because
              | since
              | as
              | and
              | or
              | is
              | for
              | which
              | with
              | due
              | not
              | rather
              | based
              | by
              | so
              | \\
          )
          \b
        | \\
        | [A-Z]
    )
    """,
    re.VERBOSE,
)
NEGATED = bounded(
    r"""
    (?: \b | (?<=[a-z]) (?= n ['’] t ) )
    (?:
          not
        | cannot
        | n ['’] t
        | neither
        | never
        | incorrect
        | wrong
        | false
        | other \s+ than
        | except
        | nor
        | eliminat (?: e | es | ed | ing )
        | rul (?: e | es | ed | ing ) \s+ out
        | exclud (?: e | es | ed | ing )
        | reject (?: s | ed | ing )?
        | discard (?: s | ed | ing )?
        | unlike
        | instead \s+ of
        | rather \s+ than
    )
    \b
    """,
    re.IGNORECASE | re.VERBOSE,
)


# Words directly after a letter that is not the choice: "(A) is wrong", "[A] cannot be right", "(A), but it is incorrect", "(A) violates ...".
DISMISSED = bounded(
    r"""
    [\s)\].:*}$'"’”,-]{0,8}
    (?:(?: but | which | that | and | however ,? ) \s+)? (?:(?: it | this | that | he | one | option | choice | answer ) \s+)?
    (?:
          (?: is | are | was | were | be | has | have | can | could | must | should | would | may | might | will | does | do | did | seems? | appears? | looks? | to | be )
          (?:\s+ (?! the \b | a \b | correct | right ) [A-Za-z]+ ){0,3}?
          (?: \s+ (?: not | never | wrong | incorrect | false | impossible | invalid | implausible | unlikely | untrue | out )
            | \s+ (?: ruled | rules? ) \s+ out
            | \s+ (?: eliminated | excluded | discarded | rejected | dismissed | contradicted | crossed )
            | n ['’] t )
        | can \s? not
        | can ['’] t
        | won ['’] t
        | fails? | violates? | contradicts? | ignores? | confuses? | neglects? | overestimates? | underestimates?
    )
    (?![A-Za-z])
    (?!\s+ (?:be \s+)? [(\[]? (?-i:[A-Z]) [)\]]? (?![A-Za-z]))   # "D, it can't be A" is about A
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "(A) wrong", "A: incorrect", "(A) ✗": only if the texts of the options are known, since "(B) False" may be one.
MARKED_WRONG = bounded(
    r"[\s)\].:*}$,–—-]{0,8} (?: (?: wrong | incorrect | false | nope ) (?![A-Za-z] | \s*: | \s+ (?: options? | answers? | choices? ) ) | [✗✘❌×] )",
    re.IGNORECASE | re.VERBOSE,
)


class Options(NamedTuple):
    """The options of the question."""

    letters: frozenset[str]
    texts: dict[str, list[str]]
    """letter -> tokens; empty if the question text holds the options."""
    denying: dict[str, list[str]]
    """The options with a text that denies or abstains: "does not change", "none of the above"."""
    labels: Labels | None = None
    """The labels in the question, if they are not letters."""


def read_options(choices: Mapping[str, str], letters: frozenset[str]) -> Options:
    """Return the options of a question, and mark those with a text that denies something."""
    texts = option_tokens({letter.strip().upper(): text for letter, text in choices.items()})
    spoken = {letter.strip().upper(): tidy(text) for letter, text in choices.items()}
    denying = {letter: own for letter, own in texts.items() if NEGATED.search(spoken[letter]) or ABSTENTION.search(spoken[letter])}
    return Options(letters, texts, denying)


def denials_of(text: str, options: Options) -> str:
    """Return the text without the words of options that deny, so that a "not" in the rest is a real denial. A lone "never" still denies."""
    return without_options(text, {letter: own for letter, own in options.denying.items() if len(own) > 1})


def is_dismissed(denials: str, letter: str, end: int, options: Options) -> bool:
    """Say whether the text after a letter and its option text says that it is not the answer. denials: see denials_of."""
    end = after_text(denials, end, options.texts.get(letter))
    return DISMISSED.match(denials, end) is not None or (bool(options.texts) and MARKED_WRONG.match(denials, end) is not None)


def after_text(text: str, end: int, own: list[str] | None) -> int:
    """Return the end of an option's text if that follows its letter, else the end of the letter."""
    if not own:
        return end
    placed = placed_tokens(text[end : end + 300])
    while placed and placed[0][0] in ".,;:!?()[]-":
        placed = placed[1:]
    return end + placed[len(own) - 1][2] if [token for token, _, _ in placed[: len(own)]] == own else end


def named_behind(text: str, options: Options) -> str | None:
    """Return the letter of the option with a text that follows here, after marks. A minus that begins an option's text is not a mark."""
    rest = text.lstrip(" \t\n()].:,}*$")
    said = starts_with(words_only(tokens(rest)), options.texts)
    return said or starts_with(words_only(tokens(rest.lstrip("-() ].:,}*$\t\n"))), options.texts)


def letter_at(text: str, position: int, options: Options) -> tuple[str, int] | None:
    """Return the option letter at a position, after marks, and where it ends; None for words and articles."""
    match = LETTER.match(text, position)
    if match is None:
        return None
    raw = match["named"] or match["round"] or match["square"] or match["quoted"] or match["bare"]
    letter, end = raw.upper(), match.end()
    if letter not in options.letters:
        return None
    if match["bare"]:
        if raw.islower():
            # "b" or "b)" alone is a letter; in a sentence only "a" and symbols look like this.
            if not re.match(r"[\s.)\]}*$]{0,30}(?:$|\n)|\)\s", text[end : end + 40]):
                return None
        elif letter in "AI" and not AFTER_A.match(text, end):
            own = options.texts.get(letter)
            if own is None or starts_with(words_only(tokens(text[end : end + 300])), {letter: own}) is None:
                return None
        if re.match(r"\s*(?:=|≈|<(?!/)|>|\\approx|\\leq|\\geq|\+|-\s*\d|\\times|_|\^)", text[end : end + 40]) and not (
            # "B - 12 N": a dash between gaps, and then the text of an option.
            DASH.match(text, end) and named_behind(text[end : end + 300], options)
        ):
            return None
    return letter, end
