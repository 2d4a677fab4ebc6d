"""Which answers two judges dispute, and how many labels each sort of answer gets. Pure."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from plumbline.judging.agreement import step_of

Stratum = tuple[str, float, str]
"""Arm, judge's score, and part: what a second judge said; "" where there is none."""
Of = TypeVar("Of", bound=Stratum)
DISPUTED_SPREAD = 3.0
"""How far people are taken to lie from the first judge where the second disagrees, for 1 where it agrees; only the number of labels depends on it."""


class Part(StrEnum):
    """What a second judge makes of an answer that the first one scored."""

    AGREED = "agreed"
    """The same step of the scale."""
    DISPUTED = "disputed"
    ONE_JUDGE = "one_judge"
    """Not drawn for the second judge, or it gave no score."""


def part_of(first: float, second: float | None) -> Part:
    """The part of an answer with the first judge's score, and the second one's if there is one."""
    if second is None:
        return Part.ONE_JUDGE
    return Part.AGREED if step_of(first) == step_of(second) else Part.DISPUTED


def spreads_by_part(sizes: Mapping[Of, int]) -> dict[str, float]:
    """How far people are taken to lie from the first judge in each part. An answer that one judge saw is disputed as often as the others are."""
    counts = Counter[str]()
    for (_, _, part), size in sizes.items():
        counts[part] += size
    # One of each besides: two judges that never disagreed may do so on the next answer.
    disputed = (counts[Part.DISPUTED] + 1) / (counts[Part.DISPUTED] + counts[Part.AGREED] + 2)
    mixed = (disputed * DISPUTED_SPREAD**2 + 1 - disputed) ** 0.5
    return {Part.AGREED: 1.0, Part.DISPUTED: DISPUTED_SPREAD, Part.ONE_JUDGE: mixed}


def disputed_first(sizes: Mapping[Of, int], count: int) -> dict[Of, int]:
    """How many answers of each stratum to label: one of every stratum, then each next one where it tells most.

    That is where size x spread is largest for the labels that are there already (Neyman's allocation), so that disputed answers are
    likelier than others. In a stratum each answer is as likely as the next: labels / size, which the weights undo.
    """
    spreads = spreads_by_part(sizes)
    drawn = dict.fromkeys(sizes, 0)
    left = min(count, sum(sizes.values()))

    def told(stratum: Of) -> tuple[float, float, Of]:
        """What the next label of a stratum takes off the variance; the first of each comes before all others."""
        n, weight = drawn[stratum], sizes[stratum] * spreads[stratum[2]]
        return (float("inf"), weight, stratum) if n == 0 else (weight**2 / (n * (n + 1)), weight, stratum)

    while left:
        drawn[max((stratum for stratum in sizes if drawn[stratum] < sizes[stratum]), key=told)] += 1
        left -= 1
    return drawn


def draw_disputed_first(population: Sequence[tuple[Hashable, str, float, str]], count: int) -> list[Hashable]:
    """Draw `count` answers, given as (name, arm, score, part), disputed ones likelier than others; input order decides within a stratum."""
    strata: dict[Stratum, list[Hashable]] = {}
    for name, arm, score, part in population:
        strata.setdefault((arm, score, part), []).append(name)
    numbers = disputed_first({stratum: len(names) for stratum, names in strata.items()}, count)
    return [name for stratum in sorted(strata) for name in strata[stratum][: numbers[stratum]]]
