"""The report of a run with a second judge: what is said first, what is shown, and that nothing changes without one."""

import dataclasses
import html
import re
from pathlib import Path
from typing import Any

import pytest

from plumbline.judging.second_draw import is_judged_twice
from plumbline.keeping.model_card import judged_words
from plumbline.reporting.params import JudgeSettings
from plumbline.rows.judgement import Judgement, RawReply
from plumbline.rows.outcome import Outcome
from stages.report import main
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, World, make_world, read_outputs, write_lines, write_world

SECOND: dict[str, Any] = {"backend": "openai_compatible", "model": "judge-small", "share": 0.5}


def run(
    world: World, folder: Path, second: list[Judgement], settings: dict[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """scores.json, evaluation.json and the page."""
    files = dataclasses.replace(write_world(world, folder), second=folder / "data/grades/second_judged.jsonl")
    assert files.second is not None
    write_lines(files.second, second)
    judging = JudgeSettings.model_validate(JUDGING.model_dump() | {"second": settings})
    main(PARAMS, ANSWERING, judging, world.compared, files)
    scores, evaluation = read_outputs(files)
    return scores, evaluation, files.page.read_text(encoding="utf-8")


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def a_world(*, tuned_gains: bool) -> World:
    """40 explanations in 20 clusters. By the first judge tuned is a step better on most, or as base is."""
    world = make_world(num_mcq=12, num_numeric=12, num_explanation=40, num_clusters=20)
    for place, row in enumerate(world.judgements):
        number = int(row.id[-4:])
        gain = 0.25 * (tuned_gains and row.arm == "tuned" and number % 5 != 0)
        world.judgements[place] = scored(row, (0.25, 0.5)[number % 2] + gain)
    return world


def scored(row: Judgement, score: float | None) -> Judgement:
    outcome = Outcome.UNJUDGED if score is None else Outcome.CORRECT if score >= 0.75 else Outcome.INCORRECT
    return row.model_copy(update={"score": score, "outcome": outcome, "cause": "scored" if score is not None else "refused"})


def by_second(world: World, *, arm_bonus: dict[str, float]) -> list[Judgement]:
    """A second judge on the questions that are drawn, who takes a step from an arm or gives it one, on all but every fifth of them."""
    reply = RawReply(attempt=1, stop_reason="stop", model="judge-small-v2", request_id=None, body="{}", input_tokens=900, output_tokens=80)
    return [
        scored(row, None if row.score is None else row.score + arm_bonus.get(row.arm, 0.0) * (int(row.id[-4:]) % 5 != 0)).model_copy(
            update={"judge_id": "openai_compatible:00ff", "replies": (reply,), "key": f"second-{row.key}"}
        )
        for row in world.judgements
        if is_judged_twice(row.id, share=0.5)
    ]


def test_one_conclusion_of_two_judges_is_shown_with_their_agreement_and_both_names(tmp_path: Path) -> None:
    world = a_world(tuned_gains=True)
    scores, evaluation, page = run(world, tmp_path, by_second(world, arm_bonus={}), SECOND)
    found = evaluation["judge"]["second_judge"]
    assert (found["num_questions"], found["causes"], found["share"]) == (16, {"scored": 32}, 0.5)
    assert found["agreement"]["same_score"]["value"] == 1.0 and found["agreement"]["same_score"]["n"] == 32
    assert set(found["agreement_by_arm"]) == {"base", "tuned"} and found["agreement_by_arm"]["base"]["same_score"]["num_units"] == 12
    (one,) = found["differences"]
    assert one["n"] == 16 and one["conclusions"] == ["better", "better"] and not one["depends_on_judge"]
    assert one["second_minus_first"]["value"] == 0.0
    assert found["num_replies"] == 32 and found["input_tokens"] == 28800 and found["cost_usd"] is None
    assert not evaluation["verdict"].startswith("The conclusion") and evaluation["valid"]
    text = text_of(page)
    assert (
        "Two judges of the same answers" in text
        and "The judges are the key-point rule and judge-small (answering as judge-small-v2)" in text
    )
    assert "A judge may prefer answers that are like its own" in text
    assert "depends on the judge" not in text
    words = judged_words(evaluation["judge"], evaluation["kinds"])
    assert "A second judge, judge-small (`openai_compatible:00ff`), judged the answers to 16 questions again; the two agree with" in words
    assert "a weighted kappa of 1.00" in words and "depends" not in words
    alone, _, _ = run(world, tmp_path / "alone", [])
    assert scores == alone, "the second judge changes no score"


def test_a_conclusion_that_depends_on_the_judge_is_said_first(tmp_path: Path) -> None:
    world = a_world(tuned_gains=True)
    scores, evaluation, page = run(world, tmp_path, by_second(world, arm_bonus={"tuned": -0.25}), SECOND)
    one = evaluation["judge"]["second_judge"]["differences"][0]
    assert one["depends_on_judge"] and one["conclusions"][0] == "better" != one["conclusions"][1]
    assert one["second_minus_first"]["value"] == pytest.approx(-0.25 * 13 / 16, abs=1e-4)
    said = "The conclusion on explanations depends on the judge: on the 16 questions that both judged, tuned against base: better according to the key-point rule (+"
    assert evaluation["verdict"].startswith(said)
    assert "the two differ by -20 points" in evaluation["verdict"].replace("−", "-")
    gate = next(gate for gate in evaluation["gates"] if gate["name"] == "one_conclusion_of_two_judges")
    assert not gate["ok"] and gate["severity"] == "warning" and evaluation["valid"], "a warning: the first judge's score stands"
    verdict = re.search(r'<p class="verdict">(.*?)</p>', page)
    assert verdict is not None and html.unescape(verdict[1]).startswith(said)
    words = judged_words(evaluation["judge"], evaluation["kinds"])
    assert words.endswith("The conclusion depends on the judge for tuned against base. "), "the card says it too"
    alone, _, _ = run(world, tmp_path / "alone", [])
    assert scores == alone


def test_a_second_judge_that_gives_few_scores_is_warned_of(tmp_path: Path) -> None:
    world = a_world(tuned_gains=False)
    second = by_second(world, arm_bonus={})
    second = [scored(row, None) if place < 8 else row for place, row in enumerate(second)]
    _, evaluation, page = run(world, tmp_path, second, SECOND)
    gate = next(gate for gate in evaluation["gates"] if gate["name"] == "second_judge_unscored")
    assert not gate["ok"] and "no score to 8 of 32 answers" in gate["text"]
    assert "gave no score to 8 answers: refused 8" in text_of(page)


def test_too_few_questions_conclude_nothing(tmp_path: Path) -> None:
    world = a_world(tuned_gains=True)
    few = [row for row in by_second(world, arm_bonus={"tuned": -0.25}) if int(row.id[-4:]) < 16]
    _, evaluation, page = run(world, tmp_path, few, SECOND)
    one = evaluation["judge"]["second_judge"]["differences"][0]
    assert one["n"] == 5 and one["by_first"] is None and not one["depends_on_judge"]
    assert "fewer than 10 questions or 6 clusters" in text_of(page)
    gate = next(gate for gate in evaluation["gates"] if gate["name"] == "second_judge_absent")
    assert not gate["ok"] and "no verdict on 22 answers to drawn questions" in gate["text"], "what is not there does not vanish"


def test_a_share_that_draws_no_question_is_said(tmp_path: Path) -> None:
    _, evaluation, page = run(a_world(tuned_gains=True), tmp_path, [], SECOND | {"share": 1e-9})
    gate = next(gate for gate in evaluation["gates"] if gate["name"] == "second_judge_absent")
    assert not gate["ok"] and "drew no question: raise it" in gate["text"] and "drew no question" in text_of(page)


def test_without_a_second_judge_the_files_are_the_same_bytes(tmp_path: Path) -> None:
    world = a_world(tuned_gains=True)
    run(world, tmp_path / "with", [], None)
    files = write_world(world, tmp_path / "without")
    main(PARAMS, ANSWERING, JUDGING, world.compared, files)
    for name in ("report.html", "evaluation.json", "scores.json"):
        there, here = ((tmp_path / folder / "metrics" / name).read_bytes() for folder in ("with", "without"))
        assert there == here and b"second_judge" not in there, name
