"""Which answers two judges dispute, and how many labels each stratum gets. Pure."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from plumbline.judging.agreement import step_of

Stratum = tuple[str, float, str]
"""Arm, judge's score, and part, which is what a second judge said; "" if there is none."""
Of = TypeVar("Of", bound=Stratum)
DISPUTED_SPREAD = 3.0
"""Assumed distance of people from the first judge if the second disagrees; 1 if it agrees. Only the number of labels depends on it."""


class Part(StrEnum):
    """How a second judge scored an answer that the first one scored."""

    AGREED = "agreed"
    """Both gave the same step of the scale."""
    DISPUTED = "disputed"
    ONE_JUDGE = "one_judge"
    """The answer was not drawn for the second judge, or that one gave no score."""


def part_of(first: float, second: float | None) -> Part:
    """The part of an answer, by the first judge's score and the second one's, if there is one."""
    if second is None:
        return Part.ONE_JUDGE
    return Part.AGREED if step_of(first) == step_of(second) else Part.DISPUTED


def spreads_by_part(sizes: Mapping[Of, int]) -> dict[str, float]:
    """Assumed distance of people from the first judge in each part. Answers of one judge count as disputed as often as the others."""
    counts = Counter[str]()
    for (_, _, part), size in sizes.items():
        counts[part] += size
    # One more of each: two judges that never disagreed may disagree on the next answer.
    disputed = (counts[Part.DISPUTED] + 1) / (counts[Part.DISPUTED] + counts[Part.AGREED] + 2)
    mixed = (disputed * DISPUTED_SPREAD**2 + 1 - disputed) ** 0.5
    return {Part.AGREED: 1.0, Part.DISPUTED: DISPUTED_SPREAD, Part.ONE_JUDGE: mixed}


def disputed_first(sizes: Mapping[Of, int], count: int) -> dict[Of, int]:
    """How many answers of each stratum to label: first one of every stratum, then each next one where it helps most.

    This is where size x spread is largest for the labels already there (Neyman's allocation), so disputed answers are
    likelier than others. Within a stratum all answers are equally likely, labels / size; the weights correct for it.
    """
    spreads = spreads_by_part(sizes)
    drawn = dict.fromkeys(sizes, 0)
    left = min(count, sum(sizes.values()))

    def told(stratum: Of) -> tuple[float, float, Of]:
        """How much the next label of a stratum lowers the variance. The first label of each stratum comes before all others."""
        n, weight = drawn[stratum], sizes[stratum] * spreads[stratum[2]]
        return (float("inf"), weight, stratum) if n == 0 else (weight**2 / (n * (n + 1)), weight, stratum)

    while left:
        drawn[max((stratum for stratum in sizes if drawn[stratum] < sizes[stratum]), key=told)] += 1
        left -= 1
    return drawn


def draw_disputed_first(population: Sequence[tuple[Hashable, str, float, str]], count: int) -> list[Hashable]:
    """Draw `count` answers, given as (name, arm, score, part). Disputed ones are likelier. Input order decides within a stratum."""
    strata: dict[Stratum, list[Hashable]] = {}
    for name, arm, score, part in population:
        strata.setdefault((arm, score, part), []).append(name)
    numbers = disputed_first({stratum: len(names) for stratum, names in strata.items()}, count)
    return [name for stratum in sorted(strata) for name in strata[stratum][: numbers[stratum]]]
