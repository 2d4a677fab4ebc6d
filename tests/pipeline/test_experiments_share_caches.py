"""Temporary and queued experiments use the caches of the repository: nothing is paid twice, and a killed one goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from stages.io.params import read_yaml
from tests.fakes.claude_server import KEY, FakeClaude, serving
from tests.fakes.judge_bench import Bench, settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NUM_QUESTIONS = 12
DVC = [sys.executable, "-m", "dvc"]
INPUTS = {"questions": "data/split/benchmark.jsonl", "base": "data/answers/base.jsonl", "tuned": "data/answers/tuned.jsonl"}


class Project:
    """A repository with the judge stage alone, as dvc.yaml has it, and answers that are due."""

    def __init__(self, root: Path, fake: FakeClaude) -> None:
        self.root = root
        shutil.copytree(ROOT / "stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
        bench = Bench(root / "made")
        bench.folder.mkdir()
        bench.write(NUM_QUESTIONS)
        for name, path in INPUTS.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(bench.paths[name], target)
        stage: dict[str, Any] = read_yaml(ROOT / "dvc.yaml")["stages"]["judge"]
        stage["outs"] = [next(iter(out)) if isinstance(out, dict) else out for out in stage["outs"]]
        yaml = YAML()
        yaml.dump({"stages": {"judge": stage}}, root / "dvc.yaml")
        yaml.dump({"judge": settings().model_dump()}, root / "params.yaml")
        (root / ".gitignore").write_text("/.cache/\n/data/grades/\n__pycache__/\n")
        (root / ".dvcignore").write_text("__pycache__/\n.cache/\n")
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "a@example.org")
        self.git("config", "user.name", "A")
        Repo.init(str(root)).close()
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "answers")
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": fake.base_url,
            "PLUMBLINE_JUDGE_CONCURRENCY": "2",
        }

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.root), *words], check=True)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*DVC, *words], cwd=self.root, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    def dvc(self, *words: str) -> str:
        process = self.start(*words)
        told, _ = process.communicate(timeout=180)
        assert process.returncode == 0, told
        return told


@pytest.fixture
def fake() -> Iterator[FakeClaude]:
    with serving(FakeClaude()) as started:
        yield started


@pytest.fixture
def project(tmp_path: Path, fake: FakeClaude) -> Project:
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project", fake)


def wait_until(what: str, holds: Any, seconds: float = 120) -> None:
    begin = time.monotonic()
    while not holds():
        assert time.monotonic() - begin < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def test_a_queued_experiment_pays_for_nothing_that_a_temporary_one_has_paid(project: Project, fake: FakeClaude) -> None:
    project.dvc("exp", "run", "--temp", "-n", "first")
    assert len(fake.ledger) == 2 * NUM_QUESTIONS
    # The cap does not change a verdict, but DVC runs the stage again.
    project.dvc("exp", "run", "--queue", "-n", "second", "-S", "judge.max_cost_usd=4.0")
    project.dvc("queue", "start")
    wait_until("the queue is done", lambda: "Success" in (told := project.dvc("queue", "status")) or "Failed" in told)
    assert "Success" in project.dvc("queue", "status"), project.dvc("queue", "logs", "second")
    assert len(fake.ledger) == 2 * NUM_QUESTIONS
    assert not (project.root / "data/grades").exists(), "the workspace stays as it was"
    listed = project.dvc("exp", "list", "--name-only")
    assert {"first", "second"} <= set(listed.split())


def test_a_killed_temporary_experiment_goes_on_where_it_was(project: Project, fake: FakeClaude) -> None:
    fake.latency_seconds = 0.2
    process = project.start("exp", "run", "--temp", "-n", "killed")
    wait_until("some calls are paid", lambda: len(fake.ledger) >= 6)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    wait_until("calls in flight are answered", lambda: not fake.num_in_flight)
    paid = len(fake.ledger)
    assert paid < 2 * NUM_QUESTIONS, "killed too late to show anything"
    project.dvc("exp", "run", "--temp", "-n", "again")
    assert 2 * NUM_QUESTIONS <= len(fake.ledger) <= 2 * NUM_QUESTIONS + 2
