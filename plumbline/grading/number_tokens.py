"""Read numbers as people and models write them, by a grammar of our own: no eval, no sympy. Pure.

A closed form is read whole (`3\\sqrt{2}`, `9/2`, `6.63 \\times 10^{-34}`); a number that is multiplied with a symbol
(`5 \\hbar`) is not that number, and the caller sees it by what follows `end`.
"""

import math
import re
from typing import NamedTuple

from plumbline.grading.patterns import bounded

# One character for one character, so that positions in the text stay positions in the response.
GLYPHS = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2012\u2013\u2010\u2011\ufe63\uff0d\ufe58", "-"),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00a0\u2007\u2009\u200a\u202f\u3000", " "),
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        "\uff0e": ".",
        "\uff0c": ",",
        "\uff1d": "=",
        "\u2044": "/",
        "\u2215": "/",
        "\u00f7": "/",
        "\uff0b": "+",
        "\u2217": "*",
        "\u22c5": "·",
        "\u2219": "·",
        "\u2022": "·",
        "\u2715": "×",
        "\u2a2f": "×",
        "\u00b5": "μ",
        "\u2126": "Ω",
        "\u212b": "Å",
    }
)
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
VULGAR = {
    "½": 1 / 2,
    "⅓": 1 / 3,
    "⅔": 2 / 3,
    "¼": 1 / 4,
    "¾": 3 / 4,
    "⅕": 1 / 5,
    "⅖": 2 / 5,
    "⅗": 3 / 5,
    "⅘": 4 / 5,
    "⅙": 1 / 6,
    "⅛": 1 / 8,
}

GAP = r"(?:\s|\\[,;:! ]|~|\\q?quad\b){0,12}"
TIMES = r"""
    (?:
          ×
        | ·
        | \\times (?![A-Za-z])
        | \\cdot (?![A-Za-z])
        | \\ast (?![A-Za-z])
        | \* (?!\*)
        | \t times (?![A-Za-z])
        | [xX] (?=\s* 10 \s* (?: [-\^*⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺] | (?:raised \s+)? to \b ))
        | (?: times | multiplied \s+ by ) (?=\s+ 10 \b)
    )
"""
POWER = r"(?:\^|\*\*)"
# Thousands: comma, LaTeX comma, apostrophe, space or underscore, always between full groups of three digits; or Indian groups (3,00,000).
INTEGER = r"""
    (?:
          \d{1,3} (?:(?: , | \{ , \} | \\ , | \\ ! | ['’ ] | \\? _ ) \d{3} (?![\d]))+
        | \d{1,2} (?:, \d{2}){1,3} , \d{3} (?! \d | , \d )
        | \d+
    )
"""
# 1.234,5 and 1.234.567: here the point separates thousands beyond doubt; 1.234 alone is a decimal.
POINTED = bounded(r"\d{1,3}(?:(?:\.\d{3})+,\d{1,6}|(?:\.\d{3}){2,5})(?!\d|[.,]\d)")
DECIMAL = bounded(
    rf"""
    (?P<whole>{INTEGER})?
    (?P<fraction> (?: \. | \{{ \. \}} ) \d+ | \. (?=\s* (?: × | \\times | [eE] [+-]? \d )) )?
    """,
    re.VERBOSE,
)
DECIMAL_COMMA = bounded(r"\d+,\d{1,2}(?![\d]|,\d)")
E_NOTATION = bounded(r"\s?[eE](?P<exponent>[+-]?\d{1,4})(?!\d|\.\d|_)")
TO_THE = r"\s+(?:raised\s+)?to\s+(?:the\s+(?:power\s+(?:of\s+)?)?|power\s+(?:of\s+)?)"
WORDED_EXPONENT = r"(?:(?:minus|negative)\s+|[+-]\s?)?\d{1,4}"
TEN = rf"""
    10 \s*
    (?:
          {POWER} \s*
          (?:
                \{{ {GAP} (?P<braced>[+-]? \s* \d{{1,4}}) {GAP} \}}
              | \( \s* (?P<round>[+-]? \s* \d{{1,4}}) \s* \)
              | (?P<bare>[+-]? \s? \d{{1,4}})
          )
        | (?P<raised>[⁻⁺]? [⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,4}})
        | {TO_THE} (?P<worded>{WORDED_EXPONENT}) (?: st | nd | rd | th )? (?:\s+ power \b)?
    )
"""
# A power that lost its caret in copying, "6.63 × 10-34": only after a times sign, and only a negative one without gaps.
LOST_CARET = bounded(rf"{GAP} {TIMES} {GAP} 10 (?P<exponent>- \d{{1,2}}) (?! \d | \. \d )", re.VERBOSE)
TIMES_TEN = bounded(rf"{GAP} {TIMES} {GAP} {TEN} (?! \d | \. \d )", re.VERBOSE)
BARE_TEN = bounded(rf"{TEN} (?! \d | \. \d )", re.VERBOSE)
MIXED = bounded(r"(?:\s|-|[ \t]+and\s+)(\d{1,2})/(\d{1,2})(?![\d/.])")
AND_A_PART = bounded(r"[ \t]+and\s+(?:a|one)[\s-](half|third|quarter)(?![A-Za-z])")
PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4}
# "5 million", "$5$ million", "5 \\text{ million J}"
SAME_LINE = r"(?:[ \t]|\\[,;:! ]|~){0,12}"
SCALE = bounded(
    rf"""
    (?: {SAME_LINE} \$? {SAME_LINE} | - ) (?:\\ (?: text | mathrm ) \{{ [ \t]{{0,4}})?
    ( hundred | thousand | million | billion | trillion | lakh | crore )
    s? (?![A-Za-z])
    """,
    re.IGNORECASE | re.VERBOSE,
)
SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "lakh": 1e5, "crore": 1e7}
MAX_SCALES = 3
PI = bounded(r"π|\\pi(?![A-Za-z])|pi(?![A-Za-z])")
ROOT = bounded(r"\\sqrt(?![A-Za-z])|sqrt(?![A-Za-z])|√")
FRACTION = bounded(r"\\[dtc]?frac(?![A-Za-z])|\x0crac(?![A-Za-z])|\tfrac(?![A-Za-z])")
EXPONENT = bounded(
    rf"""
      {POWER} {GAP}
      (?:
            \{{ {GAP} ([+-]? \s* \d{{1,4}}) {GAP} \}}
          | \( \s* ([+-]? \s* \d{{1,4}}) \s* \)
          | ([+-]? \d{{1,4}})
      )
      (?! \d | \. \d )
    | ([⁻⁺]? [⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,4}})
    | \s+ (?:raised \s+)? to \s+ (?:the \s+)? power \s+ (?:of \s+)? ({WORDED_EXPONENT})
      (?! \d | \. \d )
    """,
    re.VERBOSE,
)
MULTIPLY = bounded(
    rf"""
    {GAP}
    (?P<sign>
          ×
        | ·
        | \\times (?![A-Za-z])
        | \\cdot (?![A-Za-z])
        | \\ast (?![A-Za-z])
        | \* (?!\*)
        | \t times (?![A-Za-z])
        | [xX] (?=\s* [\d(])
    )
    """,
    re.VERBOSE,
)
DIVIDE = bounded(rf"{GAP} (?: / | \\div (?![A-Za-z]) )", re.VERBOSE)
SKIP = bounded(GAP)
OPEN = bounded(r"\\left\s*\(|\(|\{|\\(?:text|mathrm|mathbf|textbf|mathit|boldsymbol|bm|displaystyle)\s*\{")
CLOSE = {"(": bounded(rf"{GAP}(?:\\right\s*)?\)"), "{": bounded(rf"{GAP}\}}")}
MAX_DEPTH = 6
MAX_FACTORS = 12


class Number(NamedTuple):
    """A number found at text[start:end]."""

    value: float
    start: int
    end: int
    scale: float = 1.0
    """What "million" and its like have multiplied it by, already in the value."""


def tidy(text: str) -> str:
    """Return the text with look-alike glyphs made one; every character stays at its position."""
    return text.translate(GLYPHS)


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def power(base: float, exponent: int) -> float | None:
    try:
        return finite(base**exponent)
    except (OverflowError, ZeroDivisionError):
        return None


def skip(text: str, position: int) -> int:
    match = SKIP.match(text, position)
    return match.end() if match else position


def read_decimal(text: str, position: int) -> Number | None:
    """Read digits with their exponent, no sign: `1{,}000`, `6.63e-34`, `1.6 × 10⁻¹⁹`, `10^{-3}`."""
    ten = BARE_TEN.match(text, position)
    if ten:
        value = power(10.0, exponent_of(ten))
        return Number(value, position, ten.end()) if value is not None else None
    comma = DECIMAL_COMMA.match(text, position)
    pointed = POINTED.match(text, position)
    match = pointed or comma or DECIMAL.match(text, position)
    if match is None or not any(character.isdigit() for character in match[0]):
        return None
    digits = re.sub(r"[^\d.,]", "", match[0])
    digits = digits.replace(".", "").replace(",", ".") if pointed else digits.replace(",", "." if comma else "")
    if len(digits) > 400:
        return None
    value, end = float(digits), match.end()
    exponent = E_NOTATION.match(text, end) or TIMES_TEN.match(text, end) or LOST_CARET.match(text, end)
    if exponent:
        shift = int(exponent["exponent"]) if exponent.re is not TIMES_TEN else exponent_of(exponent)
        try:
            value, end = float(f"{digits}e{shift}"), exponent.end()
        except ValueError:
            return None
    elif pointed is None and comma is None and match["fraction"] is None:
        vulgar = skip(text, end)
        if text[vulgar : vulgar + 1] in VULGAR:
            return Number(value + VULGAR[text[vulgar]], position, vulgar + 1)
        mixed, part = MIXED.match(text, end), AND_A_PART.match(text, end)
        if part:
            value, end = value + PARTS[part[1]], part.end()
        elif mixed and 0 < int(mixed[1]) < int(mixed[2]):
            value, end = value + int(mixed[1]) / int(mixed[2]), mixed.end()
    return Number(value, position, end) if math.isfinite(value) else None


def exponent_of(match: re.Match[str]) -> int:
    """Return the exponent of ten that TEN captured."""
    return signed_integer(match["braced"] or match["round"] or match["bare"] or match["raised"] or match["worded"])


def signed_integer(text: str) -> int:
    """Return an exponent as written: -3, ⁻³, "minus 3"."""
    return int(re.sub(r"\s", "", re.sub(r"minus|negative", "-", text.translate(SUPERSCRIPTS))))


def read_group(text: str, position: int, depth: int) -> Number | None:
    """Read a bracketed closed form, brackets included."""
    match = OPEN.match(text, position)
    if match is None or depth > MAX_DEPTH:
        return None
    inner = read_number(text, match.end(), depth + 1)
    close = inner and CLOSE[match[0][-1]].match(text, inner.end)
    return Number(inner.value, position, close.end()) if inner and close else None


def read_argument(text: str, position: int, depth: int) -> Number | None:
    """Read the argument of a fraction or root: a group, or one digit as LaTeX takes it."""
    position = skip(text, position)
    group = read_group(text, position, depth)
    if group:
        return group
    if text[position : position + 1].isdigit() and text[position : position + 1].isascii():
        return Number(float(text[position]), position, position + 1)
    return None


def read_primary(text: str, position: int, depth: int) -> Number | None:
    """Read one factor: a decimal, a fraction, a root, pi, or a bracketed closed form; with its integer power."""
    if depth > MAX_DEPTH or position >= len(text):
        return None
    found: Number | None = None
    character = text[position]
    if character in VULGAR:
        found = Number(VULGAR[character], position, position + 1)
    elif pi := PI.match(text, position):
        found = Number(math.pi, position, pi.end())
    elif fraction := FRACTION.match(text, position):
        top = read_argument(text, fraction.end(), depth + 1)
        bottom = read_argument(text, top.end, depth + 1) if top else None
        if top and bottom and bottom.value != 0:
            found = Number(top.value / bottom.value, position, bottom.end)
    elif root := ROOT.match(text, position):
        argument = read_argument(text, root.end(), depth + 1) or read_decimal(text, root.end())
        if argument and argument.value >= 0:
            found = Number(math.sqrt(argument.value), position, argument.end)
    else:
        found = read_decimal(text, position) or read_group(text, position, depth)
    if found is None or not math.isfinite(found.value):
        return None
    raised = EXPONENT.match(text, found.end)
    if raised:
        exponent = signed_integer(next(group for group in raised.groups() if group))
        value = power(found.value, exponent) if abs(exponent) <= 999 else None
        found = Number(value, position, raised.end()) if value is not None else None
    return found


def read_number(text: str, position: int, depth: int = 0) -> Number | None:
    """Read the longest closed form that starts here (gaps skipped): factors joined by multiplication and division.

    Sums are not evaluated: `3 + 4` reads as 3 and leaves the plus sign for the caller to see.
    """
    start = skip(text, position)
    sign, position = 1.0, start
    if position < len(text) and text[position] in "+-":
        sign = -1.0 if text[position] == "-" else 1.0
        position = skip(text, position + 1)
    first = read_primary(text, position, depth)
    if first is None:
        return None
    value, end = first.value, first.end
    for _ in range(MAX_FACTORS):
        # 2\pi and 3\sqrt{2} multiply without a sign; 3\frac{1}{2} is a mixed number.
        near = skip(text, end)
        if PI.match(text, near) or ROOT.match(text, near):
            factor, value_of = read_primary(text, near, depth + 1), "times"
        elif FRACTION.match(text, near) and value == int(value):
            factor = read_primary(text, near, depth + 1)
            value_of = "plus" if factor and factor.value < 1 else "times"
        elif match := MULTIPLY.match(text, end):
            factor, value_of = read_signed(text, match.end(), depth + 1), "times"
        elif match := DIVIDE.match(text, end):
            factor, value_of = read_signed(text, match.end(), depth + 1), "over"
        else:
            break
        if factor is None or (value_of == "over" and factor.value == 0):
            break
        value = value + factor.value if value_of == "plus" else value * factor.value if value_of == "times" else value / factor.value
        end = factor.end
        if not math.isfinite(value):
            return None
    scale, end = read_scale(text, end)
    return Number(sign * value * scale, start, end, scale) if math.isfinite(value * scale) else None


def read_scale(text: str, end: int) -> tuple[float, int]:
    """Return what the scale words behind a number multiply it by ("5 hundred thousand"), and where they end."""
    scale = 1.0
    for _ in range(MAX_SCALES):
        word = SCALE.match(text, end)
        if word is None:
            break
        scale, end = scale * SCALES[word[1].lower()], word.end()
    return scale, end


def read_signed(text: str, position: int, depth: int) -> Number | None:
    """Read one factor with an optional sign."""
    position = skip(text, position)
    if position < len(text) and text[position] == "-":
        factor = read_primary(text, skip(text, position + 1), depth)
        return Number(-factor.value, position, factor.end) if factor else None
    return read_primary(text, position, depth)
