"""Agreement of two sets of scores, each formula against a slow reference or a hand calculation."""

import random

import pytest

from plumbline.judging.agreement import bridge, draw_strata, weighted_kappa
from plumbline.judging.prompt import SCALE


def slow_kappa(first: list[float], second: list[float]) -> float:
    """1 - observed / expected squared disagreement, pair by pair, expectation over all cross pairs."""
    observed = sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) / len(first)
    expected = sum((a - b) ** 2 for a in first for b in second) / len(first) ** 2
    return 1 - observed / expected


def test_kappa_equals_its_slow_definition() -> None:
    rng = random.Random(4)
    for _ in range(20):
        first = [rng.choice(SCALE) for _ in range(30)]
        second = [value if rng.random() < 0.6 else rng.choice(SCALE) for value in first]
        assert weighted_kappa(first, second) == pytest.approx(slow_kappa(first, second))


def test_kappa_is_one_for_equal_scores_and_undefined_for_constant_ones() -> None:
    assert weighted_kappa([0, 0.5, 1], [0, 0.5, 1]) == 1.0
    assert weighted_kappa([1, 1], [1, 1]) is None


def test_a_weight_of_two_is_the_same_as_the_pair_twice() -> None:
    twice = weighted_kappa([0, 0, 0.5, 1], [0.25, 0.25, 0.5, 0.75])
    assert weighted_kappa([0, 0.5, 1], [0.25, 0.5, 0.75], [2, 1, 1]) == pytest.approx(twice)


def test_strata_are_drawn_evenly_and_exhausted_ones_leave_room() -> None:
    population = (
        [(f"a{n}", "base", 0.0) for n in range(50)]
        + [(f"b{n}", "base", 1.0) for n in range(3)]
        + [(f"c{n}", "tuned", 1.0) for n in range(50)]
    )
    drawn = draw_strata(population, 23)
    assert [sum(str(name).startswith(letter) for name in drawn) for letter in "abc"] == [10, 3, 10]
    assert sorted(draw_strata(population, 1000)) == sorted(name for name, _, _ in population)  # type: ignore[type-var]


def test_a_bridge_shows_the_shift_of_the_new_judge() -> None:
    rng = random.Random(2)
    pairs = []
    for number in range(200):
        old = rng.choice(SCALE[:-1])
        pairs.append(("base" if number % 2 else "tuned", f"c{number % 20}", old, old + 0.25 if number % 4 == 0 else old))
    found = bridge(pairs, seed=3)
    assert found["num_answers"] == 200 and found["is_enough"] and found["mean_shift"] == pytest.approx(0.0625)
    low, high = found["ci95"]  # type: ignore[misc]
    assert low < 0.0625 < high and found["exact_agreement"] == 0.75
    assert found["shift_by_arm"] == {"base": 0.0, "tuned": pytest.approx(0.125)}
    assert sum(cell["count"] for cell in found["confusion"]) == 200  # type: ignore[union-attr,index]
    assert bridge(pairs, seed=3) == found
    assert not bridge(pairs[:50], seed=3)["is_enough"]
