"""What the intervals and the detectable effect promise, by simulation."""

import math

import pytest

from bench.detectable_effect import REPEATS, power_at_stated_effect
from bench.interval_coverage import coverage
from bench.simulated_scores import SHAPES, TwoArms

pytestmark = pytest.mark.slow

ROUNDS, SETS = 400, 24
COVERED, LEAST_POWER, MOST_POWER = 0.93, 0.75, 0.90
ERRORS = 2.5
"""Standard errors of the simulation that are allowed for."""


@pytest.mark.parametrize(("num_units", "size"), [(10, 1), (20, 1), (6, 5), (12, 4)])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_intervals_of_skewed_scores_hold_the_truth(shape: object, num_units: int, size: int) -> None:
    hits, _ = coverage(shape, num_units, size, ROUNDS, earlier=False)  # type: ignore[arg-type]
    assert hits[0] >= COVERED - ERRORS * math.sqrt(COVERED * (1 - COVERED) / ROUNDS)


@pytest.mark.parametrize("level", [0.05, 0.05 / 6])
@pytest.mark.parametrize(("n", "num_clusters"), [(19, None), (40, None), (160, None), (160, 12), (80, 40)])
@pytest.mark.parametrize(("binary", "noise"), [(True, 0.2), (True, 0.8), (False, 0.2)])
def test_an_effect_of_the_detectable_size_is_found_about_four_times_in_five(
    n: int, num_clusters: int | None, binary: bool, noise: float, level: float
) -> None:
    found = power_at_stated_effect(TwoArms(n=n, num_clusters=num_clusters, binary=binary, noise=noise), level, SETS).power
    assert found is not None
    error = ERRORS * math.sqrt(0.8 * 0.2 / (SETS * REPEATS))
    assert LEAST_POWER - error <= found <= MOST_POWER + error
