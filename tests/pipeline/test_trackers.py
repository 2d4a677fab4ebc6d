"""A training that is watched is the same training: trackers get what the Trainer logs, and no byte of a result moves."""

import json
import os
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.refused import Refused
from plumbline.training.trackers import report_to, wanted_trackers
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

    def __init__(self, dir="dvclive", save_dvc_exp=True, dvcyaml="dvc.yaml", report=None):
        self.dir, self.step = Path(dir), 0
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.dir / "settings.json").write_text(json.dumps([save_dvc_exp, dvcyaml]))

    def log_params(self, params):
        pass

    def log_metric(self, name, value, **_):
        with (self.dir / "metrics.jsonl").open("a") as stream:
            stream.write(json.dumps([name, value]) + "\\n")

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
    assert "loss" in written["metrics.jsonl"].read_text()
    settings = next(path for path in (tmp_path / "watched").rglob("settings.json"))
    assert json.loads(settings.read_text()) == [False, None], "DVCLive saves no experiment and writes no dvc.yaml"


def test_nothing_is_reported_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLUMBLINE_TRACKERS", raising=False)
    assert wanted_trackers() == [] and report_to() == "none"
    monkeypatch.setenv("PLUMBLINE_TRACKERS", " , ")
    assert report_to() == "none"


def test_an_unknown_or_missing_tracker_is_refused_before_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_TRACKERS", "tensorbord")
    with pytest.raises(Refused, match="names tensorbord; the trackers are tensorboard, wandb, mlflow, trackio, dvclive"):
        wanted_trackers()
    monkeypatch.setenv("PLUMBLINE_TRACKERS", "wandb")
    monkeypatch.setattr("plumbline.training.trackers.find_spec", lambda package: None)
    with pytest.raises(Refused, match=r"names wandb, which is not installed. Run `pip install wandb`"):
        wanted_trackers()


def test_files_lie_outside_of_what_dvc_tracks_and_a_place_of_ones_own_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "packages", monkeypatch)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("PLUMBLINE_TRACKERS", "tensorboard")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "/elsewhere")
    assert report_to() == ["tensorboard"]
    assert os.environ["TENSORBOARD_LOGGING_DIR"] == "/elsewhere"
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR")
    report_to()
    assert os.environ.pop("TENSORBOARD_LOGGING_DIR") == str(tmp_path / ".cache/trackers/tensorboard")
