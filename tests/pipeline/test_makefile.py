"""What the targets of the Makefile do around the programs that they start: with a Python and a DVC that only say how they were called."""

import shutil
import subprocess
from pathlib import Path

import pytest

from plumbline.commands.plan import profile_overrides
from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The Makefile beside an environment that is set up as far as make can see."""
    for name in ("Makefile", "constraints.txt", "pyproject.toml", *(path.name for path in ROOT.glob("requirements*.txt")), "params.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/.run").touch()
    program(tmp_path, "dvc", 'for word; do echo "[$word]"; done')
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    path = folder / ".venv/bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "--no-print-directory", "-C", str(folder), *words], capture_output=True, text=True)


@pytest.mark.parametrize(("code", "is_error"), [(0, False), (1, False), (2, True)])
def test_rows_that_differ_are_no_error_of_make_and_a_revision_that_cannot_be_read_is_one(folder: Path, code: int, is_error: bool) -> None:
    program(folder, "plumbline", f'echo "$*"; exit {code}')
    done = make(folder, "data-diff", "SINCE=HEAD~1")
    assert done.stdout == "data-diff HEAD~1\n"
    assert ("Error" in done.stderr) is is_error and bool(done.returncode) is is_error, done.stderr
    assert not is_error or f"Error {code}" in done.stderr


def test_blank_lines_and_comments_of_a_profile_are_no_overrides(folder: Path) -> None:
    (folder / "profiles").mkdir()
    (folder / "profiles/mine").write_text("# mine\n\nlora.alpha=64\n  \ntrain.seed=2\n", encoding="utf-8")
    done = make(folder, "profile", "NAME=mine")
    assert done.stdout.split() == ["[exp]", "[run]", "[-S]", "[lora.alpha=64]", "[-S]", "[train.seed=2]"], done.stderr
    assert profile_overrides(folder, "mine") == ["lora.alpha=64", "train.seed=2"], "make plan reads the same"
