"""What the targets of the Makefile do around the programs that they start: with a Python and a DVC that only say how they were called."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The Makefile next to an environment that is set up as far as make can see."""
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


@pytest.mark.parametrize(
    ("words", "started"),
    [
        (["profile", "NAME=mine"], "profile mine"),
        (["real"], "real"),
        (["real", "SMALL=1"], "real --small"),
        (
            ["real", "ROWS=my rows.csv", "QUESTIONS=q.jsonl", "SET=clean.format=csv train.epochs=2.0"],
            "real --rows my rows.csv --questions q.jsonl -S clean.format=csv train.epochs=2.0",
        ),
        (
            ["real", "SET=clean.columns={instruction: Pupil's question, output: Teacher says}"],
            "real -S clean.columns={instruction: Pupil's question, output: Teacher says}",
        ),
        (["plan", "NAME=mine", "ROWS=my rows.csv", "SET=train.epochs=2.0"], "plan mine --rows my rows.csv -S train.epochs=2.0"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_a_target_passes_on_what_it_was_given(folder: Path, words: list[str], started: str) -> None:
    program(folder, "plumbline", 'echo "$*"')
    done = make(folder, *words)
    assert done.stdout == f"{started}\n", done.stderr


def test_a_profile_without_a_name_is_asked_for(folder: Path) -> None:
    (folder / "profiles").mkdir()
    (folder / "profiles/mine").touch()
    done = make(folder, "profile")
    assert done.returncode and done.stdout == "which profile? make profile NAME=...; there are: mine \n"
