"""People's labels by stratum (an arm, the judge's score, and what a second judge said): their gap to the judge, and what another draw of them
would have shown. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.judging.agreement import step_of
from plumbline.judging.prompt import SCALE
from plumbline.statistics import Floats

STEP = SCALE[1] - SCALE[0]
"""A pseudo-label this far off is among what a stratum might have shown, even where every label agrees with the judge."""
Stratum = tuple[int, int, str]
"""Number of the arm (0 or 1), of the step of the scale next to the judge's score, and the part into which a second judge splits these answers."""


@dataclass(frozen=True, slots=True)
class StratumLabels:
    """The labels of one stratum. Shapes: (L,)."""

    gap_L: Floats
    """People's score minus the judge's."""
    weight_L: Floats
    cluster_L: NDArray[np.int64]
    """Number of the cluster; -1: the label stands alone."""

    @property
    def num_units(self) -> int:
        """Labels that are drawn apart from each other: those of one cluster count once."""
        return int((self.cluster_L < 0).sum()) + len(set(self.cluster_L[self.cluster_L >= 0].tolist()))

    @property
    def gap(self) -> float:
        """Weighted mean."""
        return float((self.weight_L * self.gap_L).sum() / self.weight_L.sum())


def strata_of(rows: Iterable[tuple[int, float, float, float, str, int]]) -> dict[Stratum, StratumLabels]:
    """Sort labels, each as arm, judge's score, people's score, weight, part and number of the cluster, into strata."""
    gaps: dict[Stratum, list[tuple[float, float, int]]] = defaultdict(list)
    for arm, judge, human, weight, part, cluster in rows:
        gaps[arm, step_of(judge), part].append((human - judge, weight, cluster))
    return {
        stratum: StratumLabels(
            np.array([row[0] for row in found]), np.array([row[1] for row in found]), np.array([row[2] for row in found])
        )
        for stratum, found in sorted(gaps.items())
    }


def neighbouring_gap(stratum: Stratum, strata: Mapping[Stratum, StratumLabels]) -> float:
    """The gap between people and judge in a stratum that no one labelled, between those of the labelled steps of the same arm.

    Of the same part where it has labels in this arm, else of all parts: a disputed score is no model for one that both judges gave.
    """
    arm, step, part = stratum
    same = [one for one in strata if one[0] == arm and one[2] == part] or [one for one in strata if one[0] == arm]
    steps = sorted({one for _, one, _ in same})
    gaps = [float(np.mean([strata[one].gap for one in same if one[1] == at])) for at in steps]
    gap = float(np.interp(step, steps, gaps))
    return min(1 - SCALE[step], max(-SCALE[step], gap))


def deviations_of(arm: int, strata: Mapping[Stratum, StratumLabels]) -> Floats:
    """How far an arm's labels lie from the mean of their stratum; a step to either side is always among them."""
    seen = [labels.gap_L - labels.gap for (of, _, _), labels in strata.items() if of == arm and labels.num_units > 1]
    return np.concatenate([*seen, np.array([-STEP, STEP])])


def drawn_gaps(labels: StratumLabels, drawn_BC: Floats, deviations: Floats, generator: np.random.Generator) -> Floats:
    """Mean gap of a stratum in each resample: its clusters as drawn, its lone labels drawn again, and one label that was not seen."""
    size, lone = len(drawn_BC), labels.cluster_L < 0
    times_BL = drawn_BC[:, np.maximum(labels.cluster_L, 0)]
    if num_lone := int(lone.sum()):
        # One draw fewer than there are labels: n draws would give n - 1 parts in n of the variance (Rao and Wu 1988).
        draws = max(1, num_lone - 1)
        times_BL[:, lone] = generator.multinomial(draws, np.full(num_lone, 1 / num_lone), size=size)
    weight_B = times_BL @ labels.weight_L
    sum_B = times_BL @ (labels.weight_L * labels.gap_L)
    gap_B = np.where(weight_B > 0, sum_B / np.where(weight_B > 0, weight_B, 1.0), labels.gap)
    num_units = labels.num_units
    unseen = 1.0 if num_units == 1 else 1 / (num_units + 1)
    return gap_B + unseen * generator.choice(deviations, size=size)
