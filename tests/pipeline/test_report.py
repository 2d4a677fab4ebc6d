"""The report stage on a made-up evaluation: what it writes, when it fails, when it only warns. No model needed."""

import csv
import dataclasses
import html
import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from plumbline.judging.agreement import answer_key
from plumbline.judging.prompt import JudgeItem
from plumbline.reporting.benchmark_parts import questions_of
from plumbline.reporting.final_part_use import FinalPartUse
from plumbline.reporting.human_label import HumanLabel
from plumbline.reporting.params import JudgeSettings
from plumbline.reporting.words import points, span
from plumbline.rows.finding import Finding, PointFinding
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.outcome import Outcome
from stages.report import main
from tests.fakes.evaluation_world import (
    ANSWERING,
    FORGETTING,
    JUDGING,
    PARAMS,
    World,
    explanation,
    make_world,
    read_outputs,
    write_lines,
    write_world,
)


def run(world: World, folder: Path, **changes: object) -> tuple[dict, dict, str, int]:
    """scores.json, evaluation.json, the page, and the exit status."""
    files = write_world(world, folder)
    params = PARAMS.model_copy(update={name: value for name, value in changes.items() if name in type(PARAMS).model_fields})
    judging = changes.get("judging", JUDGING)
    assert isinstance(judging, JudgeSettings)
    files = dataclasses.replace(files, **{name: value for name, value in changes.items() if isinstance(value, Path)})
    status = 0
    try:
        main(params, ANSWERING, judging, world.compared, files)
    except SystemExit as stopped:
        status = 1 if isinstance(stopped.code, str) else int(stopped.code or 0)
    scores, evaluation = read_outputs(files)
    return scores, evaluation, files.page.read_text(encoding="utf-8"), status


def small(**changes: Any) -> World:
    return make_world(**{"num_mcq": 24, "num_numeric": 24, "num_explanation": 16, "num_clusters": 8, **changes})


def unjudge(world: World, count: int, *, cause: str, arm: str = "tuned") -> None:
    """Take the verdicts of the first few explanations of an arm away."""
    places = [index for index, judgement in enumerate(world.judgements) if judgement.arm == arm][:count]
    for index in places:
        changes = {"outcome": Outcome.UNJUDGED, "score": None, "cause": cause, "reasoning": "", "points": ()}
        world.judgements[index] = world.judgements[index].model_copy(update=changes)


# ---- what it writes


def test_headline_scores_are_few_and_their_difference_is_theirs(tmp_path: Path) -> None:
    scores, evaluation, _, status = run(small(), tmp_path)
    assert status == 0
    assert list(scores) == ["mcq", "numeric", "explanation", "complete", "valid"]
    for kind in ("mcq", "numeric", "explanation"):
        assert list(scores[kind]) == ["base", "tuned", "delta", "n"]
        assert scores[kind]["delta"] == pytest.approx(scores[kind]["tuned"] - scores[kind]["base"], abs=1e-4)
        for arm in ("base", "tuned"):
            counts = evaluation["kinds"][kind]["arms"][arm]
            assert counts["correct"] + counts["incorrect"] + counts["unparsed"] + counts["unjudged"] == counts["n"] == scores[kind]["n"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        run(small(), tmp_path / folder)
    outputs = ("scores.json", "evaluation.json", "context.json", "scores_by_kind.csv", "mcq_confusion.csv", "report.html")
    for name in outputs:
        first, second = ((tmp_path / folder / "metrics" / name).read_bytes() for folder in ("one", "two"))
        assert first == second, name
        assert str(tmp_path).encode() not in first, f"{name} names a folder of this machine"


def test_plots_have_a_line_per_arm_and_per_answer(tmp_path: Path) -> None:
    world = small()
    run(world, tmp_path)
    with (tmp_path / "metrics/scores_by_kind.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["kind"], row["arm"]) for row in rows][:2] == [("mcq", "base"), ("mcq", "tuned")]
    assert all(float(row["low"]) <= float(row["score"]) <= float(row["high"]) for row in rows)
    with (tmp_path / "metrics/mcq_confusion.csv").open(newline="") as stream:
        answered = list(csv.DictReader(stream))
    assert {arm: sum(row["arm"] == arm for row in answered) for arm in world.arms} == dict.fromkeys(world.arms, 24)


def test_a_benchmark_of_one_kind_reports_the_others_as_null(tmp_path: Path) -> None:
    scores, _, page, status = run(small(num_mcq=0, num_explanation=0), tmp_path)
    assert status == 0
    assert scores["mcq"] == {"base": None, "tuned": None, "delta": None, "n": None}
    assert "Numeric" in page or "numeric problems" in page


def test_overlapping_questions_are_reported_with_and_without(tmp_path: Path) -> None:
    _, evaluation, page, _ = run(small(), tmp_path)
    mcq = evaluation["kinds"]["mcq"]
    assert mcq["num_overlapping"] > 0
    [compared] = mcq["comparisons"]
    assert compared["without_overlap"]["n"] + compared["overlap_only"]["n"] == mcq["n"]
    assert "near the training rows" in page


def test_development_and_final_parts_share_no_cluster_and_make_up_the_whole(tmp_path: Path) -> None:
    numbers = {}
    for part in ("development", "final", "all"):
        scores, evaluation, page, _ = run(make_world(num_clusters=10), tmp_path / part, part=part)
        numbers[part] = evaluation["part"]["num_questions"]
        assert evaluation["part"]["name"] == part
        assert (f"{part} part of the benchmark" in page) == (part != "all")
        assert evaluation["part"]["num_final_part_uses"] == (0 if part == "development" else 1)
        used = f"In this repository {'0 arms have' if part == 'development' else '1 arm has'} been scored so far"
        assert (used in page) == (part != "all"), "where nothing is kept aside, no final part is named"
        assert "final_part_uses" not in warnings_of(evaluation)
        assert scores["valid"]
    assert numbers["development"] + numbers["final"] == numbers["all"]
    assert 0 < numbers["development"] < numbers["final"]


def with_choice(folder: Path, question_ids: Sequence[str]) -> Path:
    """The record of an adapter; these questions chose its checkpoint."""
    choice = {"question_ids": question_ids, "num_evaluations": 9, "score": 0.5, "lowest_loss_step": 20, "score_at_lowest_loss": 0.25}
    path = folder / "chosen.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"complete": True, "choice": choice}), encoding="utf-8")
    return path


def test_questions_that_chose_the_checkpoint_are_named_on_their_part_and_no_claim_holds_them(tmp_path: Path) -> None:
    world = make_world(num_clusters=10)
    parts = {
        part: [one.id for one in questions_of(world.questions, part=part, development_fraction=PARAMS.development_fraction)]
        for part in ("development", "final")
    }
    record = with_choice(tmp_path, parts["development"][:5])
    scores, evaluation, page, status = run(world, tmp_path / "development", part="development", adapter=record)
    words = "5 questions of the development part also chose the checkpoint, the best of 9 evaluations"
    assert scores["valid"] and status == 0 and words in page
    assert evaluation["part"]["chose_checkpoint"] == {"num_reported": 5, "num_evaluations": 9}
    scores, evaluation, page, status = run(world, tmp_path / "final", part="final", adapter=record)
    assert scores["valid"] and status == 0 and "chose the checkpoint" not in page
    scores, evaluation, page, status = run(world, tmp_path / "all", part="all", adapter=record)
    assert not scores["valid"] and status == 1
    assert "5 of the questions of this report chose the checkpoint" in scores["invalid_because"]
    # Another fraction than the training had: a question that chose would be one of the claim.
    record = with_choice(tmp_path, parts["final"][:1])
    scores, _, _, status = run(world, tmp_path / "moved", part="final", adapter=record)
    assert not scores["valid"] and status == 1 and "Set report.part=final with the report.development_fraction" in scores["invalid_because"]


def test_the_score_that_chose_stands_in_the_plot_of_the_losses(tmp_path: Path) -> None:
    world = small()
    _, evaluation, page, _ = run(world, tmp_path / "loss")
    assert "development score" not in page and "chose_checkpoint" not in evaluation["part"]
    loss = tmp_path / "loss.csv"
    loss.write_text(
        "step,train_loss,validation_loss,development_score,num_questions\n0,,3.1,0.05,64\n1,2.9,,,\n2,2.5,2.4,0.25,64\n3,2.2,2.6,0.75,64\n"
    )
    _, _, page, _ = run(world, tmp_path / "score", loss=loss)
    assert page.count('aria-label="Training and validation loss and development score by optimiser step"') == 2, "wide and narrow"
    assert "score on the questions that chose the checkpoint" in page


def test_a_final_part_used_for_several_models_is_counted_and_a_warning(tmp_path: Path) -> None:
    world = small()
    _, alone, _, _ = run(world, tmp_path / "alone", part="final")
    others = [FinalPartUse(benchmark_sha256=alone["sha256"]["benchmark"], answers_sha256=name * 64) for name in "ab"]
    elsewhere = FinalPartUse(benchmark_sha256="0" * 64, answers_sha256="c" * 64)
    write_lines(tmp_path / "uses.jsonl", [*others, elsewhere, others[0]])
    _, evaluation, page, status = run(world, tmp_path / "third", part="final", uses=tmp_path / "uses.jsonl")
    assert status == 0
    assert evaluation["part"]["num_final_part_uses"] == 3
    assert "final_part_uses" in warnings_of(evaluation)
    assert "The final part has been used for 2 other arms before" in page


# ---- valid: what breaks stops the run, after the numbers are written

BREAKS: dict[str, tuple[Callable[[World], object], str]] = {
    "an answer is missing": (lambda world: world.answers["tuned"].pop(), "tuned answers: none for"),
    "an answer is there twice": (lambda world: world.answers["base"].append(world.answers["base"][0]), "base answers: more than one"),
    "an answer belongs to no question": (
        lambda world: world.answers["base"].append(world.answers["base"][0].model_copy(update={"id": "stranger"})),
        "not in the benchmark, or of another kind: stranger",
    ),
    "a grade is missing": (lambda world: world.grades.pop(), "grades: none for"),
    "a judgement is missing": (lambda world: world.judgements.pop(), "judgements: none for"),
    "a question is there twice": (lambda world: world.questions.append(world.questions[0]), "more than one question"),
    "a target is no option": (
        lambda world: world.questions.__setitem__(0, world.questions[0].model_copy(update={"target": "E"})),
        "no usable target for mcq-0000",
    ),
    "a numeric target has no digit": (
        lambda world: world.questions.__setitem__(24, world.questions[24].model_copy(update={"target": "much"})),
        "no usable target for numeric-0000",
    ),
    "an explanation has nothing to be judged by": (
        lambda world: world.questions.__setitem__(48, world.questions[48].model_copy(update={"target": " ", "key_points": ()})),
        "no usable target for explanation-0000",
    ),
    "two judges": (
        lambda world: world.judgements.__setitem__(0, world.judgements[0].model_copy(update={"judge_id": "other"})),
        "2 identities",
    ),
    "the arms were answered by two engines": (
        lambda world: world.answers.__setitem__(
            "tuned", [answer.model_copy(update={"engine": "vllm 0.33.0"}) for answer in world.answers["tuned"]]
        ),
        "2 engines (base: transformers; tuned: vllm 0.33.0)",
    ),
    "one answer came from another engine": (
        lambda world: world.answers["base"].__setitem__(3, world.answers["base"][3].model_copy(update={"engine": "vllm 0.33.0"})),
        "2 engines (base: transformers, vllm 0.33.0; tuned: transformers)",
    ),
    "a sixteenth of the verdicts failed": (lambda world: unjudge(world, 1, cause="rate_limited"), "only 15 of 16 tuned explanations"),
    "every verdict failed": (
        lambda world: (unjudge(world, 16, cause="server_error"), unjudge(world, 16, cause="server_error", arm="base")),
        "only 0 of 16",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_makes_numbers_meaningless_is_said_and_exits_non_zero(name: str, tmp_path: Path) -> None:
    world = small()
    breaks, reason = BREAKS[name]
    breaks(world)
    scores, evaluation, page, status = run(world, tmp_path)
    assert status != 0
    assert scores["valid"] is False
    assert reason in scores["invalid_because"]
    assert any(reason in problem for problem in evaluation["invalid_because"])
    assert "This evaluation is not valid." in page
    assert 'class="banner invalid"' in page


def test_a_judge_that_answered_as_two_models_is_not_one_judge(tmp_path: Path) -> None:
    world = small()
    for index, model in enumerate(("judge-one", "judge-two")):
        judgement = world.judgements[index]
        replies = (judgement.replies[0].model_copy(update={"model": model}),)
        world.judgements[index] = judgement.model_copy(update={"replies": replies})
    scores, _, _, status = run(world, tmp_path)
    assert status != 0
    assert "judge-one, judge-two" in scores["invalid_because"]


def test_judging_above_the_cost_cap_is_not_valid(tmp_path: Path) -> None:
    world = small()
    judgement = world.judgements[0]
    body = json.dumps({"usage": {"input_tokens": 2_000_000, "output_tokens": 100_000}})
    reply = judgement.replies[0].model_copy(update={"model": "claude-sonnet-5-5", "body": body})
    world.judgements[0] = judgement.model_copy(update={"replies": (reply,)})
    judging = JudgeSettings(backend="claude", model="claude-sonnet-5-5", max_cost_usd=4.0)
    scores, evaluation, _, status = run(world, tmp_path, judging=judging)
    assert status != 0
    assert "5.00 USD, above judge.max_cost_usd = 4.00" in scores["invalid_because"]
    assert evaluation["judge"]["cost_usd"] == 5.0
    *_, status = run(world, tmp_path, judging=judging.model_copy(update={"max_cost_usd": None}))
    assert status == 0


def test_probes_cost_too_and_a_reply_that_two_answers_share_costs_once(tmp_path: Path) -> None:
    world = small()
    body = json.dumps({"usage": {"input_tokens": 500_000, "output_tokens": 100_000, "service_tier": "batch"}})
    usage = {"model": "claude-sonnet-5-5", "body": body, "input_tokens": 500_000, "output_tokens": 100_000}
    reply = world.judgements[0].replies[0].model_copy(update=usage)
    for number in (0, 1):
        world.judgements[number] = world.judgements[number].model_copy(update={"key": "same", "replies": (reply,)})
    check = JudgeCheck(probe="opener", id="explanation-0000", key="probe", judge_id="j", score=0.0, cause="scored", least=0, most=0,
                       is_passed=True, replies=(reply,))  # fmt: skip
    write_lines(tmp_path / "checks.jsonl", [check])
    judging = JudgeSettings(backend="claude", model="claude-sonnet-5-5", max_cost_usd=4.0)
    _, evaluation, *_ = run(world, tmp_path, judging=judging, checks=tmp_path / "checks.jsonl")
    account = evaluation["judge"]
    assert (account["cost_usd"], account["input_tokens"], account["output_tokens"]) == (2.0, 1_000_000, 200_000)


def test_scores_that_exist_are_still_shown_with_their_bounds(tmp_path: Path) -> None:
    world = small()
    unjudge(world, 4, cause="timed_out")
    scores, evaluation, _, _ = run(world, tmp_path)
    assert scores["explanation"]["n"] == 12
    bounds = evaluation["kinds"]["explanation"]["arms"]["tuned"]["bounds"]
    assert bounds["failures_as_one"] - bounds["failures_as_zero"] == pytest.approx(4 / 16)


def test_all_verdicts_failed_gives_null_and_never_zero(tmp_path: Path) -> None:
    world = small()
    for arm in ("base", "tuned"):
        unjudge(world, 16, cause="server_error", arm=arm)
    scores, *_ = run(world, tmp_path)
    assert scores["explanation"] == {"base": None, "tuned": None, "delta": None, "n": None}


def test_a_judge_that_was_not_wanted_gives_null_and_a_valid_run(tmp_path: Path) -> None:
    world = small()
    for arm in ("base", "tuned"):
        unjudge(world, 16, cause="judge_off", arm=arm)
    scores, _, page, status = run(world, tmp_path)
    assert status == 0
    assert scores["valid"] is True
    assert scores["explanation"]["tuned"] is None
    assert "No answer was judged, so there is no score." in page


# ---- complete: a dry run cannot pose as a whole one


def test_a_lowered_max_steps_is_marked_and_exits_zero(tmp_path: Path) -> None:
    world = small()
    world.training |= {"complete": False, "stop_reason": "max_steps", "num_done_steps": 5}
    world.answers["tuned"] = [answer.model_copy(update={"complete": False}) for answer in world.answers["tuned"]]
    scores, evaluation, page, status = run(world, tmp_path)
    assert status == 0
    assert scores["complete"] is False
    assert scores["valid"] is True
    assert evaluation["incomplete_because"] == "training ended after 5 of 120 planned steps"
    assert "Not complete" in page
    assert re.search(r"<h1[^>]*>Dry run only: tuned is better", page)


def test_answers_of_an_incomplete_adapter_are_enough_to_mark_the_run(tmp_path: Path) -> None:
    world = small()
    world.answers["tuned"][3] = world.answers["tuned"][3].model_copy(update={"complete": False})
    scores, *_ = run(world, tmp_path)
    assert scores["complete"] is False


def test_early_stopping_by_its_rule_is_complete(tmp_path: Path) -> None:
    world = small()
    world.training |= {"stop_reason": "early_stop", "num_done_steps": 80}
    scores, *_ = run(world, tmp_path)
    assert scores["complete"] is True


# ---- good: warnings, and exit 0


def warnings_of(evaluation: dict) -> set[str]:
    return {gate["name"] for gate in evaluation["gates"] if not gate["ok"] and gate["severity"] == "warning"}


def test_many_unreadable_answers_are_a_warning(tmp_path: Path) -> None:
    _, evaluation, page, status = run(small(), tmp_path)
    assert status == 0
    assert "unparsed_mcq_base" in warnings_of(evaluation)
    assert "unparsed_mcq_tuned" not in warnings_of(evaluation)
    assert "could not be read" in page


def test_cut_answers_are_a_warning(tmp_path: Path) -> None:
    world = small()
    world.answers["tuned"][0] = world.answers["tuned"][0].model_copy(update={"stopped": "max_new_tokens"})
    _, evaluation, page, status = run(world, tmp_path)
    assert status == 0
    assert "truncated_mcq_tuned" in warnings_of(evaluation)
    assert "were cut at answer.max_new_tokens" in page


def test_scores_that_are_all_equal_are_a_warning(tmp_path: Path) -> None:
    world = small()
    for index, judgement in enumerate(world.judgements):
        if judgement.arm == "base":
            question = next(question for question in world.questions if question.id == judgement.id)
            world.judgements[index] = explanation(question, "base", 0.5)[1]
    _, evaluation, _, status = run(world, tmp_path)
    assert status == 0
    assert "scores_vary_explanation_base" in warnings_of(evaluation)


def test_a_judge_without_calibration_is_a_warning(tmp_path: Path) -> None:
    _, evaluation, page, status = run(small(), tmp_path)
    assert status == 0
    assert "judge_calibrated" in warnings_of(evaluation)
    assert "ncalibrated" in page


def labelled_world(human: Callable[[str, float], float], *, labellers: Sequence[str] = ("a",)) -> tuple[World, list[HumanLabel]]:
    """160 explanations an arm, and a label of each answer, in a random order: `human` is people's score by arm and judge's score."""
    world = make_world(num_mcq=0, num_numeric=12, num_explanation=160, num_clusters=80)
    asked = {question.id: question for question in world.questions}
    # Equal texts are one answer to a labeller: make each its own.
    for arm, answers in world.answers.items():
        world.answers[arm] = [answer.model_copy(update={"response": f"{answer.response} ({arm} {answer.id})"}) for answer in answers]
    texts = {(answer.arm, answer.id): answer.response for answers in world.answers.values() for answer in answers}
    rows = []
    for judgement in random.Random(3).sample(world.judgements, len(world.judgements)):
        question = asked[judgement.id]
        item = JudgeItem(question.question, question.target, question.key_points, texts[judgement.arm, judgement.id])
        score = human(judgement.arm, judgement.score or 0.0)
        rows += [HumanLabel(answer_key=answer_key(item), labeller=name, score=score, note="") for name in labellers]
    return world, rows


def test_enough_labels_that_agree_calibrate_the_judge(tmp_path: Path) -> None:
    world, rows = labelled_world(lambda _arm, judge: judge)
    labels = tmp_path / "labels.jsonl"
    for count, calibrated in ((100, True), (20, False), (0, False)):
        write_lines(labels, rows[:count])
        _, evaluation, page, status = run(world, tmp_path / str(count), labels=labels)
        assert status == 0
        assert evaluation["judge"]["calibration"]["num_labels"] == count
        assert ("judge_calibrated" not in warnings_of(evaluation)) == calibrated
        assert ("ncalibrated" in page) != calibrated
    assert evaluation["judge"]["calibration"]["is_calibrated"] is False


def test_labels_that_do_not_agree_say_so_however_many_they_are(tmp_path: Path) -> None:
    rng = random.Random(4)
    world, rows = labelled_world(lambda _arm, _judge: rng.choice((0.0, 1.0)))
    write_lines(tmp_path / "labels.jsonl", rows)
    _, evaluation, page, _ = run(world, tmp_path, labels=tmp_path / "labels.jsonl")
    found = evaluation["judge"]["calibration"]
    assert found["num_labels"] == 320 and found["is_calibrated"] is False and found["weighted_kappa_ci95"][0] < 0
    assert "the judge cannot tell right from wrong" in evaluation["verdict"] and "the judge cannot tell right from wrong" in page


def test_the_corrected_difference_stands_in_the_verdict_and_on_the_page(tmp_path: Path) -> None:
    """The judge gives every right answer of tuned a step too much."""
    world, rows = labelled_world(lambda arm, judge: 0.75 if arm == "tuned" and judge == 1.0 else judge)
    write_lines(tmp_path / "labels.jsonl", rows[:100])
    _, evaluation, page, _ = run(world, tmp_path, labels=tmp_path / "labels.jsonl")
    (correction,) = evaluation["judge"]["calibration"]["corrections"]
    judged = evaluation["kinds"]["explanation"]["comparisons"][0]["delta"]["value"]
    tuned_right = sum(judgement.score == 1.0 for judgement in world.judgements if judgement.arm == "tuned") / 160
    assert (correction["first"], correction["second"], correction["num_labels"]) == ("base", "tuned", 100)
    assert correction["judged"] == pytest.approx(judged, abs=1e-4)
    assert correction["corrected"]["delta"] == pytest.approx(judged - 0.25 * tuned_right, abs=1e-3)
    low, high = correction["corrected"]["ci95"]
    quoted = f"corrected by 100 human labels {points(correction['corrected']['delta'], sign=True)} {span((low, high))}"
    assert f"judged {points(judged, sign=True)} points; {quoted}" in evaluation["verdict"]
    assert quoted in html.unescape(page) and 'id="judge"' in page


def test_labels_of_one_arm_correct_nothing_and_the_page_says_why(tmp_path: Path) -> None:
    world, rows = labelled_world(lambda _arm, judge: judge)
    answers = {answer.response: answer.arm for mine in world.answers.values() for answer in mine}
    keys = {
        answer_key(JudgeItem(question.question, question.target, question.key_points, text))
        for text, arm in answers.items()
        for question in world.questions
        if arm == "base" and question.id in text
    }
    write_lines(tmp_path / "labels.jsonl", [label for label in rows if label.answer_key in keys])
    _, evaluation, page, status = run(world, tmp_path, labels=tmp_path / "labels.jsonl")
    assert status == 0 and "not corrected, because no answer of tuned is labelled" in html.unescape(page)
    assert evaluation["judge"]["calibration"]["corrections"][0]["corrected"] is None
    assert "judge_calibrated" in warnings_of(evaluation)


def test_two_labellers_are_compared_on_the_page(tmp_path: Path) -> None:
    world, rows = labelled_world(lambda _arm, judge: judge, labellers=("ann", "bob"))
    write_lines(tmp_path / "labels.jsonl", rows[:-21])
    _, evaluation, page, _ = run(world, tmp_path, labels=tmp_path / "labels.jsonl")
    (pair,) = evaluation["judge"]["calibration"]["labellers"]
    assert (pair["num_shared"], pair["num_only_first"], pair["num_only_second"], pair["kappa"]) == (309, 1, 0, 1.0)
    assert "ann and bob: weighted kappa 1.00" in html.unescape(page)


def test_a_judge_that_likes_long_answers_is_a_warning(tmp_path: Path) -> None:
    world, _ = labelled_world(lambda _arm, judge: judge)
    rng = random.Random(6)
    labels = []
    asked = {question.id: question for question in world.questions}
    judged = {(judgement.arm, judgement.id): judgement for judgement in world.judgements}
    for arm, answers in world.answers.items():
        world.answers[arm] = [
            answer.model_copy(update={"response": answer.response + " So it is." * rng.randrange(40)}) for answer in answers
        ]
        for answer in world.answers[arm]:
            if (arm, answer.id) in judged:
                question, score = asked[answer.id], judged[arm, answer.id].score or 0.0
                key = answer_key(JudgeItem(question.question, question.target, question.key_points, answer.response))
                human = max(0.0, score - 0.25) if len(answer.response) > 250 else score
                labels.append(HumanLabel(answer_key=key, labeller="a", score=human, note=""))
    write_lines(tmp_path / "labels.jsonl", labels)
    _, evaluation, page, _ = run(world, tmp_path / "labelled", labels=tmp_path / "labels.jsonl")
    assert "judge_length" in warnings_of(evaluation) and "depends on the length" in html.unescape(page)
    _, evaluation, page, _ = run(world, tmp_path / "unlabelled")
    assert "judge_length" not in warnings_of(evaluation), "without labels length may be worth its score"
    assert "without human labels this does not measure the judge's error" in html.unescape(page)


def test_a_judge_that_falls_for_a_known_answer_is_a_warning(tmp_path: Path) -> None:
    check = JudgeCheck(
        probe="key_words",
        id="explanation-0000",
        key="k",
        judge_id="j",
        score=0.0,
        cause="scored",
        least=0,
        most=0,
        is_passed=True,
        replies=(),
    )
    again = check.model_copy(update={"probe": "retest", "least": 0.5, "most": 0.5, "score": 0.75, "is_passed": None})
    checks = tmp_path / "checks.jsonl"
    for score, passed in ((0.0, True), (0.75, False)):
        write_lines(checks, [check.model_copy(update={"score": score, "is_passed": passed}), again])
        _, evaluation, _, status = run(small(), tmp_path / str(passed), checks=checks)
        assert status == 0
        assert ("judge_canaries" in warnings_of(evaluation)) != passed
    assert evaluation["judge"]["probes"]["failed_by_probe"] == {"key_words": 1}
    assert evaluation["judge"]["probes"]["failed_questions"] == {"key_words": ["explanation-0000"]}
    [told] = [gate["text"] for gate in evaluation["gates"] if gate["name"] == "judge_canaries"]
    assert told.startswith("the judge misjudged 1 of 1 answer of known worth (key_words: explanation-0000)")
    assert evaluation["judge"]["probes"]["retest_sd"] == pytest.approx(0.25 / 2**0.5, abs=1e-4)


@pytest.mark.parametrize(("model", "warned"), [("claude-sonnet-4-5-20250929", True), ("claude-sonnet-5-5", False)])
def test_a_judge_whose_end_is_announced_is_a_warning(model: str, warned: bool, tmp_path: Path) -> None:
    judging = JudgeSettings(backend="claude", model=model, max_cost_usd=None)
    _, evaluation, page, status = run(small(), tmp_path, judging=judging)
    assert status == 0
    assert ("judge_model_stays" in warnings_of(evaluation)) == warned
    assert ("stops answering on 2026-11-30" in page) == warned


@pytest.mark.parametrize(("increase", "warned"), [(0.8, True), (0.03, False)])
def test_forgetting_above_its_limit_is_a_warning_and_the_page_says_what_it_means(increase: float, warned: bool, tmp_path: Path) -> None:
    world = small()
    world.training["forgetting"] = FORGETTING | {"tuned_nll": 0.4 + increase, "increase": increase}
    scores, evaluation, page, status = run(world, tmp_path)
    assert status == 0 and scores["valid"] is True
    assert ("forgetting_nats" in warnings_of(evaluation)) is warned
    gate = next(gate for gate in evaluation["gates"] if gate["name"] == "forgetting_nats")
    assert (gate["value"], gate["limit"]) == (increase, 0.1)
    assert f"+{increase:.2f} [+0.01, +0.05]" in html.unescape(page) and "times the probability that base gives them" in html.unescape(page)
    assert ("Tuned has forgotten some of what base could do" in page) is warned


def test_a_worse_tuned_model_is_a_valid_result(tmp_path: Path) -> None:
    world = make_world(num_clusters=20)
    swapped = {"base": "tuned", "tuned": "base"}
    world.answers = {arm: [answer.model_copy(update={"arm": arm}) for answer in world.answers[other]] for arm, other in swapped.items()}
    world.grades = [grade.model_copy(update={"arm": swapped[grade.arm]}) for grade in world.grades]
    world.judgements = [judgement.model_copy(update={"arm": swapped[judgement.arm]}) for judgement in world.judgements]
    scores, evaluation, page, status = run(world, tmp_path)
    assert status == 0
    assert scores["valid"] is True
    assert scores["numeric"]["delta"] < 0
    assert "Tuned is worse on" in evaluation["verdict"]
    assert "Tuned is worse on" in page


# ---- the page


def entries_of(page: str) -> list[dict]:
    found = re.search(r'<script type="application/json" id="entries">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])["rows"]


def test_the_page_holds_every_question_the_worst_first(tmp_path: Path) -> None:
    _, _, page, _ = run(small(), tmp_path)
    entries = entries_of(page)
    assert len(entries) == 64
    changes = [entry["h"] for entry in entries]
    assert changes == sorted(changes, key=["lost", "wrong", "same", "right", "gained"].index) or changes[0] == "lost"
    assert changes[-1] == "gained"
    assert entries[0]["q"].endswith(("Answer with the letter.", "Give the number with its unit.")) or entries[0]["k"] == "explanation"


def test_the_mark_counts_as_a_browser_does(tmp_path: Path) -> None:
    world = small(num_explanation=0)
    answer = world.answers["base"][0]
    response = "🧲 so: **B**"
    world.answers["base"][0] = answer.model_copy(update={"response": response})
    start = response.index("B")
    world.grades = [
        grade.model_copy(update={"span": (start, start + 1)}) if (grade.arm, grade.id) == ("base", answer.id) else grade
        for grade in world.grades
    ]
    _, _, page, _ = run(world, tmp_path)
    entry = next(entry for entry in entries_of(page) if entry["i"] == answer.id)
    low, high = entry["r0"]["m"]
    assert response.encode("utf-16-le")[2 * low : 2 * high].decode("utf-16-le") == "B"


HOSTILE = "</script><script>document.title='owned'</script><!--<img src=x onerror=alert(1)>&lt;"


def test_text_from_models_cannot_leave_its_place(tmp_path: Path) -> None:
    world = small()
    world.answers["tuned"][0] = world.answers["tuned"][0].model_copy(update={"response": HOSTILE})
    hostile = PointFinding(point=HOSTILE, finding=Finding.STATED, quote=HOSTILE)
    world.judgements[0] = world.judgements[0].model_copy(update={"reasoning": HOSTILE, "points": (hostile,)})
    world.questions[1] = world.questions[1].model_copy(update={"cluster": HOSTILE, "question": HOSTILE})
    _, _, page, _ = run(world, tmp_path)
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<img" not in page
    entry = next(entry for entry in entries_of(page) if entry["i"] == world.questions[0].id)
    assert entry["r1"]["t"] == HOSTILE


def test_the_page_holds_what_was_found_of_each_key_point(tmp_path: Path) -> None:
    world = small()
    _, _, page, _ = run(world, tmp_path)
    shown = {entry["i"]: entry for entry in entries_of(page) if entry["k"] == "explanation"}
    for row in world.judgements:
        expected = [[one.point, one.finding.value, one.quote] for one in row.points] or None
        assert shown[row.id][f"r{list(world.arms).index(row.arm)}"].get("p") == expected
    assert {finding for entry in shown.values() for _, finding, _ in entry["r1"].get("p", [])} == {"stated", "missing"}


def test_the_page_names_no_address_to_load_from(tmp_path: Path) -> None:
    _, _, page, _ = run(small(), tmp_path)
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r'(?:src|href)="(?!#|data\.html"|preflight\.html")', page.replace('xmlns:xlink="http', ""))
    assert "url(http" not in page
    assert "@import" not in page


def test_the_page_shows_what_preflight_found_before_training(tmp_path: Path) -> None:
    _, _, page, _ = run(small(), tmp_path)
    checks = page[page.index('<section id="checks"') :].split("</section>")[0]
    assert "1 check of preflight passed" in checks and "<b>one bos</b> <small>0 of 9 rows</small>" in checks
    assert re.search(r'<li class="warning">.*heat: scale 16 x learning rate 0.01', checks)


def test_the_page_names_the_packages_that_made_it(tmp_path: Path) -> None:
    (tmp_path / "pins.txt").write_text('# no==1\ntorch==2.13.0\nbitsandbytes==0.50.2; sys_platform == "linux"\n')
    world = small()
    files = dataclasses.replace(write_world(world, tmp_path), pins=tmp_path / "pins.txt")
    main(PARAMS, ANSWERING, JUDGING, world.compared, files)
    page = files.page.read_text(encoding="utf-8")
    shown = re.findall(r'<th scope="row">(torch|bitsandbytes|no)</th><td class="whole">([^<]+)</td>', page)
    assert shown == [("torch", "2.13.0"), ("bitsandbytes", "0.50.2")]


@pytest.mark.parametrize(("num_samples", "temperature", "is_warned"), [(1, 0.0, False), (1, 0.7, True), (4, 0.7, False)])
def test_one_drawn_answer_to_a_question_is_warned_of(num_samples: int, temperature: float, is_warned: bool, tmp_path: Path) -> None:
    world = make_world(num_mcq=12, num_numeric=12, num_explanation=12, num_clusters=6)
    files = write_world(world, tmp_path)
    answering = ANSWERING.model_copy(update={"num_samples": num_samples, "temperature": temperature})
    main(PARAMS, answering, JUDGING, world.compared, files)
    _, evaluation = read_outputs(files)
    told = [gate["text"] for gate in evaluation["gates"] if gate["name"] == "one_drawn_answer"]
    assert bool(told) == is_warned == ("how far another draw would move the score is not measured" in files.page.read_text("utf-8"))
