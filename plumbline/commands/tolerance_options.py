"""The tolerances of a numeric answer as options of a command. Pure."""

import math

import click


def fraction(_: click.Context, __: click.Parameter, value: float) -> float:
    """A fraction of the target. BadParameter if it is a percentage or not a fraction."""
    if not 0 <= value < 1:
        raise click.BadParameter(f"{value:g} is not a fraction of the target. Give a number from 0 to below 1; 0.05 is 5 percent.")
    return value


def distance(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """A distance from the target. BadParameter if it is negative or not a finite number."""
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise click.BadParameter(f"{value:g} is not a distance from the target. Give a number of at least 0, in the unit of the target.")
    return value
