r"""Read numbers as people and models write them, by a grammar of our own: no eval, no sympy. Pure.

A closed form is read whole (`3\sqrt{2}`, `9/2`, `6.63 \times 10^{-34}`). A number that is multiplied by a symbol
(`5 \hbar`) is not that number; the caller sees the symbol after `end`.
"""

import math
import re

from plumbline.grading.decimals import (
    GAP,
    MULTIPLICATION_SIGN,
    POWER,
    VULGAR,
    WORDED_EXPONENT,
    Number,
    power,
    read_decimal,
    signed_integer,
    skip,
)
from plumbline.grading.latex_commands import WRAPPERS
from plumbline.grading.number_scales import read_scale
from plumbline.grading.patterns import bounded

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
        {MULTIPLICATION_SIGN}
        | [xX] (?=\s* [\d(])
    )
    """,
    re.VERBOSE,
)
DIVIDE = bounded(rf"{GAP} (?: / | \\div (?![A-Za-z]) )", re.VERBOSE)
OPEN = bounded(rf"(?:\\(?:left|[bB]igg?l?)\s*)?[(\[] | (?:\\{WRAPPERS}\s*)?\{{", re.VERBOSE)
SHUT = r"(?:\\(?:right|[bB]igg?r?)\s*)?"
CLOSE = {"(": bounded(rf"{GAP}{SHUT}\)"), "[": bounded(rf"{GAP}{SHUT}\]"), "{": bounded(rf"{GAP}\}}")}
# A bracket that touches the text before it multiplies: 3(1/3), (2)(3), 4\left(5\right).
BY_TOUCH = bounded(r"(?:\\[,!])?(?:\\(?:left|[bB]igg?l?)\s*)?\(")
PLAIN_DECIMAL = re.compile(r"\d+\.\d+")
MAX_DEPTH = 6
MAX_FACTORS = 12


def read_group(text: str, position: int, depth: int) -> Number | None:
    """Read a closed form in brackets, with the brackets."""
    match = OPEN.match(text, position)
    if match is None or depth > MAX_DEPTH:
        return None
    inner = read_number(text, match.end(), depth + 1)
    close = inner and CLOSE[match[0][-1]].match(text, inner.end)
    return Number(inner.value, position, close.end()) if inner and close else None


def read_argument(text: str, position: int, depth: int) -> Number | None:
    """Read the argument of a fraction or root: a group, or one digit as in LaTeX."""
    position = skip(text, position)
    group = read_group(text, position, depth) if text[position : position + 1] != "[" else None
    if group:
        return group
    if text[position : position + 1].isdigit() and text[position : position + 1].isascii():
        return Number(float(text[position]), position, position + 1)
    return None


def read_primary(text: str, position: int, depth: int) -> Number | None:
    """Read one factor with its integer power: a decimal, a fraction, a root, pi, or a closed form in brackets."""
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
    """Read the longest closed form that starts here, after gaps: factors joined by multiplication and division.

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
        elif BY_TOUCH.match(text, end) and not is_digits_in_doubt(text, first, end):
            factor, value_of = read_primary(text, skip(text, end), depth + 1), "times"
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


def is_digits_in_doubt(text: str, first: Number, end: int) -> bool:
    """Say whether a bracket touches a decimal, as in 9.81(2): this may be a doubt about its last digits, or a product."""
    return end == first.end and PLAIN_DECIMAL.fullmatch(text, first.start, end) is not None


def read_signed(text: str, position: int, depth: int) -> Number | None:
    """Read one factor with an optional sign."""
    position = skip(text, position)
    if position < len(text) and text[position] == "-":
        factor = read_primary(text, skip(text, position + 1), depth)
        return Number(-factor.value, position, factor.end) if factor else None
    return read_primary(text, position, depth)
