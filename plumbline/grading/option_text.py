"""Recognise an option by its text: whole tokens, the longest option first. Pure."""

import re
from collections.abc import Mapping

TOKEN = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|[^\w\s]")
# LaTeX without a meaning for an option: \mathrm, \left, dollar signs.
LATEX_NOISE = re.compile(
    r"""
      \\
      (?:
            mathrm
          | text
          | textbf
          | textit
          | mathbf
          | mathit
          | boldsymbol
          | bm
          | displaystyle
          | left
          | right
          | quad
          | qquad
          | operatorname
          | boxed
          | rm
          | bf
      )
      (?![A-Za-z])
    | \\ [,;:! ()\[\]]
    | [${}~*_`\"“”]
    | \\
    """,
    re.VERBOSE,
)
ARTICLES = {"the", "a", "an"}
SIGN_AFTER = frozenset("= : ( [ , ≈ ~ is are be was equals gives get to of or and".split())  # noqa: SIM905
LATEX_WORDS = {
    "’": "'",
    "dfrac": "frac",
    "tfrac": "frac",
    "cfrac": "frac",
    "le": "leq",
    "ge": "geq",
    "≤": "leq",
    "≥": "geq",
    "π": "pi",
    "−": "-",
}


def placed_tokens(text: str) -> list[tuple[str, int, int]]:
    """Return (token, start, end) of the words, numbers and signs of a text, in lower case, without LaTeX wrappers and articles."""
    plain = LATEX_NOISE.sub(lambda match: " " * len(match[0]), text)
    found = [(match[0].lower(), match.start(), match.end()) for match in TOKEN.finditer(plain)]
    return [(LATEX_WORDS.get(token, token), start, end) for token, start, end in found if token not in ARTICLES]


def tokens(text: str) -> list[str]:
    """Return the words, numbers and signs of a text in lower case, without LaTeX wrappers and articles."""
    return [token for token, _, _ in placed_tokens(text)]


def without_options(text: str, options: Mapping[str, list[str]]) -> str:
    """Blank out the option texts in a text: a denial inside an option is not the text's. Every character keeps its position."""
    placed = placed_tokens(text) if options else []
    for first, stop, _ in reversed(find_options([token for token, _, _ in placed], options)):
        start, end = placed[first][1], placed[stop - 1][2]
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def words_only(sequence: list[str]) -> list[str]:
    """Return the tokens of an option text without punctuation at its ends."""
    start, end = 0, len(sequence)
    while start < end and sequence[start] in ".,;:!?":
        start += 1
    while end > start and sequence[end - 1] in ".,;:!?":
        end -= 1
    return sequence[start:end]


def option_tokens(choices: Mapping[str, str]) -> dict[str, list[str]]:
    """Return letter -> tokens, without options that have no tokens."""
    found = {letter: words_only(tokens(text)) for letter, text in choices.items()}
    return {letter: sequence for letter, sequence in found.items() if sequence}


def is_signed(sequence: list[str], place: int) -> bool:
    """Say whether the number at a place has a minus: "is -12 N", not "force - 12 N"."""
    return place > 0 and sequence[place - 1] == "-" and (place == 1 or sequence[place - 2] in SIGN_AFTER)


def find_options(sequence: list[str], options: Mapping[str, list[str]]) -> list[tuple[int, int, str]]:
    """Return (start, end, letter) of every option in a token sequence. No option matches inside a longer one."""
    taken = [False] * len(sequence)
    found: list[tuple[int, int, str]] = []
    for letter, wanted in sorted(options.items(), key=lambda item: (-len(item[1]), item[0])):
        size = len(wanted)
        for start in range(len(sequence) - size + 1):
            if sequence[start] != wanted[0] or any(taken[start : start + size]) or sequence[start : start + size] != wanted:
                continue
            if not (wanted[0][0].isdigit() and is_signed(sequence, start)):
                taken[start : start + size] = [True] * size
                found.append((start, start + size, letter))
    return sorted(found)


def starts_with(sequence: list[str], options: Mapping[str, list[str]]) -> str | None:
    """Return the letter of the longest option with its text at the beginning of the sequence."""
    opened = [letter for letter, wanted in options.items() if sequence[: len(wanted)] == wanted]
    return max(opened, key=lambda letter: (len(options[letter]), letter)) if opened else None


def holds_in_order(sequence: list[str], wanted: list[str], max_inserted: int) -> bool:
    """Say whether the sequence holds the wanted words in order, with few others between them."""
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
