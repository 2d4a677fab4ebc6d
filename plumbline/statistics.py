"""Intervals, paired tests and the smallest effect that a benchmark could have shown. Pure.

Scores are in 0..1 and results are fractions, not points. Where questions share a cluster (a template, a passage),
the cluster is the unit: it is resampled, and its sign is flipped. Its questions stand or fall together, and taking
them for independent makes intervals too narrow (Miller 2024, arXiv 2411.00640).
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

NORMAL = NormalDist()
SIGNIFICANCE = 0.05
"""A difference counts as shown where its p value is smaller than this."""
Z95 = NORMAL.inv_cdf(0.975)
DETECTABLE = Z95 + NORMAL.inv_cdf(0.80)
"""2.80: distance, in standard errors, of an effect that a two-sided 5 % test finds four times in five."""
SMALLEST_P = 1e-300
"""A probability that underflows is not zero."""
GRIDS = (1, 2, 4, 5, 8, 10, 20, 100)
"""Scores of a menu lie on one of these grids; on a grid the permutation distribution is exact."""
MAX_UNITS_ENUMERATED = 16
FEWEST_UNITS = 6
"""With five units even a unanimous result has p = 2 / 2**5 = 0.06: nothing could be shown."""


class IntervalMethod(StrEnum):
    """How an interval was found."""

    WILSON = "wilson"
    WILSON_UNITS = "wilson_units"
    """Of one arm in which no spread was seen."""
    TANGO = "tango"
    BCA = "bca"
    CLUSTER_BCA = "cluster_bca"
    UNSEEN_UNITS = "unseen_units"
    """Of a comparison in which all differences are equal."""


class PairedTest(StrEnum):
    """How a p value was found; `_CLUSTERED` where whole clusters are flipped."""

    MCNEMAR = "mcnemar_exact"
    MCNEMAR_CLUSTERED = "mcnemar_exact_clustered"
    SIGN_FLIP = "sign_flip_permutation"
    SIGN_FLIP_CLUSTERED = "sign_flip_permutation_clustered"


class Direction(StrEnum):
    """What a comparison shows about tuned."""

    BETTER = "better"
    WORSE = "worse"
    NONE = "none"
    """No difference was shown."""
    UNSCORED = "unscored"
    """There was nothing to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Mean score of one arm."""

    n: int
    num_units: int
    """Independent units: clusters, or questions where none share one."""
    mean: float
    ci95: tuple[float, float]
    method: IntervalMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Tuned against base on the same questions."""

    n: int
    """Pairs."""
    num_units: int
    base_mean: float
    tuned_mean: float
    delta: float
    """Mean of tuned - base."""
    ci95: tuple[float, float]
    ci_method: IntervalMethod
    p_value: float
    """Two-sided."""
    test: PairedTest
    num_base_only: int
    """Pairs in which base scored higher (for 0/1 scores: only base was right)."""
    num_tuned_only: int
    minimum_detectable_effect: float
    """Smallest true difference found with 80 % power at the 5 % level, if pairs disagree as often as the upper bound of
    what was seen; 1 where nothing short of everything could be found."""


@dataclass(frozen=True, slots=True)
class Units:
    """What is resampled: per unit the sum of its values and its number of questions, in an order that no caller can move."""

    sums_U: Floats
    sizes_U: Floats

    @property
    def clustered(self) -> bool:
        """Whether any unit holds more than one question."""
        return bool((self.sizes_U > 1).any())

    def in_order(self) -> list[tuple[float, float]]:
        """(sum, size) of each unit."""
        return list(zip(self.sums_U.tolist(), self.sizes_U.tolist(), strict=True))


def checked_scores(scores: Sequence[float], name: str) -> Floats:
    """Scores as an array. ValueError unless each is a number in 0..1: a missing verdict is not a score."""
    for index, score in enumerate(scores):
        if not isinstance(score, int | float | np.number | np.bool_) or not 0 <= float(score) <= 1:
            raise ValueError(f"{name} score {index} is {score!r}: a number in 0..1 is needed; leave out pairs without a verdict.")
    return np.array([float(score) for score in scores], dtype=np.float64)


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


def bca_interval(units: Units, *, seed: int, num_resamples: int, expand: bool = True) -> tuple[float, float] | None:
    """95 % BCa bootstrap interval of the mean over questions, resampling units; None where all units have the same mean.

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
        # Past its pole the BCa map turns back: what is meant there is the end of the distribution.
        levels.append(NORMAL.cdf(bias + (bias + z) / scale) if scale > 0 else float(z > 0))
    low, high = np.quantile(means_B, levels)
    return float(low), float(high)


def mean_estimate(scores: Sequence[float], *, clusters: Sequence[Hashable] | None, seed: int, num_resamples: int = 10_000) -> Estimate:
    """Mean of scores in 0..1 with its 95 % interval: Wilson for independent 0/1 scores, else BCa over units."""
    values_N = checked_scores(scores, "arm")
    if len(values_N) == 0:
        raise ValueError("no scores: at least one is needed.")
    units = units_of(values_N, clusters)
    mean, num_units = math.fsum(values_N) / len(values_N), len(units.sums_U)
    if not units.clustered and np.isin(values_N, (0.0, 1.0)).all():
        return Estimate(
            n=len(values_N),
            num_units=num_units,
            mean=mean,
            method=IntervalMethod.WILSON,
            ci95=wilson_interval(values_N.sum(), len(values_N)),
        )
    bounds = bca_interval(units, seed=seed, num_resamples=num_resamples)
    if bounds is None:  # no spread to resample; what is left to say is how few units there are
        bounds, method = wilson_interval(mean * num_units, num_units), IntervalMethod.WILSON_UNITS
    else:
        method = IntervalMethod.CLUSTER_BCA if units.clustered else IntervalMethod.BCA
    return Estimate(n=len(values_N), num_units=num_units, mean=mean, ci95=bounds, method=method)


def tango_interval(num_base_only: int, num_tuned_only: int, n: int) -> tuple[float, float]:
    """Tango's score interval of a paired difference of proportions; has a width even where no pair disagrees.

    Source: Tango 1998, Statistics in Medicine 17:891-908. The bounds are the roots of the score statistic, by bisection.
    """
    observed = (num_tuned_only - num_base_only) / n

    def statistic(difference: float) -> float:
        linear = (2 * n - num_tuned_only + num_base_only) * difference - num_tuned_only - num_base_only
        constant = -num_base_only * difference * (1 - difference)
        share = (math.sqrt(max(0.0, linear**2 - 8 * n * constant)) - linear) / (4 * n)
        variance = n * (2 * share + difference * (1 - difference))
        distance = num_tuned_only - num_base_only - n * difference
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


def mcnemar_exact(num_base_only: int, num_tuned_only: int) -> float:
    """Two-sided exact McNemar test: the binomial probability of a split at least this uneven among pairs that disagree."""
    discordant, fewer = num_base_only + num_tuned_only, min(num_base_only, num_tuned_only)
    if discordant == 0:
        return 1.0
    ways, tail = 1, 1
    for k in range(fewer):
        ways = ways * (discordant - k) // (k + 1)
        tail += ways
    # Whole numbers all the way: a float sum would overflow beyond a thousand pairs.
    numerator, denominator = 2 * tail, 1 << discordant
    return 1.0 if numerator >= denominator else max(numerator / denominator, SMALLEST_P)


def sign_flip_p_value(sums: Sequence[float], *, seed: int, num_resamples: int = 10_000) -> float:
    """Two-sided permutation test of "each unit's sum is as likely with the other sign"; exact on a grid or for few units."""
    moving = [float(value) for value in sums if abs(value) > 1e-12]
    if not moving:
        return 1.0
    for grid in GRIDS:
        steps = [round(value * grid) for value in moving]
        if all(abs(step - value * grid) < 1e-9 for step, value in zip(steps, moving, strict=True)):
            return exact_sign_flip(steps)
    observed = abs(math.fsum(moving)) - 1e-12
    moving_U = np.array(moving)
    if len(moving) <= MAX_UNITS_ENUMERATED:
        bits = (np.arange(1 << len(moving))[:, None] >> np.arange(len(moving))) & 1
        return float((np.abs((1 - 2 * bits) @ moving_U) >= observed).mean())
    generator = np.random.default_rng(seed)
    extreme = 0
    for _ in range(num_resamples):
        signs_U = 1 - 2 * generator.integers(0, 2, size=len(moving))
        extreme += abs(float(signs_U @ moving_U)) >= observed
    return (1 + extreme) / (1 + num_resamples)  # the observed assignment is one of them, so never 0


def exact_sign_flip(steps: Sequence[int]) -> float:
    """Probability that a sum of randomly signed whole numbers is at least as far from 0 as the sum given."""
    reach = sum(map(abs, steps))
    shares = np.zeros(2 * reach + 1)
    shares[reach] = 1.0
    for step in map(abs, steps):
        shares = (np.roll(shares, step) + np.roll(shares, -step)) / 2  # nothing wraps: reach covers every sum
    distance = abs(sum(steps))
    extreme = shares[: reach - distance + 1].sum() + shares[reach + distance :].sum() if distance else 1.0
    return min(1.0, max(float(extreme), SMALLEST_P))


def detectable_effect(differences_N: Floats, units: Units) -> float:
    """2.8 * sqrt(d / n), d being the upper 95 % bound (Wilson) of the share of discordance; for 0/1 scores that of pairs
    that disagree, else the mean squared difference. Above 0 whatever was seen, and at most 1.

    With clusters n is the effective number of questions: n over the design effect, which the spread of the differences
    around their mean shows; where they have none, that of clusters that move as one.
    """
    n = len(differences_N)
    if len(units.sums_U) < FEWEST_UNITS:
        return 1.0
    mean = float(differences_N.mean())
    spread = float(((differences_N - mean) ** 2).sum())
    if spread > 1e-9:
        inflation = float(((units.sums_U - mean * units.sizes_U) ** 2).sum()) / spread
    else:
        inflation = float((units.sizes_U**2).sum()) / n
    effective = n / max(1.0, inflation)
    discordance = min(1.0, float((differences_N**2).mean()))
    bound = wilson_interval(discordance * effective, effective)[1]
    return min(1.0, DETECTABLE * math.sqrt(bound / effective))


def paired_comparison(
    base: Sequence[float], tuned: Sequence[float], *, clusters: Sequence[str] | None, seed: int, num_resamples: int = 10_000
) -> Comparison:
    """Compare two arms question by question. ValueError for values that are not scores, unequal lengths, or no pairs at all.

    Interval: Tango's for independent 0/1 scores, else BCa over units. Test: exact McNemar where all scores are 0 or 1,
    else sign flips; over clusters the sign of a whole cluster is flipped, which for clusters of one is the same test.
    """
    base_N, tuned_N = checked_scores(base, "base"), checked_scores(tuned, "tuned")
    if len(base_N) != len(tuned_N):
        raise ValueError(f"{len(base_N)} base and {len(tuned_N)} tuned scores: both arms answer the same questions.")
    if len(base_N) == 0:
        raise ValueError("no pairs: at least one question with a score in both arms is needed.")
    if clusters is not None and len(clusters) != len(base_N):
        raise ValueError(f"{len(clusters)} clusters for {len(base_N)} pairs: one per question is needed.")
    differences_N = tuned_N - base_N
    # One orientation is computed and the other mirrored, so that swapping the arms changes signs and nothing else.
    there, back = units_of(differences_N, clusters), units_of(-differences_N, clusters)
    flipped = back.in_order() < there.in_order()
    symmetric = back.in_order() == there.in_order()
    oriented_N, units = (-differences_N, back) if flipped else (differences_N, there)
    num_units, n = len(units.sums_U), len(base_N)
    binary = bool(np.isin(base_N, (0.0, 1.0)).all() and np.isin(tuned_N, (0.0, 1.0)).all())
    delta = math.fsum(oriented_N) / n
    up, down = int((oriented_N > 0).sum()), int((oriented_N < 0).sum())

    if binary and not units.clustered:
        bounds, method = tango_interval(down, up, n), IntervalMethod.TANGO
    elif (resampled := bca_interval(units, seed=seed, num_resamples=num_resamples)) is not None:
        reach = max(-resampled[0], resampled[1])
        bounds = (-reach, reach) if symmetric else resampled
        method = IntervalMethod.CLUSTER_BCA if units.clustered else IntervalMethod.BCA
    else:  # all units alike: at most this share of units could differ without one of them having shown up
        unseen = 1 - 0.025 ** (1 / num_units)
        bounds, method = (max(-1.0, delta - unseen), min(1.0, delta + unseen)), IntervalMethod.UNSEEN_UNITS

    if binary and not units.clustered:
        p_value = mcnemar_exact(down, up)
    else:
        p_value = sign_flip_p_value(units.sums_U.tolist(), seed=seed, num_resamples=num_resamples)
    if units.clustered:
        test = PairedTest.MCNEMAR_CLUSTERED if binary else PairedTest.SIGN_FLIP_CLUSTERED
    else:
        test = PairedTest.MCNEMAR if binary else PairedTest.SIGN_FLIP
    low, high = (-bounds[1], -bounds[0]) if flipped else bounds
    return Comparison(
        n=n,
        num_units=num_units,
        base_mean=math.fsum(base_N) / n,
        tuned_mean=math.fsum(tuned_N) / n,
        delta=-delta if flipped else delta,
        ci95=(low, high),
        ci_method=method,
        p_value=p_value,
        test=test,
        num_base_only=up if flipped else down,
        num_tuned_only=down if flipped else up,
        minimum_detectable_effect=detectable_effect(np.sort(oriented_N), units),
    )


def shown_direction(ci95: tuple[float, float], p_value: float) -> Direction:
    """`better` or `worse` only where the interval excludes 0 and the p value, adjusted by the caller, is below SIGNIFICANCE."""
    low, high = ci95
    if p_value < SIGNIFICANCE and low > 0:
        return Direction.BETTER
    if p_value < SIGNIFICANCE and high < 0:
        return Direction.WORSE
    return Direction.NONE


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment: name -> p value that holds for the whole family of tests."""
    adjusted: dict[str, float] = {}
    floor = 0.0
    ordered = sorted(p_values.items(), key=lambda entry: (entry[1], entry[0]))
    for rank, (name, p_value) in enumerate(ordered):
        floor = max(floor, min(1.0, (len(ordered) - rank) * p_value))
        adjusted[name] = floor
    return {name: adjusted[name] for name in p_values}


def chance_level(num_choices: Sequence[int]) -> float | None:
    """Expected share right by blind guessing: the mean of 1/k; None where a question has no choices to guess among."""
    if not num_choices or min(num_choices) < 1:
        return None
    return math.fsum(1 / k for k in num_choices) / len(num_choices)
