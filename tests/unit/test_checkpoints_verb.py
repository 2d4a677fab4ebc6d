"""Old checkpoint folders are listed and removed; the one of a training under way is not."""

import os
import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plumbline.commands.checkpoints import command, find_runs, remove
from plumbline.training.checkpoints import only_writer

DAY = 86400


def main(words: list[str]) -> Result:
    return CliRunner().invoke(command, words)


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


def test_list_says_size_age_and_steps(root: Path) -> None:
    done = main(["list"])
    assert done.exit_code == 0
    new, old, total = done.stdout.splitlines()
    assert new.split() == ["new", "2.1", "MB", "1.0", "days", "checkpoints", "at", "steps:", "9,", "10"]
    assert old.split() == ["old", "2.1", "MB", "40.0", "days", "checkpoints", "at", "steps:", "61,", "122"]
    assert total.startswith("2 runs, 4.2 MB")


def test_only_what_was_asked_for_goes(root: Path) -> None:
    assert main(["remove", "--older-than-days", "30"]).exit_code == 0
    assert [path.name for path in root.iterdir()] == ["new"]
    assert main(["remove", "new"]).exit_code == 0
    assert not list(root.iterdir())


def test_a_run_that_is_not_there_is_named_and_nothing_goes(root: Path) -> None:
    done = main(["remove", "new", "nwe"])
    assert done.exit_code == 1
    assert "holds no run nwe" in done.stderr and len(list(root.iterdir())) == 2


def test_a_running_training_keeps_its_folder(root: Path) -> None:
    with only_writer(root / "old"):
        assert main(["remove", "--all"]).exit_code == 0
        done = main(["remove", "old"])
        assert done.exit_code == 1 and "kept, a training is using it" in done.stdout
        assert (root / "old/checkpoint-122/optimizer.pt").is_file()
    assert [path.name for path in root.iterdir()] == ["old"]


def test_a_training_that_starts_after_the_listing_keeps_its_folder(root: Path) -> None:
    (run,) = [run for run in find_runs(root, now=time.time()) if run.folder.name == "old"]
    assert not run.running
    with only_writer(root / "old"):
        assert not remove(run)
    assert (root / "old/checkpoint-61/optimizer.pt").is_file()


def test_no_run_at_all_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    for words in (["list"], ["remove", "--all"]):
        done = main(words)
        assert done.exit_code == 0 and re.search(r"\b0 (of 0 )?runs", done.stdout)


@pytest.mark.parametrize(
    "words", [[], ["old", "--all"], ["--all", "--older-than-days", "3"]], ids=["nothing", "names and all", "all and age"]
)
def test_what_goes_is_said_in_one_way(root: Path, words: list[str]) -> None:
    done = main(["remove", *words])
    assert done.exit_code == 2 and "give names of runs" in done.stderr and len(list(root.iterdir())) == 2
