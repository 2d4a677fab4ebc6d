"""What the intervals and the detectable effect promise, by simulation."""

import math

import numpy as np
import pytest
from scipy.special import ndtri

from bench.detectable_effect import REPEATS, power_at_stated_effect
from bench.interval_coverage import coverage
from bench.non_inferiority import NOMINAL, SKEWED, error_of_arms, error_of_shape
from bench.simulated_scores import SHAPES, Floats, Shape, TwoArms
from plumbline.intervals import units_of
from plumbline.statistics import difference_interval, mean_estimate

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


UNEVEN = {
    "one of 40 and twelve of 2": ([40, *[2] * 12], 0.95, 0.05),
    "two of 30 and twenty alone": ([30, 30, *[1] * 20], 0.93, 0.11),
    "one of 60 and five alone": ([60, 1, 1, 1, 1, 1], 0.95, 0.05),
    "one of 30 and 39 of 2": ([30, *[2] * 39], 0.85, 0.07),
    "twenty, each smaller": ([max(1, 60 // place) for place in range(1, 21)], 0.89, 0.07),
    "1 to 9, twice": ([*range(1, 10)] * 2, 0.93, 0.07),
}
"""Sizes of clusters, the least coverage and the most errors of "not worse" that were found in any setting below (n = 300 each)."""


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("layout", UNEVEN)
def test_clusters_of_very_unequal_sizes_make_wide_intervals(layout: str, correlation: float) -> None:
    """Counted as equal ones, their intervals held the truth in 0.46 to 0.98 of the cases, and "not worse" erred in up to 0.19."""
    sizes, least, most = UNEVEN[layout]
    generator, clusters = np.random.default_rng(3), np.repeat(np.arange(len(sizes)), sizes)

    def drawn(shares: tuple[float, ...]) -> Floats:
        own, common = generator.standard_normal(len(clusters)), generator.standard_normal(len(sizes))[clusters]
        latent = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own
        return np.searchsorted(ndtri(np.cumsum(shares)[:-1]), latent).astype(float)

    for share in (0.5, 0.9):
        intervals = [mean_estimate(drawn((1 - share, share)).tolist(), clusters=clusters.tolist()).ci95 for _ in range(ROUNDS)]
        held = sum(low - 1e-9 <= share <= high + 1e-9 for low, high in intervals) / ROUNDS
        assert held >= least - ERRORS * math.sqrt(least * (1 - least) / ROUNDS)
    differences = [drawn((0.15, 0.8, 0.05)) - 1 for _ in range(ROUNDS)]
    wrong = sum(difference_interval(one, units_of(one, clusters.tolist()), binary=True)[0][0] > -0.1 for one in differences) / ROUNDS
    assert wrong <= most + ERRORS * math.sqrt(most * (1 - most) / ROUNDS)


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
