"""Grade a numeric answer by rule: find the value it commits to, convert it to the target's unit, compare. Pure."""

import math
import re
from enum import StrEnum
from typing import NamedTuple

from plumbline.grading.answer_phrases import ABSTENTION, retracted
from plumbline.grading.answer_regions import without_givens
from plumbline.grading.glyphs import tidy
from plumbline.grading.json_answers import read_json
from plumbline.grading.markup import without_markup
from plumbline.grading.numeric_conclusion import concluded, fallback
from plumbline.grading.numeric_statements import Candidate, NumericTier, explicit, whole
from plumbline.grading.numeric_target import Target, close, in_target_unit, parse_target
from plumbline.grading.own_text import own_answer
from plumbline.grading.patterns import bounded
from plumbline.grading.quantities import Quantity
from plumbline.grading.unit_names import Unit
from plumbline.grading.unit_notation import parse_unit
from plumbline.grading.units import factor
from plumbline.rows.outcome import Outcome, Reading

PERCENT = Unit((("percent", 1),), 0)


class NumericFlag(StrEnum):
    """Flags of one numeric answer."""

    UNIT_MISSING = "unit_missing"
    UNIT_MISMATCH = "unit_mismatch"
    """The unit of the answer measures something else."""
    UNIT_UNKNOWN = "unit_unknown"
    """The unit of the answer is not one that we know."""
    PREFIX_ERROR = "prefix_error"
    """The number is right, and only the prefix of its unit is wrong."""
    POWER_OF_TEN = "power_of_ten"
    """The value is right except for its decimal point."""
    CONFLICT = "conflict"
    """The answer states several values."""
    RANGE = "range"
    JSON_WRAPPED = "json_wrapped"
    CUT_WHILE_THINKING = "cut_while_thinking"
    """The response ends before its thinking does."""


class NumericGrade(NamedTuple):
    """The verdict on one numeric answer."""

    outcome: Outcome
    extracted: float | None
    """The value in the target's unit; None if nothing was read or it cannot be converted."""
    flags: frozenset[NumericFlag]
    reading: Reading
    span: tuple[int, int] | None
    """[start, end) in the response; None if nothing was read, or it is inside escaped JSON."""
    tier: NumericTier | None
    """The rule that read it."""

    @property
    def extracted_text(self) -> str | None:
        """The value as a record holds it."""
        return None if self.extracted is None else f"{self.extracted:.12g}"


def find_candidate(text: str, target: Target, relative: float) -> Candidate | None:
    """Return the statement that counts, by tier; None if the text states nothing."""
    bare = whole(text, target, relative)
    if bare:
        return bare
    statement = explicit(text, target, relative)
    if statement:
        place = statement.values[-1].end if statement.values else statement.place
        if statement.values and retracted(text, place, len(text)):
            after = concluded(text[:place] and " " * place + text[place:], target, relative)
            if after and after.values:
                return after
        tail = text[place:]
        if statement.values and ABSTENTION.search(tail) and not CONCLUSION_AFTER.search(tail):
            return Candidate((), statement.tier, statement.place)
        return statement
    text = without_givens(text)
    return concluded(text, target, relative) or fallback(text, target)


CONCLUSION_AFTER = bounded(r"\b(?:answer|therefore|thus|hence)\b", re.IGNORECASE)


def find_in_json(response: str, target: Target, relative: float) -> Candidate | None:
    """Read a response in JSON: answer keys first, then a single numeric leaf, then its text as prose."""
    wrapped = read_json(response)
    if wrapped is None:
        return None
    unit_leaf = next((value for key, value in wrapped.leaves if key.strip().lower() in ("unit", "units")), None)
    for value in wrapped.answers:
        candidate = find_candidate(tidy(without_markup(own_answer(value).text)), target, relative)
        if candidate and candidate.values:
            return with_unit_leaf(candidate, unit_leaf)._replace(tier=NumericTier.JSON)
    bare = [whole(value, target, relative) for _, value in wrapped.leaves]
    numeric = [candidate for candidate in bare if candidate]
    if len(numeric) == 1 and len([1 for _, value in wrapped.leaves if len(value) > 60]) == 0:
        return with_unit_leaf(numeric[0], unit_leaf)._replace(tier=NumericTier.JSON)
    prose = "\n".join(value for _, value in wrapped.leaves if " " in value.strip())
    candidate = find_candidate(tidy(without_markup(own_answer(prose).text)), target, relative) if prose else None
    return candidate._replace(tier=NumericTier.JSON) if candidate else Candidate((), NumericTier.JSON, 0)


def with_unit_leaf(candidate: Candidate, unit_leaf: str | None) -> Candidate:
    """Give a bare number the unit from its separate key."""
    unit = parse_unit(unit_leaf) if unit_leaf else None
    if unit is None:
        return candidate
    return candidate._replace(values=tuple(value if value.unit else value._replace(unit=unit) for value in candidate.values))


def is_power_of_ten(value: float, goal: float, relative: float) -> bool:
    """Say whether a wrong value would be right with its decimal point at another place."""
    if value == 0 or goal == 0 or value / goal <= 0:
        return False
    shift = round(math.log10(value / goal))
    return shift != 0 and abs(shift) <= 300 and close(value / 10.0**shift, goal, relative, 0.0)


def differs_by_prefix(quantity: Quantity, target: Target, relative: float) -> bool:
    """Say whether the number is right and only the prefix of its unit is wrong."""
    if quantity.unit is None or target.unit is None or not close(quantity.value, target.value, relative, 0.0):
        return False
    ratio = factor(quantity.unit) / factor(target.unit)
    shift = math.log10(ratio)
    return abs(shift - round(shift)) < 1e-6 and round(shift) != 0


def grade_numeric(
    response: str, target: str, unit: str | None, *, relative_tolerance: float = 0.05, absolute_tolerance: float | None = None
) -> NumericGrade:
    """Grade a response against a target number.

    target: as written (LaTeX, e-notation, thousands). unit: as written; None if it is not known, "" if the target has
    none. A value is right within relative_tolerance (a fraction) of the target or, if absolute_tolerance is given, within
    that (in the target's unit). Raises ValueError for a target that is not a number, for a unit that cannot be read, and
    for 0 without absolute_tolerance: only 0 itself would be within a fraction of 0.
    """
    goal = parse_target(target, unit)
    if goal.value == 0 and absolute_tolerance is None:
        raise ValueError(f"target {target!r}: 0 has no relative tolerance. Give absolute_tolerance, in {unit or 'the unit of the target'}.")
    flags: set[NumericFlag] = set()
    own = own_answer(response)
    if own.is_cut:
        return NumericGrade(Outcome.UNPARSED, None, frozenset({NumericFlag.CUT_WHILE_THINKING}), Reading.NONE, None, None)
    text = tidy(without_markup(own.text))
    candidate = find_in_json(tidy(own.text), goal, relative_tolerance)
    if candidate is not None:
        flags.add(NumericFlag.JSON_WRAPPED)
    else:
        candidate = find_candidate(text, goal, relative_tolerance)
    if candidate is None or not candidate.values:
        return NumericGrade(Outcome.UNPARSED, None, frozenset(flags), Reading.NONE, None, None if candidate is None else candidate.tier)
    quantity = candidate.values[-1]
    span = None if NumericFlag.JSON_WRAPPED in flags else own.span(quantity.start, quantity.end)
    if len(candidate.values) > 1:
        return NumericGrade(Outcome.UNPARSED, None, frozenset(flags | {NumericFlag.CONFLICT}), Reading.CONFLICT, span, candidate.tier)
    if quantity.half_width is not None:
        flags.add(NumericFlag.RANGE)
        if quantity.half_width > relative_tolerance * abs(quantity.value):
            return NumericGrade(Outcome.UNPARSED, None, frozenset(flags), Reading.MULTIPLE, span, candidate.tier)
    return verdict(quantity, goal, flags, span, candidate.tier, relative_tolerance, absolute_tolerance or 0.0)


def verdict(
    quantity: Quantity,
    goal: Target,
    flags: set[NumericFlag],
    span: tuple[int, int] | None,
    tier: NumericTier,
    relative: float,
    absolute: float,
) -> NumericGrade:
    """Convert and compare the one value that was read."""
    if quantity.unknown_unit and goal.unit is not None:
        flags.add(NumericFlag.UNIT_UNKNOWN)
    if goal.unit is not None and quantity.unit is None:
        flags.add(NumericFlag.UNIT_MISSING)
    value = in_target_unit(quantity, goal)
    if value is None or not math.isfinite(value):
        return NumericGrade(Outcome.INCORRECT, None, frozenset(flags | {NumericFlag.UNIT_MISMATCH}), Reading.VALUE, span, tier)
    right = close(value, goal.value, relative, absolute)
    if not right and goal.open_unit and quantity.unit == PERCENT and close(value / 100, goal.value, relative, absolute):
        # Without a unit, the target may be a fraction or a percentage.
        value, right = value / 100, True
    if not right and goal.open_unit and quantity.unit is None and close(value / quantity.scale, goal.value, relative, absolute):
        # The target may be given "in billions".
        value, right = value / quantity.scale, True
    if not right and goal.shift and quantity.unit is None and close(value / 10.0**goal.shift, goal.value, relative, absolute):
        # For 4.5 in 10^-12 m, "4.5 × 10^-12" without a unit is in metres.
        value, right = value / 10.0**goal.shift, True
    if not right:
        if is_power_of_ten(value, goal.value, relative):
            flags.add(NumericFlag.POWER_OF_TEN)
        if differs_by_prefix(quantity, goal, relative):
            flags.add(NumericFlag.PREFIX_ERROR)
    return NumericGrade(Outcome.CORRECT if right else Outcome.INCORRECT, value, frozenset(flags), Reading.VALUE, span, tier)
