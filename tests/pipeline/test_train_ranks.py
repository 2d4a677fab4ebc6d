"""Two processes train what one trains, write once, stop together, and end in the same bytes however they were stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from safetensors.torch import load_file

from plumbline.pipeline.files import sha256_of
from plumbline.rows.training_params import TrainParams
from tests.fakes import tiny_training
from tests.fakes.tiny_training import published
from tests.fakes.training_processes import ended, run, start_ranks

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


def losses(root: Path) -> list[list[float | None]]:
    lines = (root / "loss.csv").read_text().splitlines()[1:]
    return [[float(cell) if cell else None for cell in line.split(",")] for line in lines]


def train_on_one_and_on_several(
    server: ForkServerContext, folder: Path, tmp_path: Path, num_ranks: int, params: TrainParams, *, sharded: bool = False
) -> tuple[Path, Path]:
    """Train the same rows in one process and in `num_ranks`, and return the folder in which each published."""
    one, several = tmp_path / "one", tmp_path / "several"
    assert run(server, folder, one, params=params) == 0
    assert ended(start_ranks(server, folder, several, num_ranks, params=params, sharded=sharded)) == [0] * num_ranks
    return one, several


def assert_same_losses(found: Path, expected: Path, *, abs_nats: float = 3e-5) -> None:
    assert len(losses(found)) == len(losses(expected)) > 5
    for mine, its in zip(losses(found), losses(expected), strict=True):
        assert mine == pytest.approx(its, abs=abs_nats)


@dataclass(frozen=True)
class Setting:
    folder: Path
    two: dict[str, str]
    """Digests of what two processes publish when no one stops them."""


@pytest.fixture(scope="module")
def setting(server: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    folder = tmp_path_factory.mktemp("ranks")
    tiny_training.prepare(folder)
    root = tmp_path_factory.mktemp("uninterrupted")
    assert ended(start_ranks(server, folder, root, 2)) == [0, 0]
    return Setting(folder, published(root))


@pytest.mark.parametrize(
    ("num_ranks", "changes"),
    [
        (2, {}),
        # Three rows a step on two ranks, 30 rows an epoch on three: blank rows, in the middle and at the end of an epoch.
        (2, {"tokens_per_step": 384}),
        (3, {"tokens_per_step": 512}),
        (2, {"packing": False, "epochs": 1.0}),
    ],
    ids=["even", "odd", "three", "padded"],
)
def test_the_losses_and_the_weights_are_those_of_one_process(
    server: ForkServerContext, setting: Setting, tmp_path: Path, num_ranks: int, changes: dict[str, object]
) -> None:
    params = TrainParams.model_validate(tiny_training.TRAIN.model_dump() | changes)
    one, several = train_on_one_and_on_several(server, setting.folder, tmp_path, num_ranks, params)
    assert_same_losses(several, one)
    weights, of_one = (load_file(root / "adapter/adapter_model.safetensors") for root in (several, one))
    for name, tensor in of_one.items():
        assert float((weights[name] - tensor).norm() / tensor.norm()) < 1e-3, name
    metrics, of_one = (json.loads((root / "train.json").read_text()) for root in (several, one))
    for name in ("complete", "stop_reason", "num_done_steps", "best_step", "num_examples", "num_epochs_done"):
        assert metrics[name] == of_one[name], name


def with_base(setting: Setting, tmp_path: Path, old: str, new: str) -> Path:
    """The same inputs, with the base loaded in another way."""
    shutil.copytree(setting.folder, tmp_path / "in")
    manifest = tmp_path / "in/base/manifest.json"
    text = manifest.read_text()
    assert f'"{old}"' in text
    manifest.write_text(text.replace(f'"{old}"', f'"{new}"'))
    return tmp_path / "in"


def test_two_processes_train_on_nf4_weights_too(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    folder = with_base(setting, tmp_path, "none", "nf4")
    one, two = train_on_one_and_on_several(server, folder, tmp_path, 2, tiny_training.TRAIN.model_copy(update={"max_steps": 12}))
    assert_same_losses(two, one)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("step", [1, 14])
def test_a_killed_rank_takes_the_other_along_and_costs_no_byte(
    server: ForkServerContext, setting: Setting, tmp_path: Path, rank: int, step: int
) -> None:
    codes = ended(start_ranks(server, setting.folder, tmp_path, 2, only={rank: {"at_step": step}}))
    assert codes[rank] == -signal.SIGKILL and codes[1 - rank] not in (0, 75, None)
    assert not published(tmp_path)
    assert ended(start_ranks(server, setting.folder, tmp_path, 2)) == [0, 0]
    assert published(tmp_path) == setting.two


@pytest.mark.parametrize("write", [1, 2, 5, 8])
def test_a_kill_around_a_checkpoint_write_costs_no_byte(server: ForkServerContext, setting: Setting, tmp_path: Path, write: int) -> None:
    codes = ended(start_ranks(server, setting.folder, tmp_path, 2, only={0: {"at_checkpoint_write": write}}))
    assert codes[0] == -signal.SIGKILL and codes[1] not in (0, 75, None) and not published(tmp_path)
    assert ended(start_ranks(server, setting.folder, tmp_path, 2)) == [0, 0]
    assert published(tmp_path) == setting.two


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_one_rank_stops_both_with_75_and_costs_no_byte(
    server: ForkServerContext, setting: Setting, tmp_path: Path, rank: int, number: signal.Signals
) -> None:
    processes = start_ranks(server, setting.folder, tmp_path, 2)
    deadline = time.monotonic() + 60
    while not list((tmp_path / ".cache/train").glob("*/checkpoint-*")) and time.monotonic() < deadline:
        time.sleep(0.002)
    pid = processes[rank].pid
    assert pid is not None
    os.kill(pid, number)
    assert ended(processes) == [75, 75] and not published(tmp_path)
    assert ended(start_ranks(server, setting.folder, tmp_path, 2)) == [0, 0]
    assert published(tmp_path) == setting.two


def test_what_one_process_left_is_not_continued_by_two(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    assert run(server, setting.folder, tmp_path, at_step=10) == -signal.SIGKILL
    assert ended(start_ranks(server, setting.folder, tmp_path, 2)) == [0, 0]
    assert published(tmp_path) == setting.two
    assert len(list((tmp_path / ".cache/train").iterdir())) == 2


def test_a_second_training_of_the_same_run_is_refused_on_every_rank(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    first = start_ranks(server, setting.folder, tmp_path, 2)
    deadline = time.monotonic() + 60
    while not list((tmp_path / ".cache/train").glob("*/lock")) and time.monotonic() < deadline:
        time.sleep(0.002)
    second = start_ranks(server, setting.folder, tmp_path, 2)
    codes = sorted([tuple(ended(first)), tuple(ended(second))])  # type: ignore[type-var]
    assert codes in ([(0, 0), (75, 75)], [(0, 0), (0, 0)]), "both wrote, or both failed"
    assert published(tmp_path) == setting.two


@pytest.fixture(scope="module")
def sharded(server: ForkServerContext, setting: Setting, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes leave if their weights are spread over both and no one stops them."""
    root = tmp_path_factory.mktemp("sharded")
    assert ended(start_ranks(server, setting.folder, root, 2, sharded=True)) == [0, 0]
    return root


def test_spread_weights_train_what_whole_ones_train(server: ForkServerContext, setting: Setting, sharded: Path, tmp_path: Path) -> None:
    assert ended(start_ranks(server, setting.folder, tmp_path, 2)) == [0, 0]
    assert_same_losses(sharded, tmp_path)
    for name in ("adapter/training.json", "adapter/adapter_config.json", "train.json"):
        assert (sharded / name).read_text() == (tmp_path / name).read_text()


@pytest.mark.parametrize("kill", [{"at_step": 7}, {"at_checkpoint_write": 3}])
def test_spread_weights_resume_to_the_byte(
    server: ForkServerContext, setting: Setting, sharded: Path, tmp_path: Path, kill: dict[str, int]
) -> None:
    codes = ended(start_ranks(server, setting.folder, tmp_path, 2, sharded=True, only={0: kill}))
    assert codes[0] == -signal.SIGKILL and codes[1] not in (0, 75, None) and not published(tmp_path)
    for _ in range(2):  # the second time, a run that has ended is only measured again
        assert ended(start_ranks(server, setting.folder, tmp_path, 2, sharded=True)) == [0, 0]
        assert published(tmp_path) == published(sharded)


def test_spread_weights_in_bfloat16_keep_the_adapter_in_float32(server: ForkServerContext, setting: Setting, tmp_path: Path) -> None:
    folder = with_base(setting, tmp_path, "float32", "bfloat16")
    params = tiny_training.TRAIN.model_copy(update={"max_steps": 6})
    one, two = train_on_one_and_on_several(server, folder, tmp_path, 2, params, sharded=True)
    assert_same_losses(two, one, abs_nats=5e-3)
    assert {str(tensor.dtype) for tensor in load_file(two / "adapter/adapter_model.safetensors").values()} == {"torch.float32"}


def as_a_project(setting: Setting, folder: Path) -> None:
    """Put the inputs of `python -m stages.train` at their places."""
    for name, place in (
        ("train.jsonl", "data/split"),
        ("validation.jsonl", "data/split"),
        ("general.jsonl", "data/general"),
        ("ready.json", "data/preflight"),
    ):
        (folder / place).mkdir(parents=True, exist_ok=True)
        # The base's general answers have a folder of their own.
        shutil.copy(setting.folder / name, folder / place / ("answers.jsonl" if place == "data/general" else name))
    shutil.copytree(setting.folder / "base", folder / "models/base")
    (folder / "data/selection").mkdir()
    (folder / "data/selection/selection.json").write_text(json.dumps({"select_by": tiny_training.TRAIN.select_by, "selection": None}))
    sections = {"lora": tiny_training.LORA.model_dump(), "train": tiny_training.TRAIN.model_dump()}
    (folder / "params.yaml").write_text(json.dumps(sections))


def newest_checkpoint(folder: Path) -> int:
    return max((int(path.name.rsplit("-", 1)[1]) for path in folder.glob(".cache/train/*/checkpoint-*[0-9]")), default=0)


def wait_for_a_checkpoint_after(step: int, folder: Path, training: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while newest_checkpoint(folder) <= step:
        assert training.poll() is None, f"it ended with {training.returncode} before a checkpoint"
        assert time.monotonic() < deadline, "no checkpoint"
        time.sleep(0.002)


def test_the_command_itself_stops_resumes_and_ends_as_if_nobody_had_stopped_it(setting: Setting, tmp_path: Path) -> None:
    as_a_project(setting, tmp_path)
    environment = os.environ | {"PLUMBLINE_LAUNCH": "2", "PLUMBLINE_THREADS": "1", "PYTHONPATH": str(ROOT), "DVC_ROOT": str(tmp_path)}
    command = [sys.executable, "-m", "stages.train"]
    results = ("models/adapter/adapter_model.safetensors", "models/adapter/training.json", "metrics/train.json", "metrics/loss.csv")

    first = subprocess.Popen(command, cwd=tmp_path, env=environment)
    wait_for_a_checkpoint_after(0, tmp_path, first)
    first.send_signal(signal.SIGTERM)
    assert first.wait(120) == 75

    second = subprocess.Popen(command, cwd=tmp_path, env=environment)
    wait_for_a_checkpoint_after(newest_checkpoint(tmp_path), tmp_path, second)
    ranks = [int(pid) for pid in Path(f"/proc/{second.pid}/task/{second.pid}/children").read_text().split()]
    assert len(ranks) == 2
    os.kill(ranks[1], signal.SIGKILL)
    assert second.wait(120) not in (0, 75)
    assert not any((tmp_path / name).exists() for name in results)

    assert subprocess.run(command, cwd=tmp_path, env=environment, timeout=600).returncode == 0
    found = [sha256_of(tmp_path / name) for name in results]
    assert found == [setting.two[name.removeprefix("models/").removeprefix("metrics/")] for name in results]
