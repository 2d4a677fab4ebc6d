"""What the last `dvc repro` left is sound: nothing leaked, the lock tells the truth, the embedded default has really learnt."""

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.pipeline.expanded_stages import expanded_stages, value_at
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.rows.answer import Answer
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import KINDS, Question

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ROOT / "data/grades/judged.jsonl"
pytestmark = pytest.mark.skipif(not NEEDED.is_file(), reason="no run to look at: run make first")
LOCK: dict[str, Any] = read_yaml(ROOT / "dvc.lock")["stages"] if (ROOT / "dvc.lock").is_file() else {}
PARAMS: dict[str, Any] = read_yaml(ROOT / "params.yaml")
PIPELINE = expanded_stages(read_yaml(ROOT / "dvc.yaml"), PARAMS)
EMBEDDED = PARAMS["base"]["source"] == "embedded" and "embedded" in PARAMS["split"]["benchmark"]


def rows(name: str) -> list[InstructionRow]:
    return list(read_jsonl(ROOT / f"data/split/{name}.jsonl", InstructionRow))


def questions() -> list[Question]:
    return list(read_jsonl(ROOT / "data/split/benchmark.jsonl", Question))


def evaluation() -> dict[str, Any]:
    return json.loads((ROOT / "metrics/evaluation.json").read_text(encoding="utf-8"))


def folded(text: str) -> str:
    return " ".join(text.casefold().split())


def test_no_training_row_asks_a_benchmark_question() -> None:
    asked = {folded(question.question) for question in questions()} | {
        folded(exam_prompt(question, dict.fromkeys(KINDS, ""))) for question in questions()
    }
    for name in ("train", "validation"):
        assert not [row.id for row in rows(name) if folded(f"{row.instruction} {row.input}") in asked or folded(row.instruction) in asked]


def test_ids_are_unique_and_training_shares_none_with_validation() -> None:
    train, validation = [row.id for row in rows("train")], [row.id for row in rows("validation")]
    assert len(set(train)) == len(train) and len(set(validation)) == len(validation)
    assert not set(train) & set(validation)


def test_lines_are_kept_quarantined_or_blank() -> None:
    content = json.loads((ROOT / "metrics/data.json").read_text(encoding="utf-8"))
    source = Path(ROOT / PARAMS["clean"]["source"]).read_bytes()
    kept, quarantined = ((ROOT / f"data/clean/{name}.jsonl").read_text(encoding="utf-8").count("\n") for name in ("kept", "quarantined"))
    assert kept == content["kept"] and quarantined == content["quarantined"]
    assert source.count(b"\n") == kept + quarantined + content["blank"]


def test_no_kept_output_is_structured_text() -> None:
    for row in rows("train"):
        if row.output.lstrip()[:1] in "{[":
            with pytest.raises(json.JSONDecodeError):
                json.loads(row.output)


def test_every_arm_answered_every_question_in_the_order_of_the_benchmark() -> None:
    order = [question.id for question in questions()]
    for arm in PARAMS["arms"]:
        answers = list(read_jsonl(ROOT / f"data/answers/{arm}.jsonl", Answer))
        assert [answer.id for answer in answers] == order
        assert all(set(answer.choice_logprobs) == set(question.choices) for answer, question in zip(answers, questions(), strict=True))


def test_every_kind_has_its_own_denominator() -> None:
    for kind, content in evaluation()["kinds"].items():
        n = sum(question.kind == kind for question in questions())
        for counts in content["arms"].values():
            assert counts["correct"] + counts["incorrect"] + counts["unparsed"] + counts["unjudged"] == n


@pytest.mark.skipif(not LOCK, reason="no dvc.lock")
def test_the_lock_is_consistent_with_itself_and_with_what_it_locks() -> None:
    made: dict[str, str] = {out["path"]: out["md5"] for stage in LOCK.values() for out in stage.get("outs", [])}
    for name, stage in LOCK.items():
        assert stage["cmd"] == PIPELINE[name]["cmd"]
        for dep in stage.get("deps", []):
            if dep["path"] in made:
                assert dep["md5"] == made[dep["path"]], f"{name} was run on another {dep['path']} than the one that is there"
            elif (file := ROOT / dep["path"]).is_file():
                assert dep["md5"] == hashlib.md5(file.read_bytes()).hexdigest(), f"{name} was run with another {dep['path']}"
        for section in PIPELINE[name]["params"]:
            assert stage["params"]["params.yaml"][section] == value_at(PARAMS, section), f"{name} was run with other parameters"


@pytest.mark.skipif(not EMBEDDED, reason="the run is not the embedded default")
def test_the_embedded_default_has_as_much_to_ask_and_to_learn_from_as_it_promises() -> None:
    kinds = [question.kind for question in questions()]
    assert kinds.count("mcq") >= 120 and kinds.count("numeric") >= 120 and kinds.count("explanation") >= 60
    assert all(question.key_points for question in questions() if question.kind == "explanation")
    numeric = [question for question in questions() if question.kind == "numeric"]
    assert sum("10^" in question.target or "10^" in question.question for question in numeric) >= 10, "scientific notation"


@pytest.mark.skipif(not EMBEDDED, reason="the run is not the embedded default")
def test_tuned_beats_base_on_all_three_kinds_and_stands_well_above_chance() -> None:
    kinds = evaluation()["kinds"]
    for kind in KINDS:
        low, high = kinds[kind]["comparisons"][0]["delta"]["ci95"]
        assert low > 0, f"{kind}: the paired interval [{low}, {high}] holds 0"
    assert kinds["mcq"]["arms"]["tuned"]["score"]["value"] >= 0.6
    assert kinds["numeric"]["arms"]["tuned"]["score"]["value"] >= 0.5
    assert all(kinds["mcq"]["arms"][arm]["logprob_accuracy"] is not None for arm in ("base", "tuned"))


def test_the_headline_is_the_ledger() -> None:
    scores = json.loads((ROOT / "metrics/scores.json").read_text(encoding="utf-8"))
    for kind in KINDS:
        ledger = evaluation()["kinds"][kind]
        for arm in PARAMS["arms"]:
            assert scores[kind][arm] == pytest.approx(ledger["arms"][arm]["score"]["value"], abs=1e-4)
        assert scores[kind]["n"] == ledger["n"]


def test_the_validation_loss_fell() -> None:
    losses = json.loads((ROOT / "metrics/train.json").read_text(encoding="utf-8"))["validation_loss"]
    assert losses["best"] < losses["base"]


def test_forgetting_was_measured_on_prompts_that_neither_rows_nor_benchmark_hold() -> None:
    answers = list(read_jsonl(ROOT / "data/general/answers.jsonl", GeneralAnswer))
    measured = {folded(answer.prompt) for answer in answers if answer.part == "measured"}
    forgetting = json.loads((ROOT / "metrics/train.json").read_text(encoding="utf-8"))["forgetting"]
    assert 0 < forgetting["num_prompts"] <= len(measured)
    assert forgetting["increase"] == pytest.approx(forgetting["tuned_nll"] - forgetting["base_nll"], abs=2e-4)
    assert not measured & {folded(row.instruction) for name in ("train", "validation") for row in rows(name)}
    assert not measured & {folded(question.question) for question in questions()}


def test_loss_steps_increase() -> None:
    steps = [int(line.split(",")[0]) for line in (ROOT / "metrics/loss.csv").read_text(encoding="utf-8").splitlines()[1:]]
    assert all(one < other for one, other in pairwise(steps))
