"""Tell a bracket that only holds a quantity from one that multiplies, divides or is raised. Pure."""

import re

from plumbline.grading.compound_quantities import Quantity
from plumbline.grading.decimals import Number
from plumbline.grading.number_edges import CLOSERS
from plumbline.grading.number_tokens import read_group
from plumbline.grading.patterns import bounded
from plumbline.grading.unit_notation import read_unit

# "(3 kg)(4 m/s²)", "(12 N)/2", "(5 N)^2": the quantity in the bracket is part of a calculation.
SHUT = bounded(
    r"""
    (?: \\right | \\[bB]igg?r? )? \s? [)\]]
    (?:
          [(\[\d]
        | \s? \\left
        | \s{0,3} (?: [*×·/^+] | \\times (?![A-Za-z]) | \\cdot (?![A-Za-z]) | \\div (?![A-Za-z]) | -\s?[\d(\\] )
    )
    """,
    re.VERBOSE,
)
SHUT_BRACKET = bounded(r"(?:\\right|\\[bB]igg?r?)?\s?[)\]]")
OPENED = bounded(r"(?:\\(?:left|[bB]igg?l?)\s?)?[(\[][\s$]*$")
TIMES_BRACKET = bounded(r"(?:[)\]\d}]|[*/^×·+]|[\d)\]}]\s?-|\\times|\\cdot)\s?(?:\\(?:left|[bB]igg?l?)\s?)?[(\[][\s$]*$")


def is_one_bracket(text: str, start: int, number: Number) -> bool:
    """Say whether a number is just one bracketed number, without power, factor or unit after the bracket."""
    group = read_group(text, start, 0)
    if group is None or group.end != number.end:
        return False
    unit = read_unit(text, number.end)
    return unit.unit is None and not unit.unknown


def is_factor(text: str, begin: int, quantity: Quantity) -> bool:
    """Say whether a quantity is alone in a bracket that multiplies, divides or is raised."""
    before = text[max(0, begin - 20) : begin]
    if not OPENED.search(before):
        return False
    closers = CLOSERS.match(text, quantity.end)
    end = closers.end() if closers else quantity.end
    # A range includes its bracket: (5-10)(2).
    end = end - 1 if text[quantity.end - 1] in ")]" else end
    return SHUT.match(text, end) is not None or (SHUT_BRACKET.match(text, end) is not None and TIMES_BRACKET.search(before) is not None)
