"""Kill training anywhere, run the same command, get the same adapter; a signal exits 75; a dry run stays one."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.general_answer import GeneralAnswer
from tests.fakes import tiny_training
from tests.fakes.tiny_training import published
from tests.fakes.training_processes import run

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Setting:
    folder: Path
    expected: dict[str, str]
    num_steps: int


@pytest.fixture(scope="module")
def setting(server: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    folder = tmp_path_factory.mktemp("training")
    tiny_training.prepare(folder)
    root = tmp_path_factory.mktemp("uninterrupted")
    assert run(server, folder, root) == 0
    metrics = json.loads((root / "train.json").read_text())
    assert metrics["complete"] is True
    return Setting(folder=folder, expected=published(root), num_steps=metrics["num_done_steps"])


@pytest.mark.parametrize("write", range(1, 15))
def test_a_kill_around_a_checkpoint_write_costs_no_byte(server: ForkServerContext, setting: Setting, tmp_path: Path, write: int) -> None:
    assert run(server, setting.folder, tmp_path, at_checkpoint_write=write) == -signal.SIGKILL
    assert not published(tmp_path), "a killed run published something"
    assert run(server, setting.folder, tmp_path) == 0
    assert published(tmp_path) == setting.expected


@pytest.mark.parametrize("step", [1, 2, 5, 8, 11, 14])
def test_a_kill_after_a_step_costs_no_byte(server: ForkServerContext, setting: Setting, tmp_path: Path, step: int) -> None:
    assert step < setting.num_steps
    assert run(server, setting.folder, tmp_path, at_step=step) == -signal.SIGKILL
    assert not published(tmp_path)
    assert run(server, setting.folder, tmp_path) == 0
    assert published(tmp_path) == setting.expected


def test_three_kills_in_a_row_cost_no_byte(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    for step in (3, 6, 4):
        assert run(server, setting.folder, tmp_path, at_step=step) == -signal.SIGKILL
    assert run(server, setting.folder, tmp_path) == 0
    assert published(tmp_path) == setting.expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_exits_75_publishes_nothing_and_costs_no_byte(
    server: ForkServerContext, setting: Setting, tmp_path: Path, number: signal.Signals
) -> None:
    process = server.Process(target=tiny_training.train, args=(setting.folder, tmp_path))
    process.start()
    deadline = time.monotonic() + 60
    while not list((tmp_path / ".cache/train").glob("*/checkpoint-*")) and time.monotonic() < deadline:
        time.sleep(0.002)
    assert process.pid is not None
    os.kill(process.pid, number)
    process.join(120)
    assert process.exitcode == 75 and not published(tmp_path)
    assert run(server, setting.folder, tmp_path) == 0
    assert published(tmp_path) == setting.expected


def test_a_signal_after_the_last_step_is_not_swallowed(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    assert run(server, setting.folder, tmp_path, at_step=setting.num_steps, number=signal.SIGINT) == 75
    assert not published(tmp_path)
    assert run(server, setting.folder, tmp_path) == 0
    assert published(tmp_path) == setting.expected


WILD = tiny_training.TRAIN.model_copy(update={"learning_rate": 0.05})
"""Best after four steps, then worse: what is looked at, and how often, decides which adapter is kept."""


@pytest.mark.parametrize(
    ("changes", "stopped"),
    [
        # After the signal it resumes at step 4, where no evaluation is planned: the adapter of that step must not become the best.
        ({"evaluations_per_epoch": 1}, {"at_step": 3, "number": signal.SIGTERM}),
        # After the kill step 5 is evaluated a second time: patience must not count it twice.
        ({"evaluations_per_epoch": 15, "early_stop_patience": 3}, {"at_step": 6}),
        # Stopped at a step with a planned evaluation: it counts.
        ({"evaluations_per_epoch": 15, "early_stop_patience": 3}, {"at_step": 3, "number": signal.SIGTERM}),
    ],
    ids=["unplanned", "patience", "planned"],
)
def test_what_is_evaluated_besides_the_plan_decides_nothing(
    server: ForkServerContext, setting: Setting, tmp_path: Path, changes: dict[str, int], stopped: dict[str, int]
) -> None:
    params = WILD.model_copy(update=changes)
    assert run(server, setting.folder, tmp_path / "expected", params=params) == 0
    code = 75 if "number" in stopped else -signal.SIGKILL
    assert run(server, setting.folder, tmp_path / "found", params=params, **stopped) == code
    assert run(server, setting.folder, tmp_path / "found", params=params) == 0
    assert published(tmp_path / "found") == published(tmp_path / "expected")
    if "early_stop_patience" in changes:
        assert json.loads((tmp_path / "found/train.json").read_text())["stop_reason"] == "early_stop"


def test_a_second_start_while_one_runs_is_refused_with_75(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    first = server.Process(target=tiny_training.train, args=(setting.folder, tmp_path))
    first.start()
    while not list((tmp_path / ".cache/train").glob("*/lock")):
        time.sleep(0.002)
    time.sleep(0.05)
    second = run(server, setting.folder, tmp_path)
    first.join(120)
    assert sorted([second, first.exitcode]) in ([0, 75], [0, 0]), "both wrote, or both failed"
    assert published(tmp_path) == setting.expected


@pytest.mark.parametrize("max_file_bytes", [1_000, 20_000, 40_000])
def test_a_disk_that_is_full_fails_publishes_nothing_and_costs_no_byte(
    server: ForkServerContext, setting: Setting, tmp_path: Path, max_file_bytes: int
) -> None:
    assert run(server, setting.folder, tmp_path, max_file_bytes=max_file_bytes) not in (0, 75)
    assert not published(tmp_path)
    assert not list(tmp_path.glob(".cache/train/*/checkpoint-*")), "a checkpoint that could not be written looks whole"
    assert run(server, setting.folder, tmp_path) == 0
    assert published(tmp_path) == setting.expected


def test_a_killed_parent_takes_the_training_with_it(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    """As a killed `dvc repro` would: the stage is started by a process that then dies without a word."""
    script = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); print(child.pid, flush=True); child.wait()"
    )
    stage = (
        "from plumbline.model.orphans import die_with_parent; die_with_parent()\n"
        "from pathlib import Path; from tests.fakes import tiny_training\n"
        f"tiny_training.train(Path({str(setting.folder)!r}), Path({str(tmp_path)!r}))"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, stage], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".cache/train/*/checkpoint-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    while Path(f"/proc/{child}").exists() and Path(f"/proc/{child}/stat").read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not published(tmp_path), "the orphan went on and published"
    assert run(server, setting.folder, tmp_path) == 0, "the orphan still holds the run"
    assert published(tmp_path) == setting.expected


def test_a_dry_run_is_marked_and_never_continued_by_the_full_run(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    dry = tiny_training.TRAIN.model_copy(update={"max_steps": 5})
    assert run(server, setting.folder, tmp_path, params=dry) == 0
    record = json.loads((tmp_path / "adapter/training.json").read_text())
    assert record["complete"] is False and record["num_done_steps"] == 5 and record["stop_reason"] == "max_steps"
    assert json.loads((tmp_path / "train.json").read_text())["complete"] is False
    assert run(server, setting.folder, tmp_path) == 0
    assert published(tmp_path) == setting.expected


def test_running_a_finished_run_again_gives_the_same_bytes(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    for _ in range(2):
        assert run(server, setting.folder, tmp_path) == 0
        assert published(tmp_path) == setting.expected


def prepared(folder: Path, answers: list[GeneralAnswer]) -> Path:
    tiny_training.prepare(folder)
    write_jsonl(folder / "general.jsonl", answers)
    return folder


def test_replay_rows_are_trained_on_counted_and_named(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    replay = tiny_training.TRAIN.model_copy(update={"replay_fraction": 0.25})
    assert run(server, setting.folder, tmp_path, params=replay) == 0
    metrics, record = (json.loads((tmp_path / name).read_text()) for name in ("train.json", "adapter/training.json"))
    assert metrics["num_replay_examples"] == 20 and metrics["num_examples"] == 80
    assert record["replay_sha256"] is not None and record["train"]["replay_fraction"] == 0.25
    weights = "adapter/adapter_model.safetensors"
    assert published(tmp_path)[weights] != setting.expected[weights]


def test_other_measured_answers_are_measured_without_a_step_more(server: ForkServerContext, tmp_path: Path) -> None:
    answers = tiny_training.general_answers(12)
    folder = prepared(tmp_path / "folder", answers)
    replay = tiny_training.TRAIN.model_copy(update={"replay_fraction": 0.25})
    root = tmp_path / "root"
    assert run(server, folder, root, params=replay) == 0
    first, before = published(root), json.loads((root / "train.json").read_text())
    write_jsonl(folder / "general.jsonl", [a.model_copy(update={"response": "12 N"}) if a.part == "measured" else a for a in answers])
    # The run would die in its first step, so it takes none.
    assert run(server, folder, root, params=replay, at_step=1) == 0
    after = json.loads((root / "train.json").read_text())
    assert {name: first[name] for name in first if name != "train.json"} == {
        name: digest for name, digest in published(root).items() if name != "train.json"
    }
    assert before["forgetting"]["num_tokens"] != after["forgetting"]["num_tokens"]


def test_other_replayed_answers_are_another_run(server: ForkServerContext, tmp_path: Path) -> None:
    answers = tiny_training.general_answers(12)
    folder = prepared(tmp_path / "folder", answers)
    replay = tiny_training.TRAIN.model_copy(update={"replay_fraction": 0.25})
    root = tmp_path / "root"
    assert run(server, folder, root, params=replay) == 0
    write_jsonl(folder / "general.jsonl", [a.model_copy(update={"response": "12 N"}) if a.part == "replay" else a for a in answers])
    assert run(server, folder, root, params=replay, at_step=1) == -signal.SIGKILL
