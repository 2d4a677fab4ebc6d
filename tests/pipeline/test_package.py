"""The package alone, in a new environment: graders, statistics and comparison work without torch, and a file is graded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ABSENT = ("torch", "transformers", "anthropic", "dvc", "jinja2", "matplotlib", "ray")
IMPORTED = (
    "plumbline.grading.mcq",
    "plumbline.grading.numeric",
    "plumbline.reporting.ledger",
    "plumbline.statistics",
    "plumbline.near_duplicates",
    "plumbline.cleaning.row_cleaning",
    "plumbline.comparing.answers_ledger",
    "plumbline.comparing.bridges",
    "plumbline.comparing.comparison_tables",
    "plumbline.comparing.question_changes",
    "plumbline.comparing.row_changes",
    "plumbline.comparing.settings",
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment that holds the package and what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("alone") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check"]
    reached = subprocess.run(
        [*pip, "download", "-q", "--no-deps", "-d", str(folder / "seen"), "click==8.5.1"], capture_output=True, text=True
    )
    if reached.returncode:
        pytest.skip(f"the package index cannot be reached: {reached.stderr.strip().splitlines()[-1:]}")
    done = subprocess.run([*pip, "install", "-q", str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def run(environment: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([str(environment / "bin" / words[0]), *words[1:]], cwd=folder, capture_output=True, text=True, env=alone)


@pytest.mark.slow
def test_graders_statistics_and_comparison_need_no_torch(environment: Path, tmp_path: Path) -> None:
    there = f"from importlib.util import find_spec; print(*(name for name in {ABSENT!r} if find_spec(name)))"
    assert run(environment, tmp_path, "python", "-c", there).stdout == "\n"
    done = run(environment, tmp_path, "python", "-c", "import " + ", ".join(IMPORTED) + "; print(plumbline.__path__)")
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout, "the package is the installed one"


@pytest.mark.slow
def test_the_package_alone_grades_a_file(environment: Path, tmp_path: Path) -> None:
    done = run(environment, tmp_path, "plumbline", "grade", str(ROOT / "examples/answers_from_elsewhere.csv"), "--out", "graded.jsonl")
    assert done.returncode == 0 and "second - first" in done.stdout, done.stderr
    outcomes = [json.loads(line)["outcome"] for line in (tmp_path / "graded.jsonl").read_text(encoding="utf-8").splitlines()]
    assert outcomes.count("correct") == 6 and len(outcomes) == 11


@pytest.mark.slow
def test_a_command_that_needs_more_names_the_extra(environment: Path, tmp_path: Path) -> None:
    done = run(environment, tmp_path, "plumbline", "compare", "a", "b")
    assert done.returncode == 2
    assert done.stderr == "plumbline: the package dvc is not installed. Run: pip install 'plumbline[pipeline]'\n"


@pytest.mark.slow
def test_the_package_with_its_extra_for_logs_compares_logs(environment: Path, tmp_path: Path) -> None:
    """Last of those that look at the package alone: it installs more."""
    pip = [str(environment / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "-q", f"{ROOT}[logs]"]
    assert run(environment, tmp_path, "plumbline", "compare-logs", "a", "b").returncode == 2, "jinja2 is not there yet"
    done = subprocess.run(pip, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there = f"from importlib.util import find_spec; print(*(name for name in {ABSENT!r} if find_spec(name)))"
    assert run(environment, tmp_path, "python", "-c", there).stdout == "jinja2\n"
    logs = ROOT / "tests/data/logs/inspect"
    done = run(environment, tmp_path, "plumbline", "compare-logs", str(logs), "--cluster", "topic", "--page", "page.html")
    assert done.returncode == 0 and "mockllm/second - mockllm/first" in done.stdout, done.stderr
    assert (tmp_path / "page.html").is_file()
