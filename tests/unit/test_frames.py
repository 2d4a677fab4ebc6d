"""A run and logs of other tools as tables of pandas: the numbers are those of the ledger, and slices are corrected for their number."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import plumbline
from plumbline.comparing.frames import NUM_RESAMPLES, SEED, Frames, question_table
from plumbline.comparing.logs.log_grades import ScoreParams
from plumbline.comparing.slices import compare_slices
from plumbline.embedded.benchmark import numeric_questions
from plumbline.reporting.ledger import ledgers
from plumbline.reporting.numbers import SCHEMA
from plumbline.reporting.scored import join_verdicts
from plumbline.reporting.slices import MIN_CLUSTERS, MIN_QUESTIONS
from plumbline.rows.question import Question
from tests.fakes.evaluation_world import World, make_world, write_world

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "tests/data/logs"


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(num_mcq=60, num_numeric=60, num_explanation=40, num_clusters=10)


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in a workspace, as far as its tables need it."""
    root = tmp_path_factory.mktemp("run")
    files = write_world(world, root)
    (root / ".dvc").mkdir()
    evaluation: dict[str, Any] = {
        "schema": SCHEMA,
        "valid": True,
        "complete": True,
        "invalid_because": [],
        "incomplete_because": None,
        "arms": {arm: one.model_dump() for arm, one in world.arms.items()},
        "comparisons": [list(pair) for pair in world.comparisons],
        "part": {"name": "all", "development_fraction": 0.5},
    }
    files.evaluation.write_text(json.dumps(evaluation), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def run(folder: Path) -> Frames:
    return plumbline.load_run("workspace", root=folder)


def test_a_run_is_questions_answers_scores_and_a_training_curve(run: Frames, world: World) -> None:
    assert list(run.questions.index) == [question.id for question in world.questions]
    assert len(run.answers) == 2 * 160 and list(run.scores.columns) == ["base", "tuned"] and run.scores.shape == (160, 2)
    assert run.training["step"].iloc[-1] == 120 and run.training["validation_loss"].notna().sum() == 7
    row = run.answers[(run.answers["id"] == "mcq-0001") & (run.answers["arm"] == "tuned")].iloc[0]
    [answer] = [answer for answer in world.answers["tuned"] if answer.id == "mcq-0001"]
    [grade] = [grade for grade in world.grades if (grade.id, grade.arm) == ("mcq-0001", "tuned")]
    assert (row["response"], row["outcome"], row["extracted"]) == (answer.response, grade.outcome, grade.extracted)
    judged = run.answers[run.answers["kind"] == "explanation"]
    assert judged["reasoning"].notna().all() and judged["judge_id"].nunique() == 1


def test_the_numbers_are_those_of_the_ledger(run: Frames, world: World) -> None:
    answers = [*world.answers["base"], *world.answers["tuned"]]
    scored = join_verdicts(world.questions, answers, world.grades, world.judgements)
    due = ledgers(world.questions, scored, comparisons=world.comparisons, overlapping=(), seed=SEED, num_resamples=NUM_RESAMPLES)
    table = run.comparisons().set_index("kind")
    by_kind = run.compare("base", "tuned")
    summary = run.summary().set_index(["kind", "arm"])
    for kind, ledger in due.items():
        assert ledger.headline is not None and (found := ledger.headline.comparison) is not None
        estimate = ledger.arms["tuned"].estimate
        assert table.loc[kind, "value"] == pytest.approx(found.delta, abs=1e-4)
        assert (by_kind.loc[kind, "delta"], by_kind.loc[kind, "low"], by_kind.loc[kind, "p"]) == (found.delta, found.ci95[0], found.p_value)
        assert by_kind.loc[kind, "minimum_detectable_effect"] == found.minimum_detectable_effect, "at the level that Holm leaves"
        assert by_kind.loc[kind, "p_holm"] == ledger.headline.p_holm, "one family: the kinds"
        assert estimate is not None and summary.loc[(kind, "tuned"), "score"] == estimate.mean


def test_slices_are_corrected_for_their_number_and_small_ones_say_so(run: Frames) -> None:
    topics = run.questions["cluster"].str.split("/").str[1]
    slices = run.compare("base", "tuned", by=topics)
    assert list(slices.index) == list(dict.fromkeys(topics)) and slices["n"].sum() <= 160
    assert (slices["p_holm"] >= slices["p"]).all() and (slices["p_holm"] > slices["p"]).any()
    few = run.compare("base", "tuned", by={"mcq-0000": "alone", "mcq-0001": "other"})
    assert list(few["finding"]) == ["too few questions", "too few questions"] and list(few["n"]) == [1, 1]
    only = run.compare("base", "tuned", by=run.questions["kind"].where(run.questions["kind"] == "mcq"))
    assert list(only.index) == ["mcq"], "questions without a value are left out"
    assert only.loc["mcq", "p_holm"] == only.loc["mcq", "p"], "one slice is one test"


def test_an_arm_or_a_column_that_is_not_there_is_refused_by_name(run: Frames) -> None:
    with pytest.raises(ValueError, match=r"workspace has no arm 'tund'; the arms are base, tuned"):
        run.compare("base", "tund")
    with pytest.raises(ValueError, match=r"workspace has no column 'topic'; the columns of its questions are kind, question"):
        run.compare("base", "tuned", by="topic")


def test_a_slice_without_a_verdict_is_told_apart_from_no_difference(world: World) -> None:
    answers = [*world.answers["base"], *world.answers["tuned"]]
    scored = join_verdicts(world.questions, answers, world.grades, world.judgements)
    [found] = compare_slices(scored, {"mcq-0000": "a"}, [("base", "nowhere")], seed=1, num_resamples=100)
    assert found.comparison is None and found.finding == "no verdicts"


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_answers_and_grades_are_written_with_their_questions(run: Frames, tmp_path: Path, ending: str) -> None:
    path = run.export(tmp_path / f"answers{ending}")
    read = {".parquet": pd.read_parquet, ".csv": pd.read_csv, ".jsonl": lambda file: pd.read_json(file, lines=True)}[ending](path)
    assert len(read) == 320 and {"id", "arm", "question", "response", "outcome", "score", "cluster"} <= set(read.columns)
    assert read["score"].sum() == pytest.approx(run.answers["score"].sum()) and [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_field_that_is_called_as_a_column_of_ours_renames_no_column_of_ours(tmp_path: Path) -> None:
    fields = {"outcome": "o", "reading": "r", "flags": "f", "extracted": "e", "where": "w", "tier": "t", "truncated": "c", "failure": "n"}
    rows = [{"id": "a", "arm": arm, "score": 1, "cluster": "c", **fields} for arm in "xy"]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = plumbline.load_logs([log])
    read = pd.read_json(found.export(tmp_path / "answers.jsonl"), lines=True)
    assert list(read["outcome"]) == ["correct", "correct"] and list(read["reading"]) == ["logged", "logged"]
    assert {name: read[f"field {name}"].iloc[0] for name in fields} == fields
    assert not [name for name in read.columns if name.endswith(("_x", "_y"))]
    assert list(found.compare("x", "y", by="outcome").index) == ["o"], "in the table of questions nothing clashes"


def test_a_tag_that_is_called_as_a_column_of_a_question_stands_next_to_it(world: World) -> None:
    question = world.questions[0]
    table = question_table([question], {question.id: {"unit": "SI", "kind": "hard", "cluster": question.cluster, "topic": "optics"}})
    row = table.loc[question.id]
    assert (row["kind"], row["unit"]) == (question.kind, question.unit)
    assert (row["field unit"], row["field kind"], row["topic"]) == ("SI", "hard", "optics") and "field cluster" not in table.columns


def test_a_field_in_which_the_answers_differ_is_no_column_of_questions(tmp_path: Path) -> None:
    rows = [{"id": "a", "arm": arm, "score": 1, "seconds": place, "topic": "optics"} for place, arm in enumerate("xy")]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = plumbline.load_logs([log])
    assert "topic" in found.questions.columns and "seconds" not in found.questions.columns
    assert "the answers to one question differ in seconds: these fields are not columns of questions" in found.told


@pytest.mark.parametrize("by", [{}, {"nowhere": "x"}, {"mcq-0000": None}, pd.Series(dtype=object), pd.Series([1.0, 2.0])], ids=str)
def test_slices_without_a_question_are_refused(run: Frames, by: Any) -> None:
    with pytest.raises(ValueError, match=r"`by` has no value for any question of workspace\. .* by id, such as 'mcq-0000'"):
        run.compare("base", "tuned", by=by)


def test_an_export_to_another_format_is_refused(run: Frames, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"answers\.xlsx has another ending than \.parquet, \.csv, \.jsonl"):
        run.export(tmp_path / "answers.xlsx")


def test_a_run_of_some_stages_only_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data", "metrics"):
        shutil.copytree(folder / name, tmp_path / name)
    graded = tmp_path / "data/grades/graded.jsonl"
    graded.write_text("".join(graded.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    with pytest.raises(ValueError, match=r"workspace: no answer or verdict for .*Run the whole pipeline"):
        plumbline.load_run("workspace", root=tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"is not in a clone"):
        plumbline.load_run("workspace")


def test_logs_of_other_tools_give_the_same_tables() -> None:
    logs = plumbline.load_logs([LOGS / "inspect/first", LOGS / "inspect/second"])
    assert logs.scores.shape == (11, 2) and logs.arms == ["mockllm/first", "mockllm/second"]
    assert set(logs.questions["topic"]) == {"mechanics", "units", "particles", "electricity", "optics"}
    assert logs.answers["logged match"].notna().sum() == 10 and logs.training.empty
    slices = logs.compare(*logs.arms, by="topic")
    assert slices.loc["mechanics", "n"] == 4 and set(slices["finding"]) == {"too few questions"}
    assert any("scores as logged under choice" in text for text in logs.told)
    again = plumbline.load_logs([LOGS / "inspect/first", LOGS / "inspect/second"], scores=ScoreParams(regrade=True))
    assert set(again.answers["reading"]) == {"value", "none"}


def test_the_example_shows_a_slice_by_topic_and_a_plot(folder: Path) -> None:
    example = ROOT / "examples/explore.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    done = subprocess.run([sys.executable, str(example)], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "topics.png").stat().st_size > 1000
    assert "finding" in done.stdout and "..." not in done.stdout, "every column is shown"
    text = example.read_text(encoding="utf-8")
    assert len(ast.parse(text).body) <= 12 and len(text.splitlines()) <= 30


def test_the_fields_of_the_example_part_the_embedded_numbers_and_some_are_large_enough() -> None:
    rows = numeric_questions(num_questions=160, seed=7)
    fields = next(
        node.value for node in ast.parse((ROOT / "examples/explore.py").read_text(encoding="utf-8")).body if isinstance(node, ast.Assign)
    )
    named: dict[str, str] = ast.literal_eval(fields)
    parted: dict[str, list[Question]] = {}
    for row in rows:
        parted.setdefault(
            next(field for words, field in named.items() if any(word in row.cluster for word in words.split("|"))), []
        ).append(row)
    assert set(parted) == set(named.values())
    large = {field for field, mine in parted.items() if len(mine) >= MIN_QUESTIONS and len({one.cluster for one in mine}) >= MIN_CLUSTERS}
    assert {"mechanics", "electricity"} <= large < set(parted), "slices that say something, and one with too few questions"
