"""The publish gate from the report to the exit code: the evaluation and the page show what is required, and publish refuses a run that does not meet it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from plumbline.keeping.publish_requirement import CannotTell, gate_result
from plumbline.pipeline.refused import Refused
from plumbline.reporting.publish_params import PublishParams
from stages.report import main as report
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, make_world, write_world

ROOT = Path(__file__).resolve().parents[2]
MET = {"against": "base", "require": {"mcq": "better", "general": {"not_worse_than": 0.1}}}
UNMET = {"against": "base", "require": {"mcq": "better", "explanation": {"not_worse_than": 0.01}}}


def reported(folder: Path, publish: dict[str, Any], *, complete: bool = True) -> Path:
    """A run of which the report was written with a requirement, in git."""
    world = make_world(num_mcq=40, num_numeric=24, num_explanation=16, num_clusters=8)
    if not complete:
        world.training |= {"complete": False, "num_done_steps": 5, "num_planned_steps": 120}
    files = write_world(world, folder)
    (folder / ".dvc").mkdir(exist_ok=True)
    require(folder, publish)
    report(PARAMS, ANSWERING, JUDGING, world.compared, files, PublishParams.model_validate(publish))
    return folder


def require(folder: Path, publish: dict[str, Any] | None) -> None:
    with (folder / "params.yaml").open("w") as stream:
        YAML().dump({"clean": {}} if publish is None else {"clean": {}, "publish": publish}, stream)


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def gate(folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "plumbline", "gate"]
    return subprocess.run(words, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)


def test_a_run_that_shows_what_is_required_passes(tmp_path: Path) -> None:
    folder = reported(tmp_path, MET)
    ended = gate(folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("met      On ") == 2 and "publish: all that is required is shown" in ended.stdout
    recorded = json.loads((folder / "metrics/evaluation.json").read_text())["publish"]
    assert recorded["ok"] and recorded["required"] == MET and (recorded["reference"], recorded["arm"]) == ("base", "tuned")
    page = (folder / "metrics/report.html").read_text()
    assert "What publishing requires" in page and all(one["text"].replace("'", "&#39;") in page for one in recorded["requirements"])


def test_what_is_not_shown_is_named_with_its_distance(tmp_path: Path) -> None:
    folder = reported(tmp_path, UNMET)
    ended = gate(folder)
    assert ended.returncode == 1
    (unmet,) = [line for line in ended.stdout.splitlines() if line.startswith("not met")]
    one = json.loads((folder / "metrics/evaluation.json").read_text())["publish"]["requirements"][1]
    assert one["text"] in unmet and "less than 1 is allowed" in unmet and one["missing"] > 0
    assert one["missing"] == pytest.approx(-one["ci95"][0] - 0.01, abs=1e-4)


def test_an_incomplete_run_is_refused_whatever_it_shows(tmp_path: Path) -> None:
    ended = gate(reported(tmp_path, MET, complete=False))
    assert ended.returncode == 1 and "not met  The evaluation is not complete: training ended after 5 of 120" in ended.stdout


def test_without_a_requirement_there_is_nothing_to_check_and_nothing_is_written(tmp_path: Path) -> None:
    folder = reported(tmp_path, {"against": None, "require": {}})
    ended = gate(folder)
    assert ended.returncode == 2 and "publish.require in params.yaml is empty" in ended.stderr
    assert "publish" not in json.loads((folder / "metrics/evaluation.json").read_text())
    assert "What publishing requires" not in (folder / "metrics/report.html").read_text()
    assert gate_result(folder).ok, "publish asks the same function, and sends what nothing is required of"


def test_a_report_of_another_state_is_not_read(tmp_path: Path) -> None:
    folder = reported(tmp_path, MET)
    require(folder, UNMET)
    with pytest.raises(CannotTell, match=r"has not seen this publish\.require\. Run `dvc repro report`"):
        gate_result(folder)
    require(folder, None)
    with pytest.raises(CannotTell, match=r"params.yaml has no publish.*Add `publish:"):
        gate_result(folder)
    require(folder, MET)
    with (folder / "data/answers/tuned.jsonl").open("a") as stream:
        stream.write("\n")
    ended = gate(folder)
    assert ended.returncode == 2 and "was made from other files than data/answers/tuned.jsonl" in ended.stderr
    (folder / "metrics/evaluation.json").unlink()
    with pytest.raises(CannotTell, match=r"is missing\. Run `dvc repro` first"):
        gate_result(folder)


@pytest.mark.parametrize("content", ["", "<<<<<<< HEAD\n{}", "[]", "{}", "\ufeff{"])
def test_a_damaged_report_cannot_tell_and_is_not_read_as_a_refusal(tmp_path: Path, content: str) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/evaluation.json").write_text(content, encoding="utf-8")
    require(tmp_path, MET)
    with pytest.raises(CannotTell, match=r"is damaged or of another version\. Run `dvc repro report`"):
        gate_result(tmp_path)


def test_a_requirement_that_was_chosen_after_the_numbers_is_said_to_be(tmp_path: Path) -> None:
    folder = reported(tmp_path, UNMET)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "the run")
    assert gate_result(folder).late is None
    reported(folder, MET)
    git(folder, "commit", "-q", "-a", "-m", "an easier requirement")
    ended = gate(folder)
    assert ended.returncode == 0 and "note: publish.require was changed after commit" in ended.stderr


def test_a_requirement_of_general_alone_is_as_old_as_the_tuned_answers(tmp_path: Path) -> None:
    """Base's answers are those of an earlier commit, in which nothing was required."""
    general = {"against": None, "require": {"general": {"not_worse_than": 0.1}}}
    folder = reported(tmp_path, {"against": None, "require": {}})
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "an earlier training")
    require(folder, general)
    git(folder, "commit", "-q", "-a", "-m", "the requirement")
    world = make_world(num_mcq=40, num_numeric=24, num_explanation=16, num_clusters=8)
    world.answers["tuned"] = [answer.model_copy(update={"num_tokens": 1}) for answer in world.answers["tuned"]]
    files = write_world(world, folder)
    report(PARAMS, ANSWERING, JUDGING, world.compared, files, PublishParams.model_validate(general))
    require(folder, general)
    git(folder, "commit", "-q", "-a", "-m", "the training")
    assert gate_result(folder).late is None
    easier = {"against": None, "require": {"general": {"not_worse_than": 0.2}}}
    report(PARAMS, ANSWERING, JUDGING, world.compared, files, PublishParams.model_validate(easier))
    require(folder, easier)
    late = gate_result(folder).late
    assert late is not None and "publish.require was changed after commit" in late


def test_a_requirement_that_nothing_measures_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    world = make_world(num_mcq=4, num_numeric=4, num_explanation=4, num_clusters=2)
    files = write_world(world, tmp_path)
    files.graded.unlink()
    with pytest.raises(Refused, match=r"publish.against is base_examples, which is not an arm"):
        wrong = PublishParams.model_validate({"against": "base_examples", "require": {"mcq": "better"}})
        report(PARAMS, ANSWERING, JUDGING, world.compared, files, wrong)
