"""How many labels are needed for an interval of given width around the corrected difference of two arms. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plumbline.judging.agreement import step_of
from plumbline.judging.disputed import disputed_first
from plumbline.judging.labelled_strata import STEP
from plumbline.judging.resampling import reach_of

ArmStep = tuple[str, int, str]
"""A stratum: an arm, the step of the scale next to the judge's score, and what a second judge said ("" if there is none)."""
Scored = tuple[float, str]
"""The judge's score of an answer, and its part."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What the labels at hand show about one stratum."""

    gap: float
    """Mean of people's scores minus the judge's; 0 without a label."""
    variance: float
    """Variance of one label."""
    arm_variance: float
    """Variance of the arm's labels around the mean of their stratum. The one unseen label adds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlan:
    """The answer for one pair of arms. Widths are fractions of the scale, 0-1."""

    num_labels: int | None
    """Labels of the whole sheet; None if no number of labels gives this width."""
    num_answers: int
    """All answers that can be labelled."""
    width_of_questions: float
    """The width if people's mean of every stratum were known. Only more questions can make it narrower."""
    width_if_all_labelled: float
    widths: tuple[tuple[int, float], ...]
    """Pairs of a number of labels and its width."""


def spreads_of(labels: Mapping[str, Sequence[tuple[float, float, str]]], sizes: Mapping[ArmStep, int]) -> dict[ArmStep, Spread]:
    """The spread of every stratum, from the labels at hand: arm -> (judge's score, people's score, part).

    One more label a step off to each side is counted: if all labels agree, the next one may still differ.
    In an arm without labels, every second label is assumed to lie a step off.
    """
    gaps: dict[ArmStep, list[float]] = defaultdict(list)
    for arm, pairs in labels.items():
        for judge, human, part in pairs:
            gaps[arm, step_of(judge), part].append(human - judge)
    spreads: dict[ArmStep, Spread] = {}
    for arm, step, part in sizes:
        squares = [
            sum((gap - float(np.mean(found))) ** 2 for gap in found) for (of, _, _), found in gaps.items() if of == arm and len(found) > 1
        ]
        count = sum(len(found) for (of, _, _), found in gaps.items() if of == arm and len(found) > 1)
        arm_variance = (sum(squares) + 2 * STEP**2) / (count + 2) if count else STEP**2 / 2
        mine = gaps.get((arm, step, part), [])
        variance = float(np.var(mine, ddof=1)) if len(mine) > 1 else arm_variance
        spreads[arm, step, part] = Spread(float(np.mean(mine)) if mine else 0.0, variance, arm_variance)
    return spreads


def evenly(sizes: Mapping[ArmStep, int], count: int) -> dict[ArmStep, int]:
    """Answers of each stratum in a sheet of `count` answers: drawn like `agreement.draw_strata`, or like `disputed` with two judges."""
    if any(part for _, _, part in sizes):
        return disputed_first(sizes, count)
    drawn = dict.fromkeys(sizes, 0)
    left = min(count, sum(sizes.values()))
    while left:
        for stratum in sorted(sizes):
            if left and drawn[stratum] < sizes[stratum]:
                drawn[stratum] += 1
                left -= 1
    return drawn


def planned_labels(
    arms: tuple[str, str],
    pairs: Sequence[tuple[Scored, Scored]],
    clusters: Sequence[Hashable],
    *,
    sizes: Mapping[ArmStep, int],
    labels: Mapping[str, Sequence[tuple[float, float, str]]],
    width: float,
    shown: Sequence[int] = (20, 40, 60, 100, 160, 250, 400),
) -> LabelPlan:
    """How many labels an interval of this width needs. ValueError without a question that both arms answered.

    `pairs`: the judge's scores of the same questions in the two arms. `sizes`: answers in every stratum of the run, for all arms,
    since a sheet asks about all of them. `labels`: the labels at hand, by arm. The width equals the one in `corrected_difference`:
    the variance of the questions, plus for every stratum share squared times the variance of a label, divided by its labels.
    """
    if not pairs:
        raise ValueError(f"{arms[0]} and {arms[1]} share no judged question to compare. Choose two arms that were judged.")
    spreads = spreads_of(labels, sizes)
    shares = {
        (arm, step, part): count / len(pairs)
        for side, arm in enumerate(arms)
        for (step, part), count in sorted(Counter((step_of(pair[side][0]), pair[side][1]) for pair in pairs).items())
    }
    reach = reach_of(len(set(clusters)))
    questions = _variance_of_questions(arms, pairs, clusters, spreads)

    def width_with(count: int) -> float:
        drawn = evenly(sizes, count)
        variance, unknown = questions, 0.0
        for stratum, share in shares.items():
            if drawn[stratum] == 0:
                unknown += share
                continue
            spread, n = spreads[stratum], drawn[stratum]
            own = 0.0 if n == 1 else spread.variance / n
            unseen = 1.0 if n == 1 else 1 / (n + 1)
            variance += share**2 * (own + unseen**2 * spread.arm_variance)
        return min(2.0, unknown + 2 * reach * math.sqrt(variance))

    total = sum(sizes.values())
    enough = None
    if width_with(total) <= width:
        low, high = 0, total
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if width_with(middle) <= width else (middle, high)
        enough = high
    return LabelPlan(
        num_labels=enough,
        num_answers=total,
        width_of_questions=2 * reach * math.sqrt(questions),
        width_if_all_labelled=width_with(total),
        widths=tuple((count, width_with(count)) for count in sorted({*(one for one in shown if one < total), total})),
    )


def _variance_of_questions(
    arms: tuple[str, str], pairs: Sequence[tuple[Scored, Scored]], clusters: Sequence[Hashable], spreads: Mapping[ArmStep, Spread]
) -> float:
    """Variance of the mean difference over clusters of questions, with each score moved by the gap of its stratum."""
    moved = [[score + spreads[arm, step_of(score), part].gap for arm, (score, part) in zip(arms, pair, strict=True)] for pair in pairs]
    differences = [second - first for first, second in moved]
    mean = math.fsum(differences) / len(differences)
    sums: dict[Hashable, float] = defaultdict(float)
    for cluster, difference in zip(clusters, differences, strict=True):
        sums[cluster] += difference - mean
    return math.fsum(value**2 for value in sums.values()) / len(differences) ** 2
