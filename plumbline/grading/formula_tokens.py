"""Cut a formula, in LaTeX or plain text, into tokens. ValueError at the first sign that no rule reads. Pure."""

import re
from enum import StrEnum
from typing import NamedTuple

MAX_CHARACTERS = 600


def names_of(text: str) -> list[str]:
    """The names in a text, separated by blanks."""
    return text.split()


GREEK = frozenset(
    names_of(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma tau upsilon phi varphi "
        "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega hbar ell"
    )
)
FUNCTIONS = frozenset(names_of("sin cos tan cot sec csc arcsin arccos arctan asin acos atan sinh cosh tanh ln log exp sqrt abs"))
SAME = {
    "varepsilon": "epsilon", "vartheta": "theta", "varrho": "rho", "varphi": "phi",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan",
}  # fmt: skip
UNICODE = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΣΦΨΩħℏℓ",
        names_of(
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega "
            "Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega hbar hbar ell"
        ),
        strict=True,
    )
)
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
# Commands that only change the look of the next text, or leave a gap.
DRESS = frozenset(names_of("left right displaystyle textstyle limits big Big bigg Bigg bigl bigr Bigl Bigr quad qquad"))
STYLES = frozenset(names_of("mathrm text textbf textit mathbf mathit boldsymbol bm operatorname vec overrightarrow rm"))
MARKS = frozenset(names_of("hat bar dot ddot tilde overline"))
WHOLE = FUNCTIONS | GREEK | {"pi"}
"""Words that are a single sign."""
GAPS = re.compile(r"\\[,;:!> ]|~|&")
NUMBER = re.compile(r"(?:\d+(?:\{?,\}?\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+(?![\w.]))?")
WORD = re.compile(r"[A-Za-z]+")
COMMAND = re.compile(r"\\([A-Za-z]+)\*?")
OPERATORS = {"·": "*", "×": "*", "−": "-", "–": "-", "÷": "/", "∗": "*", "⋅": "*"}
COMMAND_OPERATORS = {"cdot": "*", "times": "*", "ast": "*", "div": "/", "over": "/"}


class Sort(StrEnum):
    """What a token is."""

    NUMBER = "number"
    SYMBOL = "symbol"
    FUNCTION = "function"
    FRACTION = "fraction"
    SIGN = "sign"


class Token(NamedTuple):
    """One sign of a formula."""

    sort: Sort
    text: str


def tokens_of(formula: str, *, one_letter: bool | None = None) -> list[Token]:
    """Return the tokens of a formula; `one_letter` as in read_formula.

    ValueError if it is too long, or holds something that cannot be read: an integral, a relation, a word.
    """
    if len(formula) > MAX_CHARACTERS:
        raise ValueError(f"longer than {MAX_CHARACTERS} characters")
    text = GAPS.sub(" ", formula.replace("**", "^"))
    is_latex = "\\" in text
    one_letter = is_latex if one_letter is None else one_letter
    found: list[Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        place = read_token(text, place, found, is_latex=is_latex, one_letter=one_letter)
    return found


def read_token(text: str, place: int, found: list[Token], *, is_latex: bool, one_letter: bool) -> int:
    """Append the token or tokens at a place, and return where they end."""
    sign = text[place]
    if command := COMMAND.match(text, place):
        return read_command(text, command, found)
    if number := NUMBER.match(text, place):
        found.append(Token(Sort.NUMBER, re.sub(r"[{},]", "", number[0])))
        return number.end()
    if sign in UNICODE:
        found.append(symbol_or_pi(UNICODE[sign]))
        return place + 1
    if sign in RAISED or sign in LOWERED:
        table = RAISED if sign in RAISED else LOWERED
        end = place
        while end < len(text) and text[end] in table:
            end += 1
        digits = "".join(table[one] for one in text[place:end])
        found += [Token(Sort.SIGN, "^"), Token(Sort.SIGN, "{"), *signed(digits), Token(Sort.SIGN, "}")] if table is RAISED else []
        if table is LOWERED:
            found += [Token(Sort.SIGN, "_"), Token(Sort.NUMBER, digits)]
        return end
    if sign == "√":
        found.append(Token(Sort.FUNCTION, "sqrt"))
        return place + 1
    if word := WORD.match(text, place):
        letters = word[0]
        if found and found[-1].text == "_" and letters not in WHOLE:
            lowered = letters[0] if one_letter else letters
            found.append(Token(Sort.SYMBOL, lowered))
            letters = letters[len(lowered) :]
        found += tokens_of_word(letters, is_latex=is_latex) if letters else []
        return word.end()
    sign = OPERATORS.get(sign, sign)
    if sign not in "+-*/^_(){}[]|!'":
        raise ValueError(f"{sign!r} cannot be read in a formula")
    found.append(Token(Sort.SIGN, sign))
    return place + 1


def signed(digits: str) -> list[Token]:
    """A raised number: `⁻²`."""
    minus = [Token(Sort.SIGN, "-")] if digits.startswith("-") else []
    return [*minus, Token(Sort.NUMBER, digits.lstrip("-"))]


def symbol_or_pi(name: str) -> Token:
    """A symbol under its one name; pi is a number."""
    return Token(Sort.NUMBER, "pi") if name == "pi" else Token(Sort.SYMBOL, SAME.get(name, name))


def read_command(text: str, command: re.Match[str], found: list[Token]) -> int:
    """Append the tokens of a LaTeX command, and return where it ends."""
    name, end = command[1], command.end()
    if name in DRESS:
        # "\left." closes nothing.
        return end + 1 if name in ("left", "right") and text[end : end + 1] == "." else end
    if name in COMMAND_OPERATORS and name != "over":
        found.append(Token(Sort.SIGN, COMMAND_OPERATORS[name]))
    elif name in ("frac", "dfrac", "tfrac", "cfrac"):
        found.append(Token(Sort.FRACTION, "frac"))
    elif name in ("lvert", "rvert", "vert"):
        found.append(Token(Sort.SIGN, "|"))
    elif name in FUNCTIONS:
        found.append(Token(Sort.FUNCTION, SAME.get(name, name)))
    elif name in GREEK or name == "pi":
        found.append(symbol_or_pi(name))
    elif name in STYLES or name in MARKS:
        group = re.compile(r"\s*(?:\{\s*(\\?[A-Za-z0-9 ]{1,30}?)\s*\}|(\\?[A-Za-z]))").match(text, end)
        if group is None:
            raise ValueError(f"\\{name} is not around one symbol")
        inner = (group[1] or group[2]).lstrip("\\").strip()
        if name in MARKS:
            found.append(Token(Sort.SYMBOL, f"{name}({inner})"))
        elif inner in FUNCTIONS:
            found.append(Token(Sort.FUNCTION, SAME.get(inner, inner)))
        else:
            found.append(symbol_or_pi(inner))
        return group.end()
    else:
        raise ValueError(f"\\{name} cannot be read in a formula")
    return end


def tokens_of_word(word: str, *, is_latex: bool) -> list[Token]:
    """The symbols and functions of a run of letters: `sin`, `omega`, else letter by letter, as in `mgh`."""
    if word in FUNCTIONS:
        return [Token(Sort.FUNCTION, SAME.get(word, word))]
    if word in GREEK or word == "pi":
        return [symbol_or_pi(word)]
    for name in sorted(WHOLE, key=len, reverse=True):
        # "2pir" and "sinx" in plain text; two letters alone may as well be symbols.
        if not is_latex and len(name) > 2 and word.startswith(name):
            rest = tokens_of_word(word[len(name) :], is_latex=is_latex) if word[len(name) :] else []
            return [*tokens_of_word(name, is_latex=is_latex), *rest]
    if len(word) > 4:
        raise ValueError(f"{word!r} is a word, not symbols")
    return [Token(Sort.SYMBOL, letter) for letter in word]
