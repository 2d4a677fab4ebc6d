"""A training that is watched is the same training: trackers get what the Trainer logs, and no byte of a result moves."""

import json
import os
from importlib.util import find_spec
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.refused import Refused
from plumbline.training.trackers import PACKAGES, SETTINGS, report_to, wanted_trackers
from tests.fakes import tiny_training
from tests.fakes.training_processes import run

TENSORBOARD = '''
import json, random
from pathlib import Path

class SummaryWriter:
    """Writes lines where TensorBoard writes events; it draws random numbers, as trackers do for the names of runs."""

    def __init__(self, log_dir):
        random.random()
        self.path = Path(log_dir) / "events.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def add_text(self, *_):
        pass

    def add_scalar(self, name, value, step):
        random.random()
        with self.path.open("a") as stream:
            stream.write(json.dumps([name, value, step]) + "\\n")

    def flush(self):
        pass

    close = flush
'''
LIVE = '''
import json
from pathlib import Path

class Live:
    """Writes what DVCLive is given into the folder that it is given."""

    def __init__(self, dir="dvclive", resume=False, save_dvc_exp=True, dvcyaml="dvc.yaml", report=None):
        self.dir, self.step = Path(dir), 0
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.dir / "settings.json").write_text(json.dumps([save_dvc_exp, dvcyaml]))

    def log_params(self, params):
        pass

    def log_metric(self, name, value, **_):
        with (self.dir / "metrics.jsonl").open("a") as stream:
            stream.write(json.dumps([name, value, self.step]) + "\\n")

    def next_step(self):
        self.step += 1

    def end(self):
        pass
'''


PLOTS = """
class Metric:
    @staticmethod
    def could_log(value):
        return isinstance(value, (int, float))
"""
UTILS = """
def standardize_metric_name(name, framework):
    return name
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages with the names of two trackers, first on the path."""
    files = {"tensorboardX/__init__": TENSORBOARD, "dvclive/__init__": LIVE, "dvclive/plots": PLOTS, "dvclive/utils": UTILS}
    for name, text in files.items():
        path = (folder / name).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(folder))


def results(root: Path) -> dict[str, str]:
    """Every file that a training publishes, by its bytes."""
    return {
        str(path.relative_to(root)): sha256_of(path) for path in sorted(root.rglob("*")) if path.is_file() and ".cache" not in path.parts
    }


@pytest.mark.slow
def test_a_watched_training_ends_in_the_same_bytes(server: ForkServerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "inputs"
    folder.mkdir()
    tiny_training.prepare(folder)
    assert run(server, folder, tmp_path / "alone", params=tiny_training.TRAIN) == 0
    packages, names = str(tmp_path / "packages"), "tensorboard,dvclive"
    install(tmp_path / "packages", monkeypatch)
    assert run(server, folder, tmp_path / "watched", params=tiny_training.TRAIN, trackers=(packages, names)) == 0
    alone, watched = results(tmp_path / "alone"), results(tmp_path / "watched")
    assert watched == alone and "adapter/adapter_model.safetensors" in alone and "train.json" in alone
    written = {path.name: path for path in (tmp_path / "watched").rglob("*.jsonl") if "trackers" in path.parts}
    losses = [json.loads(line) for line in written["events.jsonl"].read_text().splitlines()]
    steps = [step for name, _, step in losses if name == "train/loss"]
    assert len(steps) == json.loads((tmp_path / "watched/train.json").read_text())["num_done_steps"] == max(steps)
    assert {"eval/loss"} <= {name for name, *_ in losses}
    live = [json.loads(line) for line in written["metrics.jsonl"].read_text().splitlines()]
    assert [step for name, _, step in live if name == "loss"] == steps, "each at its step: evaluations are log lines too"
    assert [step for name, _, step in live if name == "eval_loss"] == [step for name, _, step in losses if name == "eval/loss"]
    assert written["events.jsonl"].parent.name == written["metrics.jsonl"].parent.name != "tensorboard", "a folder for each training"
    settings = next(path for path in (tmp_path / "watched").rglob("settings.json"))
    assert json.loads(settings.read_text()) == [False, None], "DVCLive saves no experiment and writes no dvc.yaml"


def test_nothing_is_reported_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLUMBLINE_TRACKERS", raising=False)
    assert wanted_trackers() == [] and report_to("a-run") == "none"
    monkeypatch.setenv("PLUMBLINE_TRACKERS", " , ")
    assert report_to("a-run") == "none"


def test_an_unknown_or_missing_tracker_is_refused_before_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_TRACKERS", "tensorbord")
    with pytest.raises(Refused, match=r"names tensorbord\. Set it to tensorboard, wandb, mlflow, trackio, dvclive"):
        wanted_trackers()
    monkeypatch.setenv("PLUMBLINE_TRACKERS", "wandb")
    monkeypatch.setattr("plumbline.training.trackers.find_spec", lambda package: None)
    with pytest.raises(Refused, match=r"names wandb, which is not installed. Run `pip install wandb`"):
        wanted_trackers()


OURS = [variable for settings in SETTINGS.values() for variable in settings]


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All trackers wanted, as if installed, and nothing set of theirs before or after."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setattr("plumbline.training.trackers.find_spec", lambda package: True)
    monkeypatch.setenv("PLUMBLINE_TRACKERS", ",".join(SETTINGS))
    for variable in OURS:
        monkeypatch.setenv(variable, "")  # so that it is put back
        monkeypatch.delenv(variable)


@pytest.mark.usefixtures("settled")
def test_files_lie_outside_of_what_dvc_tracks_and_a_place_of_ones_own_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "/elsewhere")
    assert report_to("a-run") == ["tensorboard", "wandb", "mlflow", "trackio"]
    assert os.environ["TENSORBOARD_LOGGING_DIR"] == "/elsewhere"
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR")
    report_to("a-run")
    folder = tmp_path / ".cache/trackers"
    assert os.environ["TENSORBOARD_LOGGING_DIR"] == str(folder / "tensorboard/a-run"), "two trainings are two curves"
    assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{folder}/mlflow/mlflow.db", "MLflow refuses to begin in a plain folder"
    assert {os.environ[name] for name in ("WANDB_DIR", "TRACKIO_DIR")} == {str(folder / "wandb"), str(folder / "trackio")}


@pytest.mark.usefixtures("settled")
def test_nothing_is_sent_and_no_account_is_asked_for_unless_the_user_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    report_to("a-run")
    assert (os.environ["WANDB_MODE"], os.environ["MLFLOW_DISABLE_TELEMETRY"]) == ("offline", "true")
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    report_to("a-run")
    assert (os.environ["WANDB_MODE"], os.environ["MLFLOW_TRACKING_URI"]) == ("online", "https://mlflow.example.org")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_a_real_tracker_shows_the_losses_and_changes_no_byte(
    server: ForkServerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if not any(find_spec(package) for package in PACKAGES[name]):
        pytest.skip(f"{name} is not installed: pip install {PACKAGES[name][0]}")
    folder = tmp_path / "inputs"
    folder.mkdir()
    tiny_training.prepare(folder)
    params = tiny_training.TRAIN.model_copy(update={"max_steps": 5})
    assert run(server, folder, tmp_path / "alone", params=params) == 0
    assert run(server, folder, tmp_path / "watched", params=params, trackers=(str(tmp_path), name)) == 0
    assert results(tmp_path / "watched") == results(tmp_path / "alone")
    written = [path for path in (tmp_path / "watched/.cache/trackers" / name).rglob("*") if path.is_file()]
    assert any((b"eval" in path.read_bytes() and b"loss" in path.read_bytes()) or path.parent.name == "eval" for path in written), written
