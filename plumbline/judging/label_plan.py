"""How many labels it takes until the corrected difference of two arms has an interval of a given width. Pure."""

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
"""A stratum: an arm, the step of the scale next to the judge's score, and what a second judge said ("" where there is none)."""
Scored = tuple[float, str]
"""Judge's score of an answer, and its part."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What the labels at hand say of one stratum."""

    gap: float
    """Mean of people minus judge; 0 without a label."""
    variance: float
    """Of one label."""
    arm_variance: float
    """Of any label of the arm around the mean of its stratum: what the one label that was not seen adds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlan:
    """The answer for one pair of arms. Widths are fractions of the scale, 0-1."""

    num_labels: int | None
    """Of the whole sheet; None where no number of labels gives this width."""
    num_answers: int
    """All that can be labelled."""
    width_of_questions: float
    """If people's mean of every stratum were known: what more questions alone can narrow."""
    width_if_all_labelled: float
    widths: tuple[tuple[int, float], ...]
    """Some numbers of labels, each with its width."""


def spreads_of(labels: Mapping[str, Sequence[tuple[float, float, str]]], sizes: Mapping[ArmStep, int]) -> dict[ArmStep, Spread]:
    """The spread of every stratum from labels at hand, given by arm as (judge's score, people's score, part).

    One label a step off is counted as well, to either side: labels that all agree do not promise that the next one does.
    In an arm without labels every other label is taken to lie a step off.
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
    """How many answers of each stratum a sheet of that many holds: as `agreement.draw_strata` draws them, or `disputed` with a second judge."""
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
    """Say how many labels an interval of that width takes. ValueError without a question that both arms answered.

    `pairs`: the same questions as the judge scored them in the two arms; `sizes`: answers of every stratum of the run, all arms,
    since a sheet asks for all of them; `labels`: those at hand, by arm. The width is that of `corrected_difference`:
    its variance is that of the questions, plus share squared times variance of a label over labels for every stratum.
    """
    if not pairs:
        raise ValueError(f"{arms[0]} and {arms[1]} share no judged question: nothing is compared, so no label is needed.")
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
    """Variance of the mean difference over clusters of questions, each score moved by its stratum's gap."""
    moved = [[score + spreads[arm, step_of(score), part].gap for arm, (score, part) in zip(arms, pair, strict=True)] for pair in pairs]
    differences = [second - first for first, second in moved]
    mean = math.fsum(differences) / len(differences)
    sums: dict[Hashable, float] = defaultdict(float)
    for cluster, difference in zip(clusters, differences, strict=True):
        sums[cluster] += difference - mean
    return math.fsum(value**2 for value in sums.values()) / len(differences) ** 2
