"""Read digits with their thousands, decimals and power of ten: `1{,}000`, `6.63e-34`, `1.6 × 10⁻¹⁹`, `2 1/2`. Pure."""

import math
import re
from typing import NamedTuple

from plumbline.grading.patterns import bounded

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
MULTIPLICATION_SIGN = r"""
          ×
        | ·
        | \\times (?![A-Za-z])
        | \\cdot (?![A-Za-z])
        | \\ast (?![A-Za-z])
        | \* (?!\*)
        | \t times (?![A-Za-z])
"""
TIMES = rf"""
    (?:
        {MULTIPLICATION_SIGN}
        | [xX] (?=\s* 10 \s* (?: [-\^*⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺] | (?:raised \s+)? to \b ))
        | (?: times | multiplied \s+ by ) (?=\s+ 10 \b)
    )
"""
POWER = r"(?:\^|\*\*)"
# Thousands: comma, LaTeX comma, apostrophe, space or underscore, always between full groups of three digits; or Indian groups (3,00,000).
INTEGER = r"""
    (?:
          (?! 0 , ) \d{1,3} (?:(?: (?: , | \{ , \} ) (?:\\ ! [ ]?)? | \\ , | \\ ! | ['’ ] | \\? _ ) \d{3} (?![\d]))+
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
# 12,5 and 3,1416 and 0,125, but 12,345 is a thousand; ",89" opens a statement (OPENS_WITH_COMMA).
DECIMAL_COMMA = bounded(r"(?:\d+,(?:\d{1,2}|\d{4,12})|0?,\d{1,12})(?![\d]|,\d)")
OPENS_WITH_COMMA = bounded(r"(?:^|[=:≈$(\[{]|\b(?:is|are|about|approximately))\s*$", re.IGNORECASE)
# Digits that repeat forever: 0.\overline{3}, 0.1\bar{6}, 0.(3), and 0.333... with its dots.
REPEATING = bounded(
    r"""
      \\ (?: overline | bar | dot ) \s* (?:\{ \s*)? (?P<over>\d{1,6}) (?:\s* \})?
    | (?<=\.) \( (?P<round>\d{1,6}) \)
    | (?P<dots> (?<=\d) (?: \.{3} | … | \\ [lc]?dots (?![A-Za-z]) ) )
    """,
    re.VERBOSE,
)
LAST_REPEATS = bounded(r"(\d{1,6}?)\1{2,}$")
# 1.6022(3): from four decimals on, the digits in brackets are the uncertainty of the last ones.
UNCERTAIN = bounded(r"\(\d{1,3}\)")
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
# A power that lost its caret when copied, "6.63 × 10-34": only after a times sign, and only a negative one without gaps.
LOST_CARET = bounded(rf"{GAP} {TIMES} {GAP} 10 (?P<exponent>- \d{{1,2}}) (?! \d | \. \d )", re.VERBOSE)
TIMES_TEN = bounded(rf"{GAP} {TIMES} {GAP} {TEN} (?! \d | \. \d )", re.VERBOSE)
BARE_TEN = bounded(rf"{TEN} (?! \d | \. \d )", re.VERBOSE)
MIXED = bounded(r"(?:\s|[ \t]+and\s+)(\d{1,2})/(\d{1,2})(?![\d/.])")
AND_A_PART = bounded(r"[ \t]+and\s+(?:a|one)[\s-](half|third|quarter)(?![A-Za-z])")
PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4}
SKIP = bounded(GAP)


class Number(NamedTuple):
    """A number found at text[start:end]."""

    value: float
    start: int
    end: int
    scale: float = 1.0
    """The factor of words such as "million", already in the value."""


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
    if comma is None and pointed is None and "." in match[0] + text[end : end + 1]:
        endless = read_endless(text, position, match.end(), digits)
        if endless:
            return endless
        uncertain = UNCERTAIN.match(text, end) if len(digits.partition(".")[2]) >= 4 else None
        end = uncertain.end() if uncertain else end
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


def read_endless(text: str, position: int, end: int, digits: str) -> Number | None:
    """Read a decimal with repeating last digits; None if no digits are marked as repeating."""
    whole, point, fraction = digits.partition(".")
    if not point and text[end : end + 1] == ".":
        end += 1
    match = REPEATING.match(text, end)
    if match is None:
        return None
    again = match["over"] or match["round"]
    if match["dots"]:
        last = LAST_REPEATS.search(fraction)
        if last is None:
            return None
        fraction, again = fraction[: last.start()], last[1]
    value = float(f"{whole}.{fraction or 0}") + int(again) / (10 ** len(again) - 1) / 10 ** len(fraction)
    return Number(value, position, match.end())


def exponent_of(match: re.Match[str]) -> int:
    """Return the exponent of ten that TEN captured."""
    return signed_integer(match["braced"] or match["round"] or match["bare"] or match["raised"] or match["worded"])


def signed_integer(text: str) -> int:
    """Return an exponent as written: -3, ⁻³, "minus 3"."""
    return int(re.sub(r"\s", "", re.sub(r"minus|negative", "-", text.translate(SUPERSCRIPTS))))
