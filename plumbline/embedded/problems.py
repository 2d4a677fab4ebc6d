"""Draw a problem of a relation: operands, the way they are written, the worked step. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal

from plumbline.embedded.numbers import (
    KILO_UNITS,
    MINUTES,
    SMALLER_UNITS,
    Shown,
    Values,
    answer_of,
    is_held_out,
    operand_tuples,
    show_kilo,
    show_minutes,
    show_plain,
    show_scientific,
    show_smaller,
    worked_step,
)
from plumbline.embedded.relations import Relation

Style = Literal["plain", "conversion", "scientific"]
STYLES: tuple[Style, ...] = ("plain", "conversion", "scientific")


@dataclass(frozen=True)
class Problem:
    """One numeric problem, ready to be put into any wording."""

    relation: Relation
    values: Values
    """In SI units."""
    texts: dict[str, str]
    """Symbol -> number with unit, as a wording writes it."""
    worked: str
    answer: str
    """The result without unit."""


def can_show(relation: Relation, style: Style) -> bool:
    """Whether the relation has operands that can be written in this style."""
    if relation.shape in ("enlarge", "reduce"):
        return style == "plain"
    if style == "conversion":
        return any(operand.unit in SMALLER_UNITS or operand.unit in KILO_UNITS or operand.unit == "s" for operand in relation.operands)
    return style == "plain" or relation.shape in ("product", "quotient")


def show(relation: Relation, values: Values, style: Style, random: Random) -> list[Shown]:
    """Write the operands; one of them in the style asked for, the others plainly."""
    shown = [show_plain(operand, value) for operand, value in zip(relation.operands, values, strict=True)]
    for position, (operand, value) in enumerate(zip(relation.operands, values, strict=True)):
        if operand.symbol == "t" and value in MINUTES and relation.shape == "product":
            shown[position] = show_minutes(operand, value)
            return shown
    if style == "scientific":
        # The divisor stays plain: a negative power of ten would need its own lesson.
        position = 0 if relation.shape == "quotient" else random.randrange(len(values))
        shown[position] = show_scientific(relation.operands[position], values[position], random.randint(3, 9))
    elif style == "conversion":
        ways = [
            (position, way)
            for position, operand in enumerate(relation.operands)
            for way, units in ((show_smaller, SMALLER_UNITS), (show_kilo, KILO_UNITS))
            if operand.unit in units
            and not (
                way is show_kilo and (relation.shape not in ("product", "quotient") or (relation.shape == "quotient" and position == 1))
            )
        ]
        if ways:
            position, way = random.choice(ways)
            shown[position] = way(relation.operands[position], values[position])
    return shown


@cache
def pool_of(relation: Relation, held_out: bool, seed: int) -> tuple[Values, ...]:
    """The operands of the benchmark, or all the others."""
    return tuple(values for values in operand_tuples(relation) if is_held_out(relation, values, seed=seed) == held_out)


def draw_problem(relation: Relation, style: Style, random: Random, *, held_out: bool, seed: int) -> Problem:
    """Draw one problem from the operands of the benchmark (`held_out`) or from all the others."""
    return problem_of(relation, random.choice(pool_of(relation, held_out, seed)), style, random)


def problem_of(relation: Relation, values: Sequence[int], style: Style, random: Random) -> Problem:
    """Write given operands in a style."""
    values = tuple(values)
    shown = show(relation, values, style if can_show(relation, style) else "plain", random)
    texts = {operand.symbol: number.text for operand, number in zip(relation.operands, shown, strict=True)}
    return Problem(relation, values, texts, worked_step(relation, values, shown), answer_of(relation, values, shown))


def fill(wording: str, problem: Problem) -> str:
    """Put the numbers of a problem into a wording."""
    return wording.format_map(problem.texts)
