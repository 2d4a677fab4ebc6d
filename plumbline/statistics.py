"""Mean scores, paired comparisons and families of tests. Pure.

Scores are in 0..1 and results are fractions, not points. If questions share a cluster, the cluster is the unit:
intervals count clusters, tests flip the sign of a whole one, and the detectable effect takes both into account.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from plumbline.intervals import Floats, Units, tango_interval, tilted_interval, units_of, wilson_interval
from plumbline.paired_tests import mcnemar_exact, sign_flip_p_value
from plumbline.power import detectable_effect

SIGNIFICANCE = 0.05
"""A difference counts as shown only if its p value is smaller than this."""


class IntervalMethod(StrEnum):
    """How an interval was found."""

    WILSON = "wilson"
    WILSON_UNITS = "wilson_units"
    """For one arm in which no spread was seen."""
    TANGO = "tango"
    TILTED = "tilted_score"
    TILTED_UNITS = "tilted_score_units"
    UNSEEN_UNITS = "unseen_units"
    """For a comparison in which all differences are equal."""


class PairedTest(StrEnum):
    """How a p value was found; `_CLUSTERED` if whole clusters are flipped."""

    MCNEMAR = "mcnemar_exact"
    MCNEMAR_CLUSTERED = "mcnemar_exact_clustered"
    SIGN_FLIP = "sign_flip_permutation"
    SIGN_FLIP_CLUSTERED = "sign_flip_permutation_clustered"


class Direction(StrEnum):
    """What a comparison shows about its second arm."""

    BETTER = "better"
    WORSE = "worse"
    NONE = "none"
    """No difference was shown."""
    UNSCORED = "unscored"
    """There was nothing to compare."""


class Verdict(StrEnum):
    """What a comparison says about its second arm if a margin was chosen before the run."""

    BETTER = "better"
    NOT_WORSE = "not worse"
    """By less than the margin, if at all."""
    WORSE = "worse"
    NOT_ENOUGH = "not enough evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Mean score of one arm."""

    n: int
    num_units: int
    """Independent units: clusters, or questions if none share one."""
    mean: float
    ci95: tuple[float, float]
    method: IntervalMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A second arm against a first on the same questions; `paired_comparison` calls them tuned and base."""

    n: int
    """Pairs."""
    num_units: int
    first_mean: float
    second_mean: float
    delta: float
    """Mean of second - first."""
    ci95: tuple[float, float]
    ci_method: IntervalMethod
    p_value: float
    """Two-sided."""
    test: PairedTest
    num_first_only: int
    """Pairs in which the first arm scored higher (for 0/1 scores: only it was right)."""
    num_second_only: int
    minimum_detectable_effect: float
    """Smallest true difference that `test` finds four times in five at `level`, with these units and if pairs disagree as
    often as was seen; 1 if no result could be significant."""
    level: float
    """A p value below it would have been significant, after the correction for many tests."""


def checked_scores(scores: Sequence[float], name: str) -> Floats:
    """Scores as an array. ValueError unless each is a number in 0..1: a missing verdict is not a score."""
    for index, score in enumerate(scores):
        if not isinstance(score, int | float | np.number | np.bool_) or not 0 <= float(score) <= 1:
            raise ValueError(f"{name} score {index} is {score!r}: a number in 0..1 is needed. Leave out pairs without a verdict.")
    return np.array([float(score) for score in scores], dtype=np.float64)


def mean_estimate(scores: Sequence[float], *, clusters: Sequence[Hashable] | None) -> Estimate:
    """Mean of scores in 0..1 with its 95 % interval: Wilson for independent 0/1 scores, else the tilted score interval over units."""
    values_N = checked_scores(scores, "arm")
    if len(values_N) == 0:
        raise ValueError("no scores: at least one is needed.")
    units = units_of(values_N, clusters)
    mean, num_units = math.fsum(values_N) / len(values_N), len(units.sums_U)
    if not units.clustered and np.isin(values_N, (0.0, 1.0)).all():
        bounds, method = wilson_interval(values_N.sum(), len(values_N)), IntervalMethod.WILSON
    elif (tilted := tilted_interval(values_N, units, support=(0.0, 1.0))) is not None:
        bounds, method = tilted, IntervalMethod.TILTED_UNITS if units.clustered else IntervalMethod.TILTED
    else:  # no spread was seen: only the number of units says anything
        seen = units.effective_number
        bounds, method = wilson_interval(min(mean * seen, seen), seen), IntervalMethod.WILSON_UNITS
    return Estimate(n=len(values_N), num_units=num_units, mean=mean, ci95=bounds, method=method)


def difference_interval(oriented_N: Floats, units: Units, *, binary: bool) -> tuple[tuple[float, float], IntervalMethod]:
    """95 % interval of a mean difference, and how it was found."""
    n = len(oriented_N)
    if binary and not units.clustered:
        return tango_interval(int((oriented_N < 0).sum()), int((oriented_N > 0).sum()), n), IntervalMethod.TANGO
    tilted = tilted_interval(oriented_N, units, support=(-1.0, 1.0))
    if tilted is not None:
        return tilted, IntervalMethod.TILTED_UNITS if units.clustered else IntervalMethod.TILTED
    # All units are alike: at most this share of units could differ without one of them being seen, and by as much as scores can.
    unseen, delta = 1 - 0.025 ** (1 / units.effective_number), math.fsum(oriented_N) / n
    return (delta - unseen * (1 + delta), delta + unseen * (1 - delta)), IntervalMethod.UNSEEN_UNITS


def test_of(*, binary: bool, clustered: bool) -> PairedTest:
    """Exact McNemar if all scores are 0 or 1, else sign flips."""
    if clustered:
        return PairedTest.MCNEMAR_CLUSTERED if binary else PairedTest.SIGN_FLIP_CLUSTERED
    return PairedTest.MCNEMAR if binary else PairedTest.SIGN_FLIP


def paired_comparison(
    base: Sequence[float],
    tuned: Sequence[float],
    *,
    clusters: Sequence[str] | None,
    seed: int,
    num_resamples: int = 10_000,
    level: float = SIGNIFICANCE,
) -> Comparison:
    """Compare two arms question by question. ValueError for values that are not scores, unequal lengths, or no pairs at all.

    Interval: Tango's for independent 0/1 scores, else the tilted score interval over units. Test: exact McNemar if all
    scores are 0 or 1, else sign flips; over clusters the sign of a whole cluster is flipped, which for clusters of one is the
    same test. The detectable effect is computed for `level`; if many tests are corrected, it is the strictest level.
    """
    base_N, tuned_N = checked_scores(base, "base"), checked_scores(tuned, "tuned")
    if len(base_N) != len(tuned_N):
        raise ValueError(f"{len(base_N)} base and {len(tuned_N)} tuned scores: both arms answer the same questions.")
    if len(base_N) == 0:
        raise ValueError("no pairs: at least one question with a score in both arms is needed.")
    if clusters is not None and len(clusters) != len(base_N):
        raise ValueError(f"{len(clusters)} clusters for {len(base_N)} pairs: one per question is needed.")
    if not 0 < level < 1:
        raise ValueError(f"level {level}: a level lies between 0 and 1.")
    differences_N = tuned_N - base_N
    # One orientation is computed and the other mirrored, so that swapping the arms changes signs and nothing else.
    there, back = units_of(differences_N, clusters), units_of(-differences_N, clusters)
    flipped = back.in_order() < there.in_order()
    symmetric = back.in_order() == there.in_order()
    oriented_N, units = (-differences_N, back) if flipped else (differences_N, there)
    binary = bool(np.isin(base_N, (0.0, 1.0)).all() and np.isin(tuned_N, (0.0, 1.0)).all())
    up, down = int((oriented_N > 0).sum()), int((oriented_N < 0).sum())
    delta = math.fsum(oriented_N) / len(oriented_N)
    bounds, method = difference_interval(oriented_N, units, binary=binary)
    if symmetric:
        reach = max(-bounds[0], bounds[1])
        bounds = (-reach, reach)
    if binary and not units.clustered:
        p_value = mcnemar_exact(down, up)
    else:
        p_value = sign_flip_p_value(units.sums_U.tolist(), seed=seed, num_resamples=num_resamples)
    return Comparison(
        n=len(base_N),
        num_units=len(units.sums_U),
        first_mean=math.fsum(base_N) / len(base_N),
        second_mean=math.fsum(tuned_N) / len(tuned_N),
        delta=-delta if flipped else delta,
        ci95=(-bounds[1], -bounds[0]) if flipped else bounds,
        ci_method=method,
        p_value=p_value,
        test=test_of(binary=binary, clustered=units.clustered),
        num_first_only=up if flipped else down,
        num_second_only=down if flipped else up,
        minimum_detectable_effect=detectable_effect(np.sort(oriented_N), units, binary=binary, level=level),
        level=level,
    )


def shown_direction(ci95: tuple[float, float], p_value: float) -> Direction:
    """`better` or `worse` only if the interval excludes 0 and the p value, adjusted by the caller, is below SIGNIFICANCE."""
    low, high = ci95
    if p_value < SIGNIFICANCE and low > 0:
        return Direction.BETTER
    if p_value < SIGNIFICANCE and high < 0:
        return Direction.WORSE
    return Direction.NONE


def verdict_at(ci95: tuple[float, float], p_value: float, margin: float | None) -> Verdict:
    """What an interval shows about an arm at a margin > 0; without a margin, `not worse` cannot be shown.

    `not worse` depends on the lower bound alone: at a true loss as large as the margin it is said in at most one of twenty
    cases, by simulation (bench/non_inferiority.py). A loss that is shown and is within the margin is still `not worse`.
    """
    direction = shown_direction(ci95, p_value)
    if direction is Direction.BETTER:
        return Verdict.BETTER
    if margin is not None and ci95[0] > -margin:
        return Verdict.NOT_WORSE
    return Verdict.WORSE if direction is Direction.WORSE else Verdict.NOT_ENOUGH


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment: name -> p value that holds for the whole family of tests."""
    adjusted: dict[str, float] = {}
    floor = 0.0
    ordered = sorted(p_values.items(), key=lambda entry: (entry[1], entry[0]))
    for rank, (name, p_value) in enumerate(ordered):
        floor = max(floor, min(1.0, (len(ordered) - rank) * p_value))
        adjusted[name] = floor
    return {name: adjusted[name] for name in p_values}


def strictest_level(num_tests: int) -> float:
    """The level for the first of this many tests under Holm's correction: plans use it."""
    return SIGNIFICANCE / max(1, num_tests)


def chance_level(num_choices: Sequence[int]) -> float | None:
    """Expected share right by blind guessing: the mean of 1/k; None if a question has no choices to guess among."""
    if not num_choices or min(num_choices) < 1:
        return None
    return math.fsum(1 / k for k in num_choices) / len(num_choices)
