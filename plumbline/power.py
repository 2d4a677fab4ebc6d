"""The smallest true difference that a paired test finds four times in five. Pure.

It is computed for the test that is used, at the level that is used: the exact McNemar test over the number of pairs that
disagree, the sign-flip test over simulated units, with the steps in which its p value moves. With many units, the normal
approximation gives the same number.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, chdtri, gammaln, ndtr, ndtri

from plumbline.intervals import Floats, Units, lower_bounds_above_0
from plumbline.paired_tests import grid_of

POWER_BINARY, POWER_GRADED = 0.81, 0.83
"""The power aimed at, so that an effect of the stated size is found about four times in five although the disagreement is only estimated."""
MOST_WANTED = 0.97
SIMULATED_SCORES = 60_000
"""Scores simulated for each effect that is tried; a simulation holds at least 200 and at most 600 data sets."""
GUESSED_SIZE = 0.25
"""For graded scores, a difference that is added to those seen: one step of five."""
MANY_UNITS, MANY_MOVING = 60, 40
"""With at least this many units, and at least this many that move, the normal approximation is used."""
SHARE_ABOVE = 0.5
"""Of the sums of squares that clusters could have shown, the share above the one that is assumed."""
LARGE_CLUSTER = 30
"""With this many questions, their sum is drawn as a normal number."""
FEW_MOVING = 8
"""If at most this many units move, all signs are written out; with more, the Edgeworth series decides as the exact test does."""
PRIOR_QUESTIONS, PRIOR_CORRELATION = 1, 0.2
"""What is assumed about the correlation in a cluster before anything is seen: it weighs as much as one question that differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """How two arms disagree on a question."""

    share: float
    """Of questions on which the scores differ."""
    size: float
    """Mean of the absolute difference, if they differ."""
    sizes: Floats
    """Absolute differences that were seen, sorted."""
    square: float
    """Mean of the squared difference, if they differ."""
    step: float
    """Grid on which sums of differences lie; 0 without a grid."""
    correlation: float
    """Of two differences in one cluster."""

    def shares_at(self, effect: float) -> tuple[float, float]:
        """Shares of questions lost and gained at a true mean difference, by exponential tilting of equal shares.

        The odds of a gain grow as those of a loss fall; if that is not enough, fewer pairs are alike.
        """
        shift = min(effect / self.size, 1 - 1e-9)
        half = self.share / 2 / (1 - self.share)
        ratio = (shift + math.sqrt(shift * shift + 4 * half * half * (1 - shift * shift))) / (2 * half * (1 - shift))
        total = 1 + half * (ratio + 1 / ratio)
        return half / ratio / total, half * ratio / total


def disagreement_of(differences_N: Floats, units: Units, *, binary: bool) -> Disagreement:
    """What the differences say about a question, with half a question that differs added, so that nothing is impossible."""
    n, moving_M = len(differences_N), np.sort(np.abs(differences_N[np.abs(differences_N) > 1e-12]))
    sizes_M = moving_M if binary else np.append(moving_M, GUESSED_SIZE)
    if len(sizes_M) == 0:
        sizes_M = np.ones(1)
    grid = grid_of(sizes_M.tolist())
    return Disagreement(
        share=(len(moving_M) + 0.5) / (n + 1),
        size=float(sizes_M.mean()),
        sizes=sizes_M,
        square=float((sizes_M**2).mean()),
        step=0.0 if grid is None else 1 / grid,
        correlation=correlation_in_clusters(differences_N, units, num_moving=len(moving_M)),
    )


def correlation_in_clusters(differences_N: Floats, units: Units, *, num_moving: int) -> float:
    """Correlation of two differences in one cluster, by the variance of the sums; pulled towards the prior if little moves."""
    n, num_units = len(differences_N), len(units.sums_U)
    weighted = float((units.sizes_U**2).sum()) / n
    if weighted <= 1 or num_units < 2:
        return 0.0
    mean = float(differences_N.mean())
    spread = float(((differences_N - mean) ** 2).sum())
    seen = 0.0
    if spread > 1e-9:
        inflation = float(((units.sums_U - mean * units.sizes_U) ** 2).sum()) / spread
        inflation *= num_units / chdtri(num_units - 1, SHARE_ABOVE)  # few clusters show their spread badly, and mostly as too small
        seen = (inflation - 1) / (weighted - 1)
    pulled = (num_moving * seen + PRIOR_QUESTIONS * PRIOR_CORRELATION) / (num_moving + PRIOR_QUESTIONS)
    return min(max(pulled, 0.0), 0.98)


def detectable_effect(differences_N: Floats, units: Units, *, binary: bool, level: float) -> float:
    """Smallest true mean difference that the paired test finds four times in five at `level`; 1 if no result could be significant."""
    return detectable_with(disagreement_of(differences_N, units, binary=binary), units, binary=binary, level=level)


def least_p_value(num_units: int) -> float:
    """The smallest p value that the exact test can give: if all units move, and all in the same direction."""
    return 2.0 ** (1 - num_units)


def detectable_with(found: Disagreement, units: Units, *, binary: bool, level: float) -> float:
    """The same for arms that disagree as `found` says, on questions in clusters like those of `units`."""
    if least_p_value(len(units.sums_U)) >= level:
        return 1.0
    n, wanted = int(units.sizes_U.sum()), wanted_power(found, units, binary=binary)
    if binary and not units.clustered:
        return smallest(lambda effect: mcnemar_power(n, *found.shares_at(effect), level), wanted, 1.0, 20)
    if units.effective_number >= MANY_UNITS:
        effect = smallest(lambda effect: normal_power(found, units, effect, level), wanted, found.size, 20)
        if effect < 1 and num_moving_units(found, units, effect) >= MANY_MOVING:
            return effect
    return smallest(Simulation(found, units, level).power, wanted, found.size, 11)


def wanted_power(found: Disagreement, units: Units, *, binary: bool) -> float:
    """The power aimed at: few questions say little about how much graded scores differ, and less the more often they differ."""
    if binary:
        return POWER_BINARY
    unknown = 1.0 if units.clustered else 4 * found.share - 0.2
    return min(POWER_GRADED + unknown / float(units.sizes_U.sum()), MOST_WANTED)


def power_at(found: Disagreement, units: Units, effect: float, *, binary: bool, level: float) -> float:
    """Power of the paired test at a true mean difference."""
    if least_p_value(len(units.sums_U)) >= level:
        return 0.0
    if binary and not units.clustered:
        return mcnemar_power(int(units.sizes_U.sum()), *found.shares_at(effect), level)
    if units.effective_number >= MANY_UNITS and num_moving_units(found, units, effect) >= MANY_MOVING:
        return normal_power(found, units, effect, level)
    return Simulation(found, units, level).power(effect)


def smallest(power: Callable[[float], float], wanted: float, most: float, num_steps: int) -> float:
    """The smallest effect up to `most` that has the wanted power; 1 if none has it."""
    if power(most) < wanted:
        return 1.0
    low, high = 0.0, most
    for _ in range(num_steps):
        middle = (low + high) / 2
        if power(middle) < wanted:
            low = middle
        else:
            high = middle
    return high


def mcnemar_power(n: int, lost: float, gained: float, level: float) -> float:
    """Probability that the exact McNemar test on n pairs finds the gain: over all numbers of pairs that disagree."""
    differing = lost + gained
    width = 9 * math.sqrt(n * differing * (1 - differing)) + 9
    first, last = max(1, int(n * differing - width)), min(n, int(n * differing + width))
    m_M = np.arange(first, last + 1, dtype=np.float64)
    log_ways_M = gammaln(n + 1) - gammaln(m_M + 1) - gammaln(n - m_M + 1)
    chance_M = np.exp(log_ways_M + m_M * math.log(differing) + (n - m_M) * math.log1p(-min(differing, 1 - 1e-12)))
    needed_M = fewest_gained(m_M, level)
    possible_M = needed_M <= m_M
    needed_M = np.minimum(needed_M, m_M)
    return float((chance_M * possible_M * betainc(needed_M, m_M - needed_M + 1, gained / differing)).sum())


def fewest_gained(m_M: Floats, level: float) -> Floats:
    """The smallest number gained of m pairs that disagree that is significant; m + 1 if not even all of them are."""
    low_M, high_M = np.floor(m_M / 2), m_M + 1
    while (high_M - low_M > 1).any():
        middle_M = np.floor((low_M + high_M) / 2)
        significant_M = 2 * betainc(np.maximum(middle_M, 1), np.maximum(m_M - middle_M + 1, 1), 0.5) < level
        open_M = high_M - low_M > 1
        high_M = np.where(open_M & significant_M, middle_M, high_M)
        low_M = np.where(open_M & ~significant_M, middle_M, low_M)
    return high_M


def normal_power(found: Disagreement, units: Units, effect: float, level: float) -> float:
    """Power of the sign-flip test over many units: the sum of units against the root of their sum of squares."""
    lost, gained = found.shares_at(effect)
    square = found.square * (lost + gained)
    variance = square - effect * effect
    covariance = found.correlation * variance
    spread = float((units.sizes_U * variance + units.sizes_U * (units.sizes_U - 1) * covariance).sum())
    squares = spread + effect * effect * float((units.sizes_U**2).sum())
    distance = effect * float(units.sizes_U.sum()) - found.step + float(ndtri(level / 2)) * math.sqrt(squares)
    return float(ndtr(distance / math.sqrt(max(spread, 1e-12))))


def num_moving_units(found: Disagreement, units: Units, effect: float) -> float:
    """Expected number of units in which anything differs."""
    return float((1 - (1 - sum(found.shares_at(effect))) ** units.sizes_U).sum())


class Simulation:
    """Units drawn with the same random numbers for every effect that is tried; no result depends on chance."""

    def __init__(self, found: Disagreement, units: Units, level: float) -> None:
        self.found, self.level = found, level
        self.is_uneven = units.effective_number < len(units.sums_U)
        self.sizes_U = sizes_U = np.sort(units.sizes_U)
        num_small = int((sizes_U <= LARGE_CLUSTER).sum())
        self.small_U, self.large_U = sizes_U[:num_small].astype(np.int64), sizes_U[num_small:]
        num_scores = int(self.small_U.sum()) + len(self.large_U)
        num_sets = int(min(600, max(200, SIMULATED_SCORES // num_scores)))
        generator = np.random.default_rng(0)
        shared_RU = generator.standard_normal((num_sets, len(sizes_U)))
        own_RN = generator.standard_normal((num_sets, int(self.small_U.sum())))
        self.size_RN = found.sizes[generator.integers(0, len(found.sizes), own_RN.shape)]
        owner_N = np.repeat(np.arange(num_small), self.small_U)
        self.own_RN, self.shared_RN = own_RN, shared_RU[:, owner_N]
        self.shared_RV = shared_RU[:, num_small:]
        self.own_RV = generator.standard_normal(self.shared_RV.shape)

    def power(self, effect: float) -> float:
        """Share of the simulated data sets in which the test finds the gain."""
        lost, gained = self.found.shares_at(effect)
        latent = latent_correlation(self.found, lost, gained)
        sums: list[Floats] = []
        if len(self.small_U):
            small_RN = math.sqrt(latent) * self.shared_RN + math.sqrt(1 - latent) * self.own_RN if latent else self.own_RN
            signs_RN = (small_RN > -ndtri(gained)).astype(np.float64) - (small_RN < ndtri(lost))
            starts_U = np.append(0, np.cumsum(self.small_U)[:-1])
            sums.append(np.add.reduceat(signs_RN * self.size_RN, starts_U, axis=1))
        if len(self.large_U):
            gained_RV, lost_RV = shares_given(self.shared_RV, latent, lost, gained)
            mean_RV = self.found.size * (gained_RV - lost_RV)
            variance_RV = self.found.square * (gained_RV + lost_RV) - mean_RV**2
            drawn_RV = self.large_U * mean_RV + np.sqrt(self.large_U * np.maximum(variance_RV, 0)) * self.own_RV
            step = self.found.step
            sums.append(np.round(drawn_RV / step) * step if step else drawn_RV)
        sums_RU = np.concatenate(sums, axis=1)
        found_R = finds_gain(sums_RU, self.found.step, self.level)
        if self.is_uneven:  # the interval is wider than the test then, and a gain is shown only if both say so
            found_R &= lower_bounds_above_0(sums_RU, self.sizes_U, most=float(self.found.sizes.max()))
        return float(found_R.mean())


def shares_given(shared: Floats, latent: float, lost: float, gained: float) -> tuple[Floats, Floats]:
    """Shares gained and lost in a cluster, given what its questions share."""
    moved, rest = math.sqrt(latent) * shared, math.sqrt(1 - latent)
    return ndtr((moved + float(ndtri(gained))) / rest), ndtr((float(ndtri(lost)) - moved) / rest)


NODES_K, WEIGHTS_K = np.polynomial.hermite_e.hermegauss(40)


def latent_correlation(found: Disagreement, lost: float, gained: float) -> float:
    """The correlation of the normal numbers behind the differences with which the differences have the correlation that was seen."""
    if found.correlation <= 0:
        return 0.0
    effect = found.size * (gained - lost)
    wanted = found.correlation * (found.square * (gained + lost) - effect**2)
    low, high = 0.0, 0.98
    for _ in range(15):
        latent = (low + high) / 2
        gained_K, lost_K = shares_given(NODES_K, latent, lost, gained)
        between = found.size**2 * float((WEIGHTS_K * (gained_K - lost_K) ** 2).sum() / WEIGHTS_K.sum()) - effect**2
        if between < wanted:
            low = latent
        else:
            high = latent
    return high


def finds_gain(sums_RU: Floats, step: float, level: float) -> NDArray[np.bool_]:
    """Per data set, whether the two-sided sign-flip test of its units finds a gain at `level`."""
    total_R, sizes_RU = sums_RU.sum(axis=1), -np.sort(-np.abs(sums_RU), axis=1)
    squares_R = np.maximum((sizes_RU**2).sum(axis=1), 1e-12)
    x_R = np.maximum(total_R - step, 0) / np.sqrt(squares_R)
    kurtosis_R = -2 * (sizes_RU**4).sum(axis=1) / squares_R**2
    p_R = 2 * ndtr(-x_R) + np.exp(-(x_R**2) / 2) / math.sqrt(2 * math.pi) * (x_R**3 - 3 * x_R) * kurtosis_R / 12
    few_R = (sizes_RU > 1e-12).sum(axis=1) <= FEW_MOVING
    if few_R.any():
        first_RU = sizes_RU[few_R, :FEW_MOVING]
        flipped_RS = first_RU[:, :1]  # the first sign stays
        for column_R in first_RU.T[1:]:
            flipped_RS = np.concatenate([flipped_RS + column_R[:, None], flipped_RS - column_R[:, None]], axis=1)
        p_R[few_R] = (np.abs(flipped_RS) >= total_R[few_R, None] - 1e-9).mean(axis=1)
    return (p_R < level) & (total_R > 0)
