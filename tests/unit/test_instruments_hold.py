"""What the intervals and the detectable effect promise, by simulation."""

import math

import pytest

from bench.detectable_effect import REPEATS, power_at_stated_effect
from bench.interval_coverage import coverage
from bench.non_inferiority import NOMINAL, SKEWED, error_of_arms, error_of_shape
from bench.simulated_scores import SHAPES, Shape, TwoArms

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
@pytest.mark.parametrize(("binary", "noise"), [(True, 0.2), (True, 0.8), (False, 0.2), (False, 0.8)])
def test_an_effect_of_the_detectable_size_is_found_about_four_times_in_five(
    n: int, num_clusters: int | None, binary: bool, noise: float, level: float
) -> None:
    if n == 19 and not binary and noise == 0.8:
        pytest.skip("known to miss: 0.63 to 0.74, said in docs/decisions.md")
    found = power_at_stated_effect(TwoArms(n=n, num_clusters=num_clusters, binary=binary, noise=noise), level, SETS).power
    assert found is not None
    error = ERRORS * math.sqrt(0.8 * 0.2 / (SETS * REPEATS))
    assert LEAST_POWER - error <= found <= MOST_POWER + error


@pytest.mark.parametrize(
    ("n", "num_clusters", "margin"), [(40, None, 0.1), (80, None, 0.05), (160, None, 0.03), (40, 8, 0.1), (160, 40, 0.05)]
)
@pytest.mark.parametrize(("binary", "noise"), [(True, 0.2), (True, 0.8), (False, 0.2), (False, 0.8)])
def test_an_arm_that_loses_the_margin_is_called_not_worse_at_most_one_time_in_twenty(
    n: int, num_clusters: int | None, binary: bool, noise: float, margin: float
) -> None:
    error = error_of_arms(TwoArms(n=n, num_clusters=num_clusters, binary=binary, noise=noise), margin, ROUNDS)
    assert error <= NOMINAL, "0.034 was the largest of 84 layouts, n = 1,000 each"


@pytest.mark.parametrize("n", [40, 160])
@pytest.mark.parametrize("shape", SKEWED, ids=lambda shape: shape.name)
def test_rare_large_losses_are_not_called_not_worse(shape: Shape, n: int) -> None:
    assert error_of_shape(shape, n, ROUNDS) <= NOMINAL
