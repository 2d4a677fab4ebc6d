"""Grade an answer of several numbers, in their order or in any. Pure."""

import re
from collections.abc import Sequence

from plumbline.grading.answer_targets import parse_numbers
from plumbline.grading.answer_zones import Cleaned, cleaned, zones
from plumbline.grading.numeric_target import Target, close, in_target_unit, quantities_in
from plumbline.grading.patterns import bounded
from plumbline.grading.quantities import Quantity
from plumbline.grading.read_grade import ReadGrade
from plumbline.grading.unit_names import Unit
from plumbline.rows.outcome import Outcome, Reading

# Separators of a list of numbers. A comma between digits is a separator only inside brackets: elsewhere "1,200" is one number.
BETWEEN = bounded(r"\s* (?: ; | , (?=\s) | \n+ | \\\\ | \\q?quad | \b and \b | \b or \b | \b und \b | 、 ) \s*", re.VERBOSE | re.IGNORECASE)
BETWEEN_IN_BRACKETS = bounded(rf"{BETWEEN.pattern} | \s* , \s*", re.VERBOSE | re.IGNORECASE)
BRACKETED = bounded(
    r"(?: \\ left \s* )? \\? [\[({] (?P<inside> [^\[\](){}]* ) (?: \\ right \s* )? \\? [\])}] (?P<after> [^\n]{0,40} )", re.VERBOSE
)
BARE = re.compile(r"\s*-?[\d.]+(?:,-?[\d.]+)+\s*\.?\s*")
THOUSANDS = re.compile(r"\d,\d{3}(?!\d)")
NAMED = re.compile(r"[A-Za-z_\\{}0-9' ]{1,30}?\s*[=≈]\s*(?=\S)")


PERCENT = Unit((("percent", 1),), 0)


def pieces(zone: str) -> list[str]:
    """The parts of a zone between separators."""
    bracketed = BRACKETED.search(zone)
    if bracketed and re.search(r"\d", bracketed["inside"]) and re.search(r"[,;]", bracketed["inside"]):
        parts = [part for part in BETWEEN_IN_BRACKETS.split(bracketed["inside"]) if part.strip()]
        # "[1, 2] m", "(1, 2) × 10^3": the text after the brackets applies to every number.
        return [f"{part} {bracketed['after']}" for part in parts]
    if BARE.fullmatch(zone) and not THOUSANDS.search(zone):
        return zone.split(",")
    return [part for part in BETWEEN.split(zone) if part.strip()]


def read_numbers(zone: str, goals: Sequence[Target]) -> list[Quantity] | None:
    """The quantities of a zone, one for each part that holds one; None if a part holds several or there are none."""
    found: list[Quantity] = []
    for part in pieces(zone):
        named = list(NAMED.finditer(part))
        begin = named[-1].end() if named else 0
        quantities = quantities_in(part[begin:], goals[0], at_start_asserted=True)
        if len(quantities) > 1:
            return None
        found += quantities
    return with_last_unit(found) if found else None


def with_last_unit(quantities: list[Quantity]) -> list[Quantity] | None:
    """Quantities that all have the unit after the last one, as in "100 and 200 cm"; None if some have a unit and some have none."""
    last, others = quantities[-1], quantities[:-1]
    bare = [quantity for quantity in others if quantity.unit is None and not quantity.unknown_unit]
    if last.unit is None or not bare:
        return quantities
    if len(bare) < len(others):
        return None
    shared = {"unit": last.unit, "other_unit": last.other_unit}
    return [*(quantity._replace(**shared) for quantity in others), last]


def grade_numbers(
    response: str,
    target: str,
    unit: str | None,
    *,
    in_order: bool,
    relative_tolerance: float = 0.05,
    absolute_tolerance: float | None = None,
) -> ReadGrade:
    """Grade a response against several numbers. Every number must be right, and their count must be right.

    ValueError for a target that is not a list of numbers, and for a 0 in it without absolute_tolerance.
    """
    goals = parse_numbers(target, unit)
    if absolute_tolerance is None and any(goal.value == 0 for goal in goals):
        raise ValueError(f"target {target!r}: 0 has no relative tolerance. Give absolute_tolerance, in {unit or 'the unit of the target'}.")
    read = cleaned(response)
    if read.own.is_cut:
        return ReadGrade(Outcome.UNPARSED, None, Reading.NONE, None, None, frozenset({"cut_while_thinking"}))
    found = best_zone(read, goals)
    if found is None:
        return ReadGrade(Outcome.UNPARSED, None, Reading.NONE, None, None)
    quantities, tier, span = found
    values = [in_target_unit(quantity, goals[0]) for quantity in quantities]
    flags = {"unit_missing"} if goals[0].unit is not None and all(quantity.unit is None for quantity in quantities) else set[str]()
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return ReadGrade(Outcome.INCORRECT, None, Reading.VALUE, span, tier, frozenset(flags | {"unit_mismatch"}))
    wanted = [goal.value for goal in goals]
    given, due = (known, wanted) if in_order else (sorted(known), sorted(wanted))
    if len(given) != len(due):
        flags.add("other_count")
    right = any(
        len(given) == len(due)
        and all(close(value / divisor, goal, relative_tolerance, absolute_tolerance or 0.0) for value, goal in zip(given, due, strict=True))
        for divisor in divisors(quantities, goals[0])
    )
    written = "; ".join(f"{value:.12g}" for value in known)
    return ReadGrade(Outcome.CORRECT if right else Outcome.INCORRECT, written, Reading.VALUE, span, tier, frozenset(flags))


def divisors(quantities: Sequence[Quantity], goal: Target) -> tuple[float, ...]:
    """Numbers by which the values may be divided: without a unit, the target may be a fraction or a percentage."""
    is_percent = goal.open_unit and all(quantity.unit == PERCENT for quantity in quantities)
    return (1.0, 100.0) if is_percent else (1.0,)


Found = tuple[list[Quantity], str, tuple[int, int] | None]


def best_zone(read: Cleaned, goals: Sequence[Target]) -> Found | None:
    """The numbers of the place that counts most. If several boxes hold one number each, all of them."""
    lone: list[tuple[int, Quantity]] = []
    for zone in zones(read, to_line_end=True):
        if zone.tier == "whole" and len(read.text) > 200:
            continue
        quantities = read_numbers(zone.text, goals)
        if quantities is None:
            continue
        if zone.tier == "boxed" and zone.start is not None and len(quantities) == 1 and len(goals) > 1:
            lone.append((zone.start, quantities[0]))
            continue
        if lone:
            break
        return quantities, zone.tier, None if zone.start is None else read.span(zone.start, zone.start + len(zone.text))
    if not lone:
        return None
    # As many boxes as numbers, from the end: earlier boxes hold intermediate steps.
    ordered = sorted(lone, key=lambda one: one[0])[-len(goals) :]
    return [quantity for _, quantity in ordered], "boxed", read.span(ordered[0][0], ordered[-1][0] + 1)
