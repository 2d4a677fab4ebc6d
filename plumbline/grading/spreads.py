"""Read ranges and plus-minus: "5-10 N", "between 5 and 10 N", "10 ± 0.2 N". Pure."""

import re
from typing import NamedTuple

from plumbline.grading.decimals import Number
from plumbline.grading.number_tokens import read_number
from plumbline.grading.patterns import bounded
from plumbline.grading.unit_notation import UnitText, read_unit

# "12 ± 0.2", "12 give or take 1".
PLUS_MINUS = bounded(
    r"""
    (?: [ \t] | \$ | ~ | \\ [,;:! ] | \} )*
    (?:
          ±
        | \\pm (?![A-Za-z])
        | \+ / -
        | \+ -
        | plus [\s-]+ or [\s-]+ minus \b
        | plus [-/] minus \b
        | give \s+ or \s+ take \b
    )
    """,
    re.VERBOSE,
)
TO = bounded(
    r"""
    (?: [ \t] | \$ | ~ | \\ [,;:! ] )*
    (?: -{1,2} | — | \b to \b | \\text \{ \s* to \s* \} | \\sim | ~ )
    (?: [ \t] | \$ | \\ [,;:! ] )* (?=[\d.\\+-])
    """,
    re.VERBOSE,
)
# 2(5), 9/2, 3·4, 2^3, √2: these must be calculated, so a dash before or after them subtracts. Powers of ten belong to a number as written.
EVALUATED = bounded(
    r"""
      (?<! \^ ) [(\[]
    | [/÷√π]
    | \\ (?: [dtc]? frac | sqrt | pi | div )
    | sqrt | pi
    | (?: × | · | (?<! \* ) \* (?! \* ) | \\times | \\cdot | [xX] ) (?! [\s{\\,]* 10 \s* (?: \^ | \*\* | [⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹] ) )
    | (?<! 10 ) (?: \^ | \*\* | (?<! [⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹] ) [⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹] )
    """,
    re.VERBOSE,
)
BETWEEN = bounded(r"(?:\bbetween|\bfrom)\s*\$?\s*$", re.IGNORECASE)
AND = bounded(r"(?:[ \t]|\$)*\band\b(?:[ \t]|\$)*(?=[\d.\\+-])")
PERCENT_SIGN = bounded(r"\s*\\?%")
BRACKET = bounded(r"\s*(?:\\right)?\)")
TIMES = bounded(r"\s*(?:×|\\times|·|\\cdot|\*|[xX])\s*")


class Spread(NamedTuple):
    """A range or a plus-minus, with its centre as value."""

    centre: float
    half_width: float
    end: int
    unit: UnitText


def read_spread(text: str, begin: int, number: Number, unit: UnitText) -> Spread | None:
    """Read "5-10 N", "5 N to 10 N", "between 5 and 10 N", "10 ± 0.2 N" and "(1.60 ± 0.02) × 10^-19 C"."""
    between = BETWEEN.search(text, max(0, begin - 20), begin) is not None
    for after in (number.end, unit.end):
        match = PLUS_MINUS.match(text, after)
        second = read_number(text, match.end()) if match else None
        if second is not None:
            percent = PERCENT_SIGN.match(text, second.end)
            half_width = abs(number.value * second.value) / 100 if percent else abs(second.value)
            return scaled(text, number.value, half_width, percent.end() if percent else second.end, unit)
        match = TO.match(text, after) or (AND.match(text, after) if between else None)
        second = read_number(text, match.end()) if match else None
        if match is None or second is None:
            continue
        joint = match[0].strip("$ \t")
        if joint.startswith("-") and not between and (joint != match[0] or subtracts(text, number, second)):
            # "5 - 3" subtracts; "5-10" is a range.
            continue
        low, high = sorted((number.value, second.value))
        return scaled(text, (low + high) / 2, (high - low) / 2, second.end, unit)
    return None


def subtracts(text: str, first: Number, second: Number) -> bool:
    """Whether a dash between two numbers that touch it subtracts. In a range, the second number is larger, and both are plain numbers."""
    return first.value >= second.value or any(EVALUATED.search(text, one.start, one.end) for one in (first, second))


def scaled(text: str, centre: float, half_width: float, end: int, first_unit: UnitText) -> Spread:
    """Add what follows a spread: a bracket, a power of ten that multiplies both, the unit."""
    bracket = BRACKET.match(text, end)
    times = bracket and TIMES.match(text, bracket.end())
    scale = read_number(text, times.end()) if times else None
    if scale:
        centre, half_width, end = centre * scale.value, half_width * abs(scale.value), scale.end
    elif bracket:
        end = bracket.end()
    unit = read_unit(text, end)
    if unit.unit is None and first_unit.unit is not None:
        unit = first_unit._replace(end=end)
    return Spread(centre, half_width, end, unit)
