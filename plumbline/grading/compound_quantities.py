"""Read "1 hour 30 minutes" and "5 ft 6 in" as the one quantity they are. Pure."""

import math
import re
from typing import NamedTuple

from plumbline.grading.patterns import bounded
from plumbline.grading.unit_names import Unit
from plumbline.grading.units import factor

# Units that people write one after the other, each smaller than the one before; "and" or a comma may come between.
FAMILIES = (
    frozenset({"year", "month", "week", "day", "hour", "minute", "second"}),
    frozenset({"degree", "arcminute", "arcsecond"}),
    frozenset({"mile", "yard", "foot", "inch"}),
    frozenset({"pound", "ounce"}),
)
HOUR, MINUTE, SECOND, METER = (Unit(((name, 1),), 0) for name in ("hour", "minute", "second", "meter"))
DEGREE, ARCMINUTE, ARCSECOND = (Unit(((name, 1),), 0) for name in ("degree", "arcminute", "arcsecond"))
GAP = bounded(r"(?:[ \t~$}{]|\\[,;:! ]|\\(?:text|mathrm|rm)(?![A-Za-z])){0,12}")
LINK = bounded(
    r"""
    (?: [ \t~$}] | \\ [,;:! ] ){0,12} (?: , | ,? [ \t] and \b | \\text \s? \{ \s* and \s* \} )
    (?: [ \t~$] | \\ [,;:! ] ){1,12}
    """,
    re.VERBOSE,
)
# "5 degrees 30 minutes" is an angle.
WORDED_ARC: dict[tuple[Unit, Unit | None], Unit] = {(DEGREE, MINUTE): ARCMINUTE, (ARCMINUTE, SECOND): ARCSECOND}
ARC_MARKS = {DEGREE: ("'’′", ARCMINUTE), ARCMINUTE: ('"”″', ARCSECOND)}


class Quantity(NamedTuple):
    """A number with its unit, at text[start:end]."""

    value: float
    start: int
    end: int
    unit: Unit | None
    unknown_unit: bool
    asserted: bool
    """Stated ("is", "=", ":"), not only mentioned."""
    half_width: float | None
    """Half of a range, or the number after a plus-minus sign; None for a plain value."""
    scale: float = 1.0
    """The factor of words such as "million", already in the value."""
    other_unit: Unit | None = None
    """The second reading of the unit, if its letters are also a run of symbols (Tm: terametre, tesla metre)."""
    symbolic: bool = False
    """The unit may be symbols that multiply the number (2mg, 0.5mv^2). It counts only if it fits the question."""


def next_part(text: str, left: Quantity, part: Unit, right: Quantity) -> Quantity | None:
    """Return `right` with a plain unit if it continues a quantity that ended in the unit `part`; None if it is another quantity."""
    between = text[left.end : right.start]
    close = GAP.fullmatch(between) is not None
    if not close and LINK.fullmatch(between) is None:
        return None
    if part == HOUR and right.unit == METER and close and text[right.end - 1] == "m":
        right = right._replace(unit=MINUTE)
    elif (part, right.unit) in WORDED_ARC:
        right = right._replace(unit=WORDED_ARC[part, right.unit])
    elif right.unit is None and part in ARC_MARKS and text[right.end : right.end + 1] in tuple(ARC_MARKS[part][0]):
        right = right._replace(unit=ARC_MARKS[part][1], end=right.end + 1)
    if right.unit is None or right.asserted or right.half_width is not None or not text[right.start].isdigit():
        return None
    if [power for _, power in (*part.powers, *right.unit.powers)] != [1, 1]:
        return None
    larger, smaller = part.powers[0][0], right.unit.powers[0][0]
    metric = close and larger == smaller
    family = part.exponent10 == right.unit.exponent10 == 0 and any({larger, smaller} <= names for names in FAMILIES)
    # 90 minutes do not continue 1 hour: a part stays below the next larger unit, and only the last may have decimals.
    carries = right.value * factor(right.unit) < factor(part) * (1 - 1e-9)
    return right if (metric or family) and carries else None


def join_parts(text: str, quantities: list[Quantity]) -> list[Quantity]:
    """Return the quantities, with parts joined into one: 1 h 30 min is 1.5 h, stated if its first part is."""
    joined: list[Quantity] = []
    part: Unit | None = None
    is_whole = False
    for place, quantity in enumerate(quantities):
        following = quantities[place + 1] if place + 1 < len(quantities) else None
        if quantity.unit == METER and following and following.unit == SECOND and is_clock(text, quantity, following):
            quantity = quantity._replace(unit=MINUTE)
        left = joined[-1] if joined else None
        right = next_part(text, left, part, quantity) if left and part and is_whole and left.half_width is None else None
        if left is None or right is None or left.unit is None or right.unit is None:
            joined.append(quantity)
            part, is_whole = quantity.unit, quantity.value == int(quantity.value)
            continue
        added = math.copysign(
            right.value * factor(right.unit) / factor(left.unit), -1.0 if left.value < 0 or text[left.start] == "-" else 1.0
        )
        joined[-1] = left._replace(value=left.value + added, end=right.end)
        part, is_whole = right.unit, right.value == int(right.value)
    return joined


def is_clock(text: str, left: Quantity, right: Quantity) -> bool:
    """Say whether "2m 30s" is meant as a time: numbers and letters touch, and the seconds do not fill a minute."""
    touching = text[left.end - 2 : left.end - 1].isdigit() and text[right.end - 2 : right.end - 1].isdigit()
    return touching and text[left.end : right.start] in ("", " ") and left.value == int(left.value) and 0 <= right.value < 60
