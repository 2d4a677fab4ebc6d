"""The evaluation as Inspect logs, read back with Inspect's own reader: every sample, verdict and number is there, and a dry run says so."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from plumbline.rows.outcome import Outcome
from stages.report import main as report
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, World, make_world, write_world
from tests.fakes.sampled_world import sampled_world

ROOT = Path(__file__).resolve().parents[2]
READ = """
import json, sys
from inspect_ai.log import list_eval_logs, read_eval_log
logs = [read_eval_log(info) for info in list_eval_logs(sys.argv[1])]
print(json.dumps({log.eval.metadata["arm"]: json.loads(log.model_dump_json()) for log in logs}))
"""


@pytest.fixture(scope="module")
def inspect_python() -> str:
    """An interpreter that has inspect-ai: this one, or the environment that `make inspect-log` makes."""
    own = Path(os.environ.get("PLUMBLINE_INSPECT_PYTHON", ROOT / ".venv/inspect/bin/python"))
    if find_spec("inspect_ai"):
        return sys.executable
    if own.exists():
        return str(own)
    pytest.skip("inspect-ai is not installed: its pins do not go with ours; `make inspect-log` sets it up in .venv/inspect")


def logs_of(world: World, root: Path, python: str) -> dict[str, Any]:
    """Write the world, report on it, make the logs and read them back: arm -> log."""
    # A missing verdict of 16 breaks the coverage: report then writes its numbers and exits.
    with suppress(SystemExit):
        report(PARAMS, ANSWERING, JUDGING, world.compared, write_world(world, root))
    arms = {name: arm.model_dump() for name, arm in world.arms.items()}
    (root / "params.yaml").write_text(json.dumps({"answer": ANSWERING.model_dump(), "arms": arms}))
    words = [python, "-m", "plumbline", "inspect-log", "--root", str(root), "--out", str(root / "logs")]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    assert sorted(path.name for path in (root / "logs").iterdir()) == ["base.eval", "tuned.eval"]
    read = subprocess.run([python, "-c", READ, str(root / "logs")], cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(read.stdout)


@pytest.fixture(scope="module")
def world_and_logs(inspect_python: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path, dict[str, Any]]:
    world = make_world(num_mcq=24, num_numeric=24, num_explanation=16, num_clusters=8)
    index = next(number for number, row in enumerate(world.judgements) if row.arm == "tuned")
    world.judgements[index] = world.judgements[index].model_copy(
        update={"outcome": Outcome.UNJUDGED, "score": None, "cause": "refused", "reasoning": "", "points": ()}
    )
    root = tmp_path_factory.mktemp("inspect")
    logs = logs_of(world, root, inspect_python)
    return world, root, logs


def test_every_sample_has_its_prompt_choices_target_answer_and_verdict(world_and_logs: tuple[World, Path, dict[str, Any]]) -> None:
    world, _, logs = world_and_logs
    values = {Outcome.CORRECT: "C", Outcome.INCORRECT: "I", Outcome.UNPARSED: "N"}
    seen = set()
    for arm in ("base", "tuned"):
        samples = {sample["id"]: sample for sample in logs[arm]["samples"]}
        assert set(samples) == {question.id for question in world.questions}
        grades = {row.id: row for row in world.grades if row.arm == arm}
        judgements = {row.id: row for row in world.judgements if row.arm == arm}
        for question, answer in zip(world.questions, world.answers[arm], strict=True):
            sample = samples[question.id]
            assert question.question in sample["input"] and sample["target"] == question.target
            assert (sample["choices"] or []) == list(question.choices.values())
            assert sample["output"]["choices"][0]["message"]["content"] == answer.response
            if question.kind == "explanation":
                judgement = judgements[question.id]
                if judgement.score is None:
                    assert not sample["scores"] and sample["metadata"]["unjudged_because"] == judgement.cause
                    seen.add("unjudged")
                else:
                    assert sample["scores"]["explanation"]["value"] == judgement.score
                    assert sample["scores"]["explanation"]["explanation"] == judgement.reasoning
                    points = [one.model_dump(mode="json") for one in judgement.points]
                    assert sample["scores"]["explanation"]["metadata"]["key_points"] == points != []
            else:
                value = sample["scores"][question.kind]["value"]
                assert value == values[grades[question.id].outcome]
                seen.add(value)
    assert {"C", "I", "N"} <= seen, "every outcome must occur, or this test shows nothing"


def test_an_invalid_evaluation_is_an_error_in_the_viewer(world_and_logs: tuple[World, Path, dict[str, Any]]) -> None:
    for log in world_and_logs[2].values():
        assert log["status"] == "error" and "not valid" in log["error"]["message"]


def test_the_metrics_are_those_of_the_report(world_and_logs: tuple[World, Path, dict[str, Any]]) -> None:
    _, root, logs = world_and_logs
    evaluation = json.loads((root / "metrics/evaluation.json").read_text())
    for arm in ("base", "tuned"):
        scores = {score["name"]: score for score in logs[arm]["results"]["scores"]}
        assert set(scores) == set(evaluation["kinds"])
        for kind, ledger in evaluation["kinds"].items():
            metric = scores[kind]["metrics"]["mean" if kind == "explanation" else "accuracy"]
            assert metric["value"] == ledger["arms"][arm]["score"]["value"]
            assert scores[kind]["metrics"]["ci95_low"]["value"] == ledger["arms"][arm]["score"]["ci95"][0]
            assert scores[kind]["scored_samples"] == ledger["arms"][arm]["n"] - ledger["arms"][arm]["unjudged"]


def test_a_dry_run_is_no_success_in_the_viewer(inspect_python: str, tmp_path: Path) -> None:
    world = make_world(num_mcq=8, num_numeric=8, num_explanation=4, num_clusters=4)
    world.answers["tuned"] = [answer.model_copy(update={"complete": False}) for answer in world.answers["tuned"]]
    logs = logs_of(world, tmp_path, inspect_python)
    assert (logs["base"]["status"], logs["tuned"]["status"]) == ("success", "cancelled")
    assert logs["tuned"]["eval"]["tags"] == ["incomplete"]


def test_samples_of_a_question_are_epochs(inspect_python: str, tmp_path: Path) -> None:
    world = sampled_world(num_samples=3, num_questions=8, num_clusters=4)
    log = logs_of(world, tmp_path, inspect_python)["tuned"]
    assert (log["eval"]["config"]["epochs"], log["eval"]["config"]["epochs_reducer"]) == (3, ["mean"])
    assert log["eval"]["dataset"]["samples"] == 24 and log["results"]["total_samples"] == 72
    said = {(row.id, row.sample): row.response for row in world.answers["tuned"]}
    found = {(one["id"], one["epoch"]): one["output"]["choices"][0]["message"]["content"] for one in log["samples"]}
    assert found == said and len({one["uuid"] for one in log["samples"]}) == 72
    values = {Outcome.CORRECT: "C", Outcome.INCORRECT: "I", Outcome.UNPARSED: "N"}
    graded = {(row.id, row.sample): values[row.outcome] for row in world.grades if row.arm == "tuned"}
    assert graded == {
        (one["id"], one["epoch"]): one["scores"][kind]["value"] for one in log["samples"] for kind in one["scores"] if kind != "explanation"
    }
    (numeric,) = (one for one in log["results"]["scores"] if one["name"] == "numeric")
    assert numeric["scored_samples"] == 24
