"""The parts of a variance are unbiased where they are printed: 0/1 answers, few samples, few questions, three seeds. By simulation."""

import random
from collections.abc import Callable, Sequence
from statistics import fmean, stdev

import pytest

from plumbline.reporting.scored import Scored, mean_of_samples
from plumbline.reporting.variance_split import VarianceSplit, arm_split, needed_to_halve, pair_split, standard_error
from plumbline.rows.outcome import Outcome

Draw = Callable[[random.Random], tuple[VarianceSplit, float]]
"""A data set's split, and the mean that it is about."""


def row(number: int, scores: Sequence[float | None], *, arm: str = "tuned", cluster: str | None = None) -> Scored:
    outcomes = [Outcome.UNJUDGED if score is None else Outcome.CORRECT if score == 1 else Outcome.INCORRECT for score in scores]
    return mean_of_samples(
        [
            Scored(
                id=f"q{number}", kind="numeric", cluster=cluster or f"q{number}", arm=arm, outcome=outcome, score=score, truncated=False,
                logprob_correct=None, reading="value", tier=None, flags=(), sample=place if len(scores) > 1 else None,
            )
            for place, (score, outcome) in enumerate(zip(scores, outcomes, strict=True), start=1)
        ]
    )  # fmt: skip


def drawn(chance: float, uniforms: Sequence[float]) -> list[float]:
    """0/1 answers of a model that is right with this chance."""
    return [float(uniform < chance) for uniform in uniforms]


def bounded(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def close(found: Sequence[float], true: float, *, scale: float, is_simulated: bool = False) -> None:
    """The mean lies within four of its standard errors of the truth, which may be simulated too; and these are small against `scale`."""
    error = ((stdev(found) ** 2 + (2 * true**2 if is_simulated else 0.0)) / len(found)) ** 0.5
    assert abs(fmean(found) - true) < 4 * error + 1e-12, (fmean(found), true, error)
    assert error < 0.12 * scale, "the simulation must be able to see a bias"


def splits(draw: Draw, num_sets: int, *, seed: int = 1) -> tuple[list[VarianceSplit], float]:
    """The splits of many data sets, and the variance of the mean over them."""
    generator = random.Random(seed)
    found = [draw(generator) for _ in range(num_sets)]
    return [one for one, _ in found], stdev([mean for _, mean in found]) ** 2


@pytest.mark.slow
@pytest.mark.parametrize("num_samples", [2, 5])
@pytest.mark.parametrize("cluster_size", [1, 4])
def test_questions_and_sampling_of_an_arm(num_samples: int, cluster_size: int) -> None:
    n = 20

    def draw(generator: random.Random) -> tuple[VarianceSplit, float]:
        shared = [generator.uniform(-0.2, 0.2) for _ in range(n)]
        chances = [bounded(generator.choice([0.05, 0.4, 0.6, 0.95]) + shared[number // cluster_size]) for number in range(n)]
        rows = {
            f"q{number}": row(number, drawn(chance, [generator.random() for _ in range(num_samples)]), cluster=f"c{number // cluster_size}")
            for number, chance in enumerate(chances)
        }
        spread.append(fmean(chance * (1 - chance) for chance in chances) / (n * num_samples))
        middles.append(fmean(chances))
        split = arm_split([rows])
        assert split is not None
        return split, fmean(one.score or 0.0 for one in rows.values())

    spread: list[float] = []
    middles: list[float] = []
    found, variance = splits(draw, 3000)
    close([one.sampling or 0.0 for one in found], fmean(spread), scale=fmean(spread))
    close([one.questions for one in found], stdev(middles) ** 2, scale=variance, is_simulated=True)
    close([one.total for one in found], variance, scale=variance, is_simulated=True)


@pytest.mark.slow
@pytest.mark.parametrize("common", [True, False], ids=["same random numbers", "numbers of their own"])
def test_sampling_of_a_difference_knows_that_both_arms_draw_with_the_same_numbers(common: bool) -> None:
    n, num_samples = 20, 3
    chances = [(0.2 + 0.03 * number, 0.3 + 0.03 * number) for number in range(n)]

    def draw(generator: random.Random) -> tuple[VarianceSplit, float]:
        first, second = {}, {}
        for number, (before, after) in enumerate(chances):
            uniforms = [generator.random() for _ in range(num_samples)]
            others = uniforms if common else [generator.random() for _ in range(num_samples)]
            first[f"q{number}"] = row(number, drawn(before, uniforms), arm="base")
            second[f"q{number}"] = row(number, drawn(after, others))
        split = pair_split([(first, second)])
        assert split is not None
        return split, fmean((second[name].score or 0.0) - (first[name].score or 0.0) for name in first)

    found, variance = splits(draw, 3000)
    # The questions are the same in every data set, so all that moves the mean is the sampling.
    close([one.sampling or 0.0 for one in found], variance, scale=variance, is_simulated=True)
    if not common:
        close(
            [one.sampling or 0.0 for one in found], sum(b * (1 - b) + a * (1 - a) for b, a in chances) / n**2 / num_samples, scale=variance
        )


@pytest.mark.slow
@pytest.mark.parametrize(("num_before", "num_after"), [(2, 8), (8, 2), (3, 4), (4, 4)])
@pytest.mark.parametrize("common", [True, False], ids=["same random numbers", "numbers of their own"])
def test_sampling_of_a_difference_of_unequal_numbers_of_samples(num_before: int, num_after: int, common: bool) -> None:
    """All questions are alike, so their own part is 0."""
    n, before, after, draws = 20, 0.4, 0.6, max(num_before, num_after)

    def draw(generator: random.Random) -> tuple[VarianceSplit, float]:
        first, second = {}, {}
        for number in range(n):
            uniforms = [generator.random() for _ in range(draws)]
            others = uniforms if common else [generator.random() for _ in range(draws)]
            first[f"q{number}"] = row(number, drawn(before, uniforms[:num_before]), arm="base")
            second[f"q{number}"] = row(number, drawn(after, others[:num_after]))
        split = pair_split([(first, second)])
        assert split is not None
        return split, fmean((second[name].score or 0.0) - (first[name].score or 0.0) for name in first)

    shared = min(num_before, num_after) * before * (1 - after) / (num_before * num_after) if common else 0.0
    true = (before * (1 - before) / num_before + after * (1 - after) / num_after - 2 * shared) / n
    found, _ = splits(draw, 2000)
    close([one.sampling or 0.0 for one in found], true, scale=true)
    close([one.questions for one in found], 0.0, scale=true)


def test_two_arms_with_one_sample_in_common_are_taken_as_the_other_questions() -> None:
    """q0 has samples 1, 2 against 2, 3: how much sample 2 has in common cannot be told from it alone."""
    first = {"q0": row(0, [1.0, 0.0, None], arm="base"), "q1": row(1, [1.0, 0.0, 0.0], arm="base")}
    second = {"q0": row(0, [None, 0.0, 1.0]), "q1": row(1, [0.0, 1.0, 1.0])}
    split = pair_split([(first, second)])
    assert split is not None and split.n == 2
    # q1: its differences are -1, 1, 1 with variance 4/3, so 4/9 of its mean; q0 has two samples in place of three.
    assert split.sampling == pytest.approx((4 / 9 + 4 / 9 * 3 / 2) / 4)


@pytest.mark.slow
@pytest.mark.parametrize("num_samples", [1, 2])
@pytest.mark.parametrize("common", [True, False], ids=["same random numbers", "numbers of their own"])
def test_questions_sampling_and_three_trainings(num_samples: int, common: bool) -> None:
    n, num_seeds, sd = 24, 3, 0.08

    def draw(generator: random.Random) -> tuple[VarianceSplit, float]:
        chances = [generator.uniform(0.3, 0.7) for _ in range(n)]
        uniforms = [[generator.random() for _ in range(num_samples)] for _ in range(n)]
        runs, of_seeds = [], []
        for _ in range(num_seeds):
            shift = generator.uniform(-sd, sd) * 3**0.5
            right = [chance + shift + generator.choice([-0.15, 0.15]) for chance in chances]
            own = uniforms if common else [[generator.random() for _ in range(num_samples)] for _ in range(n)]
            runs.append({f"q{number}": row(number, drawn(chance, own[number])) for number, chance in enumerate(right)})
            of_seeds.append(fmean(right))
        split = arm_split(runs)
        assert split is not None
        return split, fmean(one.score or 0.0 for run in runs for one in run.values())

    found, variance = splits(draw, 2500)
    # A new training moves the mean by its shift, and by the questions on which it is better or worse by itself.
    seeds, questions = (sd**2 + 0.15**2 / n) / num_seeds, 0.4**2 / 12 / n
    close([one.total for one in found], variance, scale=variance, is_simulated=True)
    if num_samples > 1:
        close([one.seeds or 0.0 for one in found], seeds, scale=seeds)
        close([one.questions for one in found], questions, scale=variance)
        close([one.total - (one.sampling or 0.0) for one in found], seeds + questions, scale=variance)
    else:
        assert {one.sampling for one in found} == {None}, "one answer cannot say how far another draw would move it"


def test_a_greedy_run_has_questions_alone_and_a_repeated_greedy_one_seeds_too() -> None:
    one = {f"q{number}": row(number, [float(number % 2)]) for number in range(20)}
    other = {f"q{number}": row(number, [float(number % 4 == 1)]) for number in range(20)}
    alone, repeated = arm_split([one]), arm_split([one, other])
    assert alone is not None and (alone.sampling, alone.seeds) == (None, None)
    assert alone.questions == pytest.approx(0.25 * 20 / 19 / 20), "s squared over n"
    assert repeated is not None and repeated.sampling is None and repeated.seeds == pytest.approx(((0.5 - 0.25) ** 2 / 2) / 2)


def test_a_sample_without_a_verdict_is_left_out_and_a_lone_one_is_taken_as_the_others() -> None:
    rows = {"q0": row(0, [1.0, None]), "q1": row(1, [1.0, 0.0]), "q2": row(2, [None, None])}
    split = arm_split([rows])
    assert split is not None and split.n == 2
    # q1: 0.5 / 2 of its mean; q0 as one sample of such a question: 0.5.
    assert split.sampling == pytest.approx((0.25 + 0.5) / 4)
    assert arm_split([{"q0": rows["q0"]}]) is None, "one question shows no spread"


def test_how_many_halve_the_standard_error() -> None:
    assert needed_to_halve(1.0, 0.9, 4) == 24  # 0.1 + 0.9 * 4 / 24 = 0.25
    assert pytest.approx(0.25) == 0.1 + 0.9 * 4 / 24
    assert needed_to_halve(1.0, 0.5, 4) is None
    assert standard_error(-0.1) == 0.0
