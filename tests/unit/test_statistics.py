"""Every formula against scipy or a slow reference."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from plumbline.intervals import bca_interval, tango_interval, tilted_interval, units_of, wilson_interval
from plumbline.paired_tests import mcnemar_exact, sign_flip_p_value
from plumbline.statistics import (
    Direction,
    IntervalMethod,
    PairedTest,
    chance_level,
    difference_interval,
    holm,
    mean_estimate,
    paired_comparison,
    shown_direction,
    strictest_level,
)


def slow_sign_flip(sums: list[float]) -> float:
    observed = abs(sum(sums)) - 1e-9
    flips = list(itertools.product((-1, 1), repeat=len(sums)))
    return sum(abs(sum(sign * value for sign, value in zip(signs, sums, strict=True))) >= observed for signs in flips) / len(flips)


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (0, 20), (1, 20), (7, 19), (19, 19), (131, 200), (499, 5000)])
def test_wilson_is_scipys(successes: int, n: int) -> None:
    expected = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("base_only", "tuned_only"), [(0, 0), (0, 1), (0, 5), (3, 3), (9, 17), (40, 11), (300, 420)])
def test_mcnemar_is_the_exact_binomial_test(base_only: int, tuned_only: int) -> None:
    discordant = base_only + tuned_only
    expected = stats.binomtest(tuned_only, discordant).pvalue if discordant else 1.0
    assert mcnemar_exact(base_only, tuned_only) == pytest.approx(expected, rel=1e-9)


def test_a_p_value_never_underflows_to_zero() -> None:
    assert 0 < mcnemar_exact(0, 5000) < 1e-250
    assert 0 < sign_flip_p_value([1.0] * 5000, seed=0) < 1e-250


@pytest.mark.parametrize(
    "sums",
    [
        [1.0, 1.0, -1.0],
        [2.0, -1.0, 3.0, 3.0, 0.0],
        [0.25, -0.5, 0.75, 1.0, 0.25, -0.25],
        [0.1, 0.2, -0.3],
        [0.0, 0.0],
        [-4.0],
        [1 / 3, 0.5, 0.1],
    ],
)
def test_sign_flips_agree_with_writing_out_all_of_them(sums: list[float]) -> None:
    assert sign_flip_p_value(sums, seed=0) == pytest.approx(slow_sign_flip(sums), abs=1e-12)


def test_sign_flips_agree_with_scipys_permutation_test() -> None:
    generator = np.random.default_rng(3)
    base, tuned = generator.choice([0, 0.25, 0.5, 0.75, 1], 40), generator.choice([0.25, 0.5, 0.75, 1], 40)
    expected = stats.permutation_test(
        (tuned, base), lambda first, second, axis: (first - second).mean(axis=axis), permutation_type="samples", vectorized=True, rng=1
    ).pvalue
    exact = paired_comparison(base.tolist(), tuned.tolist(), clusters=None, seed=0).p_value
    assert exact == pytest.approx(expected, abs=0.01)


def test_off_the_grid_and_too_many_to_write_out_flips_are_drawn_and_the_p_value_stays_above_zero() -> None:
    sums = np.random.default_rng(0).normal(0.4, 1, 40).tolist()
    drawn = sign_flip_p_value(sums, seed=1, num_resamples=20_000)
    expected = stats.permutation_test((sums,), np.mean, permutation_type="samples", n_resamples=20_000, rng=2).pvalue
    assert drawn == pytest.approx(expected, abs=0.01)
    assert sign_flip_p_value([1 + value / 7.3 for value in range(40)], seed=1, num_resamples=99) >= 1 / 100


def test_without_widening_bca_is_scipys() -> None:
    values = np.random.default_rng(8).exponential(0.2, 60).clip(0, 1)
    expected = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=40_000, rng=1).confidence_interval
    found = bca_interval(units_of(values, None), seed=2, num_resamples=40_000, expand=False)
    assert found == pytest.approx((expected.low, expected.high), abs=2e-3)


def test_widening_matters_for_few_units_and_fades_with_many() -> None:
    generator = np.random.default_rng(4)
    few, many = units_of(generator.random(8), None), units_of(generator.random(800), None)

    def width(units: object, *, expand: bool) -> float:
        low, high = bca_interval(units, seed=0, num_resamples=4000, expand=expand) or (0, 0)  # type: ignore[arg-type]
        return high - low

    assert width(few, expand=True) > 1.15 * width(few, expand=False)
    assert width(many, expand=True) == pytest.approx(width(many, expand=False), rel=0.02)


def test_the_tilted_interval_of_single_0_1_scores_is_wilsons_with_students_t() -> None:
    n = 400
    values = np.array([1.0] * 300 + [0.0] * 100)
    found = tilted_interval(values, units_of(values, None), support=(0.0, 1.0))
    assert found is not None
    reach = float(stats.t.ppf(0.975, n - 1)) * math.sqrt(n / (n - 1))
    # The unseen units add 0.3 of a question.
    assert found == pytest.approx(wilson_interval(300, n, reach), abs=5e-4)


def test_the_tilted_interval_leans_where_the_scores_lean() -> None:
    values = np.array([1.0] * 16 + [0.75, 0.75, 0.5, 0.0])
    low, high = tilted_interval(values, units_of(values, None), support=(0.0, 1.0)) or (0.0, 0.0)
    mean = values.mean()
    assert mean - low > 2 * (high - mean), "a mean near its largest value is uncertain below, hardly above"
    assert high < 1


def test_the_tilted_interval_stays_in_its_support_and_knows_what_few_units_hide() -> None:
    values = np.array([0.5, 0.5, 0.75, 0.5, 0.5, 0.5])
    assert tilted_interval(np.full(6, 0.5), units_of(np.full(6, 0.5), None), support=(0.0, 1.0)) is None
    for support in ((0.0, 1.0), (-1.0, 1.0)):
        low, high = tilted_interval(values, units_of(values, None), support=support) or (0.0, 0.0)
        assert support[0] <= low < values.mean() < high <= support[1]


def score_statistic(base_only: int, tuned_only: int, n: int, difference: float) -> float:
    """Tango's statistic with the constrained maximum of the likelihood found by search instead of by formula."""
    low, high = max(0.0, -difference), (1 - difference) / 2
    shares = np.linspace(low + 1e-9, high - 1e-9, 200_001)  # share of base_only pairs; tuned_only = share + difference
    with np.errstate(divide="ignore", invalid="ignore"):
        both = 1 - 2 * shares - difference
        likelihood = base_only * np.log(shares) + tuned_only * np.log(shares + difference) + (n - base_only - tuned_only) * np.log(both)
    share = shares[np.nanargmax(np.where(np.isfinite(likelihood), likelihood, -np.inf))]
    return (tuned_only - base_only - n * difference) / math.sqrt(n * (2 * share + difference - difference**2))


@pytest.mark.parametrize(("base_only", "tuned_only", "n"), [(5, 12, 60), (1, 9, 30), (10, 10, 80), (3, 0, 40)])
def test_tangos_bounds_are_where_the_score_statistic_meets_the_quantile(base_only: int, tuned_only: int, n: int) -> None:
    low, high = tango_interval(base_only, tuned_only, n)
    assert score_statistic(base_only, tuned_only, n, low) == pytest.approx(1.96, abs=0.02)
    assert score_statistic(base_only, tuned_only, n, high) == pytest.approx(-1.96, abs=0.02)


def test_no_pair_that_disagrees_still_leaves_doubt() -> None:
    z2 = stats.norm.ppf(0.975) ** 2
    assert tango_interval(0, 0, 50) == pytest.approx((-z2 / (50 + z2), z2 / (50 + z2)), abs=1e-6)
    comparison = paired_comparison([1.0] * 50, [1.0] * 50, clusters=None, seed=1)
    assert comparison.p_value == 1.0
    assert comparison.minimum_detectable_effect > 0.05
    clustered = paired_comparison([1.0] * 50, [1.0] * 50, clusters=[str(index // 5) for index in range(50)], seed=1)
    assert clustered.ci95[0] < -0.2 < 0.2 < clustered.ci95[1], "ten clusters that agree say less than fifty questions"


def test_all_pairs_gained_is_not_certainty() -> None:
    z2 = stats.norm.ppf(0.975) ** 2
    low, high = paired_comparison([0.0] * 30, [1.0] * 30, clusters=None, seed=1).ci95
    assert low == pytest.approx((30 - z2) / (30 + z2), abs=1e-6)
    assert high == 1.0


def test_binary_scores_get_mcnemar_and_graded_ones_sign_flips() -> None:
    base, tuned = [0, 1, 0, 0, 1, 0, 0, 1], [1, 1, 1, 0, 0, 1, 1, 1]
    binary = paired_comparison(base, tuned, clusters=None, seed=1)
    assert (binary.test, binary.num_first_only, binary.num_second_only) == (PairedTest.MCNEMAR, 1, 4)
    assert binary.p_value == pytest.approx(stats.binomtest(1, 5).pvalue)
    assert binary.delta == pytest.approx(3 / 8)
    graded = paired_comparison([0, 0.5, 1.0], [0.25, 0.5, 0.75], clusters=None, seed=1)
    assert graded.test is PairedTest.SIGN_FLIP


@pytest.mark.parametrize(
    ("ci95", "p_value", "expected"),
    [
        ((0.01, 0.2), 0.049, Direction.BETTER),
        ((-0.2, -0.01), 0.049, Direction.WORSE),
        ((0.01, 0.2), 0.05, Direction.NONE),
        ((-0.2, -0.01), 0.05, Direction.NONE),
        ((0.0, 0.2), 0.001, Direction.NONE),
        ((-0.2, 0.0), 0.001, Direction.NONE),
        ((-0.1, 0.1), 0.5, Direction.NONE),
    ],
)
def test_a_direction_needs_both_the_interval_and_the_p_value(ci95: tuple[float, float], p_value: float, expected: Direction) -> None:
    assert shown_direction(ci95, p_value) is expected


def test_over_clusters_a_whole_cluster_changes_sign() -> None:
    base, tuned = [0, 0, 0, 1, 1, 0], [1, 1, 1, 1, 0, 0]
    clusters = ["a", "a", "a", "b", "b", "c"]
    comparison = paired_comparison(base, tuned, clusters=clusters, seed=1)
    assert comparison.p_value == pytest.approx(slow_sign_flip([3.0, -1.0, 0.0]))
    assert comparison.test.endswith("clustered")
    assert comparison.num_units == 3


def test_clustered_questions_widen_the_interval_and_weaken_the_test() -> None:
    base = [0.0] * 40
    tuned = [float(index // 4 in {0, 2, 3, 5, 7, 9}) for index in range(40)]
    alone = paired_comparison(base, tuned, clusters=None, seed=1)
    together = paired_comparison(base, tuned, clusters=[str(index // 4) for index in range(40)], seed=1)
    assert together.ci95[1] - together.ci95[0] > 1.5 * (alone.ci95[1] - alone.ci95[0])
    assert together.p_value > 1000 * alone.p_value
    assert together.minimum_detectable_effect > 1.5 * alone.minimum_detectable_effect


@pytest.mark.parametrize("bad", [None, float("nan"), -0.1, 1.1, "1", float("inf")])
def test_what_is_no_score_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match=r"0\.\.1"):
        paired_comparison([0.5, bad], [0.5, 1.0], clusters=None, seed=1)  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"0\.\.1"):
        paired_comparison([0.5, 1.0], [0.5, bad], clusters=None, seed=1)  # type: ignore[list-item]


def test_unequal_lengths_and_nothing_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="same questions"):
        paired_comparison([0.0], [0.0, 1.0], clusters=None, seed=1)
    with pytest.raises(ValueError, match="no pairs"):
        paired_comparison([], [], clusters=None, seed=1)
    with pytest.raises(ValueError, match="one per question"):
        paired_comparison([0.0, 1.0], [0.0, 1.0], clusters=["a"], seed=1)


@pytest.mark.parametrize(("num_clusters", "size"), [(8, 10), (20, 6), (60, 1)])
def test_intervals_cover_what_they_say(num_clusters: int, size: int) -> None:
    generator, hits, rounds = np.random.default_rng(1), 0, 300
    for _ in range(rounds):
        skill = generator.beta(2, 2, num_clusters)[:, None]
        base = (generator.random((num_clusters, size)) < skill).astype(float).ravel()
        tuned = (generator.random((num_clusters, size)) < np.sqrt(skill)).astype(float).ravel()
        clusters = [str(index // size) for index in range(num_clusters * size)]
        low, high = difference_interval(tuned - base, units_of(tuned - base, clusters), binary=True)[0]
        hits += low <= 0.18571 <= high  # E[sqrt(s)] - E[s] for Beta(2, 2): 24/35 - 1/2
    assert hits / rounds > 0.91


def test_holm_is_the_step_down_by_its_definition() -> None:
    p_values = {"mcq": 0.04, "numeric": 0.001, "explanation": 0.03}
    assert holm(p_values) == pytest.approx({"mcq": 0.06, "numeric": 0.003, "explanation": 0.06})
    assert holm({"mcq": 0.7, "numeric": 0.6}) == {"mcq": 1.0, "numeric": 1.0}
    assert holm({}) == {}


def test_the_strictest_level_is_that_of_the_first_step_of_holm() -> None:
    level = strictest_level(6)
    names = [f"test {index}" for index in range(6)]
    just_below, just_above = level * 0.999, level * 1.001
    assert holm(dict.fromkeys(names[1:], 0.9) | {names[0]: just_below})[names[0]] < 0.05
    assert holm(dict.fromkeys(names[1:], 0.9) | {names[0]: just_above})[names[0]] > 0.05


def test_chance_is_the_mean_over_questions_of_one_in_k() -> None:
    assert chance_level([4, 4, 2]) == pytest.approx((0.25 + 0.25 + 0.5) / 3)
    assert chance_level([4, 0]) is None
    assert chance_level([]) is None


def test_an_arm_without_spread_gets_the_interval_of_its_units() -> None:
    assert mean_estimate([1.0] * 20, clusters=None).ci95 == pytest.approx(wilson_interval(20, 20))
    clustered = mean_estimate([1.0] * 20, clusters=["a"] * 10 + ["b"] * 10)
    assert clustered.ci95 == pytest.approx(wilson_interval(2, 2))
    assert clustered.method is IntervalMethod.WILSON_UNITS


# ---- clusters of unequal sizes


def test_units_of_about_one_size_count_fully_and_a_dominant_one_hides_the_others() -> None:
    even, mild = units_of(np.zeros(40), [n % 8 for n in range(40)]), units_of(np.zeros(25), [*"abcde"] * 3 + [*"aabbccdefg"])
    assert even.effective_number == 8 and mild.effective_number == 7
    dominated = units_of(np.zeros(65), ["large"] * 60 + [*"abcde"])
    assert dominated.effective_number == pytest.approx(65**2 / (60**2 + 5) / 0.8)
    assert units_of(np.zeros(1001), [0] * 1000 + [1]).effective_number > 1


def test_one_large_cluster_is_not_taken_for_sixty_questions() -> None:
    """30 of 60 right in one cluster, and all of five that stand alone: what the cluster would do in another draw, nothing shows."""
    scores = [1.0, 0.0] * 30 + [1.0] * 5
    found = mean_estimate(scores, clusters=["large"] * 60 + [*"abcde"])
    assert found.ci95[1] - found.ci95[0] > 0.8
    alike = mean_estimate([1.0] * 65, clusters=["large"] * 60 + [*"abcde"])
    assert alike.method is IntervalMethod.WILSON_UNITS and alike.ci95[0] < 0.35 and alike.ci95[1] == 1.0


@pytest.mark.parametrize("num_clusters", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("agreed", [-1.0, 0.0, 1.0])
def test_clusters_that_all_agree_leave_open_that_others_do_not(num_clusters: int, agreed: float) -> None:
    """The truth of the rarest world that shows this in 2.5 % of the draws: the other clusters lose, or gain, all that they can."""
    before, after = ([1.0], [0.0]) if agreed < 0 else ([0.0], [1.0]) if agreed else ([0.0], [0.0])
    clusters = [str(place) for place in range(num_clusters) for _ in range(2)]
    found = paired_comparison(before * 2 * num_clusters, after * 2 * num_clusters, clusters=clusters, seed=1)
    share_seen = 0.025 ** (1 / num_clusters)
    expected = [share_seen * agreed + (1 - share_seen) * other for other in (-1.0, 1.0)]
    assert found.ci_method is IntervalMethod.UNSEEN_UNITS and list(found.ci95) == pytest.approx(expected)


def test_equal_differences_in_unequal_clusters_leave_more_unseen() -> None:
    even = paired_comparison([0.0] * 60, [0.0] * 60, clusters=[str(n % 6) for n in range(60)], seed=1)
    uneven = paired_comparison([0.0] * 60, [0.0] * 60, clusters=["large"] * 55 + [*"abcde"], seed=1)
    assert uneven.ci_method is IntervalMethod.UNSEEN_UNITS and even.ci95[1] < 0.5 < uneven.ci95[1]
