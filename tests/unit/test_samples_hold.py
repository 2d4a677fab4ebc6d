"""Intervals, test and detectable effect hold if a question counts with the mean of two to five 0/1 samples. By simulation."""

import math
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import pytest

from plumbline.intervals import Floats, tilted_interval, units_of
from plumbline.paired_tests import grid_of, mcnemar_exact, sign_flip_p_value
from plumbline.power import detectable_effect
from plumbline.statistics import PairedTest, difference_interval, paired_comparison

ERRORS = 2.5
"""Standard errors of the simulation that are allowed for."""


@dataclass(frozen=True)
class Layout:
    """Questions with different chances, and samples of each."""

    n: int
    num_samples: int
    cluster_size: int = 1

    @property
    def clusters(self) -> list[str] | None:
        return None if self.cluster_size == 1 else [f"c{number // self.cluster_size}" for number in range(self.n)]

    def drawn(self, generator: np.random.Generator, effect: float) -> tuple[Floats, Floats]:
        """Means of both arms. Questions are easy or hard together in a cluster, and an arm is better or worse on each by itself."""
        shared = np.repeat(generator.uniform(0.35, 0.65, -(-self.n // self.cluster_size)), self.cluster_size)[: self.n]
        own = generator.choice([-0.15, 0.15], (2, self.n))
        chances = [shared + own[0] - effect / 2, shared + own[1] + effect / 2]
        before, after = (generator.binomial(self.num_samples, chance) / self.num_samples for chance in chances)
        return before, after


LAYOUTS = [Layout(20, 2), Layout(20, 3), Layout(40, 5), Layout(48, 3, 4)]


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_intervals_cover_and_the_test_errs_one_time_in_twenty(layout: Layout) -> None:
    generator, rounds = np.random.default_rng(4), 1000
    covered, covered_arm, found = 0, 0, 0
    for _ in range(rounds):
        before, after = layout.drawn(generator, 0.0)
        units = units_of(after - before, layout.clusters)
        (low, high), _ = difference_interval(after - before, units, binary=False)
        covered += low <= 0 <= high
        found += sign_flip_p_value(units.sums_U.tolist(), seed=1, num_resamples=1000) < 0.05
        bounds = tilted_interval(after, units_of(after, layout.clusters), support=(0.0, 1.0))
        covered_arm += bounds is not None and bounds[0] <= 0.5 <= bounds[1]
    allowed = ERRORS * math.sqrt(0.05 * 0.95 / rounds)
    assert min(covered, covered_arm) / rounds >= 0.93 - allowed
    assert found / rounds <= 0.05 + allowed


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS[1:], ids=str)
def test_the_detectable_effect_of_means_is_found_about_four_times_in_five(layout: Layout) -> None:
    generator, powers = np.random.default_rng(5), []
    for _ in range(12):
        before, after = layout.drawn(generator, 0.0)
        effect = detectable_effect(np.sort(after - before), units_of(after - before, layout.clusters), binary=False, level=0.05)
        sets = [layout.drawn(generator, effect) for _ in range(60)]
        sums = [units_of(after - before, layout.clusters).sums_U.tolist() for before, after in sets]
        powers.append(fmean(sign_flip_p_value(one, seed=1, num_resamples=500) < 0.05 for one in sums))
    assert 0.75 - 0.04 <= fmean(powers) <= 0.9 + 0.04


@pytest.mark.slow
def test_samples_taken_for_questions_would_find_differences_that_are_not_there() -> None:
    generator, layout, found, wrong = np.random.default_rng(6), Layout(20, 5), 0, 0
    for _ in range(400):
        chances = generator.choice([0.05, 0.95], (2, layout.n))
        before, after = generator.binomial(1, chances[..., None], (2, layout.n, layout.num_samples))
        means = (after - before).mean(axis=1)
        found += sign_flip_p_value(means.tolist(), seed=1) < 0.05
        wrong += mcnemar_exact(int((before > after).sum()), int((before < after).sum())) < 0.05
    assert found / 400 <= 0.05 + ERRORS * math.sqrt(0.05 * 0.95 / 400)
    assert wrong / 400 > 0.2


@pytest.mark.parametrize(("num_samples", "other"), [(1, 1), (2, 2), (3, 3), (5, 5), (6, 6), (7, 7), (9, 9), (4, 1), (2, 3)])
def test_differences_of_means_lie_on_a_grid_so_that_the_test_is_exact(num_samples: int, other: int) -> None:
    values = [right / num_samples - wrong / other for right in range(num_samples + 1) for wrong in range(other + 1)]
    assert grid_of(values) is not None
    assert grid_of([step / 4 / num_samples for step in range(4 * num_samples)]) is not None or num_samples in (7, 9), "steps of the judge"


def test_the_test_of_means_is_named_and_that_of_one_answer_stays_mcnemars() -> None:
    first, second = [0.0, 1.0, 0.0, 1.0] * 6, [1.0, 1.0, 0.0, 1.0] * 6
    assert paired_comparison(first, second, clusters=None, seed=1).test is PairedTest.MCNEMAR
    means = [0.75 if score else 0.25 for score in first]
    assert paired_comparison(means, second, clusters=None, seed=1).test is PairedTest.SIGN_FLIP
