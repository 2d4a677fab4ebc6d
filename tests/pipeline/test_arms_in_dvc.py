"""DVC itself adds and removes arms: only what an arm changes runs, and what a removed one left behind is refused, then cleared."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from plumbline.commands.clear_arms import clear_arms
from plumbline.commands.clear_arms import command as clear_arms_command
from plumbline.commands.verify import stale
from plumbline.pipeline.params import read_yaml
from tests.fakes.evaluation_world import ANSWERING, make_world, write_lines
from tests.fakes.small_project import ROOT, SmallProject

pytestmark = pytest.mark.slow
NONE = "data/context/none.jsonl"
FEW = f"+arms.few={{weights:examples/few.jsonl,context:{NONE}}}"


class Project(SmallProject):
    """A repository with the stages `answer` and `grade` as dvc.yaml has them; every arm's answers were made elsewhere, so that no model runs."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        written = read_yaml(ROOT / "dvc.yaml")["stages"]
        for body in (written["answer"]["do"], written["grade"]):
            body["outs"] = [next(iter(out)) for out in body["outs"]]
        params = {
            "answer": ANSWERING.model_dump(),
            "grade": {"relative_tolerance": 0.05, "absolute_tolerance": None},
            "arms": {arm: {"weights": f"examples/{arm}.jsonl", "context": NONE} for arm in ("base", "tuned")},
        }
        self.write_stages({name: written[name] for name in ("answer", "grade")}, params, ignored="/data/answers/\n/data/grades/")
        for place in ("models/base/manifest.json", "examples/chat_templates/one.jinja", "requirements-model.txt", NONE):
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).touch()
        world = make_world(num_mcq=6, num_numeric=6, num_explanation=2, num_clusters=4)
        write_lines(root / "data/split/benchmark.jsonl", world.questions)
        for arm, answers in (("base", "base"), ("tuned", "tuned"), ("few", "base")):
            write_lines(root / f"examples/{arm}.jsonl", world.answers[answers])
        self.commit("inputs")

    def ran(self, told: str) -> list[str]:
        """The stages that DVC says it ran."""
        return re.findall(r"Running stage '([\w@]+)'", told)

    def arms(self) -> list[str]:
        """The arms that were graded, in the order of the grades."""
        rows = (self.root / "data/grades/graded.jsonl").read_text(encoding="utf-8").splitlines()
        return list(dict.fromkeys(json.loads(row)["arm"] for row in rows))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two arms, answered, graded and committed."""
    root = tmp_path_factory.mktemp("arms") / "project"
    root.mkdir()
    project = Project(root)
    assert project.ran(project.dvc("repro")) == ["answer@base", "answer@tuned", "grade"]
    project.commit("run")
    return project


def test_an_arm_comes_and_goes(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project = finished
    assert project.arms() == ["base", "tuned"] and stale(project.root) == []

    # One more arm answers, and no other does again.
    assert project.ran(project.dvc("exp", "run", "-S", FEW)) == ["answer@few", "grade"]
    assert project.arms() == ["base", "few", "tuned"]
    project.git("checkout", "-q", "-B", "main")
    project.commit("few")
    assert stale(project.root) == []

    # Taken out again in params.yaml, its file and its entry in the lock are left: `dvc repro` clears neither.
    path = project.root / "params.yaml"
    path.write_text(path.read_text().split("  few:")[0])
    told = project.dvc("repro", fails=True)
    assert "few.jsonl belongs to no arm of params.yaml (arms: base, tuned)" in told and "run `plumbline clear-arms`" in told
    assert "few" not in read_yaml(project.root / "params.yaml")["arms"] and (project.root / "data/answers/few.jsonl").exists()
    assert "answer@few: not a stage any more; `plumbline clear-arms` removes it" in stale(project.root)

    monkeypatch.chdir(project.root)
    cleared = CliRunner().invoke(clear_arms_command)
    assert (cleared.exit_code, cleared.output) == (
        0, "data/answers/few.jsonl removed: few is not an arm of params.yaml\ndvc.lock: answer@few removed\n",
    )  # fmt: skip
    assert not [line for line in stale(project.root) if "answer@" in line]
    assert project.ran(project.dvc("repro")) in ([], ["grade"])
    assert project.arms() == ["base", "tuned"] and stale(project.root) == []
    project.commit("without few")
    assert "nothing to clear" in CliRunner().invoke(clear_arms_command).output


def test_an_experiment_takes_an_arm_out_and_its_file_with_it(finished: Project) -> None:
    """`dvc exp run` removes a file that is no longer an output; `dvc repro` does not."""
    project = finished
    project.dvc("exp", "run", "-S", FEW)
    project.commit("few once more")
    project.dvc("exp", "run", "-S", "~arms.few")
    assert sorted(path.name for path in (project.root / "data/answers").iterdir()) == ["base.jsonl", "tuned.jsonl"]
    assert project.arms() == ["base", "tuned"] and "few" not in read_yaml(project.root / "params.yaml")["arms"]


def test_clearing_touches_nothing_that_belongs_to_an_arm(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("arms:\n  base: {weights: models/base, context: data/context/none.jsonl}\n")
    lock = "schema: '2.0'\nstages:\n  answer@base:\n    cmd: x\n  grade:\n    cmd: y\n"
    (tmp_path / "dvc.lock").write_text(lock)
    (tmp_path / "data/answers").mkdir(parents=True)
    (tmp_path / "data/answers/base.jsonl").touch()
    assert clear_arms(tmp_path) == []
    assert (tmp_path / "dvc.lock").read_text() == lock and (tmp_path / "data/answers/base.jsonl").exists()


def test_without_params_clearing_exits_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(clear_arms_command).exit_code == 2
    (tmp_path / "params.yaml").write_text("train: {}\n")
    assert CliRunner().invoke(clear_arms_command).exit_code == 2
