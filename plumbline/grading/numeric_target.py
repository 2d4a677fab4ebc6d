"""Read a numeric target, and compare values with it, in its unit. Pure."""

import math
import re
from typing import NamedTuple

from plumbline.grading.decimals import read_decimal
from plumbline.grading.glyphs import tidy
from plumbline.grading.number_tokens import read_number
from plumbline.grading.quantities import Quantity, find_quantities
from plumbline.grading.unit_names import DIMENSIONLESS_WORDS, Unit, single
from plumbline.grading.unit_notation import parse_unit
from plumbline.grading.units import convert

CELSIUS, FAHRENHEIT, KELVIN = single("celsius"), single("fahrenheit"), single("kelvin")
BARE_DEGREES = {single("coulomb"): CELSIUS, single("farad"): FAHRENHEIT}
TEMPERATURES = frozenset({CELSIUS, FAHRENHEIT, KELVIN})


class Target(NamedTuple):
    """The number and unit that a question asks for."""

    value: float
    unit: Unit | None
    open_unit: bool
    """No unit is given, so that a unit in the answer is neither right nor wrong."""
    shift: int = 0
    """The power of ten before the unit (-12 for 10^-12 m), already in the unit."""


def parse_target(target: str, unit: str | None) -> Target:
    """Read the target as written. ValueError if it is not a number, has another unit than the given one, or a unit that cannot be read."""
    text = tidy(target.strip())
    bare = text.strip("$ \t\n")
    bare = re.sub(r"^\\[(\[]|\\[)\]]$", "", bare).strip()
    number = read_number(bare, 0)
    if number is None or not math.isfinite(number.value):
        raise ValueError(
            f"target {target!r}: not a number. Write it as 12.5, 6.63e-34, 6.63 \\times 10^{{-34}} or 1{{,}}000, and its unit under unit."
        )
    rest = bare[number.end :].strip(" $~{}")
    written = tidy(unit.strip()) if unit is not None else ""
    if rest and not written:
        written = rest
    elif rest and parse_unit(rest) != parse_unit(written):
        raise ValueError(f"target {target!r}: {rest!r} after the number is not the unit {unit!r}. Give only the number.")
    if unit is None and not rest:
        return Target(number.value, None, True)
    if written.strip("$ ~{}").lower() in DIMENSIONLESS_WORDS:
        return Target(number.value, None, False)
    shift, bare_unit = power_before(written)
    parsed = Unit.of({"fraction": 1}, 0) if shift and bare_unit.lower() in DIMENSIONLESS_WORDS else parse_unit(bare_unit)
    if parsed is None and rest and written == rest:
        raise ValueError(
            f"target {target!r}: more than a number, and {rest!r} is not a unit that can be read. "
            "Give only the number, and its unit under unit."
        )
    if parsed is None:
        raise ValueError(
            f"unit {written!r} of target {target!r}: not a unit that can be read. Write it in symbols like m/s^2, J/(kg K) or 10^-12 m. "
            'Give "" if the target has no unit, and none (null) if any unit is accepted.'
        )
    return Target(number.value, parsed._replace(exponent10=parsed.exponent10 + shift), False, shift)


def power_before(unit: str) -> tuple[int, str]:
    r"""Split the power of ten from a unit: 10^{-12} m, \times 10^5 Pa, 1e-3 mol, 100 km. With any other number, the unit cannot be read."""
    bare = re.sub(r"^(?:\\[(\[]|[\s$~(*×·]|\\times|\\cdot|x(?=\s?10))+", "", unit)
    number = read_decimal(bare, 0)
    if number is None or number.value <= 0:
        return 0, unit
    shift = round(math.log10(number.value))
    if not math.isclose(number.value, 10.0**shift, rel_tol=1e-12):
        return 0, unit
    rest = re.sub(r"\\[)\]]$", "", bare[number.end :].strip()).strip("$ ~)")
    return shift, re.sub(r"^(?:\\[,;:! ]|\\times|\\cdot|[\s~$*×·])+", "", rest)


def in_target_unit(quantity: Quantity, target: Target) -> float | None:
    """Return the value in the target's unit; None if the dimensions differ. A missing unit counts as the target's."""
    if quantity.unit is None:
        return quantity.value
    if target.unit is None:
        if target.open_unit:
            return quantity.value
        return convert(quantity.value, quantity.unit, Unit((("fraction", 1),), 0))
    value = convert(quantity.value, quantity.unit, target.unit)
    if value is None and quantity.other_unit is not None:
        value = convert(quantity.value, quantity.other_unit, target.unit)
    if value is None and quantity.unit in BARE_DEGREES and target.unit in TEMPERATURES:
        # "25 C" for a temperature never means coulombs.
        value = convert(quantity.value, BARE_DEGREES[quantity.unit], target.unit)
    return value


def quantities_in(text: str, target: Target, *, at_start_asserted: bool = False) -> list[Quantity]:
    """Return the quantities of a text. Letters that may be symbols of a formula are a unit only if the question asks for that unit."""
    found = find_quantities(text, at_start_asserted=at_start_asserted)
    return [quantity for quantity in found if not quantity.symbolic or fits(quantity, target)]


def fits(quantity: Quantity, target: Target) -> bool:
    """Say whether the quantity has a unit of the target's dimension."""
    return target.unit is not None and quantity.unit is not None and in_target_unit(quantity, target) is not None


def close(value: float, goal: float, relative: float, absolute: float) -> bool:
    """Say whether a value is within tolerance. A tiny margin allows for the rounding of binary numbers."""
    return abs(value - goal) <= max(relative * abs(goal), absolute) * (1 + 1e-9)


def agree(one: Quantity, other: Quantity, target: Target, relative: float) -> bool:
    """Say whether two statements give the same value, within tolerance."""
    first, second = in_target_unit(one, target), in_target_unit(other, target)
    if target.open_unit and one.unit and other.unit:
        converted = convert(one.value, one.unit, other.unit)
        first, second = (converted, other.value) if converted is not None else (one.value, other.value)
    if first is None or second is None:
        return False
    return abs(first - second) <= relative * max(abs(first), abs(second)) + 1e-300
