"""The words for finding passages: formulas, numbers and units stay whole. Pure."""

import re

RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋₊", "0123456789-+")
RAISED_RUN = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
LOWERED_RUN = re.compile(r"[₀₁₂₃₄₅₆₇₈₉₋₊]+")
BRACES = re.compile(r"(?<=[\^_])\{([^{}\s]*)\}")
LATEX = re.compile(r"\\(?:mathrm|mathbf|text|textbf|textit|operatorname|left|right)\b|\\[,;:! ]")
POSSESSIVE = re.compile(r"['’]s\b")
TOKEN = re.compile(
    r"""
      \d+ (?: [.,] \d+ )* (?: e [-+]? \d+ )? (?! \w* [\^_] )        # 9.81, 1,000, 6.63e-34
    | [^\W\d_] [^\W_]* (?: [\^_] [-+]? \w+ )* (?: / [^\W\d_]+ (?: [\^_] [-+]? \w+ )* )*   # force, m/s^2, H_2O, v_0
    | \d+ (?: [\^_] [-+]? \w+ )+                                      # 10^-12
    | \w
    """,
    re.VERBOSE,
)
THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
LONGEST_OF_A_UNIT = 3
"""Most letters of a unit: `m/s` and `mol/L` are units, `and/or` and `heat/work` are two words."""


def search_words(text: str) -> list[str]:
    """The words of a text in order, in lower case and without the s of a plural. Equal for `m/s²` and `m/s^{2}`, for `H₂O`, `H_2O` and `H2O`."""
    text = RAISED_RUN.sub(lambda run: "^" + run[0].translate(RAISED), text)
    text = LOWERED_RUN.sub(lambda run: "_" + run[0].translate(LOWERED), text)
    text = POSSESSIVE.sub("", BRACES.sub(r"\1", LATEX.sub(" ", text))).casefold()
    return [word for token in TOKEN.findall(text) for word in parts_of(token) if word]


def parts_of(token: str) -> list[str]:
    """A token as words: a unit stays whole, and words on both sides of a slash are split."""
    if "/" in token and any(len(letters) > LONGEST_OF_A_UNIT for letters in re.findall(r"[^\W\d_]+", token)):
        return [word for part in token.split("/") for word in parts_of(part)]
    if THOUSANDS.fullmatch(token):
        return [token.replace(",", "")]
    return [singular(token)] if token.isalpha() else [token.replace("_", "")]


def singular(word: str) -> str:
    """The word without the s of a plural: `forces` and `force` are one word, `mass` and `gas` stay."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and word[-2] not in "sui":
        return word[:-1]
    return word
