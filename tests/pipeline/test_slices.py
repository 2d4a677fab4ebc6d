"""Tags give slices: a paired difference for each, adjusted in a separate family, or the words that there are too few questions."""

from pathlib import Path
from typing import Any

import pytest

from plumbline.reporting.ledger import KIND_NAMES
from plumbline.reporting.scored import join_verdicts
from plumbline.reporting.slices import MIN_CLUSTERS, MIN_QUESTIONS, Slice, slices_of
from plumbline.statistics import holm
from stages.report import main
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, World, make_world, read_outputs, write_world


def tagged(world: World, tags: dict[str, Any]) -> World:
    """The world with a tag on every question for which its condition holds."""
    world.questions = [
        question.model_copy(update={"tags": tuple(tag for tag, holds in tags.items() if holds(number, question))})
        for number, question in enumerate(world.questions)
    ]
    return world


TAGS = {
    "half: even": lambda number, question: number // 10 % 2 == 0,
    "half: odd": lambda number, question: number // 10 % 2 == 1,
    "rare": lambda number, question: number % 20 == 0,
    "all": lambda number, question: True,
    "one topic": lambda number, question: question.cluster.endswith(("kinematics", "energy")),
}


def found(world: World) -> list[Slice]:
    scored = join_verdicts(world.questions, [*world.answers["base"], *world.answers["tuned"]], world.grades, world.judgements)
    return slices_of(world.questions, scored, world.comparisons, seed=11, num_resamples=200)


def test_each_tag_of_each_kind_is_compared_on_its_own_questions() -> None:
    world = tagged(make_world(), TAGS)
    slices = {(one.kind, one.tag): one for one in found(world)}
    even = slices["mcq", "half: even"]
    assert even.n == 30 and even.comparison is not None and even.comparison.n == 30
    right = {(grade.arm, grade.id): grade.outcome == "correct" for grade in world.grades}
    ids = [question.id for question in world.questions if question.kind == "mcq" and "half: even" in question.tags]
    expected = sum(right["tuned", id] - right["base", id] for id in ids) / len(ids)
    assert even.comparison.delta == pytest.approx(expected)
    assert ("mcq", "all") not in slices, "a tag of all questions is the kind itself"
    assert {kind for kind, tag in slices if tag == "half: odd"} == {"mcq", "numeric", "explanation"}


def test_too_few_questions_or_clusters_give_no_difference() -> None:
    slices = {(one.kind, one.tag): one for one in found(tagged(make_world(), TAGS))}
    rare, topic = slices["mcq", "rare"], slices["mcq", "one topic"]
    assert rare.n < MIN_QUESTIONS and rare.comparison is None and rare.p_holm is None
    assert topic.n >= MIN_QUESTIONS and topic.num_clusters < MIN_CLUSTERS and topic.comparison is None


def test_p_values_are_adjusted_for_all_slices_of_a_comparison() -> None:
    tested = [one for one in found(tagged(make_world(), TAGS)) if one.comparison is not None]
    adjusted = holm({f"{one.kind} {one.tag}": one.comparison.p_value for one in tested if one.comparison is not None})
    assert len(tested) > 3
    for one in tested:
        assert one.p_holm == pytest.approx(adjusted[f"{one.kind} {one.tag}"])


def report(world: World, folder: Path) -> tuple[dict[str, Any], str]:
    files = write_world(world, folder)
    main(PARAMS, ANSWERING, JUDGING, world.compared, files)
    return read_outputs(files)[1], files.page.read_text(encoding="utf-8")


def test_slices_stand_in_the_numbers_and_on_the_page_and_leave_the_verdict_alone(tmp_path: Path) -> None:
    plain, plain_page = report(make_world(), tmp_path / "plain")
    numbers, page = report(tagged(make_world(), TAGS), tmp_path / "tagged")
    assert "slices" not in plain and 'id="slices"' not in plain_page
    assert numbers["kinds"] == plain["kinds"] and numbers["verdict"] == plain["verdict"]
    by_tag = {(one["kind"], one["tag"]): one for one in numbers["slices"]}
    assert by_tag["mcq", "half: even"]["delta"]["n"] == 30 and by_tag["mcq", "half: even"]["p_holm"] is not None
    assert by_tag["mcq", "rare"] | {"n": 0} == {
        "reference": "base", "arm": "tuned", "kind": "mcq", "tag": "rare", "n": 0, "num_clusters": 1, "too_few": True, "p_holm": None, "delta": None,
    }  # fmt: skip
    table = page[page.index('id="slices"') : page.index("</table>", page.index('id="slices"'))]
    assert "half: even" in table and KIND_NAMES["numeric"] in table and "too few questions" in table
