"""Read the option that a response asserts by its text, without a letter. Pure."""

import re

from plumbline.grading.answer_regions import sentences
from plumbline.grading.choice_statement import McqTier, Statement
from plumbline.grading.option_letters import NEGATED, Options
from plumbline.grading.option_text import find_options, holds_in_order, tokens, words_only
from plumbline.grading.patterns import bounded

# "the remaining options".
OTHER_OPTIONS = bounded(
    r"""
    \b (?:the \s+)? (?: other | remaining | rest \s+ of \s+ the ) \s+
    (?: options | choices | answers | three | two ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
ASSERTING = {
    "is",
    "are",
    "be",
    "when",
    "if",
    "as",
    "by",
    ":",
    "=",
    "represents",
    "gives",
    "called",
    "equals",
    "to",
    "was",
    "were",
    "means",
    "becomes",
    "obtain",
    "get",
    "on",
    "≈",
    "approx",
}


def asserted_text(text: str, denials: str, options: Options) -> Statement | None:
    """Return the one option with a text that the response asserts; None if it asserts none, or several."""
    if not options.texts:
        return None
    spans = list(sentences(text))
    found: dict[str, tuple[int, int]] = {}
    in_order: dict[str, tuple[int, int]] = {}
    for number, (start, end) in enumerate(spans):
        sentence = text[start:end]
        sequence = words_only(tokens(sentence))
        last = number == len(spans) - 1
        exact = sequence in options.denying.values()
        if (NEGATED.search(denials, start, end) and not exact) or OTHER_OPTIONS.search(sentence) or "?" in sentence:
            continue
        ends: set[int] = set()
        places = find_options(sequence, options.texts)
        for first, stop, letter in places:
            wordy = sum(token.isalpha() and len(token) > 1 for token in options.texts[letter]) > 0
            before = next((token for token in reversed(sequence[max(0, first - 1) : first])), None)
            alone = first == 0 and stop == len(sequence)
            # Every derivation has bare numbers and formulas: they count only at the end of the last sentence.
            if (
                alone
                or (before in ASSERTING and (wordy or (last and stop == len(sequence))))
                or (before in ("or", "and") and first - 1 in ends)
            ):
                found[letter] = (start, end)
                ends.add(stop)
        for letter, wanted in options.texts.items():
            # "The mass does not change. So the pressure falls.": a denial may be about something else than the options.
            if letter in options.denying and not (last and {found_letter for _, _, found_letter in places} == {letter}):
                continue
            if len(wanted) >= 3 and all(token.isalpha() for token in wanted) and holds_in_order(sequence, wanted, 5):
                in_order[letter] = (start, end)
    chosen = found or in_order
    if len(chosen) != 1:
        return None
    letter, (start, end) = next(iter(chosen.items()))
    return Statement((letter,), McqTier.OPTION_TEXT, start, end)
