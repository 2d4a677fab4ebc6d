"""People's labels by stratum (arm, judge's score, and what a second judge said): their gap to the judge, and its resamples. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.judging.agreement import step_of
from plumbline.judging.prompt import SCALE
from plumbline.statistics import Floats

STEP = SCALE[1] - SCALE[0]
"""Every stratum also gets a pseudo-label this far off, even if every label agrees with the judge."""
Stratum = tuple[int, int, str]
"""Number of the arm (0 or 1), number of the step next to the judge's score, and the part that a second judge gives the answer."""


@dataclass(frozen=True, slots=True)
class StratumLabels:
    """The labels of one stratum. Shapes: (L,)."""

    gap_L: Floats
    """People's score minus the judge's."""
    weight_L: Floats
    cluster_L: NDArray[np.int64]
    """Number of the cluster; -1 if the label stands alone."""

    @property
    def num_units(self) -> int:
        """Labels that are drawn independently: all labels of one cluster count once."""
        return int((self.cluster_L < 0).sum()) + len(set(self.cluster_L[self.cluster_L >= 0].tolist()))

    @property
    def gap(self) -> float:
        """Weighted mean of the gaps."""
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
    """The gap between people and judge in a stratum without labels, interpolated between the labelled steps of the same arm.

    It uses the same part if that has labels in this arm, else all parts: a disputed score says little about one that both judges gave.
    """
    arm, step, part = stratum
    same = [one for one in strata if one[0] == arm and one[2] == part] or [one for one in strata if one[0] == arm]
    steps = sorted({one for _, one, _ in same})
    gaps = [float(np.mean([strata[one].gap for one in same if one[1] == at])) for at in steps]
    gap = float(np.interp(step, steps, gaps))
    return min(1 - SCALE[step], max(-SCALE[step], gap))


def deviations_of(arm: int, strata: Mapping[Stratum, StratumLabels]) -> Floats:
    """How far an arm's labels lie from the mean of their stratum. A step to each side is always included."""
    seen = [labels.gap_L - labels.gap for (of, _, _), labels in strata.items() if of == arm and labels.num_units > 1]
    return np.concatenate([*seen, np.array([-STEP, STEP])])


def drawn_gaps(labels: StratumLabels, drawn_BC: Floats, deviations: Floats, generator: np.random.Generator) -> Floats:
    """Mean gap of a stratum in each resample: its drawn clusters, its lone labels drawn again, and one unseen label."""
    size, lone = len(drawn_BC), labels.cluster_L < 0
    times_BL = drawn_BC[:, np.maximum(labels.cluster_L, 0)]
    if num_lone := int(lone.sum()):
        # One draw less than there are labels: n draws would give only (n - 1) / n of the variance (Rao and Wu 1988).
        draws = max(1, num_lone - 1)
        times_BL[:, lone] = generator.multinomial(draws, np.full(num_lone, 1 / num_lone), size=size)
    weight_B = times_BL @ labels.weight_L
    sum_B = times_BL @ (labels.weight_L * labels.gap_L)
    gap_B = np.where(weight_B > 0, sum_B / np.where(weight_B > 0, weight_B, 1.0), labels.gap)
    num_units = labels.num_units
    unseen = 1.0 if num_units == 1 else 1 / (num_units + 1)
    return gap_B + unseen * generator.choice(deviations, size=size)
