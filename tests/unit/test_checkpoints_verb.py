"""Old checkpoint folders are listed and removed; the one of a training under way is not."""

import os
import time
from pathlib import Path

import pytest

from plumbline.commands.checkpoints import find_runs, main, remove
from plumbline.training.checkpoints import only_writer

DAY = 86400


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    for name, age_days, steps in (("old", 40, (61, 122)), ("new", 1, (9, 10))):
        for step in steps:
            folder = tmp_path / ".cache/train" / name / f"checkpoint-{step}"
            folder.mkdir(parents=True)
            (folder / "optimizer.pt").write_bytes(b"x" * 2**20)
            os.utime(folder / "optimizer.pt", (time.time() - age_days * DAY,) * 2)
    return tmp_path / ".cache/train"


def test_list_says_size_age_and_steps(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    new, old, total = capsys.readouterr().out.splitlines()
    assert new.split() == ["new", "2.0", "MiB", "1.0", "days", "checkpoints", "at", "steps:", "9,", "10"]
    assert old.split() == ["old", "2.0", "MiB", "40.0", "days", "checkpoints", "at", "steps:", "61,", "122"]
    assert total.startswith("2 runs, 4.0 MiB")


def test_only_what_was_asked_for_goes(root: Path) -> None:
    assert main(["remove", "--older-than-days", "30"]) == 0
    assert [path.name for path in root.iterdir()] == ["new"]
    assert main(["remove", "new"]) == 0
    assert not list(root.iterdir())


def test_a_run_that_is_not_there_is_named_and_nothing_goes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["remove", "new", "nwe"]) == 1
    assert "holds no run nwe" in capsys.readouterr().err and len(list(root.iterdir())) == 2


def test_a_running_training_keeps_its_folder(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with only_writer(root / "old"):
        assert main(["remove", "--all"]) == 0
        assert main(["remove", "old"]) == 1
        assert "kept, a training holds it" in capsys.readouterr().out
        assert (root / "old/checkpoint-122/optimizer.pt").is_file()
    assert [path.name for path in root.iterdir()] == ["old"]


def test_a_training_that_starts_after_the_listing_keeps_its_folder(root: Path) -> None:
    (run,) = [run for run in find_runs(root, now=time.time()) if run.folder.name == "old"]
    assert not run.running
    with only_writer(root / "old"):
        assert not remove(run)
    assert (root / "old/checkpoint-61/optimizer.pt").is_file()


def test_no_run_at_all_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert main(["list"]) == 0 and main(["remove", "--all"]) == 0
    assert "0 runs" in capsys.readouterr().out
