"""Recognise an option by its text: whole tokens, the longest option first. Pure."""

import re
from collections.abc import Mapping

TOKEN = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|[^\w\s]")
LATEX_NOISE = re.compile(
    r"\\(?:mathrm|text|textbf|textit|mathbf|mathit|boldsymbol|bm|displaystyle|left|right|quad|qquad|operatorname|boxed|rm|bf)(?![A-Za-z])|\\[,;:! ()\[\]]|[${}~*_`\"“”]|\\"
)
ARTICLES = {"the", "a", "an"}
LATEX_WORDS = {"dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "le": "leq", "ge": "geq", "≤": "leq", "≥": "geq", "π": "pi", "−": "-"}


def tokens(text: str) -> list[str]:
    """Return the words, numbers and signs of a text in lower case, without LaTeX wrappers and articles."""
    plain = LATEX_NOISE.sub(" ", text).lower()
    found: list[str] = TOKEN.findall(plain)
    return [LATEX_WORDS.get(token, token) for token in found if token not in ARTICLES]


def words_only(sequence: list[str]) -> list[str]:
    """Return the tokens without punctuation at the ends of an option text."""
    start, end = 0, len(sequence)
    while start < end and sequence[start] in ".,;:!?":
        start += 1
    while end > start and sequence[end - 1] in ".,;:!?":
        end -= 1
    return sequence[start:end]


def option_tokens(choices: Mapping[str, str]) -> dict[str, list[str]]:
    """Return letter -> tokens, options without any left out."""
    found = {letter: words_only(tokens(text)) for letter, text in choices.items()}
    return {letter: sequence for letter, sequence in found.items() if sequence}


def find_options(sequence: list[str], options: Mapping[str, list[str]]) -> list[tuple[int, int, str]]:
    """Return (start, end, letter) of every option in a token sequence; no option matches inside a longer one."""
    taken = [False] * len(sequence)
    found: list[tuple[int, int, str]] = []
    for letter, wanted in sorted(options.items(), key=lambda item: (-len(item[1]), item[0])):
        size = len(wanted)
        for start in range(len(sequence) - size + 1):
            if sequence[start] == wanted[0] and not any(taken[start : start + size]) and sequence[start : start + size] == wanted:
                taken[start : start + size] = [True] * size
                found.append((start, start + size, letter))
    return sorted(found)


def starts_with(sequence: list[str], options: Mapping[str, list[str]]) -> str | None:
    """Return the letter of the longest option whose text opens the sequence."""
    opened = [letter for letter, wanted in options.items() if sequence[: len(wanted)] == wanted]
    return max(opened, key=lambda letter: (len(options[letter]), letter)) if opened else None


def holds_in_order(sequence: list[str], wanted: list[str], max_inserted: int) -> bool:
    """Say whether the wanted words stand in the sequence in order with few others between them."""
    for start in (place for place, token in enumerate(sequence) if token == wanted[0]):
        place, matched = start, 0
        while place < len(sequence) and matched < len(wanted) and place - start - matched <= max_inserted:
            if sequence[place] == wanted[matched]:
                matched += 1
            elif sequence[place] in ".;!?":
                break
            place += 1
        if matched == len(wanted):
            return True
    return False
