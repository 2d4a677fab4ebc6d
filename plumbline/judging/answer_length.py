"""Whether a score, or its error, depends on the length of the answer. Pure."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from plumbline.intervals import Floats
from plumbline.judging.resampling import NUM_RESAMPLES, numbered, percentile_interval, resampled_sums

FEWEST_UNITS = 6
"""Clusters needed: with fewer, a bootstrap draws too few different samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthSlope:
    """How much more an answer of twice the length gets, within its arm. A fraction of the scale, 0-1."""

    per_doubling: float
    ci95: tuple[float, float]
    n: int

    @property
    def is_shown(self) -> bool:
        """Whether the interval excludes 0."""
        return self.ci95[0] > 0 or self.ci95[1] < 0


def slope_on_length(
    values: Sequence[float],
    lengths: Sequence[int],
    arms: Sequence[str],
    *,
    clusters: Sequence[Hashable],
    seed: int,
    weights: Sequence[float] | None = None,
    num_resamples: int = NUM_RESAMPLES,
) -> LengthSlope | None:
    """Regress values on the base-2 logarithm of the length, each arm around its own means. The interval resamples clusters.

    Arms differ both in length and in quality, so lengths are compared only within an arm. None if there are fewer than
    FEWEST_UNITS clusters, or all answers of an arm have one length.
    """
    number_L = numbered(clusters)
    if len(number_L) == 0 or int(number_L.max()) + 1 < FEWEST_UNITS:
        return None
    weight_L = np.array(weights if weights is not None else [1.0] * len(values))
    length_L = _around_arm_means(np.array([math.log2(1 + length) for length in lengths]), weight_L, arms)
    value_L = _around_arm_means(np.array(values, dtype=float), weight_L, arms)
    products_CM: Floats = np.zeros((int(number_L.max()) + 1, 2))
    np.add.at(products_CM, number_L, np.stack([weight_L * length_L * value_L, weight_L * length_L**2], axis=1))
    total = products_CM.sum(axis=0)
    if total[1] < 1e-9:
        return None
    drawn_BM = resampled_sums(products_CM, num_resamples=num_resamples, generator=np.random.default_rng(seed))
    drawn_BM = drawn_BM[drawn_BM[:, 1] > 1e-9]
    slope_B = drawn_BM[:, 0] / drawn_BM[:, 1]
    slope = float(total[0] / total[1])
    interval = percentile_interval(slope_B, slope_B, num_clusters=len(products_CM), bounds=(-1.0, 1.0))
    return LengthSlope(per_doubling=slope, ci95=interval, n=len(values))


def _around_arm_means(values_L: Floats, weight_L: Floats, arms: Sequence[str]) -> Floats:
    around_L = values_L.copy()
    for arm in set(arms):
        mine = np.array([name == arm for name in arms])
        around_L[mine] -= np.average(values_L[mine], weights=weight_L[mine])
    return around_L
