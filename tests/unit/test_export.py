"""The contents of a run in the forms of other tools: complete, and only if the run is a result."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from huggingface_hub._eval_results import eval_result_entries_to_yaml, parse_eval_result_entries
from ruamel.yaml import YAML

from plumbline.commands.main import plumbline
from plumbline.keeping.row_exports import as_alpaca, as_messages
from plumbline.pipeline.refused import Refused
from plumbline.rows.instruction_row import Exchange, InstructionRow, Origin
from plumbline.training.prompt import training_prompt
from stages.report import main as report
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, make_world, write_lines, write_world

ROWS = [
    InstructionRow(
        id=f"{number:016x}", instruction=f"Explain force {number}.", input="m = 2 kg\n" if number % 2 else "", output="F = m a\n  – always.",
        origin=Origin(file="rows.jsonl", line=number), repairs=(), flags=(),
    )
    for number in range(3)
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in a workspace."""
    root = tmp_path_factory.mktemp("run")
    world = make_world(num_mcq=24, num_numeric=24, num_explanation=16, num_clusters=8)
    report(PARAMS, ANSWERING, JUDGING, world.compared, write_world(world, root))
    (root / ".dvc").mkdir()
    write_lines(root / "data/split/train.jsonl", ROWS)
    return root


@pytest.fixture
def evaluation(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics/evaluation.json").read_text(encoding="utf-8"))


def export(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> Result:
    monkeypatch.chdir(folder)
    return CliRunner().invoke(plumbline, ["export", *map(str, words)])


def test_rows_as_messages_say_what_is_trained(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = export(folder, monkeypatch, "rows", "--out", tmp_path / "rows.jsonl")
    assert done.exit_code == 0 and "3 rows of data/split/train.jsonl as messages" in done.output, done.output
    found = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    for row, one in zip(ROWS, found, strict=True):
        user, assistant = one["messages"]
        assert user == {"role": "user", "content": training_prompt(row.instruction, row.input)}
        assert assistant == {"role": "assistant", "content": row.output} and one.keys() == {"messages"}


def test_rows_as_alpaca_are_lines_or_one_list(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    due = [{"instruction": row.instruction, "input": row.input, "output": row.output} for row in ROWS]
    assert export(folder, monkeypatch, "rows", "--as", "alpaca", "--out", tmp_path / "rows.json").exit_code == 0
    assert json.loads((tmp_path / "rows.json").read_text(encoding="utf-8")) == due
    assert export(folder, monkeypatch, "rows", "--as", "alpaca", "--out", tmp_path / "rows.jsonl").exit_code == 0
    assert [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()] == due
    done = export(folder, monkeypatch, "rows", "--out", tmp_path / "rows.csv")
    assert done.exit_code == 1 and "rows.csv ends in neither .jsonl nor .json" in done.stderr
    done = export(folder, monkeypatch, "rows", "--part", "kept", "--out", tmp_path / "kept.jsonl")
    assert done.exit_code == 1 and "no data/clean/kept.jsonl" in done.stderr and not (tmp_path / "kept.jsonl").exists()


def test_rows_with_an_untrained_answer_are_not_written_as_alpaca(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = (Exchange(user="Hello", assistant="Hello!", is_trained=False),)
    write_lines(folder / "data/clean/kept.jsonl", [*ROWS, ROWS[0].model_copy(update={"earlier": shown})])
    out = tmp_path / "rows.jsonl"
    try:
        done = export(folder, monkeypatch, "rows", "--part", "kept", "--as", "alpaca", "--out", out)
        assert done.exit_code == 1 and "--as messages" in done.stderr and not out.exists()
        assert export(folder, monkeypatch, "rows", "--part", "kept", "--out", out).exit_code == 0
    finally:
        (folder / "data/clean/kept.jsonl").unlink()


def test_a_conversation_keeps_what_stood_before() -> None:
    before = (
        Exchange(user="Hello", assistant="Hello!", is_trained=False),
        Exchange(user="What is force?", assistant="m a", is_trained=True),
    )
    row = ROWS[0].model_copy(update={"earlier": before})
    messages: Any = as_messages(row)["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant"] * 3 and messages[4]["content"] == "Explain force 0."
    assert [one.get("weight") for one in messages] == [None, 0, None, None, None, None], "no loss on the first answer"
    with pytest.raises(Refused, match=r"rows.jsonl, line 0: an earlier answer is not trained on.*--as messages"):
        as_alpaca(row)
    trained = tuple(one.model_copy(update={"is_trained": True}) for one in before)
    assert as_alpaca(row.model_copy(update={"earlier": trained}))["history"] == [["Hello", "Hello!"], ["What is force?", "m a"]]
    assert "history" not in as_alpaca(ROWS[0])


def test_answers_and_grades_become_parquet(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = export(folder, monkeypatch, "answers", "--out", tmp_path / "answers.parquet")
    assert done.exit_code == 0 and "128 answers" in done.output, done.output
    table = pd.read_parquet(tmp_path / "answers.parquet")
    assert set(table["arm"]) == {"base", "tuned"} and table["score"].notna().all() and table["question"].notna().all()


def test_results_are_read_back_by_the_hubs_own_reader(
    folder: Path, evaluation: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = export(folder, monkeypatch, "eval-results", "--out", tmp_path, "--dataset", "lab/exam", "--source-url", "https://lab.example/1")
    assert done.exit_code == 0 and "the results of tuned" in done.output, done.output
    content = YAML(typ="safe").load(tmp_path / ".eval_results/plumbline.yaml")
    entries = parse_eval_result_entries(content)
    assert eval_result_entries_to_yaml(entries) == content
    for entry in entries:
        score = evaluation["kinds"][entry.task_id]["arms"]["tuned"]["score"]
        assert entry.value == score["value"] and entry.dataset_id == "lab/exam" and entry.source_url == "https://lab.example/1"
        assert f"n = {score['n']}, 95 % interval {score['ci95'][0]:.4f} to {score['ci95'][1]:.4f}; arm base: " in str(entry.notes)
    done = export(folder, monkeypatch, "eval-results", "--out", tmp_path)
    assert done.exit_code == 1 and "--dataset is missing" in done.stderr


def test_the_summary_has_the_form_of_the_harness(
    folder: Path, evaluation: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert export(folder, monkeypatch, "lm-eval", "--out", tmp_path).exit_code == 0
    real = json.loads(next(Path(__file__).parents[1].glob("data/logs/lm_eval/first/*/results_*.json")).read_text(encoding="utf-8"))
    found = json.loads((tmp_path / "tuned/results_plumbline.json").read_text(encoding="utf-8"))
    needed = ("results", "versions", "n-shot", "higher_is_better", "n-samples", "configs", "config", "model_name", "model_source")
    assert set(needed) <= real.keys() & found.keys()
    assert (tmp_path / "base/results_plumbline.json").is_file()
    for kind, ledger in evaluation["kinds"].items():
        task, score = f"plumbline_{kind}", ledger["arms"]["tuned"]["score"]
        metric = "score" if kind == "explanation" else "acc"
        low, high = score["ci95"]
        assert found["results"][task][f"{metric},none"] == score["value"] and found["n-samples"][task]["effective"] == score["n"]
        assert found["results"][task][f"{metric}_stderr,none"] == pytest.approx((high - low) / 3.92, abs=1e-3)
    done = export(folder, monkeypatch, "lm-eval", "--out", tmp_path, "--arm", "tund")
    assert done.exit_code == 1 and "there is no arm 'tund'; the arms are base, tuned" in done.stderr


@pytest.mark.parametrize(("key", "said"), [("valid", "is not valid: torn"), ("complete", "is not complete: stopped at step 5")])
@pytest.mark.parametrize("words", [["eval-results", "--dataset", "lab/exam"], ["lm-eval"]], ids=lambda words: words[0])
def test_a_run_that_is_no_result_is_not_written_as_one(
    folder: Path, evaluation: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, said: str, words: list[str]
) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "metrics").mkdir()
    changed = evaluation | {key: False, "invalid_because": ["torn"], "incomplete_because": "stopped at step 5"}
    (tmp_path / "metrics/evaluation.json").write_text(json.dumps(changed), encoding="utf-8")
    done = export(tmp_path, monkeypatch, *words, "--out", tmp_path / "out")
    assert done.exit_code == 1 and f"workspace {said}" in done.stderr and "export again" in done.stderr
    assert not (tmp_path / "out").exists()
