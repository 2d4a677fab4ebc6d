"""What a benchmark can show before it is run: the numbers of the plan are those that the report and a simulation find."""

from pathlib import Path

import numpy as np
import pytest

from plumbline.intervals import Units, units_of
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.planning.resolution import ASSUMED_SHARE, assumed_disagreement, questions_for, questions_for_margin, resolutions, with_units
from plumbline.planning.resolution_lines import last_differences, lines_of
from plumbline.power import detectable_with, disagreement_of
from plumbline.rows.grade import Grade
from plumbline.rows.outcome import Outcome, Reading
from plumbline.rows.question import Kind, Question
from plumbline.statistics import difference_interval, paired_comparison
from tests.fakes.evaluation_world import make_question

LEVEL = 0.05 / 3


def units(n: int, num_clusters: int) -> Units:
    return units_of(np.zeros(n), [place % num_clusters for place in range(n)])


@pytest.mark.parametrize("kind", ["mcq", "explanation"])
@pytest.mark.parametrize(("n", "num_clusters"), [(160, 160), (160, 40), (40, 40)])
@pytest.mark.parametrize("effect", [0.06, 0.12])
def test_so_many_questions_show_the_difference_and_fewer_do_not(kind: Kind, n: int, num_clusters: int, effect: float) -> None:
    found, binary = assumed_disagreement(kind, units(n, num_clusters)), kind == "mcq"
    needed = questions_for(found, units(n, num_clusters), effect, binary=binary, level=LEVEL)
    assert needed is not None
    per_cluster = n / num_clusters
    there = with_units(units(n, num_clusters), round(needed / per_cluster))
    assert detectable_with(found, there, binary=binary, level=LEVEL) == pytest.approx(effect, rel=0.08)
    fewer = with_units(units(n, num_clusters), round(0.8 * needed / per_cluster))
    assert detectable_with(found, fewer, binary=binary, level=LEVEL) > effect


def test_a_difference_larger_than_the_arms_can_have_takes_no_number() -> None:
    assert questions_for(assumed_disagreement("explanation", units(40, 40)), units(40, 40), 0.5, binary=False, level=LEVEL) is None


def test_clusters_of_other_sizes_stay_what_they_are() -> None:
    uneven = units_of(np.zeros(16), ["a"] * 10 + ["b"] * 4 + ["c"] * 2)
    assert with_units(uneven, 3).sizes_U.tolist() == uneven.sizes_U.tolist()
    assert with_units(uneven, 6).sizes_U.sum() == 32 and len(with_units(uneven, 2).sizes_U) == 2


@pytest.mark.parametrize("num_clusters_of_100", [100, 25])
@pytest.mark.parametrize("margin", [0.06, 0.1])
def test_equal_arms_are_shown_alike_with_the_questions_that_the_margin_takes(num_clusters_of_100: int, margin: float) -> None:
    layout = units(100, num_clusters_of_100)
    found = assumed_disagreement("mcq", layout)
    n = questions_for_margin(found, layout, margin, binary=True)
    assert n is not None
    per_cluster = 100 // num_clusters_of_100
    num_clusters = -(-n // per_cluster)
    clusters = np.repeat(np.arange(num_clusters), per_cluster).tolist()
    generator = np.random.default_rng(1)
    shown, rounds = 0, 300
    for _ in range(rounds):
        # A tenth of the clusters' differences are shared, which gives differences the correlation of 0.2 that is assumed.
        shared = np.repeat(generator.random(num_clusters) < 0.2, per_cluster) if per_cluster > 1 else np.zeros(num_clusters, bool)
        own = generator.choice([-1.0, 0.0, 1.0], num_clusters * per_cluster, p=[0.15, 0.7, 0.15])
        common = np.repeat(generator.choice([-1.0, 0.0, 1.0], num_clusters, p=[0.15, 0.7, 0.15]), per_cluster)
        values_N = np.where(shared, common, own)
        ids = None if per_cluster == 1 else clusters
        shown += difference_interval(values_N, units_of(values_N, ids), binary=True)[0][0] > -margin
    assert 0.72 <= shown / rounds <= 0.9


@pytest.mark.parametrize(("n", "num_clusters", "num_moved"), [(160, 160, 0), (160, 160, 2), (160, 40, 2), (160, 16, 8), (400, 5, 2)])
@pytest.mark.parametrize("margin", [0.03, 0.1])
def test_arms_that_hardly_ever_differ_take_questions_as_well(n: int, num_clusters: int, num_moved: int, margin: float) -> None:
    """By the normal formula 28 questions would show a margin of 3 points if no answer moved; the interval of 28 equal pairs reaches 12 points."""
    layout = units(n, num_clusters)
    seen_N = np.array([(-1.0) ** place if place < num_moved else 0.0 for place in range(n)])
    found = disagreement_of(seen_N, units_of(seen_N, [place % num_clusters for place in range(n)]), binary=True)
    needed = questions_for_margin(found, layout, margin, binary=True)
    assert needed is not None
    size = n // num_clusters
    clusters = np.repeat(np.arange(-(-needed // size)), size)
    generator, shown, rounds = np.random.default_rng(1), 0, 200
    shares = [found.share / 2, 1 - found.share, found.share / 2]
    for _ in range(rounds):
        own, common = (
            generator.choice([-1.0, 0.0, 1.0], len(clusters), p=shares),
            generator.choice([-1.0, 0.0, 1.0], len(clusters), p=shares),
        )
        values_N = np.where(generator.random(len(clusters)) < found.correlation**0.5, common[clusters], own)
        shown += difference_interval(values_N, units_of(values_N, None if size == 1 else clusters.tolist()), binary=True)[0][0] > -margin
    assert shown / rounds >= 0.65, "0.71 to 0.99 in 45 settings, n = 600 each: two equal arms need 0.8, in whole clusters"


def test_a_margin_that_no_number_of_questions_shows_is_said_to_be_so() -> None:
    (found,) = resolutions(
        benchmark(60, 60), {}, part="all", development_fraction=0.3, num_tests_of_a_kind=1, wanted=(), margins={"mcq": 0.0005}
    )
    assert found.margin_takes is None and "takes more than a million questions" in lines_of(found, ("base", "tuned"))[-1].value


def benchmark(n: int, num_clusters: int) -> list[Question]:
    return [make_question("mcq", number, num_clusters=num_clusters) for number in range(n)]


def test_the_last_run_says_what_the_report_says() -> None:
    questions = benchmark(60, 60)
    first, second = [float(place % 10 < 5) for place in range(60)], [float((place + 2) % 10 < 6) for place in range(60)]
    differences = {question.id: after - before for question, before, after in zip(questions, first, second, strict=True)}
    (found,) = resolutions(
        questions, differences, part="all", development_fraction=0.3, num_tests_of_a_kind=3, wanted=(), margins={"mcq": 0.05}
    )
    reported = paired_comparison(first, second, clusters=[question.cluster for question in questions], seed=1, level=0.05 / 3)
    assert (found.detectable, found.level) == (reported.minimum_detectable_effect, reported.level)
    assert not found.is_assumed and found.margin_takes is not None
    few = dict(list(differences.items())[:20])
    (assumed,) = resolutions(questions, few, part="all", development_fraction=0.3, num_tests_of_a_kind=3, wanted=(), margins={})
    assert assumed.is_assumed and assumed.share == ASSUMED_SHARE["mcq"] and assumed.margin_takes is None


def test_the_lines_say_on_what_they_rest() -> None:
    (found,) = resolutions(
        benchmark(60, 20), {}, part="all", development_fraction=0.3, num_tests_of_a_kind=1, wanted=(0.05,), margins={"mcq": 0.03}
    )
    first, takes, margin = lines_of(found, ("base", "tuned"))
    assert first.what == "mcq" and first.value.startswith("60 questions in 20 clusters show a true difference of ")
    assert first.known == "computed for p < 0.05; base and tuned are assumed to differ on 30% of them"
    assert (
        takes.value.startswith("a difference of 5 points takes about ") and "not worse by 3 points, as publish.require asks" in margin.value
    )
    (few,) = resolutions(benchmark(5, 5), {}, part="all", development_fraction=0.3, num_tests_of_a_kind=1, wanted=(), margins={})
    assert lines_of(few, ("base", "tuned"))[0].value == "5 questions are too few to show any difference"


def test_the_disagreement_of_the_last_run_counts_partial_credit(tmp_path: Path) -> None:
    def grade(arm: str, outcome: Outcome, score: float | None) -> Grade:
        return Grade(
            id="q",
            arm=arm,
            kind="mcq",
            outcome=outcome,
            score=score,
            extracted="A",
            span=None,
            tier="anchored",
            reading=Reading.VALUE,
            flags=(),
            logprob_choice=None,
            logprob_outcome=None,
            complete=True,
        )

    (tmp_path / "data/grades").mkdir(parents=True)
    write_jsonl(tmp_path / "data/grades/graded.jsonl", [grade("base", Outcome.INCORRECT, 0.25), grade("tuned", Outcome.CORRECT, None)])
    assert last_differences(tmp_path, ("base", "tuned")) == {"q": 0.75}
