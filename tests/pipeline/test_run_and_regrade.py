"""`plumbline run` takes the base that git holds and ends calmly; `plumbline regrade` needs git alone; no failure costs a tracked metric."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.keeping.bundled import bring_bundled
from tests.fakes.small_project import ROOT, SmallProject

BASE = """
import pathlib, uuid
folder = pathlib.Path("models/base")
folder.mkdir(parents=True, exist_ok=True)
(folder / "manifest.json").write_text("{}")
(folder / "weights").write_text(uuid.uuid4().hex)  # another draw each time
pathlib.Path("made_again.log").open("a").write("made\\n")
"""
ANSWER = """
import pathlib, sys
pathlib.Path("data/answers").mkdir(parents=True, exist_ok=True)
pathlib.Path("data/answers/tuned.jsonl").write_text(pathlib.Path("models/base/weights").read_text())
pathlib.Path("data/answers/unused.jsonl").write_text("")
"""
GRADE = "import pathlib; pathlib.Path('graded').write_text(pathlib.Path('data/answers/tuned.jsonl').read_text()[:1])"
REPORT = """
import json, pathlib
if pathlib.Path("fail").exists(): raise SystemExit(int(pathlib.Path("fail").read_text() or 3))
pathlib.Path("metrics").mkdir(exist_ok=True)
score = int(pathlib.Path("graded").read_text(), 16) / 16
pathlib.Path("metrics/report.html").write_text("page")
pathlib.Path("metrics/scores.json").write_text(json.dumps({"mcq": {"tuned": score, "n": 16}}))
pathlib.Path("metrics/evaluation.json").write_text(
    json.dumps({"verdict": "Tuned is better.", "invalid_because": [], "incomplete_because": None})
)
"""
PIPELINE = """
stages:
  base: {cmd: python base.py, deps: [base.py], params: [base], outs: [models/base: {remote: bundled}]}
  answer:
    cmd: python answer.py
    deps: [answer.py, models/base]
    outs: [data/answers/tuned.jsonl: {remote: bundled}, data/answers/unused.jsonl: {remote: bundled}]
  grade: {cmd: python grade.py, deps: [grade.py, data/answers/tuned.jsonl], outs: [graded: {remote: bundled}]}
  grade_again: {cmd: echo again > graded_again, deps: [data/answers/unused.jsonl], outs: [graded_again: {remote: bundled}]}
  report:
    cmd: python report.py
    deps: [report.py, graded, models/base]
    outs: [metrics/report.html, metrics/evaluation.json: {cache: false}]
    metrics: [metrics/scores.json: {cache: false}]
"""


def plumbline(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run([sys.executable, "-m", "plumbline", *words], cwd=root, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a base that is another draw each time; git holds its bundled outputs, and no backup exists."""
    root = tmp_path_factory.mktemp("finished") / "project"
    root.mkdir()
    project = SmallProject(root)
    for name, text in {"base": BASE, "answer": ANSWER, "grade": GRADE, "report": REPORT}.items():
        (root / f"{name}.py").write_text(text)
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "params.yaml").write_text("base: {seed: 1}\narms: {tuned: {}}\n")
    (root / ".gitignore").write_text("/data/\n/models/\n/graded\n/graded_again\n/made_again.log\n/metrics/*.html\n")
    remotes = "['remote \"backup\"']\n    url = ../../nowhere\n['remote \"bundled\"']\n    url = bundled\n"
    (root / ".dvc/config").write_text(f"[core]\n    remote = backup\n    analytics = false\n{remotes}")
    project.dvc("repro", "-q")
    project.dvc("push", "-q", "-r", "bundled", "base", "answer", "grade")
    project.commit("run")
    return root


@pytest.fixture
def clone(finished: Path, tmp_path: Path) -> Path:
    subprocess.run(["git", "clone", "-q", str(finished), str(tmp_path / "clone")], check=True)
    return tmp_path / "clone"


def status(root: Path) -> str:
    return subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_a_fresh_clone_takes_the_base_from_git_and_ends_with_verdict_path_and_standing(clone: Path) -> None:
    done = plumbline(clone, "run")
    assert done.returncode == 0, done.stderr
    assert "base: 3 objects, " in done.stdout and not (clone / "made_again.log").exists()
    assert done.stdout.splitlines()[-3:] == [
        "Tuned is better.",
        f"report: {(clone / 'metrics/report.html').as_uri()}",
        "results: the same as the committed ones, to the byte (dvc.lock); git shows no change of a result",
    ]
    assert status(clone) == ""
    assert "is empty" not in done.stdout + done.stderr and "git add" not in done.stdout


@pytest.mark.slow
def test_a_base_with_other_bytes_in_git_is_named_and_made_again_and_the_draw_is_explained(clone: Path, finished: Path) -> None:
    weights = (finished / "models/base/weights").read_bytes()
    (stored,) = (path for path in (clone / ".dvc/bundled").rglob("*") if path.is_file() and path.read_bytes() == weights)
    stored.write_bytes(b"x" + weights[1:])
    assert bring_bundled(clone, ["models/base"]).damaged == ["models/base/weights"]
    done = plumbline(clone, "run")
    assert done.returncode == 0, done.stderr
    assert "base: models/base/weights in git has other bytes than dvc.lock records" in done.stderr
    assert (clone / "made_again.log").exists()
    last = done.stdout.splitlines()[-1]
    assert (
        last.startswith("results: other numbers because of this processor, as another seed would give: ")
        and "`git restore dvc.lock metrics`" in last
    )
    subprocess.run(["git", "restore", "dvc.lock", "metrics", ".dvc/bundled"], cwd=clone, check=True)
    assert status(clone) == ""


@pytest.mark.slow
def test_results_of_other_parameters_are_not_called_a_draw(clone: Path) -> None:
    (clone / "params.yaml").write_text("base: {seed: 2}\narms: {tuned: {}}\n")
    done = plumbline(clone, "run")
    assert done.stdout.splitlines()[-1].startswith("results: new, because base.seed changed; `git add -A && git commit` keeps them"), done


@pytest.mark.slow
def test_a_clone_without_models_grades_and_reports_again_to_the_same_bytes(clone: Path) -> None:
    done = plumbline(clone, "regrade")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "Running stage 'grade'" in done.stdout and "Running stage 'report'" in done.stdout and "Running stage 'answer'" not in done.stdout
    )
    assert "results: the same as the committed ones" in done.stdout and status(clone) == ""


@pytest.mark.slow
def test_what_is_missing_is_named_in_one_sentence_and_nothing_is_run(clone: Path, finished: Path) -> None:
    answers = (finished / "data/answers/tuned.jsonl").read_bytes()
    # Two outputs may hold the same bytes: the answers are a copy of the weights.
    for path in list((clone / ".dvc/bundled").rglob("*")):
        if path.is_file() and path.read_bytes() == answers:
            path.unlink()
    done = plumbline(clone, "regrade")
    assert done.returncode == 1 and "Running stage" not in done.stdout
    assert done.stderr.startswith("regrade: data/answers/tuned.jsonl, models/base is missing here, and git does not hold it"), done.stderr
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
    assert json.loads((clone / "metrics/scores.json").read_text()) == json.loads((finished / "metrics/scores.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "regrade"])
def test_a_stage_that_fails_costs_no_tracked_metric(clone: Path, command: str) -> None:
    (clone / "fail").touch()
    done = plumbline(clone, command)
    assert done.returncode, done.stdout
    assert "put back as they were before: metrics/evaluation.json, metrics/scores.json" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and status(clone) == "?? fail\n"


@pytest.mark.slow
def test_a_stage_that_is_stopped_costs_no_tracked_metric_and_is_not_called_failed(clone: Path) -> None:
    (clone / "fail").write_text("75")
    done = plumbline(clone, "run")
    assert done.returncode == 75, done.stderr
    assert "run: stopped by a signal before its end. Run the same command to resume: finished stages are not repeated\n" in done.stderr
    assert "put back as they were before: metrics/evaluation.json, metrics/scores.json" in done.stderr
    assert status(clone) == "?? fail\n"


def test_a_folder_that_is_no_clone_is_refused_in_one_line(tmp_path: Path) -> None:
    done = plumbline(tmp_path, "regrade")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lacking", "said"),
    [(".dvc/bundled", "base: git does not hold models/base, so the base is made again"), ("the remote", "base: not brought from git: ")],
)
def test_a_project_without_a_bundled_base_runs_all_the_same(clone: Path, lacking: str, said: str) -> None:
    if lacking == "the remote":
        config = (clone / ".dvc/config").read_text()
        (clone / ".dvc/config").write_text(config.partition("['remote \"bundled\"']")[0])
    else:
        shutil.rmtree(clone / lacking)
    done = plumbline(clone, "run")
    assert done.returncode == 0 and (clone / "made_again.log").exists(), done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr
