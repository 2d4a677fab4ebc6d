"""The detectable effect: power of the test that is used, at the level that is used."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from plumbline.paired_tests import exact_sign_flip, mcnemar_exact
from plumbline.power import fewest_gained, finds_gain, mcnemar_power
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
