"""Agreement of the judge with people and of people with each other, length, and the number of labels: against hand calculations."""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from bench.judge_correction import judged_world
from plumbline.judging import resampling
from plumbline.judging.agreement import draw_strata, step_of, weighted_kappa
from plumbline.judging.answer_length import slope_on_length
from plumbline.judging.label_plan import evenly, planned_labels
from plumbline.judging.people import (
    LabelledAnswer,
    agreement_with_people,
    kappa_interval,
    label_weights,
    labeller_pairs,
    sampling_strata,
)
from plumbline.judging.prompt import SCALE
from plumbline.judging.resampling import chunks, percentile_interval, reach_of, resampled_sums
from plumbline.statistics import Floats

Rows = list[LabelledAnswer]


def row(arm: str, judge: float, *human: float, weight: float = 1.0, number: int = 0) -> LabelledAnswer:
    return LabelledAnswer(key=f"{arm}{number}", arm=arm, judge=judge, human=human, weight=weight, cluster=f"c{number}", length=100)


# ---- agreement


def test_weights_undo_the_even_drawing() -> None:
    """The judge is right about every 0 and about 80 % of its 1s; base has 900 and 100 of them, tuned 500 ones."""
    rows = [row("base", 0.0, 0.0, weight=18, number=n) for n in range(50)]
    rows += [row("base", 1.0, 1.0 if n < 40 else 0.0, weight=2, number=50 + n) for n in range(50)]
    rows += [row("tuned", 1.0, 1.0 if n < 40 else 0.0, weight=10, number=n) for n in range(50)]
    found = agreement_with_people(rows, seed=1, num_resamples=200)
    assert found.num_labels == 150 and found.exact == pytest.approx((900 + 80 + 400) / 1500)
    assert found.mean_absolute_error == pytest.approx((20 + 100) / 1500)
    assert found.bias == {"base": pytest.approx(20 / 1000), "tuned": pytest.approx(0.2)}
    assert found.sensitivity == {"base": 1.0, "tuned": 1.0}
    assert found.specificity == {"base": pytest.approx(900 / 920), "tuned": 0.0}, "each arm has its own"
    assert found.kappa is not None and found.kappa_ci95 is not None
    assert found.kappa_ci95[0] < found.kappa < found.kappa_ci95[1]


def test_two_labellers_of_an_answer_count_half_each() -> None:
    found = agreement_with_people([row("base", 0.5, 0.5, 1.0), row("base", 0.0, 0.0, number=1)], seed=1, num_resamples=50)
    assert found.num_labels == 2 and found.exact == pytest.approx(0.75) and found.bias["base"] == pytest.approx(-0.125)


def test_an_answer_is_drawn_from_the_stratum_in_which_it_comes_first() -> None:
    strata = sampling_strata([("same", "base", 1.0, ""), ("b", "base", 1.0, ""), ("same", "tuned", 1.0, ""), ("c", "tuned", 0.0, "")])
    assert strata == {"same": ("base", 1.0, ""), "b": ("base", 1.0, ""), "c": ("tuned", 0.0, "")}
    assert label_weights(strata, ["same", "same", "c", "elsewhere"]) == {"same": 2.0, "c": 1.0}


def scores(count: int, *, right: float, seed: int) -> tuple[list[float], list[float]]:
    rng = random.Random(seed)
    human = [rng.choice(SCALE) for _ in range(count)]
    return [score if rng.random() < right else rng.choice(SCALE) for score in human], human


def test_the_interval_of_kappa_holds_the_truth() -> None:
    """Of a judge that guesses two answers in five: kappa is 0.6 in expectation, whatever the scale's weights are."""
    hits = 0
    for seed in range(200):
        judge, human = scores(80, right=0.6, seed=seed)
        found = kappa_interval(judge, human, [1.0] * 80, list(range(80)), seed=seed, num_resamples=400)
        assert found is not None
        hits += found[0] <= 0.6 <= found[1]
    assert hits >= 180


def test_the_interval_of_kappa_knows_clusters() -> None:
    judge, human = scores(40, right=0.6, seed=1)
    once = kappa_interval(judge, human, [1.0] * 40, list(range(40)), seed=1)
    four = kappa_interval(judge * 4, human * 4, [1.0] * 160, [*range(40)] * 4, seed=1)
    apart = kappa_interval(judge * 4, human * 4, [1.0] * 160, list(range(160)), seed=1)
    assert once is not None and four is not None and apart is not None
    assert four == pytest.approx(once, abs=0.03) and apart[1] - apart[0] < 0.65 * (four[1] - four[0])
    assert kappa_interval([1.0] * 9, [1.0] * 9, [1.0] * 9, list(range(9)), seed=1) is None


def test_labellers_are_compared_on_what_both_scored() -> None:
    labels = [
        ("a", "ann", 1.0),
        ("b", "ann", 0.5),
        ("c", "ann", 0.0),
        ("d", "ann", 0.0),
        ("a", "bob", 1.0),
        ("b", "bob", 0.75),
        ("c", "bob", 0.0),
    ]
    labels += [("x", "bob", 1.0), ("z", "cleo", 1.0)]
    ann_bob, ann_cleo, bob_cleo = labeller_pairs(labels)
    assert (ann_bob.first, ann_bob.second, ann_bob.num_shared, ann_bob.num_only_first, ann_bob.num_only_second) == ("ann", "bob", 3, 1, 1)
    assert ann_bob.exact == pytest.approx(2 / 3) and ann_bob.kappa == weighted_kappa([1, 0.5, 0], [1, 0.75, 0])
    assert (ann_cleo.num_shared, ann_cleo.exact, ann_cleo.kappa) == (0, None, None) and bob_cleo.num_only_first == 4


def test_few_clusters_widen_an_interval_and_one_shows_nothing() -> None:
    assert reach_of(6) == pytest.approx(2.5706 * (6 / 5) ** 0.5, abs=1e-3), "Student's t with five degrees of freedom"
    assert reach_of(100_000) == pytest.approx(1.96, abs=1e-3)
    values: Floats = np.linspace(0, 1, 2001)
    few, many = (percentile_interval(values, values, num_clusters=count, bounds=(0.0, 1.0)) for count in (6, 1000))
    assert few[0] < many[0] and few[1] > many[1]
    assert percentile_interval(values, values, num_clusters=1, bounds=(-1.0, 1.0)) == (-1.0, 1.0)


def test_resamples_in_parts_are_as_many_and_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    sums: Floats = np.ones((40, 1))
    monkeypatch.setattr(resampling, "CHUNK", 400)
    assert list(chunks(25, 40)) == [10, 10, 5]
    drawn = resampled_sums(sums, num_resamples=25, generator=np.random.default_rng(1))
    assert drawn.shape == (25, 1) and (drawn == 40).all(), "as many clusters are drawn as there are"


# ---- length


def lengths_and_errors(slope: float, seed: int, *, count: int = 120) -> tuple[list[float], list[int], list[str]]:
    """Tuned's answers are four times as long and judged worse for another reason: within an arm only the slope is left."""
    rng = np.random.default_rng(seed)
    arms = ["base", "tuned"] * (count // 2)
    lengths = [int(rng.integers(100, 800)) * (4 if arm == "tuned" else 1) for arm in arms]
    errors = [
        slope * np.log2(1 + length) + (-0.5 if arm == "tuned" else 0) + rng.normal(0, 0.15)
        for length, arm in zip(lengths, arms, strict=True)
    ]
    return errors, lengths, arms


def test_a_judge_that_likes_long_answers_is_found() -> None:
    found = slope_on_length(*lengths_and_errors(0.1, 1), clusters=list(range(120)), seed=1)
    assert found is not None and found.is_shown and found.n == 120
    assert found.per_doubling == pytest.approx(0.1, abs=0.04) and found.ci95[0] < 0.1 < found.ci95[1]


def test_arms_of_different_length_are_no_dependence_on_length() -> None:
    shown = 0
    for seed in range(100):
        found = slope_on_length(*lengths_and_errors(0.0, seed), clusters=list(range(120)), seed=seed, num_resamples=300)
        assert found is not None
        shown += found.is_shown
    assert shown <= 12


def test_the_slope_is_that_of_least_squares() -> None:
    errors, lengths, _ = lengths_and_errors(0.1, 2)
    found = slope_on_length(errors, lengths, ["one"] * 120, clusters=list(range(120)), seed=1)
    assert found is not None
    assert found.per_doubling == pytest.approx(np.polyfit(np.log2(1 + np.array(lengths)), errors, 1)[0])


def test_nothing_is_said_of_equal_lengths_or_of_a_few_clusters() -> None:
    assert slope_on_length([0.1] * 20, [50] * 20, ["a"] * 20, clusters=list(range(20)), seed=1) is None
    assert slope_on_length([0.1, 0.2] * 10, [50, 60] * 10, ["a"] * 20, clusters=[n % 5 for n in range(20)], seed=1) is None
    assert slope_on_length([], [], [], clusters=[], seed=1) is None


# ---- how many labels


def test_labels_are_planned_as_a_sheet_draws_them() -> None:
    rng = random.Random(4)
    population = [(n, rng.choice("ab"), rng.choice((0.0, 0.5, 0.5, 1.0))) for n in range(150)]
    sizes = Counter((arm, step_of(score), "") for _, arm, score in population)
    for count in (1, 7, 40, 149, 400):
        drawn = {name for name in draw_strata(population, count)}  # noqa: C416
        there = Counter((arm, step_of(score), "") for name, arm, score in population if name in drawn)
        assert {stratum: number for stratum, number in evenly(sizes, count).items() if number} == there


def plan_of(seed: int, *, width: float, num_known: int = 40, num_questions: int = 80, shown: Sequence[int] = (60,)):
    judged = judged_world(np.random.default_rng(seed), (0, 0.5), num_questions=num_questions)
    known: dict[str, list[tuple[float, float, str]]] = {"first": [], "second": []}
    for label in judged.labels(num_known) if num_known else ():
        known[label.arm].append((label.judge, label.human, ""))
    sizes = Counter((arm, step_of(score), "") for arm, mine in judged.judge.items() for score in mine)
    pairs = [((one, ""), (other, "")) for one, other in zip(judged.judge["first"], judged.judge["second"], strict=True)]
    return judged, planned_labels(("first", "second"), pairs, judged.clusters, sizes=sizes, labels=known, width=width, shown=shown)


@pytest.mark.parametrize("count", [40, 60, 100, 160])
def test_the_planned_width_is_the_width_that_comes(count: int) -> None:
    planned, came = [], []
    for seed in range(25):
        judged, plan = plan_of(seed, width=0.2, shown=(count,))
        planned.append(dict(plan.widths)[count])
        came.append(judged.corrected(judged.labels(count), seed=seed).width)
    assert np.mean(planned) == pytest.approx(np.mean(came), rel=0.08)


def test_the_planned_number_of_labels_is_enough_and_no_fewer_are() -> None:
    came = []
    for seed in range(25):
        judged, plan = plan_of(seed, width=0.25)
        assert plan.num_labels is not None and plan.num_answers == 160
        came.append(judged.corrected(judged.labels(plan.num_labels), seed=seed).width)
        _, again = plan_of(seed, width=0.25, shown=(plan.num_labels, plan.num_labels - 1))
        widths = dict(again.widths)
        assert widths[plan.num_labels] <= 0.25 < widths[plan.num_labels - 1]
    assert np.mean(came) == pytest.approx(0.25, rel=0.08)


def test_too_few_questions_are_named_whatever_is_labelled() -> None:
    _, plan = plan_of(1, width=0.1)
    assert plan.num_labels is None and 0.1 < plan.width_of_questions <= plan.width_if_all_labelled


def test_without_labels_the_plan_is_on_the_safe_side() -> None:
    known, blind = ([dict(plan_of(seed, width=0.25, num_known=num_known)[1].widths)[60] for seed in range(10)] for num_known in (40, 0))
    assert np.mean(blind) > 1.1 * np.mean(known)


def test_arms_without_a_common_question_need_no_label() -> None:
    with pytest.raises(ValueError, match="share no judged question"):
        planned_labels(("a", "b"), [], [], sizes={}, labels={}, width=0.1)
