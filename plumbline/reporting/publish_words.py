"""The sentence of a requirement for publishing: what was found, and what is missing. Pure."""

import math

from plumbline.number_text import signed
from plumbline.reporting.ledger import KIND_NAMES
from plumbline.reporting.words import arm_words, p_words
from plumbline.rows.arms import Pair
from plumbline.rows.question import Kind
from plumbline.statistics import SIGNIFICANCE, Comparison, Verdict

Z_POWER = 0.8416
"""Normal quantile of four times in five."""
Z_BOUND = 1.96


def in_points(fraction: float, *, sign: bool = False) -> str:
    """A fraction in points with one digit, so that a bound and the margin that it misses never look the same."""
    text = signed(100 * fraction, 1).removesuffix(".0")
    return text if sign else text.removeprefix("+")


def kind_sentence(
    kind: Kind,
    pair: Pair,
    verdict: Verdict,
    margin: float | None,
    value: float,
    ci95: tuple[float, float],
    p_value: float,
    comparison: Comparison,
    who: str,
    floor: float = 0.0,
) -> str:
    """The verdict on one kind, with what is missing if it is not what is required."""
    first, second, name = arm_words(pair[0]), arm_words(pair[1]), KIND_NAMES[kind]
    amount = f"{in_points(value, sign=True)} points [{in_points(ci95[0])}, {in_points(ci95[1])}]{who}, n = {comparison.n}"
    if verdict is Verdict.BETTER:
        return f"On {name} {second} is better than {first}: {amount}."
    if verdict is Verdict.NOT_WORSE:
        assert margin is not None
        but = " It is worse, but by less than that." if ci95[1] < 0 else ""
        return f"On {name} {second} is not worse than {first} by {in_points(margin)} points or more: {amount}.{but}"
    said = (
        f"On {name} {second} is worse than {first}: {amount}."
        if verdict is Verdict.WORSE
        else f"On {name} there is not enough evidence that {second} is {'better' if margin is None else 'not worse'} than {first}: {amount}."
    )
    if margin is not None:
        said += f" It may have lost {in_points(-ci95[0])} points, but less than {in_points(margin)} is allowed: {in_points(-ci95[0] - margin)} too many."
        needed = questions_needed(comparison, margin)
        return (
            said
            if verdict is Verdict.WORSE
            else f"{said} If the two are equally good, about {needed:,} questions like these would show it."
        )
    if ci95[0] > 0 and abs(value) <= floor:
        return f"{said} Asked again in other batches, the same model may move by up to {in_points(floor)} points, and the difference must be larger."
    if ci95[0] > 0:
        return f"{said} The interval lies above 0, but the p value, adjusted for all tests of the report, is {p_words(p_value)} and not below {SIGNIFICANCE:g}."
    if verdict is Verdict.WORSE:
        return said
    could = comparison.minimum_detectable_effect
    resolved = f" This many questions could have shown {in_points(could)} points." if could < 1 else ""
    return f"{said} The interval must lie above 0, and its lower bound is {in_points(-ci95[0])} points too low.{resolved}"


def questions_needed(comparison: Comparison, margin: float) -> int:
    """How many such questions would show two equal arms alike four times in five; two digits, never below n.

    The reach of the interval shrinks as the root of n. Source: the usual sample size of non-inferiority, (z_bound + z_power)^2 var / margin^2.
    """
    reach = comparison.delta - comparison.ci95[0]
    needed = comparison.n * (reach * (Z_BOUND + Z_POWER) / Z_BOUND / margin) ** 2
    scale = 10.0 ** max(0, math.floor(math.log10(max(needed, 1))) - 1)
    return max(comparison.n, round(math.ceil(needed / scale) * scale))
