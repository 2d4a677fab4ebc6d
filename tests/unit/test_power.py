"""The detectable effect: power of the test that is used, at the level that is used."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from plumbline.intervals import Units, lower_bounds_above_0, tilted_interval, units_of
from plumbline.paired_tests import exact_sign_flip, mcnemar_exact
from plumbline.power import Disagreement, detectable_with, fewest_gained, finds_gain, mcnemar_power, power_at
from plumbline.statistics import paired_comparison


@pytest.mark.parametrize("level", [0.05, 0.05 / 3, 0.05 / 18])
def test_the_fewest_gains_are_where_mcnemars_test_turns_significant(level: float) -> None:
    pairs = np.arange(1, 81, dtype=float)
    for m, needed in zip(range(1, 81), fewest_gained(pairs, level), strict=True):
        significant = [gained for gained in range(m // 2 + 1, m + 1) if mcnemar_exact(m - gained, gained) < level]
        assert needed == (significant[0] if significant else m + 1)


@pytest.mark.parametrize(("n", "lost", "gained"), [(19, 0.01, 0.39), (40, 0.05, 0.3), (160, 0.1, 0.2)])
def test_mcnemars_power_is_that_of_all_tables(n: int, lost: float, gained: float) -> None:
    expected = math.fsum(
        stats.multinomial.pmf([down, up, n - down - up], n, [lost, gained, 1 - lost - gained])
        for down, up in itertools.product(range(n + 1), repeat=2)
        if down + up <= n and up > down and mcnemar_exact(down, up) < 0.05
    )
    assert mcnemar_power(n, lost, gained, 0.05) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("num_units", [5, 8, 9, 14, 30])
@pytest.mark.parametrize("level", [0.05, 0.05 / 6])
def test_the_simulation_decides_as_the_exact_sign_flip_test(num_units: int, level: float) -> None:
    generator = np.random.default_rng(num_units)
    steps = generator.choice([-2, -1, 0, 1, 1, 2, 3, 4], (300, num_units))
    exact = [exact_sign_flip([step for step in row if step]) < level and sum(row) > 0 for row in steps.tolist()]
    found = finds_gain(steps / 4, 0.25, level)
    assert (found == np.array(exact)).mean() >= 0.98


@pytest.mark.parametrize("graded", [False, True])
def test_where_no_result_could_be_significant_nothing_is_detectable(graded: bool) -> None:
    def detectable(num_units: int, level: float) -> float:
        tuned = [0.75 if graded else 1.0] * num_units
        return paired_comparison([0.0] * num_units, tuned, clusters=None, seed=1, level=level).minimum_detectable_effect

    assert detectable(5, 0.05) == 1.0, "five pairs that all gain: p = 0.0625"
    assert detectable(6, 0.05) < 1.0
    assert detectable(8, 0.05 / 9) == 1.0, "eight: p = 0.0078"
    assert detectable(9, 0.05 / 9) < 1.0


def test_the_stated_effect_of_nineteen_questions_is_no_five_pairs() -> None:
    effect = paired_comparison([1.0] * 19, [1.0] * 19, clusters=None, seed=1).minimum_detectable_effect
    assert stats.binom.sf(5, 19, effect) == pytest.approx(0.81, abs=0.02), "six gains of nineteen are needed, and found four times in five"


def test_a_stricter_level_fewer_questions_and_clusters_detect_less() -> None:
    generator = np.random.default_rng(0)
    base = (generator.random(160) < 0.5).astype(float)
    tuned = np.where(generator.random(160) < 0.2, 1 - base, base)

    def detectable(n: int, num_clusters: int | None, level: float) -> float:
        clusters = None if num_clusters is None else [str(index % num_clusters) for index in range(n)]
        compared = paired_comparison(base[:n].tolist(), tuned[:n].tolist(), clusters=clusters, seed=1, level=level)
        assert compared.level == level
        return compared.minimum_detectable_effect

    assert detectable(160, None, 0.05) < detectable(160, None, 0.05 / 6) < detectable(40, None, 0.05 / 6)
    assert detectable(160, None, 0.05) < detectable(160, 12, 0.05) < detectable(160, 6, 0.05)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.05])
def test_a_level_lies_between_0_and_1(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        paired_comparison([0.0], [1.0], clusters=None, seed=1, level=level)


# ---- clusters of unequal sizes


@pytest.mark.parametrize("sizes", [[40, *[2] * 12], [30, 30, *[1] * 20], [3, 4, 5, 6, 7, 8], [12, 9, 4, 2, 2, 1, 1]], ids=str)
def test_the_bounds_of_many_data_sets_are_those_of_each(sizes: list[int]) -> None:
    generator = np.random.default_rng(2)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    units, is_above = [], []
    for _ in range(60):
        common = generator.choice([-1.0, 0.0, 1.0], len(sizes), p=[0.05, 0.45, 0.5])[clusters]
        own = generator.choice([-1.0, 0.0, 1.0], len(clusters), p=[0.05, 0.45, 0.5])
        values_N = np.where(generator.random(len(clusters)) < 0.5, common, own)
        values_N[np.abs(values_N).argmax()] = 1.0
        found = units_of(values_N, clusters.tolist())
        interval = tilted_interval(values_N, found, support=(-1.0, 1.0))
        assert interval is not None
        units.append(found)
        is_above.append(interval[0] > 0)
    told = [bool(lower_bounds_above_0(one.sums_U[None], one.sizes_U, most=1.0)[0]) for one in units]
    assert told == is_above and 0 < sum(told) < 60


def test_a_gain_over_uneven_clusters_is_detectable_only_if_the_interval_shows_it_as_well() -> None:
    """A dominant cluster makes the interval wide: the test alone would find a gain of 30 points 98 times of 100, both together 67 times."""
    uneven = Units(np.zeros(40), np.array([*[2.0] * 39, 30.0]))
    found = Disagreement(share=0.3, size=1.0, sizes=np.ones(1), square=1.0, step=1.0, correlation=0.0)
    assert power_at(found, uneven, 0.3, binary=True, level=0.05) < 0.75
    even = Units(np.zeros(40), np.full(40, 2.7))
    assert detectable_with(found, uneven, binary=True, level=0.05) > 0.5 > detectable_with(found, even, binary=True, level=0.05)
