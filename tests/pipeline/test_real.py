"""`plumbline real` runs next to the workspace, with the user's own files too, and says what is missing before it begins."""

import json
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from dvc.utils.hydra import apply_overrides

from plumbline.commands import real
from plumbline.laptop.own_files import INPUTS, FilesRefused, OwnFiles, own_files
from plumbline.pipeline.params import read_yaml
from plumbline.planning.profiles import profile_overrides
from plumbline.planning.real_profile import PROFILE
from tests.fakes.small_project import ROOT, SmallProject

pytestmark = pytest.mark.slow
CLEAN = """
import pathlib
from plumbline.pipeline.params import read_yaml
rows = pathlib.Path(read_yaml(pathlib.Path("params.yaml"))["clean"]["source"]).read_text()
pathlib.Path("data/clean").mkdir(parents=True, exist_ok=True)
pathlib.Path("data/clean/quarantined.jsonl").write_text(f"put aside of {rows}")
"""
DATA_REPORT = """
import pathlib
pathlib.Path("metrics").mkdir(exist_ok=True)
pathlib.Path("metrics/data.html").write_text("page: " + pathlib.Path("data/clean/quarantined.jsonl").read_text())
"""
STAGE = """
import json, pathlib
from plumbline.pipeline.params import read_yaml
params = read_yaml(pathlib.Path("params.yaml"))
rows = pathlib.Path(params["clean"]["source"]).read_text().split()
questions = pathlib.Path(params["split"]["benchmark"]).read_text().split()
found = {"verdict": f"{rows} {questions}", "invalid_because": [], "incomplete_because": [], "arms": params.get("arms")}
pathlib.Path("metrics").mkdir(exist_ok=True)
for name in ("report.html", "evaluation.json", "scores.json", "train.json"):
    pathlib.Path("metrics", name).write_text(json.dumps(found))
"""


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    """A repository with a stage that reads both files and says what is in them, and two that look at the rows; the committed run is another one."""
    root = tmp_path / "clone"
    root.mkdir()
    project = SmallProject(root)
    outs = ["metrics/report.html", *({f"metrics/{name}.json": {"cache": False}} for name in ("evaluation", "scores", "train"))]
    quarantined, page = "data/clean/quarantined.jsonl", "metrics/data.html"
    stages = {
        "clean": {"cmd": "python clean.py", "deps": ["clean.py", "${clean.source}"], "outs": [quarantined]},
        "data_report": {"cmd": "python data_report.py", "deps": ["data_report.py", quarantined], "outs": [page]},
        "report": {
            "cmd": "python stage.py",
            "deps": ["stage.py", "${clean.source}", "${split.benchmark}", page],
            "params": ["arms"],
            "outs": outs,
        },
    }
    params = {"clean": {"source": "rows.txt"}, "split": {"benchmark": "questions.txt"}, "arms": {}}
    project.write_stages(stages, params, ignored="/real/\n/metrics/*.html\n/data/clean/")
    (root / "stage.py").write_text(STAGE)
    (root / "clean.py").write_text(CLEAN)
    (root / "data_report.py").write_text(DATA_REPORT)
    (root / "rows.txt").write_text("committed")
    (root / "questions.txt").write_text("committed")
    project.dvc("repro")
    project.commit("a run")
    return project


def run(project: SmallProject, files: OwnFiles, *, name: str = "real") -> tuple[str, str]:
    """The printed verdict, and the experiment to apply."""
    done = real.run_experiment(
        project.root, [f"{key}={path}" for key, path in files.paths.items()], files, running=f"{name}-running", folder=Path("real")
    )
    evaluation = real.take_results(done, project.root / "real")
    return evaluation["verdict"], real.name_experiment(project.root, f"{name}-running", name, done.commit)


def test_own_files_are_read_next_to_the_workspace_and_leave_no_path_of_the_machine(project: SmallProject, tmp_path: Path) -> None:
    elsewhere = tmp_path / "some where"
    elsewhere.mkdir()
    (elsewhere / "My Rows.CSV").write_text("mine")
    (elsewhere / "q").write_text("asked")
    before = {path: path.read_bytes() for path in project.root.glob("*") if path.is_file()}
    given = {"clean.source": elsewhere / "My Rows.CSV", "split.benchmark": elsewhere / "q"}
    verdict, to_apply = run(project, own_files(project.root, given))
    assert (verdict, to_apply) == ("['mine'] ['asked']", "real")
    assert json.loads((project.root / "real/evaluation.json").read_text())["verdict"] == verdict
    assert before == {path: path.read_bytes() for path in project.root.glob("*") if path.is_file()}
    assert project.git("status", "--porcelain") == "", "the workspace stays as it was"

    (elsewhere / "q").write_text("again")
    verdict, _ = run(project, own_files(project.root, given))
    assert verdict == "['mine'] ['again']"
    listed = project.dvc("exp", "list", "--name-only").split()
    assert [name for name in listed if name.startswith("real")] == ["real"], "the later run takes the name"

    project.dvc("exp", "apply", "real")
    lock = (project.root / "dvc.lock").read_text()
    assert str(tmp_path) not in lock + (project.root / "params.yaml").read_text()
    assert {f"{INPUTS}/rows.csv", f"{INPUTS}/questions.jsonl"} <= {
        dep["path"] for dep in read_yaml(project.root / "dvc.lock")["stages"]["report"]["deps"]
    }
    assert "up to date" in project.dvc("status"), "the copies are still there"


def test_a_branch_of_the_same_name_does_not_stand_for_the_run(project: SmallProject) -> None:
    project.git("branch", "real")
    (project.root / "rows.txt").write_text("edited")
    verdict, to_apply = run(project, OwnFiles({}, None))
    assert verdict == "['edited'] ['committed']", "not what the branch holds"
    assert to_apply != "real"
    project.dvc("exp", "apply", to_apply)
    assert "edited" in (project.root / "metrics/scores.json").read_text()


def test_a_failed_stage_is_said_and_the_last_good_run_stays(project: SmallProject) -> None:
    (project.root / "empty").write_text("x")
    with pytest.raises(real.NotRun, match=r"a stage failed.*not repeated\.$"):
        run(project, OwnFiles({"clean.source": "none.txt"}, None))
    assert "real" not in project.dvc("exp", "list", "--name-only")


def test_what_was_found_in_the_rows_is_there_although_a_later_stage_fails(project: SmallProject, tmp_path: Path) -> None:
    verdict, _ = run(project, OwnFiles({}, None))
    assert verdict == "['committed'] ['committed']"
    assert (project.root / "real/data.html").read_text() == "page: put aside of committed", "stages with nothing to do count too"

    (project.root / "stage.py").write_text("raise SystemExit(1)")
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(real.NotRun, match=r"not repeated\.\nwhat was found in the rows: real/data\.html, real/quarantined\.jsonl$"):
        run(project, own_files(project.root, {"clean.source": tmp_path / "mine.csv"}))
    assert (project.root / "real/data.html").read_text() == "page: put aside of mine"
    assert (project.root / "real/quarantined.jsonl").read_text() == "put aside of mine"

    (project.root / "data_report.py").write_text("raise SystemExit(1)")
    with pytest.raises(real.NotRun, match=r"\nwhat was found in the rows: real/quarantined\.jsonl$"):
        run(project, own_files(project.root, {"clean.source": tmp_path / "mine.csv"}))
    assert not (project.root / "real/data.html").exists(), "the page of another run is not shown for this one"
    assert not list((project.root / "real").glob("*.partial"))


def test_an_experiment_that_runs_does_not_show_the_scores_of_the_commit(project: SmallProject) -> None:
    """`dvc exp show` reads them from the folder in which the stages run."""
    scores = project.root / "metrics/scores.json"
    before = scores.read_bytes()
    (project.root / "data_report.py").write_text(f"{DATA_REPORT}assert not pathlib.Path('metrics/scores.json').exists()\n")
    (project.root / "rows.txt").write_text("edited")
    assert run(project, OwnFiles({}, None))[0] == "['edited'] ['committed']"
    assert scores.read_bytes() == before, "those of the workspace stay"


def test_a_stage_that_was_stopped_is_not_called_failed(project: SmallProject, capfd: pytest.CaptureFixture[str]) -> None:
    (project.root / "stage.py").write_text("raise SystemExit(75)")
    (project.root / "rows.txt").write_text("edited")
    with click.Context(real.command, info_name="real"), pytest.raises(SystemExit) as ended:
        run(project, OwnFiles({}, None))
    assert ended.value.code == 75
    told = capfd.readouterr().err
    assert "real: stopped by a signal before its end. Run the same command to resume: finished stages are not repeated\n" in told
    assert "failed; the lines above" not in told
    assert told.endswith("real: what was found in the rows: real/data.html, real/quarantined.jsonl\n")
    assert (project.root / "real/data.html").read_text() == "page: put aside of edited"


def test_a_run_begins_although_no_one_can_say_how_long_it_takes(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real.say_how_long(project.root, ["clean.source=none.txt"])
    unknown = "real: estimating how long the run takes\nreal: how long it takes is not known; every stage shows its progress\n"
    assert capsys.readouterr().out == unknown, "the plan was refused"
    monkeypatch.setattr(real, "LONGEST_ESTIMATE_SECONDS", 0.01)
    real.say_how_long(ROOT, [])
    assert capsys.readouterr().out == unknown, "it took too long"
    monkeypatch.undo()
    real.say_how_long(ROOT, [])
    assert "real: about " in capsys.readouterr().out


def test_files_that_git_or_dvc_holds_are_read_where_they_are(project: SmallProject) -> None:
    root = project.root
    kept = {"clean.source": root / "rows.txt", "split.benchmark": root / "questions.txt"}
    assert own_files(root, kept) == OwnFiles({"clean.source": "rows.txt", "split.benchmark": "questions.txt"}, None)
    (root / "big.jsonl").write_text("row")
    assert own_files(root, {**kept, "clean.source": root / "big.jsonl"}).copied == INPUTS, "no commit holds it"
    project.dvc("add", "big.jsonl")
    project.commit("data")
    assert own_files(root, {**kept, "clean.source": root / "big.jsonl"}).copied is None
    (root / "big.jsonl").write_text("another row")
    files = own_files(root, {**kept, "clean.source": root / "big.jsonl"})
    assert files.copied == INPUTS, "an experiment would get the bytes of the .dvc file"
    assert (root / INPUTS / "rows.jsonl").read_text() == "another row"
    assert own_files(root, {**kept, "clean.source": root / INPUTS / "rows.jsonl"}).copied == INPUTS
    assert (root / INPUTS / "rows.jsonl").read_text() == "another row", "a copy can be given again"


def test_a_file_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(FilesRefused, match=r"none\.jsonl is not a file\. Give the file for clean\.source\."):
        own_files(tmp_path, {"clean.source": tmp_path / "none.jsonl"})
    with pytest.raises(FilesRefused, match=r"empty\.jsonl is empty\. Give a file with at least one row for split\.benchmark\."):
        own_files(tmp_path, {"split.benchmark": tmp_path / "empty.jsonl"})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rows", "mine.jsonl"], "--questions is missing"),
        (["--questions", "mine.jsonl"], "--rows is missing"),
        (["--small", "--rows", "rows.txt", "--questions", "questions.txt"], 'make real ROWS=... QUESTIONS=... SET="train.max_steps=5"'),
        (["--rows", "none.jsonl", "--questions", "questions.txt"], "none.jsonl is not a file"),
    ],
    ids=["rows alone", "questions alone", "small", "no file"],
)
def test_what_is_missing_is_said_before_anything_is_fetched(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(project.root)
    (project.root / "profiles").mkdir()
    (project.root / "profiles/smollm2_135m_local").write_text("base.source=hub\n")
    (project.root / "profiles/smollm2_135m_small").write_text("answer.max_new_tokens=8\n")
    monkeypatch.setattr(real, "fetch", lambda root: pytest.fail("fetched"))
    done = CliRunner().invoke(real.command, words)
    assert done.exit_code == 1 and said in done.output, done.output


def test_questions_with_a_typo_are_refused_before_anything_is_fetched(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    shutil.copytree(ROOT / "profiles", project.root / "profiles")
    shutil.copy(ROOT / "params.yaml", project.root)
    (project.root / "mine.csv").write_text("instruction,output\nWhat is force?,A push.\n")
    (project.root / "q.csv").write_text("id,knd,question,target\nq,numeric,How many?,4\n")
    monkeypatch.setattr(real, "fetch", lambda root: pytest.fail("fetched"))
    done = CliRunner().invoke(real.command, ["--rows", "mine.csv", "--questions", "q.csv"])
    assert done.exit_code == 1 and "q.csv, record 1: the columns ['id', 'knd'" in done.output, done.output
    assert str(INPUTS) not in done.output and not (project.root / INPUTS).exists()


def test_a_run_on_own_files_has_its_three_arms_in_a_workspace_with_five(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    shutil.copytree(ROOT / "profiles", project.root / "profiles")
    shutil.copy(ROOT / "params.yaml", project.root)
    apply_overrides(
        project.root / "params.yaml", [*profile_overrides(ROOT, PROFILE), "clean.source=rows.txt", "split.benchmark=questions.txt"]
    )
    assert len(read_yaml(project.root / "params.yaml")["arms"]) == 5
    (project.root / "mine.csv").write_text("instruction,output\nForce?,Push.\n")
    question = {"id": "q", "kind": "numeric", "question": "How many?", "choices": {}, "target": "4", "unit": None}
    (project.root / "q.jsonl").write_text(json.dumps(question | {"key_points": [], "cluster": "c"}))
    project.commit("five arms")
    monkeypatch.setattr(real, "fetch", lambda root: None)
    done = CliRunner().invoke(real.command, ["--rows", "mine.csv", "--questions", "q.jsonl"])
    assert done.exit_code == 0, done.output
    evaluation = json.loads((project.root / "real/evaluation.json").read_text())
    assert sorted(evaluation["arms"]) == ["base", "base_examples", "tuned"]
    assert "what was found in the rows: real/data.html, real/quarantined.jsonl\n" in done.output
    assert "Push." in (project.root / "real/data.html").read_text()


def test_a_folder_without_git_or_without_a_commit_or_a_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(real.command, []).exit_code == 2, "no .dvc"
    (tmp_path / ".dvc").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    done = CliRunner().invoke(real.command, [])
    assert done.exit_code == 1 and "no git commit" in done.output and "git init" in done.output


def test_without_a_name_for_commits_git_says_how_to_give_one(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    project.git("config", "--unset", "user.email")
    for name in ("GIT_COMMITTER_EMAIL", "GIT_AUTHOR_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    project.git("config", "user.useConfigOnly", "true")
    done = CliRunner().invoke(real.command, [])
    assert done.exit_code == 1 and "git config user.name" in done.output
