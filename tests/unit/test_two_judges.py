"""Two judges on the same answers: agreement against hand calculations, and whether a conclusion depends on the judge."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from plumbline.judging.agreement import weighted_kappa
from plumbline.judging.prompt import SCALE
from plumbline.judging.two_judges import TwiceJudged, agreement_of, same_findings, two_differences
from plumbline.rows.finding import Finding, PointFinding
from plumbline.statistics import Direction, paired_comparison

PAIR = ("base", "tuned")


def row(number: int, arm: str, first: float, second: float, *, points: tuple[bool, ...] = (), cluster: str | None = None) -> TwiceJudged:
    return TwiceJudged(id=f"q{number}", arm=arm, cluster=cluster or f"c{number}", first=first, second=second, points=points)


def finding(point: str, found: Finding) -> PointFinding:
    return PointFinding(point=point, finding=found, quote=None if found is Finding.MISSING else "as it says")


def test_agreement_is_counted_by_score_and_by_key_point() -> None:
    rows = [row(n, "base", 0.5, 0.5, points=(True, True)) for n in range(6)]
    rows += [row(n, "base", 1.0, 0.75, points=(True, False)) for n in range(6, 8)]
    found = agreement_of(rows, seed=1, num_resamples=200)
    assert (found.same_score.mean, found.same_score.n) == (0.75, 8) and found.same_score.ci95[0] < 0.75 < found.same_score.ci95[1]
    assert found.same_finding is not None and (found.same_finding.mean, found.same_finding.n) == (14 / 16, 16)
    assert found.same_finding.num_units == 8, "the points of one question are one unit"
    assert found.shift == pytest.approx(-0.0625)
    assert found.kappa == weighted_kappa([0.5] * 6 + [1.0] * 2, [0.5] * 6 + [0.75] * 2)
    assert found.kappa_ci95 is not None and found.kappa is not None and found.kappa_ci95[0] <= found.kappa <= found.kappa_ci95[1]
    bare = agreement_of([row(n, "base", 0.5, 0.5) for n in range(6)], seed=1, num_resamples=200)
    assert bare.same_finding is None and bare.kappa is None and bare.kappa_ci95 is None
    with pytest.raises(ValueError, match="No answer was scored by both"):
        agreement_of([], seed=1, num_resamples=200)


def test_findings_are_compared_point_by_point_and_only_of_the_same_points() -> None:
    stated, missing = finding("k", Finding.STATED), finding("k", Finding.MISSING)
    other = finding("l", Finding.MISSING)
    assert same_findings([stated, other], [stated, other]) == (True, True)
    assert same_findings([stated, other], [missing, other]) == (False, True)
    assert same_findings([stated], [other]) == () == same_findings([stated], [])


def judged(seed: int, *, num_questions: int = 40, size: int = 1, second_gain: float = 0.5) -> list[TwiceJudged]:
    """Judge 1 gives tuned a gain on half of the questions, judge 2 on a share of them."""
    rng = random.Random(seed)
    rows: list[TwiceJudged] = []
    for number in range(num_questions):
        worth = rng.choice(SCALE[:4])
        for arm in PAIR:
            scores = [worth + 0.25 * (arm == "tuned" and rng.random() < gain) for gain in (0.5, second_gain)]
            noisy = [min(1.0, max(0.0, score + rng.choice((0, 0, 0, 0.25, -0.25)))) for score in scores]
            rows.append(row(number, arm, *noisy, cluster=f"c{number // size}"))
    return rows


def test_the_gap_is_the_difference_of_the_differences_on_questions_that_both_scored_in_both_arms() -> None:
    rows = [*judged(1), row(99, "base", 1.0, 0.0), row(98, "tuned", 0.0, 1.0)]
    found = two_differences(rows, PAIR, seed=1, num_resamples=1000)
    assert found.n == 40 and found.by_first is not None and found.by_second is not None and found.gap is not None
    first, second = ([[getattr(one, name) for one in rows[:80] if one.arm == arm] for arm in PAIR] for name in ("first", "second"))
    clusters = [f"c{number}" for number in range(40)]
    assert found.by_first == paired_comparison(*first, clusters=clusters, seed=1, num_resamples=1000)
    assert found.by_second == paired_comparison(*second, clusters=clusters, seed=1, num_resamples=1000)
    assert found.gap.delta == pytest.approx(found.by_second.delta - found.by_first.delta)
    assert found.gap.ci95[0] < found.gap.delta < found.gap.ci95[1]


def test_a_judge_that_sees_no_gain_makes_the_conclusion_depend_on_the_judge() -> None:
    apart = two_differences(judged(2, second_gain=0.0), PAIR, seed=1, num_resamples=1000)
    assert apart.directions == (Direction.BETTER, Direction.NONE) and apart.depends_on_judge
    assert apart.gap is not None and apart.gap.ci95[1] < 0
    alike = two_differences(judged(2), PAIR, seed=1, num_resamples=1000)
    assert alike.directions == (Direction.BETTER, Direction.BETTER) and not alike.depends_on_judge


@pytest.mark.parametrize("rows", [judged(1, num_questions=9), judged(1, num_questions=20, size=4), []])
def test_nothing_is_concluded_from_too_few_questions(rows: Sequence[TwiceJudged]) -> None:
    found = two_differences(rows, PAIR, seed=1, num_resamples=100)
    assert found.gap is None and found.directions == (Direction.UNSCORED, Direction.UNSCORED) and not found.depends_on_judge


@pytest.mark.slow
@pytest.mark.parametrize(("num_questions", "size"), [(10, 1), (24, 4), (24, 1), (80, 1)])
@pytest.mark.parametrize("second_gain", [0.5, 0.1])
def test_the_interval_of_the_gap_holds_the_truth(num_questions: int, size: int, second_gain: float) -> None:
    """With clipping at both ends the true gap is what very many questions show."""
    many = judged(10**6, num_questions=40_000, second_gain=second_gain)
    means = {(arm, name): np.mean([getattr(one, name) for one in many if one.arm == arm]) for arm in PAIR for name in ("first", "second")}
    truth = (means["tuned", "second"] - means["base", "second"]) - (means["tuned", "first"] - means["base", "first"])
    hits = 0
    for seed in range(400):
        rows = judged(seed, num_questions=num_questions, size=size, second_gain=second_gain)
        gap = two_differences(rows, PAIR, seed=seed, num_resamples=200).gap
        assert gap is not None
        hits += gap.ci95[0] <= truth <= gap.ci95[1]
    assert hits >= 0.93 * 400


def test_several_answers_to_a_question_are_one_question() -> None:
    """Also if one arm has one answer and the other three, as with a file of answers next to drawn ones."""
    single = [row(n, "base", 0.25, 0.25) for n in range(12)]
    several = [row(n, "tuned", score, score) for n in range(12) for score in (0.0, 0.5, 1.0)]
    found = two_differences([*single, *several], PAIR, seed=1, num_resamples=200)
    assert found.n == 12 and found.by_first is not None and found.by_first.delta == pytest.approx(0.25)
    few = [row(n, arm, 0.5, 0.5) for n in range(6) for arm in PAIR for _ in range(4)]
    assert two_differences(few, PAIR, seed=1, num_resamples=200).gap is None, "24 answers to 6 questions are 6 questions"


def test_two_judges_that_differ_by_noise_alone_are_seldom_said_to_conclude_differently() -> None:
    """One shows a gain and the other does not in a quarter of such runs; that is not a contradiction."""
    said = shown_by_one = 0
    for seed in range(60):
        rng = random.Random(seed)
        rows = []
        for number in range(40):
            for arm in PAIR:
                worth = rng.gauss(0.45, 0.2) + 0.1 * (arm == "tuned")
                rows.append(row(number, arm, *(min(1.0, max(0.0, round(4 * (worth + rng.gauss(0, 0.15))) / 4)) for _ in PAIR)))
        found = two_differences(rows, PAIR, seed=1, num_resamples=200)
        said += found.depends_on_judge
        shown_by_one += found.directions[0] is not found.directions[1]
    assert shown_by_one >= 6 and said <= 3
