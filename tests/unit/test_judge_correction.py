"""The judged difference of two arms, corrected by human labels: laws, planted faults, and how often the interval is right."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.judge_correction import LENIENT, Judged, errors_of, judged_world, pooled_difference
from plumbline.judging.calibration import Corrected, Label, corrected_difference


def of(judged: Judged, labels: Sequence[Label], *, clusters: Sequence[int] | None = None, seed: int = 1) -> Corrected:
    return corrected_difference(
        judged.judge["first"], judged.judge["second"], labels, clusters=clusters or judged.clusters, seed=seed, num_resamples=400
    )


def world(seed: int = 3, *, lenient: tuple[float, float] = (0, 0.5), size: int = 1) -> Judged:
    return judged_world(np.random.default_rng(seed), lenient, size=size)


def whole(judged: Judged) -> list[Label]:
    return judged.labels(10_000)


# ---- what it gives


@pytest.mark.parametrize("lenient", LENIENT.values(), ids=LENIENT)
def test_labels_of_every_answer_give_what_people_say(lenient: tuple[float, float]) -> None:
    judged = world(lenient=lenient)
    found = of(judged, whole(judged))
    assert found.delta == pytest.approx(judged.human_difference)
    assert found.first == pytest.approx(np.mean(judged.human["first"])) and found.second == pytest.approx(np.mean(judged.human["second"]))
    assert found.num_labels == 160 and found.unlabelled == ()


def test_labels_that_agree_leave_the_judge_as_it_is() -> None:
    judged = world()
    found = of(judged, [replace(label, human=label.judge) for label in judged.labels(60)])
    assert found.delta == pytest.approx(np.mean(judged.judge["second"]) - np.mean(judged.judge["first"]))
    assert found.ci95[0] < found.delta < found.ci95[1]


def judge_lenient_to_second() -> tuple[Judged, list[Label]]:
    """Half of all answers are worth 0.5. The judge gives them 0.5 in first and 0.75 in second; a fair sample is labelled."""
    human = [0.5, 0.0] * 40
    judged = Judged({"first": list(human), "second": [0.75, 0.25] * 40}, {"first": human, "second": list(human)}, list(range(80)))
    labels = [Label(arm, judged.judge[arm][n], human[n]) for arm in ("first", "second") for n in range(20)]
    return judged, labels


def test_a_judge_that_is_lenient_to_one_arm_is_undone_in_that_arm() -> None:
    judged, labels = judge_lenient_to_second()
    found = of(judged, labels)
    assert found.delta == pytest.approx(0) and found.first == pytest.approx(0.25) and found.second == pytest.approx(0.25)
    assert found.ci95[0] < 0 < found.ci95[1]


def test_labels_of_both_arms_together_cannot_pass_for_it() -> None:
    """The planted fault: if the same judge's score is worth less in second, pooled strata give second too much."""
    judged = world(lenient=(0, 1.0))
    labels = whole(judged)
    assert abs(pooled_difference(judged, labels) - judged.human_difference) > 0.05
    assert of(judged, labels).delta == pytest.approx(judged.human_difference)


def test_the_other_arm_s_labels_never_count() -> None:
    judged = world()
    labels = judged.labels(60)
    moved = [replace(label, human=1.0) if label.arm == "second" else label for label in labels]
    assert of(judged, moved).first == of(judged, labels).first


def test_weights_count_as_repeated_labels_do() -> None:
    judged = world()
    labels = judged.labels(60)
    rng = random.Random(2)
    weighted = [replace(label, weight=rng.choice([1.0, 2.0, 3.0])) for label in labels]
    repeated = [label for label in weighted for _ in range(int(label.weight))]
    even = [replace(label, weight=1.0) for label in repeated]
    assert of(judged, weighted).delta == pytest.approx(of(judged, even).delta)
    scaled = [replace(label, weight=7 * label.weight) for label in weighted]
    assert of(judged, scaled).delta == pytest.approx(of(judged, weighted).delta)
    assert of(judged, scaled).ci95 == pytest.approx(of(judged, weighted).ci95)


def test_scores_between_two_steps_are_corrected_by_their_gap() -> None:
    first, second = [0.3, 0.6] * 10, [0.5, 0.9] * 10
    labels = [Label("first", score, score) for score in first[:6]] + [Label("second", score, score - 0.1) for score in second[:6]]
    assert corrected_difference(first, second, labels, clusters=None, seed=1).delta == pytest.approx(0.25 - 0.1)


# ---- laws


@pytest.mark.parametrize("clustered", [True, False])
def test_swapping_the_arms_turns_the_sign_and_nothing_else(clustered: bool) -> None:
    judged = world(size=2)
    labels = judged.labels(50, clustered=clustered)
    there = of(judged, labels)
    turned = Judged(
        {"first": judged.judge["second"], "second": judged.judge["first"]},
        {"first": judged.human["second"], "second": judged.human["first"]},
        judged.clusters,
    )
    back = of(turned, [replace(label, arm="second" if label.arm == "first" else "first") for label in labels])
    assert (back.delta, back.ci95) == (-there.delta, (-there.ci95[1], -there.ci95[0]))
    assert (back.first, back.second_ci95) == (there.second, there.first_ci95)


def test_the_order_of_questions_and_labels_does_not_matter() -> None:
    judged = world(size=2)
    labels = judged.labels(50)
    order = random.Random(5).sample(range(80), 80)
    moved = Judged(
        {arm: [scores[n] for n in order] for arm, scores in judged.judge.items()},
        {arm: [scores[n] for n in order] for arm, scores in judged.human.items()},
        [judged.clusters[n] for n in order],
    )
    there, back = of(judged, labels), of(moved, random.Random(6).sample(labels, len(labels)))
    assert back.ci95 == pytest.approx(there.ci95, abs=1e-12) and back.delta == pytest.approx(there.delta, abs=1e-12)


def test_the_same_seed_gives_the_same_interval_and_another_almost() -> None:
    judged = world()
    labels = judged.labels(60)
    assert of(judged, labels) == of(judged, labels)
    assert of(judged, labels, seed=2).ci95 != of(judged, labels).ci95
    assert of(judged, labels, seed=2).ci95 == pytest.approx(of(judged, labels).ci95, abs=0.04)


def test_more_labels_narrow_the_interval() -> None:
    judged = world(seed=8)
    widths = [of(judged, judged.labels(count)).width for count in (20, 60, 160)]
    assert widths == sorted(widths, reverse=True)


def test_the_same_question_four_times_is_one_question_and_its_labels_are_one_label() -> None:
    judged = world(seed=8)
    four = Judged(
        {arm: [score for score in scores for _ in range(4)] for arm, scores in judged.judge.items()},
        {arm: [score for score in scores for _ in range(4)] for arm, scores in judged.human.items()},
        [n for n in judged.clusters for _ in range(4)],
    )
    once, together = of(judged, whole(judged)), of(four, whole(four))
    apart = of(four, [replace(label, cluster=None) for label in whole(four)], clusters=list(range(320)))
    assert together.width == pytest.approx(once.width, rel=0.1)
    assert apart.width < 0.65 * together.width


def test_one_cluster_shows_nothing() -> None:
    judged = world()
    assert of(judged, judged.labels(60), clusters=[7] * 80).ci95 == (-1.0, 1.0)


# ---- strata with one label, or none


def without(labels: Sequence[Label], arm: str, judge: float, *, but: int = 0) -> list[Label]:
    found = [label for label in labels if (label.arm, label.judge) == (arm, judge)]
    return [label for label in labels if label not in found] + found[:but]


def test_a_stratum_without_labels_is_named_and_may_hold_any_score() -> None:
    judged = world()
    labels = whole(judged)
    found = of(judged, without(labels, "second", 1.0))
    share = judged.judge["second"].count(1.0) / 80
    assert [(one.arm, one.judge, one.num_answers) for one in found.unlabelled] == [("second", 1.0, round(share * 80))]
    rest = sum(human for judge, human in zip(judged.judge["second"], judged.human["second"], strict=True) if judge != 1.0) / 80
    assert found.second_ci95[0] < rest + 0.01 and found.second_ci95[1] > rest + share - 0.01
    assert found.first == of(judged, labels).first, "the other arm stays as it is"


def test_a_stratum_without_labels_takes_its_gap_from_the_steps_of_its_own_arm() -> None:
    scores = [0.0, 0.5, 1.0] * 10
    labels = [Label("second", 0.0, 0.25)] * 2 + [Label("second", 1.0, 0.5)] * 2 + [Label("first", score, 1.0) for score in (0.0, 0.5, 1.0)]
    found = corrected_difference(scores, scores, labels, clusters=None, seed=1)
    assert found.second == pytest.approx((0.25 + (0.5 + (0.25 - 0.5) / 2) + 0.5) / 3)


def test_one_label_in_a_stratum_is_no_certainty() -> None:
    scores, clusters = [1.0] * 40 + [0.0] * 40, list(range(80))
    many = [Label(arm, score, score) for arm in ("first", "second") for score in (0.0, 1.0) for _ in range(30)]
    one = without(many, "second", 1.0, but=1)
    narrow, wide = (corrected_difference(scores, scores, labels, clusters=clusters, seed=1) for labels in (many, one))
    assert wide.delta == narrow.delta and wide.width > 1.5 * narrow.width and wide.unlabelled == ()


# ---- what is refused


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": [Label("first", 1, 1)]}, "The second arm has no label"),
        ({"labels": []}, "The first arm has no label"),
        ({"second": [1.0]}, "2 first and 1 second scores"),
        ({"first": [], "second": []}, "There are no pairs"),
        ({"clusters": ["a"]}, "1 clusters for 2 pairs"),
        ({"first": [0.0, float("nan")]}, "first score 1 is nan"),
        ({"labels": [Label("first", 1, 1.5), Label("second", 1, 1)]}, "1.5"),
        ({"labels": [Label("first", 1, 1, weight=0), Label("second", 1, 1)]}, "weight 0"),
    ],
)
def test_bad_input_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {
        "first": [0.0, 1.0],
        "second": [1.0, 1.0],
        "labels": [Label("first", 1, 1), Label("second", 1, 1)],
        "clusters": None,
    }
    with pytest.raises(ValueError, match=said):
        corrected_difference(**(given | change), seed=1)


# ---- how often it is right


def test_the_corrected_difference_is_on_target_where_the_pooled_one_is_not() -> None:
    found = errors_of((0, 0.5), num_labels=100, rounds=60)
    as_it_is, pooled, corrected = (abs(bias) for bias in found.bias)
    assert as_it_is > 0.05 and pooled > 0.03 and corrected < 0.01
    assert found.rmse[2] < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("lenient", LENIENT.values(), ids=LENIENT)
@pytest.mark.parametrize(("num_labels", "size", "clustered"), [(60, 1, True), (100, 1, True), (100, 1, False), (100, 4, True)])
def test_bias_and_coverage(lenient: tuple[float, float], num_labels: int, size: int, clustered: bool) -> None:
    found = errors_of(lenient, num_labels=num_labels, rounds=500, size=size, clustered=clustered)
    assert abs(found.bias[2]) < 0.006 and found.rmse[2] < 0.04
    assert found.coverage >= 0.93


# ---- a published library as a referee


def random_labels(judged: Judged, questions: Sequence[int]) -> list[Label]:
    return [Label(arm, judged.judge[arm][n], judged.human[arm][n], cluster=n) for arm in ("first", "second") for n in questions]


def saturated(judged: Judged, arm: str, questions: Sequence[int]) -> list[float]:
    """People's mean of each judge's score among the labelled answers, as a prediction for every answer."""
    seen: dict[float, list[float]] = defaultdict(list)
    for n in questions:
        seen[judged.judge[arm][n]].append(judged.human[arm][n])  # type: ignore[index]
    return [float(np.mean(seen[score])) for score in judged.judge[arm]]  # type: ignore[index]


def test_ppi_python_with_a_saturated_calibration_gives_the_same_estimate() -> None:
    ppi_py = pytest.importorskip("ppi_py", reason="ppi-python is not a dependency; install it to compare with it")
    num_compared = 0
    for seed in range(20):
        judged = world(seed)
        questions = sorted(random.Random(seed).sample(range(80), 50))
        if any(set(scores) - {scores[n] for n in questions} for scores in judged.judge.values()):
            continue
        means = []
        for arm in ("first", "second"):
            predicted = np.array(saturated(judged, arm, questions))
            human = np.array([judged.human[arm][n] for n in questions])
            means.append(float(np.squeeze(ppi_py.ppi_mean_pointestimate(human, predicted[questions], predicted, lam=1))))
        found = of(judged, random_labels(judged, questions))
        assert (found.first, found.second) == pytest.approx(means)
        num_compared += 1
    assert num_compared > 5


def test_truescore_agrees_and_is_no_better() -> None:
    truescore = pytest.importorskip("truescore", reason="truescore is not a dependency; install it to compare with it")
    ours, theirs, apart = [], [], []
    for seed in range(150):
        judged = world(seed)
        questions = sorted(random.Random(seed).sample(range(80), 50))
        gold = {arm: [scores[n] for n in questions] for arm, scores in judged.human.items()}
        referee = truescore.ppi_compare(judged.judge["second"], judged.judge["first"], gold["second"], gold["first"], questions)
        found = of(judged, random_labels(judged, questions))
        ours.append(found.delta - judged.human_difference)
        theirs.append(referee.difference - judged.human_difference)
        apart.append(found.delta - referee.difference)
    assert abs(np.mean(apart)) < 0.005 and np.std(apart) < 0.02
    assert abs(np.mean(ours)) < 0.005 and np.std(ours) < 1.1 * np.std(theirs)
