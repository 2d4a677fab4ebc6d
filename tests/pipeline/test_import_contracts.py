"""The import contracts hold, and each of them fails when a forbidden import is planted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LINT = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code and its contracts, where an import can be planted."""
    for folder in ("plumbline", "stages"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / ".importlinter", tmp_path / ".importlinter")
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [LINT, "--no-cache", "--no-logo"]
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_contracts_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("place", "line", "importer", "imported"),
    [
        ("plumbline/grading/mcq.py", "import torch", "plumbline.grading.mcq", "torch"),
        ("plumbline/grading/mcq.py", "from plumbline.reporting import ledger", "plumbline.grading.mcq", "plumbline.reporting.ledger"),
        ("plumbline/reporting/ledger.py", "import requests", "plumbline.reporting.ledger", "requests"),
        ("plumbline/reporting/ledger.py", "import socket", "plumbline.reporting.ledger", "socket"),
        ("plumbline/cleaning/ray_workers.py", "import urllib.request", "plumbline.cleaning.ray_workers", "urllib"),
    ],
)
def test_a_planted_import_breaks_a_contract_and_is_named(copy: Path, place: str, line: str, importer: str, imported: str) -> None:
    file = copy / place
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}\n{line}\n", encoding="utf-8")
    done = lint(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{importer} -> {imported}" in done.stdout, done.stdout
