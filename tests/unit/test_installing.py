"""The installer says what pip is doing, keeps a log short, and needs nothing but the standard library."""

import ast
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plumbline.keeping import installing
from plumbline.keeping.installing import phases, say

ROOT = Path(__file__).resolve().parents[2]
PIP = [
    "Looking in links: wheels",
    "Collecting anthropic==2.12.0 (from -r requirements.txt (line 4))",
    "  Downloading anthropic-2.12.0-py3-none-any.whl.metadata (28 kB)",
    "Collecting bm25s==0.3.16",
    "Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (188 MB)",
    "Installing collected packages: anthropic, bm25s, torch",
    "Successfully installed anthropic-2.12.0",
]


def test_each_phase_of_pip_is_said_in_words() -> None:
    assert list(phases(PIP, 2)) == [
        "looking up 1 of about 2 packages",
        "downloading anthropic-2.12.0-py3-none-any.whl.metadata (28 kB)",
        "looking up 2 of about 2 packages",
        "downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (188 MB)",
        "unpacking 3 packages",
    ]


def test_a_log_gets_a_line_now_and_then_also_while_pip_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installing, "QUIET_SECONDS", 0.4)
    start = time.monotonic()

    def slow() -> Iterator[str]:
        yield from (f"looking up {number}" for number in range(100))
        yield "unpacking 3 packages"
        time.sleep(2.5)

    say(slow(), start=start, on_terminal=False)
    lines = capsys.readouterr().out.splitlines()
    assert 2 <= len(lines) <= 4 and all(line.startswith("  unpacking 3 packages (") for line in lines), lines


def test_it_runs_before_anything_is_installed() -> None:
    tree = ast.parse(Path(installing.__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_pip_gets_a_folder_of_its_own_where_the_usual_one_is_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    usage = type("Usage", (), {"free": 256_000})
    monkeypatch.setattr(installing.shutil, "disk_usage", lambda _: usage)
    assert installing.pip_environment()["TMPDIR"] == str(tmp_path / ".venv/tmp")


def test_what_no_index_has_as_a_wheel_lies_in_the_project() -> None:
    (wheel,) = (ROOT / "wheels").glob("*.whl")
    name, version = wheel.name.split("-")[:2]
    assert f"{name.replace('_', '-')}=={version}" in (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "--find-links wheels" in (ROOT / "requirements.txt").read_text(encoding="utf-8")
