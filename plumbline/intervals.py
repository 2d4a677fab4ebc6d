"""Units of a sample, and 95 % intervals of a mean over them. Pure.

If questions share a cluster (a template, a passage), the cluster is the unit: its questions stand or fall together,
and treating them as independent makes intervals too narrow (Miller 2024, arXiv 2411.00640).
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

NORMAL = NormalDist()
Z95 = NORMAL.inv_cdf(0.975)
UNSEEN_WEIGHT = 0.15
"""Weight of an unseen unit at each end, in units: the smallest that gave 93 % coverage in bench/interval_coverage.py."""
UNSEEN_REACH = 3.0
"""An unseen score is at most this many times as far from the mean as the farthest score that was seen."""
EVEN = 0.8
"""Units count as even, and each of them fully, if their effective number is at least this share of them (bench/interval_coverage.py)."""
DOMINANT = 2.0
"""A unit with more than this many times the mean number of questions draws the mean towards itself, so its own deviation looks too small."""


@dataclass(frozen=True, slots=True)
class Units:
    """What is resampled: per unit the sum of its values and its number of questions, in an order that does not depend on the caller."""

    sums_U: Floats
    sizes_U: Floats

    @property
    def clustered(self) -> bool:
        """Whether any unit holds more than one question."""
        return bool((self.sizes_U > 1).any())

    @property
    def effective_number(self) -> float:
        """How many equal units say as much about the spread: fewer than there are if some are much larger than the others (Kish 1965).

        Between 1 and their number, which it is for units of about the same size; above 1 if there are two or more.
        """
        total = float(self.sizes_U.sum())
        return min(float(len(self.sizes_U)), total * total / float((self.sizes_U**2).sum()) / EVEN)

    @property
    def allowed_errors(self) -> float:
        """How many standard errors a mean may be off: Student's t for the effective number, for a variance that was divided by that number."""
        number = self.effective_number
        return float(stdtrit(number - 1, 0.975)) * math.sqrt(number / (number - 1))

    @property
    def dominance_U(self) -> Floats:
        """How much more the squared deviation of a unit counts: 1, and more for a dominant one."""
        share_of_others_U = 1 - self.sizes_U / self.sizes_U.sum()
        return np.maximum(1, (1 - DOMINANT / len(self.sizes_U)) / share_of_others_U) ** 2

    def in_order(self) -> list[tuple[float, float]]:
        """(sum, size) of each unit."""
        return list(zip(self.sums_U.tolist(), self.sizes_U.tolist(), strict=True))


def units_of(values_N: Floats, clusters: Sequence[Hashable] | None) -> Units:
    """Sum values by cluster; without clusters each question is its own unit."""
    if clusters is None:
        sums, sizes = values_N.tolist(), [1] * len(values_N)
    else:
        if len(clusters) != len(values_N):
            raise ValueError(f"{len(clusters)} clusters for {len(values_N)} scores: one per question is needed.")
        members: dict[Hashable, list[float]] = {}
        for cluster, value in zip(clusters, values_N.tolist(), strict=True):
            members.setdefault(cluster, []).append(value)
        sums = [math.fsum(values) for values in members.values()]
        sizes = [len(values) for values in members.values()]
    ordered = sorted(zip(sums, sizes, strict=True))
    return Units(np.array([unit[0] for unit in ordered]), np.array([unit[1] for unit in ordered], dtype=np.float64))


def wilson_interval(successes: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a proportion; `successes` may be fractional (a mean of scores in 0..1 times n)."""
    if not 0 <= successes <= n or n <= 0:
        raise ValueError(f"{successes} successes of {n}: 0 <= successes <= n and n > 0 are needed.")
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    return low, 1.0 if successes == n else min(1.0, middle + half)


def tango_interval(num_first_only: int, num_second_only: int, n: int) -> tuple[float, float]:
    """Tango's score interval of a paired difference of proportions; it has a width even if no pair disagrees.

    Source: Tango 1998, Statistics in Medicine 17:891-908. The bounds are the roots of the score statistic, by bisection.
    """
    observed = (num_second_only - num_first_only) / n

    def statistic(difference: float) -> float:
        linear = (2 * n - num_second_only + num_first_only) * difference - num_second_only - num_first_only
        constant = -num_first_only * difference * (1 - difference)
        share = (math.sqrt(max(0.0, linear**2 - 8 * n * constant)) - linear) / (4 * n)
        variance = n * (2 * share + difference * (1 - difference))
        distance = num_second_only - num_first_only - n * difference
        return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance) if distance else 0.0

    def root(inside: float, outside: float, target: float) -> float:
        if abs(statistic(outside)) <= abs(target):
            return outside
        for _ in range(80):
            middle = (inside + outside) / 2
            if abs(statistic(middle)) <= abs(target):
                inside = middle
            else:
                outside = middle
        return inside

    return root(observed, -1.0, Z95), root(observed, 1.0, -Z95)


def bca_interval(units: Units, *, seed: int, num_resamples: int, expand: bool = True) -> tuple[float, float] | None:
    """95 % BCa bootstrap interval of the mean over questions, resampling units; None if all units have the same mean.

    With `expand` the levels are widened from the normal to Student's t with U - 1 degrees of freedom and by
    sqrt(U / (U - 1)), without which a bootstrap of few units is too narrow (Hesterberg 2015, arXiv 1411.5279, 3.3).
    """
    sums_U, sizes_U = units.sums_U, units.sizes_U
    num_units = len(sums_U)
    mean = float(sums_U.sum() / sizes_U.sum())
    if np.allclose(sums_U, mean * sizes_U, rtol=0, atol=1e-12):
        return None
    generator = np.random.default_rng(seed)
    means: list[Floats] = []
    per_chunk = max(1, 4_000_000 // num_units)
    for start in range(0, num_resamples, per_chunk):
        drawn_BU = generator.integers(0, num_units, size=(min(per_chunk, num_resamples - start), num_units))
        means.append(sums_U[drawn_BU].sum(axis=1) / sizes_U[drawn_BU].sum(axis=1))
    means_B = np.concatenate(means)
    # Sums of floats in another order differ in the last bit: near-ties count as ties.
    below = (means_B < mean - 1e-12).mean() / 2 + (means_B <= mean + 1e-12).mean() / 2
    bias = NORMAL.inv_cdf(min(max(float(below), 0.5 / num_resamples), 1 - 0.5 / num_resamples))
    without_U = (sums_U.sum() - sums_U) / (sizes_U.sum() - sizes_U)
    deviations_U = without_U.mean() - without_U
    acceleration = float((deviations_U**3).sum() / (6 * (deviations_U**2).sum() ** 1.5))
    reach = math.sqrt(num_units / (num_units - 1)) * float(stdtrit(num_units - 1, 0.975)) if expand else Z95
    levels: list[float] = []
    for z in (-reach, reach):
        scale = 1 - acceleration * (bias + z)
        # Past its pole the BCa map turns back: there the end of the distribution is meant.
        levels.append(NORMAL.cdf(bias + (bias + z) / scale) if scale > 0 else float(z > 0))
    low, high = np.quantile(means_B, levels)
    return float(low), float(high)


def tilted_interval(values_N: Floats, units: Units, *, support: tuple[float, float]) -> tuple[float, float] | None:
    """95 % score interval of the mean over questions, for scores inside `support`; None if all units have the same mean.

    A mean belongs to the interval if the mean that was seen is not too far off for the data reweighted to have this mean.
    Reweighting (exponential tilting) moves the spread with the mean, as skewed scores do; for single 0/1 scores it is Wilson's
    interval. Two unseen units of small weight, one towards each end of the support, stand for what few units did not show.
    Distances are in standard errors by Student's t with U - 1 degrees of freedom and a variance over U - 1. If some units are
    much larger than the others, U is their effective number here, and the deviation of a dominant one counts for more.
    """
    num_units, n = len(units.sums_U), float(units.sizes_U.sum())
    mean = float(units.sums_U.sum()) / n
    if np.allclose(units.sums_U, mean * units.sizes_U, rtol=0, atol=1e-12):
        return None
    reach = UNSEEN_REACH * float(np.abs(values_N - mean).max())
    # An unseen unit is not a whole cluster at the very end: its questions count like sqrt(size) questions that agree.
    unseen_size = math.sqrt(n / units.effective_number)
    ends = [max(support[0], mean - reach), min(support[1], mean + reach)]
    sums_V = np.append(units.sums_U, [end * unseen_size for end in ends])
    sizes_V = np.append(units.sizes_U, [unseen_size, unseen_size])
    weights_V = np.append(np.ones(num_units), [UNSEEN_WEIGHT, UNSEEN_WEIGHT])
    residuals_V = sums_V - mean * sizes_V
    residuals_V /= np.abs(residuals_V).max()
    allowed, dominance_V = units.allowed_errors, np.append(units.dominance_U, [1.0, 1.0])

    def bound(sign: int) -> float:
        near, far, at = 0.0, 60.0, mean
        for _ in range(36):
            tilt = (near + far) / 2
            exponents_V = sign * tilt * residuals_V
            tilted_V = weights_V * np.exp(exponents_V - exponents_V.max())
            at = float((tilted_V * sums_V).sum() / (tilted_V * sizes_V).sum())
            variance = float((tilted_V * dominance_V * (sums_V - at * sizes_V) ** 2).sum() / tilted_V.sum())
            if sign * (at - mean) * n > allowed * math.sqrt(num_units * variance):
                far = tilt
            else:
                near = tilt
        return at

    return bound(-1), bound(1)


def lower_bounds_above_0(sums_RU: Floats, sizes_U: Floats, *, most: float) -> NDArray[np.bool_]:
    """Per data set, whether the lower bound of `tilted_interval` is above 0, found by the same steps for all of them at once.

    Shapes: (R, U), (U,) -> (R,). Scores are differences in -1..1; `most`: the largest absolute difference that may be seen.
    """
    num_units, n = len(sizes_U), float(sizes_U.sum())
    units = Units(np.zeros(num_units), sizes_U)
    size = math.sqrt(n / units.effective_number)
    mean_R = sums_RU.sum(axis=1) / n
    reach_R = UNSEEN_REACH * (most + np.abs(mean_R))
    ends_RE = np.stack([np.maximum(-1.0, mean_R - reach_R), np.minimum(1.0, mean_R + reach_R)], axis=1)
    sums_RV = np.concatenate([sums_RU, ends_RE * size], axis=1)
    sizes_V = np.append(sizes_U, [size, size])
    weights_V = np.append(np.ones(num_units), [UNSEEN_WEIGHT, UNSEEN_WEIGHT])
    allowed, dominance_V = units.allowed_errors, np.append(units.dominance_U, [1.0, 1.0])
    residuals_RV = sums_RV - mean_R[:, None] * sizes_V
    residuals_RV /= np.maximum(np.abs(residuals_RV).max(axis=1, keepdims=True), 1e-12)
    near_R, far_R, at_R = np.zeros(len(sums_RU)), np.full(len(sums_RU), 60.0), mean_R
    for _ in range(36):
        tilt_R = (near_R + far_R) / 2
        exponents_RV = -tilt_R[:, None] * residuals_RV
        tilted_RV = weights_V * np.exp(exponents_RV - exponents_RV.max(axis=1, keepdims=True))
        at_R = (tilted_RV * sums_RV).sum(axis=1) / (tilted_RV * sizes_V).sum(axis=1)
        variance_R = (tilted_RV * dominance_V * (sums_RV - at_R[:, None] * sizes_V) ** 2).sum(axis=1) / tilted_RV.sum(axis=1)
        is_far_R = (mean_R - at_R) * n > allowed * np.sqrt(num_units * variance_R)
        near_R, far_R = np.where(is_far_R, near_R, tilt_R), np.where(is_far_R, tilt_R, far_R)
    return at_R > 0
