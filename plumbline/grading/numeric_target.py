"""Read a numeric target, and compare values with it in its unit. Pure."""

import math
import re
from typing import NamedTuple

from plumbline.grading.glyphs import tidy
from plumbline.grading.number_tokens import read_number
from plumbline.grading.quantities import Quantity
from plumbline.grading.unit_names import DIMENSIONLESS_WORDS, Unit
from plumbline.grading.unit_notation import parse_unit
from plumbline.grading.units import convert
from plumbline.rows.question import Question


class Target(NamedTuple):
    """What is asked for."""

    value: float
    unit: Unit | None
    unknown_unit: bool
    """The unit is given but not on the whitelist: dimensions cannot be checked."""
    open_unit: bool
    """No unit is given, so that a unit in the answer is neither right nor wrong."""


def parse_target(target: str, unit: str | None) -> Target:
    """Read the target as written. ValueError where it is no number, or carries another unit than the one given."""
    text = tidy(target.strip())
    bare = text.strip("$ \t\n")
    bare = re.sub(r"^\\[(\[]|\\[)\]]$", "", bare).strip()
    number = read_number(bare, 0)
    if number is None or not math.isfinite(number.value):
        raise ValueError(
            f"target {target!r}: not a number; write it as 12.5, 6.63e-34, 6.63 \\times 10^{{-34}} or 1{{,}}000, its unit apart."
        )
    rest = bare[number.end :].strip(" $~{}")
    written = tidy(unit.strip()) if unit is not None else ""
    if rest and not written:
        written = rest
    elif rest and parse_unit(rest) != parse_unit(written):
        raise ValueError(f"target {target!r}: {rest!r} after the number is not the unit {unit!r}; give the number alone.")
    if unit is None and not rest:
        return Target(number.value, None, False, True)
    if written.lower() in DIMENSIONLESS_WORDS:
        return Target(number.value, None, False, False)
    parsed = parse_unit(written)
    return Target(number.value, parsed, parsed is None, False)


def needs_absolute_tolerance(question: Question) -> bool:
    """Whether the target is 0, which no fraction of it bounds."""
    return question.kind == "numeric" and parse_target(question.target, question.unit).value == 0


def in_target_unit(quantity: Quantity, target: Target) -> float | None:
    """Return the value in the target's unit; None where the dimensions differ. A missing unit is taken to be the target's."""
    if quantity.unit is None or target.unknown_unit:
        return quantity.value
    if target.unit is None:
        if target.open_unit:
            return quantity.value
        return convert(quantity.value, quantity.unit, Unit((("fraction", 1),), 0))
    return convert(quantity.value, quantity.unit, target.unit)


def fits(quantity: Quantity, target: Target) -> bool:
    """Say whether the quantity carries a unit of the target's dimension."""
    return target.unit is not None and quantity.unit is not None and in_target_unit(quantity, target) is not None


def close(value: float, goal: float, relative: float, absolute: float) -> bool:
    """Say whether a value is within tolerance; a hair is allowed for the rounding of binary numbers."""
    return abs(value - goal) <= max(relative * abs(goal), absolute) * (1 + 1e-9)


def agree(one: Quantity, other: Quantity, target: Target, relative: float) -> bool:
    """Say whether two statements give the same value, up to tolerance."""
    first, second = in_target_unit(one, target), in_target_unit(other, target)
    if target.open_unit and one.unit and other.unit:
        converted = convert(one.value, one.unit, other.unit)
        first, second = (converted, other.value) if converted is not None else (one.value, other.value)
    if first is None or second is None:
        return False
    return abs(first - second) <= relative * max(abs(first), abs(second)) + 1e-300
