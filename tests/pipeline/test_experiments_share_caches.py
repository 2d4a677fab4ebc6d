"""Temporary and queued experiments use the caches of the repository: nothing is paid for twice, and a killed one resumes."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from plumbline.comparing.revisions import open_run, read_settings
from plumbline.pipeline.params import read_yaml
from tests.fakes.claude_server import KEY, FakeClaude, serving
from tests.fakes.evaluation_world import TWO
from tests.fakes.judge_bench import Bench, settings
from tests.fakes.small_project import ROOT, SmallProject

pytestmark = pytest.mark.slow

NUM_QUESTIONS = 12
INPUTS = {"questions": "data/split/benchmark.jsonl", "base": "data/answers/base.jsonl", "tuned": "data/answers/tuned.jsonl"}


class Project(SmallProject):
    """A repository with the judge stage alone, as dvc.yaml has it, and answers that are due."""

    def __init__(self, root: Path, fake: FakeClaude) -> None:
        super().__init__(
            root,
            environment={"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": fake.base_url, "PLUMBLINE_JUDGE_CONCURRENCY": "2"},
        )
        stage: dict[str, Any] = read_yaml(ROOT / "dvc.yaml")["stages"]["judge"]
        stage["outs"] = [next(iter(out)) if isinstance(out, dict) else out for out in stage["outs"]]
        self.write_stages(
            {"judge": stage},
            {"judge": settings().model_dump(), "arms": {name: arm.model_dump() for name, arm in TWO.items()}},
            ignored="/data/grades/",
        )
        bench = Bench(root / "made")
        bench.folder.mkdir()
        bench.write(NUM_QUESTIONS)
        for name, path in INPUTS.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(bench.paths[name], target)
        self.commit("answers")


@pytest.fixture
def fake() -> Iterator[FakeClaude]:
    with serving(FakeClaude()) as started:
        yield started


@pytest.fixture
def project(tmp_path: Path, fake: FakeClaude) -> Project:
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project", fake)


def read_yaml_text(text: str) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(text)


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


def test_a_grid_is_queued_as_one_task_per_point_and_a_task_runs_with_its_parameters(project: Project, fake: FakeClaude) -> None:
    yaml = YAML()
    shutil.copyfile(ROOT / "params.yaml", project.root / "params.yaml")
    before = read_yaml(project.root / "params.yaml")
    stage = yaml.load(project.root / "dvc.yaml")
    stage["stages"] |= {"train": {"cmd": "cp params.yaml trained.yaml", "params": ["lora"], "outs": ["trained.yaml"]}}
    yaml.dump(stage, project.root / "dvc.yaml")
    project.commit("something to sweep")
    project.dvc("exp", "run", "--queue", "-n", "grid", "-S", "lora.alpha=16,32", "-S", "lora.r=8,16", "train")

    with Repo(str(project.root)) as repo:
        tasks = {task.name: task.stash_rev for task in repo.experiments.celery_queue.iter_queued()}
    found = {name: read_yaml_text(project.git("show", f"{rev}:params.yaml")) for name, rev in tasks.items()}
    points = {name: (params["lora"]["alpha"], params["lora"]["r"]) for name, params in found.items()}
    assert sorted(points.values()) == [(16, 8), (16, 16), (32, 8), (32, 16)], "one task per point of the grid"
    assert sorted(points) == ["grid-1", "grid-2", "grid-3", "grid-4"]
    for params in found.values():
        swept = {name: params["lora"][name] for name in ("alpha", "r")}
        assert params == before | {"lora": before["lora"] | swept}, "nothing else is touched"
    assert read_yaml(project.root / "params.yaml") == before, "the workspace stays as it was"

    # One task alone is run: the others are taken off the queue first.
    chosen = next(name for name, point in points.items() if point == (16, 16))
    project.dvc("queue", "remove", *(name for name in tasks if name != chosen))
    project.dvc("queue", "start")
    wait_until("the queue is done", lambda: "Success" in (told := project.dvc("queue", "status")) or "Failed" in told)
    assert "Success" in project.dvc("queue", "status"), project.dvc("queue", "logs", chosen)
    trained = read_settings(open_run(project.root, chosen), "trained.yaml")
    assert (trained["lora"]["alpha"], trained["lora"]["r"]) == (16, 16)
    assert not fake.ledger, "only the stage asked for ran"


def test_a_killed_temporary_experiment_goes_on_where_it_was(project: Project, fake: FakeClaude) -> None:
    fake.latency_seconds = 0.2
    process = project.start("exp", "run", "--temp", "-n", "killed")
    wait_until("some calls are paid", lambda: len(fake.ledger) >= 6)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    fake.wait_for_gone_clients()
    paid = len(fake.ledger)
    assert paid < 2 * NUM_QUESTIONS, "killed too late to show anything"
    project.dvc("exp", "run", "--temp", "-n", "again")
    assert 2 * NUM_QUESTIONS <= len(fake.ledger) <= 2 * NUM_QUESTIONS + 2
