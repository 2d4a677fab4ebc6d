"""What is true of every comparison."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.statistics import Comparison, holm, paired_comparison, wilson_interval

SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
PAIRS = st.lists(st.tuples(SCORES, SCORES, st.sampled_from("abcdefgh")), min_size=1, max_size=40)
BINARY = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60)


def compare(pairs: list[tuple[float, float, str]], *, clustered: bool) -> Comparison:
    base, tuned, clusters = (list(column) for column in zip(*pairs, strict=True))
    return paired_comparison(base, tuned, clusters=clusters if clustered else None, seed=3, num_resamples=200)


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.booleans())
def test_the_interval_holds_the_difference_and_the_p_value_is_one(pairs: list[tuple[float, float, str]], clustered: bool) -> None:
    comparison = compare(pairs, clustered=clustered)
    low, high = comparison.ci95
    assert -1 <= low <= comparison.delta + 1e-9
    assert comparison.delta - 1e-9 <= high <= 1
    assert 0 < comparison.p_value <= 1
    assert 0 < comparison.minimum_detectable_effect <= 1
    assert comparison.num_first_only + comparison.num_second_only <= comparison.n


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.booleans())
def test_swapping_the_arms_changes_signs_and_nothing_else(pairs: list[tuple[float, float, str]], clustered: bool) -> None:
    there = compare(pairs, clustered=clustered)
    back = compare([(tuned, base, cluster) for base, tuned, cluster in pairs], clustered=clustered)
    assert back.delta == -there.delta
    assert back.ci95 == pytest.approx((-there.ci95[1], -there.ci95[0]), abs=1e-9)
    assert back.p_value == pytest.approx(there.p_value)
    assert (back.num_first_only, back.num_second_only) == (there.num_second_only, there.num_first_only)


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_questions_and_the_names_of_clusters_do_not_matter(
    pairs: list[tuple[float, float, str]], clustered: bool, shuffler: random.Random
) -> None:
    shuffled = [(base, tuned, cluster.upper() * 3) for base, tuned, cluster in pairs]
    shuffler.shuffle(shuffled)
    assert compare(shuffled, clustered=clustered) == compare(pairs, clustered=clustered)


@settings(deadline=None, max_examples=60)
@given(BINARY)
def test_clusters_of_one_are_no_clusters(pairs: list[tuple[float, float]]) -> None:
    base, tuned = (list(column) for column in zip(*pairs, strict=True))
    names = [str(index) for index in range(len(pairs))]
    assert paired_comparison(base, tuned, clusters=names, seed=1) == paired_comparison(base, tuned, clusters=None, seed=1)


@settings(deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(case: tuple[int, int]) -> None:
    successes, n = case
    low, high = wilson_interval(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert wilson_interval(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.dictionaries(st.sampled_from("abc"), st.floats(1e-9, 1)))
def test_holm_never_lowers_a_p_value_nor_changes_their_order(p_values: dict[str, float]) -> None:
    adjusted = holm(p_values)
    for name, p_value in p_values.items():
        assert p_value <= adjusted[name] <= min(1.0, len(p_values) * p_value) + 1e-12
    for first in p_values:
        for second in p_values:
            if p_values[first] < p_values[second]:
                assert adjusted[first] <= adjusted[second]
