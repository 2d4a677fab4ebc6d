"""Convert values between units with pint, after a whitelist of names. Pure.

pint never sees free text: unit_names looks up each name first, because pint reads "H.P." as henry poise, "ms^-2" as per
square millisecond and "5 units" as micro-nits. Its registry holds only our definitions, which load in milliseconds; its
own file takes half a second. An angle is a dimension here, so that turns and hertz convert to radians per second. If one
side does not write it (N m/rad, s^-1), it is dropped.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from plumbline.grading.unit_definitions import DEFINITIONS, TEMPERATURE_OFFSETS
from plumbline.grading.unit_names import Unit

if TYPE_CHECKING:
    from pint import UnitRegistry


@lru_cache(maxsize=1)
def registry() -> "UnitRegistry[Any]":
    """Return a pint registry that knows only our definitions.

    pint is imported at the first conversion: it takes as long to import as everything else in a light stage.
    """
    from pint import UnitRegistry

    units: UnitRegistry[Any] = UnitRegistry(None)  # pyright: ignore[reportArgumentType]
    for line in DEFINITIONS.strip().splitlines():
        units.define(line)
    return units


@lru_cache(maxsize=4096)
def dimensions(powers: tuple[tuple[str, int], ...]) -> tuple[float, tuple[tuple[str, float], ...]]:
    """Return (factor to base units, dimension) of a product of units, by pint."""
    product: Any = registry().Quantity(1.0, "")
    for name, power in powers:
        known = "kelvin" if name in TEMPERATURE_OFFSETS else name
        product = product * registry().Quantity(TEMPERATURE_OFFSETS[name][0] if name in TEMPERATURE_OFFSETS else 1.0, known) ** power
    base = product.to_base_units()
    return float(base.magnitude), tuple(sorted((str(name), float(power)) for name, power in base.dimensionality.items()))


def factor(unit: Unit) -> float:
    """Return the size of the unit in base units."""
    return dimensions(unit.powers)[0] * 10.0**unit.exponent10


def without_angle(unit: Unit) -> tuple[tuple[str, float], ...]:
    """Return the dimension of the unit, without angles."""
    return tuple(pair for pair in dimensions(unit.powers)[1] if pair[0] != "[angle]")


def has_angle(unit: Unit) -> bool:
    """Say whether the unit counts radians, degrees, turns or hertz."""
    return any(name == "[angle]" for name, _ in dimensions(unit.powers)[1])


def drop_angle(unit: Unit) -> Unit:
    """Return the unit with turns as plain numbers: hertz as 1/s, revolutions as 1."""
    swapped = {"hertz": ("second", -1), "turn": ("fraction", 1), "radian": ("fraction", 1)}
    powers: dict[str, int] = {}
    for name, power in unit.powers:
        target, sign = swapped.get(name, (name, 1))
        powers[target] = powers.get(target, 0) + sign * power
    return Unit.of(powers, unit.exponent10)


def same_dimension(one: Unit, other: Unit) -> bool:
    """Say whether values in one unit can be converted to the other."""
    return without_angle(one) == without_angle(other)


def convert(value: float, source: Unit, target: Unit) -> float | None:
    """Return the value in the target unit; None if the dimensions differ."""
    if not same_dimension(source, target):
        return None
    if has_angle(source) != has_angle(target):
        source, target = drop_angle(source), drop_angle(target)
    scale, offset = temperature(source)
    absolute = value * factor(source) if offset is None else value * scale + offset
    scale, offset = temperature(target)
    return absolute / factor(target) if offset is None else (absolute - offset) / scale


def temperature(unit: Unit) -> tuple[float, float | None]:
    """Return (scale, offset) of a bare degree Celsius or Fahrenheit; (1, None) for every other unit."""
    if len(unit.powers) == 1 and unit.powers[0][1] == 1 and unit.powers[0][0] in TEMPERATURE_OFFSETS:
        return TEMPERATURE_OFFSETS[unit.powers[0][0]]
    return 1.0, None
