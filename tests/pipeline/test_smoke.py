"""The whole pipeline on a toy size, stage by stage as dvc runs them, twice: every file comes out in the same bytes."""

import hashlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.params import read_yaml
from plumbline.rows.answer import Answer
from plumbline.rows.general_answer import GeneralAnswer

ROOT = Path(__file__).resolve().parents[2]
ORDER = (
    "synthesize",
    "clean",
    "split",
    "base",
    "data_report",
    "answer_general",
    "retrieve",
    "preflight",
    "selection",
    "train",
    "probe",
    "answer@base",
    "answer@tuned",
    "answer_again",
    "grade",
    "grade_again",
    "judge",
    "report",
)
SMALL: dict[str, Any] = {
    "synthesize": {
        "num_training_rows": 120,
        "num_corpus_texts": 150,
        "num_mcq": 8,
        "num_numeric": 8,
        "num_explanation": 4,
        "num_general": 24,
    },
    "base": {"embedded": {"hidden_size": 32, "intermediate_size": 64, "num_layers": 2, "vocab_size": 400}},
    "lora": {"r": 4, "alpha": 8},
    "train": {"epochs": 1.0, "tokens_per_step": 1024},
    "general": {"max_new_tokens": 12, "measured_fraction": 0.5},
    "answer": {"max_new_tokens": 12},
    "probes": {"num_per_capability": 2, "max_new_tokens": 8, "max_new_tokens_long": 8},
    "report": {"num_resamples": 200},
}


def overridden(params: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    return {
        **params,
        **{key: overridden(params[key], value) if isinstance(value, dict) else value for key, value in overrides.items()},
    }


def run_pipeline(folder: Path, monkeypatch: pytest.MonkeyPatch, overrides: dict[str, Any]) -> None:
    """Run every stage as `python -m stages.<name>` does, in `folder`; one that is made once per arm with the name of the arm."""
    folder.mkdir()
    for package in ("plumbline", "stages"):
        (folder / package).symlink_to(ROOT / package)
    (folder / "labels").symlink_to(ROOT / "labels")
    (folder / "metrics").mkdir()
    (folder / "metrics/final_part_uses.jsonl").symlink_to(ROOT / "metrics/final_part_uses.jsonl")
    (folder / "requirements-model.txt").symlink_to(ROOT / "requirements-model.txt")
    with (folder / "params.yaml").open("w") as stream:
        YAML(typ="safe", pure=True).dump(overridden(read_yaml(ROOT / "params.yaml"), overrides), stream)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_ROOT", str(folder))
    monkeypatch.delenv("DVC_STAGE", raising=False)
    # The stages ask to die with their parent; here that would be the test runner's.
    monkeypatch.setattr("plumbline.model.orphans.die_with_parent", lambda: None)
    for stage in ORDER:
        name, _, arm = stage.partition("@")
        sys.modules.pop(f"stages.{name}", None)
        monkeypatch.setattr(sys, "argv", [name, *([arm] if arm else [])])
        runpy.run_module(f"stages.{name}", run_name="__main__")


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in ("data", "models", "metrics")
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


def declared() -> dict[str, dict[str, Any]]:
    """The stages of dvc.yaml as DVC runs them."""
    return expanded_stages(read_yaml(ROOT / "dvc.yaml"), read_yaml(ROOT / "params.yaml"))


def test_order_is_every_stage_of_the_pipeline() -> None:
    assert set(ORDER) == set(declared())


def test_two_runs_end_in_the_same_bytes_and_a_dry_run_says_so_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        run_pipeline(tmp_path / name, monkeypatch, SMALL)
    first = digests(tmp_path / "first")
    assert first == digests(tmp_path / "second")
    outs = {
        entry if isinstance(entry, str) else next(iter(entry))
        for stage in declared().values()
        for key in ("outs", "metrics", "plots")
        for entry in stage.get(key, [])
    }
    assert all((tmp_path / "first" / out).exists() for out in outs), "a stage did not write what dvc.yaml declares"
    assert json.loads((tmp_path / "first/metrics/scores.json").read_text())["complete"] is True
    answered = [
        GeneralAnswer.model_validate_json(line) for line in (tmp_path / "first/data/general/answers.jsonl").read_text().splitlines()
    ]
    forgetting = json.loads((tmp_path / "first/metrics/train.json").read_text())["forgetting"]
    assert len(answered) == 24
    assert 0 < forgetting["num_prompts"] <= sum(answer.part == "measured" for answer in answered)
    assert 'id="forgetting"' in (tmp_path / "first/metrics/report.html").read_text()

    run_pipeline(tmp_path / "dry", monkeypatch, overridden(SMALL, {"train": {**SMALL["train"], "max_steps": 2}}))
    dry = tmp_path / "dry"
    assert json.loads((dry / "models/adapter/training.json").read_text())["complete"] is False
    answers = [Answer.model_validate_json(line) for line in (dry / "data/answers/tuned.jsonl").read_text().splitlines()]
    assert answers and not any(answer.complete for answer in answers)
    for name in ("graded", "judged"):
        verdicts = [json.loads(line) for line in (dry / f"data/grades/{name}.jsonl").read_text().splitlines()]
        marked = {arm: {verdict["complete"] for verdict in verdicts if verdict["arm"] == arm} for arm in ("base", "tuned")}
        assert marked == {"base": {True}, "tuned": {False}}, f"{name} lost which answers are of an incomplete run"
    assert json.loads((dry / "metrics/scores.json").read_text())["complete"] is False
    assert "incomplete" in (dry / "metrics/report.html").read_text().lower()
    assert digests(tmp_path / "first") == first, "the dry run touched the full run"
