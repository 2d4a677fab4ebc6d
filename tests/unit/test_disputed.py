"""Labels of answers that two judges dispute: how many of each sort are drawn, and that the correction stays right by simulation."""

import random
from collections import Counter

import numpy as np
import pytest

from bench.disputed_labels import ARMS, Errors, errors_of, twice_judged
from bench.judge_correction import LENIENT
from plumbline.judging.calibration import corrected_difference
from plumbline.judging.disputed import Part, Stratum, disputed_first, draw_disputed_first, part_of
from plumbline.judging.prompt import SCALE

SIZES: dict[Stratum, int] = {
    ("base", 0.0, Part.AGREED): 40,
    ("base", 0.0, Part.DISPUTED): 6,
    ("base", 0.0, Part.ONE_JUDGE): 100,
    ("tuned", 1.0, Part.AGREED): 30,
    ("tuned", 1.0, Part.DISPUTED): 20,
    ("tuned", 1.0, Part.ONE_JUDGE): 90,
}


def test_an_answer_is_disputed_where_the_judges_give_different_steps() -> None:
    assert [part_of(0.5, other) for other in (0.5, 0.75, None)] == [Part.AGREED, Part.DISPUTED, Part.ONE_JUDGE]
    assert part_of(0.5, 0.52) is Part.AGREED, "between two steps the nearest one counts"


@pytest.mark.parametrize("count", [0, 1, 6, 40, 120, 286, 1000])
def test_as_many_are_drawn_as_are_asked_for_and_no_stratum_gives_more_than_it_has(count: int) -> None:
    drawn = disputed_first(SIZES, count)
    assert sum(drawn.values()) == min(count, 286) and all(0 <= drawn[stratum] <= size for stratum, size in SIZES.items())
    assert count < 6 or min(drawn.values()) >= 1, "a stratum without a label would leave its score open"


def test_disputed_answers_are_likelier_than_those_that_one_judge_saw_and_these_than_agreed_ones() -> None:
    drawn = disputed_first(SIZES, 80)
    probability = {stratum: drawn[stratum] / size for stratum, size in SIZES.items()}
    for arm, score in (("base", 0.0), ("tuned", 1.0)):
        agreed, disputed, one_judge = (probability[arm, score, part] for part in (Part.AGREED, Part.DISPUTED, Part.ONE_JUDGE))
        assert disputed > 1.4 * one_judge > 1.4 * agreed > 0


def test_more_labels_take_none_away() -> None:
    """A sheet of 60 is a part of a sheet of 80: who labels on has thrown nothing away."""
    fewer, more = disputed_first(SIZES, 60), disputed_first(SIZES, 80)
    assert all(fewer[stratum] <= more[stratum] for stratum in SIZES)


def test_answers_are_drawn_in_the_order_in_which_they_come() -> None:
    population = [(n, *stratum) for n, stratum in enumerate(random.Random(3).choices(list(SIZES), k=90))]
    drawn = set(draw_disputed_first(population, 40))
    sizes = Counter((arm, score, part) for _, arm, score, part in population)
    assert Counter((arm, score, part) for n, arm, score, part in population if n in drawn) == Counter(disputed_first(sizes, 40))
    for stratum in SIZES:
        names = [n for n, *of in population if tuple(of) == stratum]
        assert [n in drawn for n in names] == sorted((n in drawn for n in names), reverse=True)


# ---- the correction


def test_labels_of_every_answer_give_what_people_say_with_parts_too() -> None:
    world = twice_judged(np.random.default_rng(2), (0, 0.5), share=0.5, num_questions=80)
    labels = world.labels("disputed first", 10_000, np.random.default_rng(1))
    assert world.corrected(labels, seed=1).delta == pytest.approx(world.judged.human_difference)
    assert {label.part for label in labels} == set(Part) and {label.weight for label in labels} == {1.0}


def test_parts_that_say_nothing_change_nothing() -> None:
    """If all answers are in the same part, nothing is stratified: the numbers are those without a second judge, to the last bit."""
    world = twice_judged(np.random.default_rng(2), (0, 0.5), share=0.5, num_questions=80)
    labels = world.judged.labels(60)
    judge, clusters = world.judged.judge, world.judged.clusters
    plain = corrected_difference(judge["first"], judge["second"], labels, clusters=clusters, seed=1, num_resamples=200)
    empty = ([""] * 80, [""] * 80)
    again = corrected_difference(judge["first"], judge["second"], labels, clusters=clusters, seed=1, num_resamples=200, parts=empty)
    assert plain == again


def test_a_part_without_labels_is_named_and_may_hold_any_score() -> None:
    world = twice_judged(np.random.default_rng(2), (0, 0.5), share=0.5, num_questions=80)
    labels = [label for label in world.labels("disputed first", 10_000, np.random.default_rng(1)) if label.part != Part.DISPUTED]
    found = world.corrected(labels, seed=1)
    num_disputed = sum(world.parts[arm].count(Part.DISPUTED) for arm in ARMS)
    assert {one.part for one in found.unlabelled} == {Part.DISPUTED} and sum(one.num_answers for one in found.unlabelled) == num_disputed
    whole = world.corrected(world.labels("disputed first", 10_000, np.random.default_rng(1)), seed=1)
    assert found.width > whole.width + 0.8 * num_disputed / 80


def test_labels_that_forget_how_they_were_drawn_are_biased() -> None:
    """The planted fault: disputed labels without their weights make the judge look worse than it is, and lenient to one arm the more."""
    errors = []
    for seed in range(40):
        world = twice_judged(np.random.default_rng(seed), (0, 0.5), share=1.0, num_questions=200)
        labels = world.labels("disputed first", 100, np.random.default_rng(seed))
        found = {arm: [(label.human - label.judge, label.weight) for label in labels if label.arm == arm] for arm in ARMS}
        gap = {arm: np.mean([gap for gap, _ in mine]) for arm, mine in found.items()}
        means = {arm: np.mean(world.judged.judge[arm]) + gap[arm] for arm in ARMS}
        errors.append(
            (
                means["second"] - means["first"] - world.judged.human_difference,
                world.corrected(labels, seed=1).delta - world.judged.human_difference,
            )
        )
    forgotten, kept = np.mean(errors, axis=0)
    assert abs(forgotten) > 0.04 and abs(kept) < 0.006


def test_wrong_numbers_of_parts_are_refused() -> None:
    world = twice_judged(np.random.default_rng(2), (0, 0), share=0.5, num_questions=80)
    judge = world.judged.judge
    with pytest.raises(ValueError, match="1 and 80 parts for 80 pairs"):
        corrected_difference(judge["first"], judge["second"], world.judged.labels(60), clusters=None, seed=1, parts=([""], [""] * 80))


@pytest.mark.slow
@pytest.mark.parametrize("lenient", ["no one", "half of second only"])
@pytest.mark.parametrize(
    ("share", "num_questions", "num_labels", "size", "clustered"),
    [(0.3, 80, 60, 1, True), (1.0, 80, 60, 1, True), (0.5, 200, 100, 1, False), (0.3, 160, 100, 4, True)],
)
def test_bias_and_coverage(lenient: str, share: float, num_questions: int, num_labels: int, size: int, clustered: bool) -> None:
    found = errors_of(
        "disputed first",
        LENIENT[lenient],
        share=share,
        num_labels=num_labels,
        num_questions=num_questions,
        rounds=300,
        size=size,
        clustered=clustered,
    )
    assert abs(found.bias) < 3 * found.bias_error + 0.002 and found.coverage >= 0.92


@pytest.mark.slow
def test_as_many_labels_say_more_where_all_is_judged_twice_and_no_less_where_a_share_is() -> None:
    def of(way: str, share: float) -> Errors:
        return errors_of(way, (0, 0.5), share=share, num_labels=60, num_questions=80, rounds=200)  # type: ignore[arg-type]

    evenly = of("evenly", 1.0)
    assert of("disputed first", 1.0).rmse < 0.7 * evenly.rmse
    assert of("disputed first", 0.3).rmse < 1.1 * evenly.rmse
    assert set(SCALE) == {0.0, 0.25, 0.5, 0.75, 1.0}, "the worlds are of this scale"
