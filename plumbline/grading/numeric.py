"""Grade a numeric answer by rule: find the value it commits to, convert it to the target's unit, compare. Pure."""

import math
import re
from enum import StrEnum
from typing import NamedTuple

from plumbline.grading.answer_regions import (
    ABSTENTION,
    CONCLUSION,
    boxes,
    declarations,
    own_answer,
    read_json,
    retracted,
    sentences,
    without_givens,
)
from plumbline.grading.number_tokens import read_number, tidy
from plumbline.grading.patterns import bounded
from plumbline.grading.quantities import Quantity, find_quantities, word_quantity
from plumbline.grading.units import DIMENSIONLESS_WORDS, Unit, convert, factor, parse_unit
from plumbline.rows.outcome import Outcome, Reading

# How far back an undeclared answer is looked for, and how much of one sentence is read.
MAX_CONCLUSION_CHARACTERS = 5_000
MAX_SENTENCE_CHARACTERS = 1_000
PERCENT = Unit((("percent", 1),), 0)
SUBORDINATE = bounded(
    r"""
    (?: \s | , | ; | \( )
    (?:
          when
        | if
        | where
        | because
        | since
        | as
        | given
        | for
        | with
        | using
        | assuming
        | while
        | whereas
        | from
        | rounded
        | correct
        | to \s+ \w+ \s+ (?: significant | decimal )
    )
    \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
ALTERNATIVE = bounded(
    r"""
    ^ [\s,;$)}\]]* (?:\\text \{)? \s* (?: or | and ) \b [\s}]*
    (?:
          it \s+ (?: is | could \s+ be ) \s+
        | \\? [A-Za-z] \w{0,4} \s* (?: = | ≈ ) \s*
        | about \s+
        | approximately \s+
        | possibly \s+
        | maybe \s+
        | perhaps \s+
        | [$(\\{]*
    )*
    $
    """,
    re.IGNORECASE | re.VERBOSE,
)
LIST = bounded(r"^[\s$}]{0,6}[,;][\s${]{0,6}(?:\\?[A-Za-z]\w{0,4}\s*(?:=|≈)\s*)?$")
# "with m = 3 kg": a given, not a finding.
GIVEN = bounded(
    r"""
    \b
    (?: with | where | given (?:\s+ that)? | let | assuming | taking | if | when )
    \s+ (?: the \s+ | a \s+ )? [\w\\{}_ ]{1,20} (?: = | \b is \b | \b of \b ) \s* \$? $
    """,
    re.IGNORECASE | re.VERBOSE,
)
NEGATED = bounded(r"^(?:not\b|n['’]t\b|neither\b)", re.IGNORECASE)
HYPOTHETICAL = bounded(
    r"""
    \b (?: the | an? | your | my | our | this ) \s+ (?:final \s+)? answer \s+
    (?: should | must | will | is \s+ to ) \s+ be \s+
    (?: a | an | in | non | positive | negative | given | expressed | rounded | correct | reported )
    """,
    re.IGNORECASE | re.VERBOSE,
)


class NumericTier(StrEnum):
    """Which rule read a value."""

    WHOLE = "whole"
    """The response is nothing but a quantity."""
    LEADING = "leading"
    """Its first line or sentence is."""
    JSON = "json"
    BOXED = "boxed"
    DECLARED = "declared"
    """ "The answer is 12 N"."""
    CONCLUDED = "concluded"
    """Stated in one of the last sentences."""
    DIMENSION = "dimension"
    """The last quantity of the target's dimension in the last sentence."""
    ONLY = "only"
    """The only number of a response of one sentence."""


class NumericFlag(StrEnum):
    """What is worth knowing about one numeric answer."""

    UNIT_MISSING = "unit_missing"
    UNIT_MISMATCH = "unit_mismatch"
    """The unit of the answer measures something else."""
    UNIT_UNKNOWN = "unit_unknown"
    """The unit of the answer or of the target is not one that we know."""
    PREFIX_ERROR = "prefix_error"
    """The number is right, and only the prefix of its unit is wrong."""
    POWER_OF_TEN = "power_of_ten"
    """The value is right but for its decimal point."""
    CONFLICT = "conflict"
    """The answer states several values."""
    RANGE = "range"
    JSON_WRAPPED = "json_wrapped"


class NumericGrade(NamedTuple):
    """The verdict on one numeric answer."""

    outcome: Outcome
    extracted: float | None
    """In the target's unit; None where nothing was read or it cannot be converted."""
    flags: frozenset[NumericFlag]
    reading: Reading
    span: tuple[int, int] | None
    """[start, end) in the response; None where nothing was read, or where it stands in escaped JSON."""
    tier: NumericTier | None
    """Which rule read it."""


class Target(NamedTuple):
    """What is asked for."""

    value: float
    unit: Unit | None
    unknown_unit: bool
    """The unit is given but not on the whitelist: dimensions cannot be checked."""
    open_unit: bool
    """No unit is given, so that a unit in the answer is neither right nor wrong."""


class Candidate(NamedTuple):
    """One statement of a final value."""

    values: tuple[Quantity, ...]
    """More than one: alternatives that the statement does not decide between."""
    tier: NumericTier
    place: int
    """Where the statement starts in the analysed text."""


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


def choose(
    text: str, quantities: list[Quantity], target: Target, relative: float, *, declared: bool, stated_only: bool = False
) -> tuple[Quantity, ...]:
    """Return the value that a statement makes: one quantity, several undecided ones, or none."""
    stated = [quantity for quantity in quantities if quantity.asserted]
    if target.unit is not None:
        stated = [
            quantity
            for quantity in stated
            if fits(quantity, target) or not GIVEN.search(text[max(0, quantity.start - 60) : quantity.start])
        ]
    if stated:
        # "is 12 N when the mass is 3 kg": what follows the subordinate clause was given, not found.
        first = next((quantity for quantity in stated if fits(quantity, target)), stated[0])
        cut = SUBORDINATE.search(text, first.end)
        stated = [quantity for quantity in stated if quantity.start <= first.start or cut is None or quantity.start < cut.start()]
        chosen = [quantity for quantity in stated if fits(quantity, target)] or stated
        last = chosen[-1]
    elif stated_only or not quantities:
        return ()
    elif declared:
        last = next((quantity for quantity in reversed(quantities) if fits(quantity, target)), quantities[-1])
    else:
        fitting = [quantity for quantity in quantities if fits(quantity, target)]
        if not fitting and len(quantities) > 1:
            return ()
        last = (fitting or quantities)[-1]
    return with_alternatives(text, quantities, last, target, relative)


def with_alternatives(text: str, quantities: list[Quantity], chosen: Quantity, target: Target, relative: float) -> tuple[Quantity, ...]:
    """Add the quantities that are joined to the chosen one by "or", "and" or a comma, where they differ from it."""
    place = quantities.index(chosen)
    others: list[Quantity] = []
    for step in (-1, 1):
        here = place
        while 0 <= here + step < len(quantities):
            left, right = sorted((quantities[here], quantities[here + step]), key=lambda quantity: quantity.start)
            gap = text[left.end : right.start]
            joined = ALTERNATIVE.match(gap) or LIST.match(gap)
            if not joined or (
                target.unit is not None and quantities[here + step].unit is not None and not fits(quantities[here + step], target)
            ):
                break
            here += step
            others.append(quantities[here])
    differing = [other for other in others if not agree(other, chosen, target, relative)]
    return (*differing, chosen)


def whole(text: str, target: Target, relative: float) -> Candidate | None:
    """Read a response that is nothing but a quantity."""
    line = text.strip()
    if not line or len(line) > 200:
        return None
    opening = len(text) - len(text.lstrip())
    quantities = find_quantities(text, at_start_asserted=True)
    if quantities and quantities[0].asserted:
        first, last = quantities[0], quantities[-1]
        before = re.sub(r"[\s$*_`\"'({\[≈~]|\\[(\[,]|\\approx|about|approximately|approx\.?", "", text[opening : first.start])
        after = re.sub(r"[\s$*_`\"')}\].]|\\[)\],]", "", text[last.end :])
        if not before and not after:
            values = with_alternatives(text, quantities, last, target, relative)
            if len(values) == len(quantities) or len(quantities) == 1:
                return Candidate(values, NumericTier.WHOLE, opening)
    word = word_quantity(text)
    if word and not text[word.end :].strip(" .\n"):
        return Candidate((word,), NumericTier.WHOLE, opening)
    return None


def leading(text: str, target: Target, relative: float) -> list[Candidate]:
    """Read a first line or sentence that is nothing but a quantity: the answer first, its explanation after."""
    first = next(sentences(text), None)
    if first is None or not text[first[1] :].strip():
        return []
    candidate = whole(text[: first[1]], target, relative)
    # "1." opens a list.
    if candidate is None or (candidate.values[-1].unit is None and not text[: first[1]].endswith("\n")):
        return []
    return [candidate._replace(tier=NumericTier.LEADING)]


def boxed(text: str, target: Target, relative: float) -> list[Candidate]:
    """Read every box. One that holds no number is a candidate too: the response commits to something that is none."""
    found: list[Candidate] = []
    for start, inner, close_at, end in boxes(text):
        content = text[inner:close_at]
        quantities = find_quantities(content, at_start_asserted=True)
        moved = [quantity._replace(start=quantity.start + inner, end=quantity.end + inner) for quantity in quantities]
        if len(moved) == 1 and moved[0].unit is None and not content[quantities[0].end :].strip(" $}"):
            # \boxed{5} \times 10^3 N: the rest of the quantity stands outside.
            outside = find_quantities(content + text[end : end + 80], at_start_asserted=True)
            if outside and outside[0].start == quantities[0].start:
                moved = [outside[0]._replace(start=moved[0].start, end=end + max(0, outside[0].end - len(content)))]
            else:
                moved = [] if re.match(r"\s*(?:\\cdot|\\times|[*×·/^])", text[end : end + 20]) else moved
            shifted = [quantity._replace(asserted=True) for quantity in moved]
            found.append(Candidate(tuple(shifted), NumericTier.BOXED, start))
            continue
        found.append(Candidate(choose(text, moved, target, relative, declared=True), NumericTier.BOXED, start))
    return found


def declared(text: str, target: Target, relative: float) -> list[Candidate]:
    """Read every "the answer is ..."."""
    found: list[Candidate] = []
    for start, begin, end in declarations(text):
        zone = text[begin:end]
        if NEGATED.match(zone) or HYPOTHETICAL.search(text, max(0, start - 20), end):
            continue
        quantities = find_quantities(zone, at_start_asserted=True)
        word = word_quantity(zone) if not quantities else None
        if word:
            quantities = [word]
        moved = [quantity._replace(start=quantity.start + begin, end=quantity.end + begin) for quantity in quantities]
        found.append(Candidate(choose(text[:end], moved, target, relative, declared=True), NumericTier.DECLARED, start))
    return found


def explicit(text: str, target: Target, relative: float) -> Candidate | None:
    """Return the last explicit statement (boxed or declared), with every earlier one that contradicts it and was not taken back."""
    statements = sorted(
        (*leading(text, target, relative), *boxed(text, target, relative), *declared(text, target, relative)),
        key=lambda statement: statement.place,
    )
    # "Final answer: \boxed{5}" is one statement; the inner one reads it.
    statements = [
        statement
        for number, statement in enumerate(statements)
        if statement.values or not (number + 1 < len(statements) and statements[number + 1].place - statement.place < 60)
    ]
    if not statements:
        return None
    last = statements[-1]
    if not last.values:
        return last
    contradicting: list[Quantity] = []
    for statement in statements[:-1]:
        for value in statement.values:
            taken_back = retracted(text, value.end, last.values[-1].start) or re.search(
                r"\bround", text[value.end : last.values[-1].start], re.IGNORECASE
            )
            if value.start < last.place and not taken_back and not agree(value, last.values[-1], target, relative):
                contradicting.append(value)
    return last._replace(values=(*contradicting, *last.values))


def concluded(text: str, target: Target, relative: float) -> Candidate | None:
    """Read the last sentences backwards: the last that states a value, unless a later one concludes without any."""
    spans = list(sentences(text))
    budget = MAX_CONCLUSION_CHARACTERS
    mismatch: Candidate | None = None
    for distance, (start, end) in enumerate(reversed(spans)):
        start = max(start, end - MAX_SENTENCE_CHARACTERS)
        budget -= end - start
        if budget < 0:
            return mismatch
        sentence = text[start:end]
        if distance < 3 and ABSTENTION.search(sentence):
            return mismatch or Candidate((), NumericTier.CONCLUDED, start)
        quantities = [quantity._replace(start=quantity.start + start, end=quantity.end + start) for quantity in find_quantities(sentence)]
        concluding = CONCLUSION.search(sentence) is not None
        if distance >= 6 and target.unit is None:
            return mismatch
        if distance >= 2 and not concluding and target.unit is not None:
            quantities = [quantity for quantity in quantities if fits(quantity, target)]
        values = choose(text[:end], quantities, target, relative, declared=False, stated_only=not concluding)
        if values and (concluding or target.unit is None or values[-1].unit is None or fits(values[-1], target)):
            return Candidate(values, NumericTier.CONCLUDED, start)
        # "Note: the efficiency is 50 %" after the answer: it counts only where no sentence before states a fitting value.
        mismatch = mismatch or (Candidate(values, NumericTier.CONCLUDED, start) if values else None)
        if concluding and distance > 0 and re.search(r"\b(?:therefore|thus|hence)\b", sentence, re.IGNORECASE) and target.unit is None:
            return Candidate((), NumericTier.CONCLUDED, start)
    return mismatch


def fallback(text: str, target: Target) -> Candidate | None:
    """Read the last quantity of the target's dimension in the last sentence, or the only number of a one-sentence response."""
    spans = list(sentences(text))
    if not spans:
        return None
    start, end = max(spans[-1][0], spans[-1][1] - MAX_SENTENCE_CHARACTERS), spans[-1][1]
    quantities = [
        quantity._replace(start=quantity.start + start, end=quantity.end + start) for quantity in find_quantities(text[start:end])
    ]
    fitting = [quantity for quantity in quantities if fits(quantity, target)]
    if fitting:
        return Candidate((fitting[-1],), NumericTier.DIMENSION, fitting[-1].start)
    if len(quantities) == 1 and len(spans) == 1 and target.unit is None:
        return Candidate((quantities[0],), NumericTier.ONLY, quantities[0].start)
    return None


def find_candidate(text: str, target: Target, relative: float) -> Candidate | None:
    """Return the statement that counts, by tier; None where the text states nothing."""
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
    """Read a JSON-wrapped response: answer keys first, then a single numeric leaf, then its text as prose."""
    wrapped = read_json(response)
    if wrapped is None:
        return None
    unit_leaf = next((value for key, value in wrapped.leaves if key.strip().lower() in ("unit", "units")), None)
    for value in wrapped.answers:
        candidate = find_candidate(own_answer(value).text, target, relative)
        if candidate and candidate.values:
            return with_unit_leaf(candidate, unit_leaf)._replace(tier=NumericTier.JSON)
    bare = [whole(value, target, relative) for _, value in wrapped.leaves]
    numeric = [candidate for candidate in bare if candidate]
    if len(numeric) == 1 and len([1 for _, value in wrapped.leaves if len(value) > 60]) == 0:
        return with_unit_leaf(numeric[0], unit_leaf)._replace(tier=NumericTier.JSON)
    prose = "\n".join(value for _, value in wrapped.leaves if " " in value.strip())
    candidate = find_candidate(own_answer(prose).text, target, relative) if prose else None
    return candidate._replace(tier=NumericTier.JSON) if candidate else Candidate((), NumericTier.JSON, 0)


def with_unit_leaf(candidate: Candidate, unit_leaf: str | None) -> Candidate:
    """Give a bare number the unit that stands under a key of its own."""
    unit = parse_unit(unit_leaf) if unit_leaf else None
    if unit is None:
        return candidate
    return candidate._replace(values=tuple(value if value.unit else value._replace(unit=unit) for value in candidate.values))


def is_power_of_ten(value: float, goal: float, relative: float) -> bool:
    """Say whether a wrong value would be right but for its decimal point."""
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

    target: as written (LaTeX, e-notation, thousands). unit: as written, or None where it is not known; "" where the
    target has none. A value is right within relative_tolerance (a fraction) of the target, or within absolute_tolerance
    (in the target's unit) where one is given. Raises ValueError for a target that is no number, and for 0 without
    absolute_tolerance: nothing but 0 itself would be within a fraction of it.
    """
    goal = parse_target(target, unit)
    if goal.value == 0 and absolute_tolerance is None:
        raise ValueError(f"target {target!r}: 0 has no relative tolerance; give absolute_tolerance, in {unit or 'the unit of the target'}.")
    flags: set[NumericFlag] = {NumericFlag.UNIT_UNKNOWN} if goal.unknown_unit else set()
    own = own_answer(response)
    text = tidy(own.text)
    candidate = find_in_json(text, goal, relative_tolerance)
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
        # Without a unit nobody knows whether the target is a fraction or a percentage.
        value, right = value / 100, True
    if not right and goal.open_unit and quantity.unit is None and close(value / quantity.scale, goal.value, relative, absolute):
        # "in billions" may be what the target is given in.
        value, right = value / quantity.scale, True
    if not right:
        if is_power_of_ten(value, goal.value, relative):
            flags.add(NumericFlag.POWER_OF_TEN)
        if differs_by_prefix(quantity, goal, relative):
            flags.add(NumericFlag.PREFIX_ERROR)
    return NumericGrade(Outcome.CORRECT if right else Outcome.INCORRECT, value, frozenset(flags), Reading.VALUE, span, tier)
