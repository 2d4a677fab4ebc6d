"""`plumbline`: a page that answers at once, one line for each command, a page of the documentation for each option, and plain refusals."""

import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from plumbline.commands.main import COMMANDS, NAMES, load, plumbline
from plumbline.commands.reference import COMMANDS_PAGE, reference
from tests.conftest import ROOT

HELPERS = {
    "benchmark_hints",
    "named_inputs",
    "benchmark_words",
    "named_columns",
    "known_questions",
    "tolerance_options",
    "__init__",
    "calm_dvc",
    "early_copies",
    "real_request",
    "main",
    "reference",
    "outputs",
    "plan_lines",
    "refusing",
    "running",
    "stale_scores",
}
LIMIT_SECONDS = 0.5
YARDSTICK_SECONDS = 0.02
"""Of `python -c pass` on two idle cores, where the page takes 0.04. A slower machine gets more time, in proportion."""


def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run([sys.executable, "-m", "plumbline", *words], cwd=cwd, env=environment, capture_output=True, text=True)


def wall_seconds(*words: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def test_the_page_answers_at_once() -> None:
    found, limit = [], LIMIT_SECONDS
    while len(found) < 5 and (not found or min(found) >= limit):
        found.append(wall_seconds("-m", "plumbline", "--help"))
        limit = LIMIT_SECONDS * max(1.0, wall_seconds("-c", "pass") / YARDSTICK_SECONDS)
    assert min(found) < limit, f"{found} s; python -X importtime -m plumbline --help shows where they go"


def test_the_page_imports_no_command() -> None:
    asked = (
        "import sys; from click.testing import CliRunner; from plumbline.commands.main import plumbline; "
        "assert CliRunner().invoke(plumbline, ['--help']).exit_code == 0; "
        "print(*(name for name in sys.modules if name.startswith('plumbline')))"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"plumbline", "plumbline.screen", "plumbline.commands", "plumbline.commands.main"}


def test_each_command_has_one_line_below_its_group() -> None:
    lines = run("--help").stdout.splitlines()
    for group, commands in COMMANDS.items():
        assert f"{group}:" in lines
        for name, text in commands.items():
            assert f"  {name:{max(map(len, NAMES))}}  {text}" in lines, "a line of 80 characters holds it"


@pytest.mark.parametrize("name", NAMES)
def test_the_line_of_a_command_is_the_first_of_its_own_help(name: str) -> None:
    line = next(commands[name] for commands in COMMANDS.values() if name in commands)
    assert (load(name).help or "").splitlines()[0] == line


def test_every_file_of_commands_is_a_command_and_the_other_way_round() -> None:
    files = {path.stem for path in (ROOT / "plumbline/commands").glob("*.py")} - HELPERS
    assert files == {name.replace("-", "_") for name in NAMES}


def parameters(command: click.Command) -> list[click.Parameter]:
    inner = list(command.commands.values()) if isinstance(command, click.Group) else []
    return [*command.params, *(one for child in inner for one in child.params)]


@pytest.mark.parametrize("name", NAMES)
def test_every_option_says_what_it_does_and_stands_in_the_documentation(name: str) -> None:
    page = (ROOT / COMMANDS_PAGE).read_text(encoding="utf-8")
    section = page.partition(f"### plumbline {name}\n")[2].partition("\n### ")[0]
    assert section
    for one in parameters(load(name)):
        if isinstance(one, click.Option):
            assert one.help and all(word in section for word in one.opts), f"{name} {one.opts}"


def test_the_documentation_is_what_the_commands_say() -> None:
    assert (ROOT / COMMANDS_PAGE).read_text(encoding="utf-8") == reference(), "run plumbline readme"


@pytest.mark.parametrize(("typed", "meant"), [("comapre", "compare"), ("data_diff", "data-diff"), ("bakup", "backup")])
def test_an_unknown_command_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    done = CliRunner().invoke(plumbline, [typed])
    assert done.exit_code == 2 and "Did you mean" in done.stderr and f"'{meant}'" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["grade", "nowhere.csv"], 1, "grade: nowhere.csv: No such file or directory\n"),
        (["compare-logs", "nowhere.eval", "x.eval"], 1, "compare-logs: nowhere.eval: No such file or directory\n"),
        (["plan", "nowhere"], 1, "plan: there is no profiles/nowhere. Give one of these names: "),
        (["plan", "-S", "train.epochs"], 1, "plan: "),
        (["compare", "nowhere", "HEAD"], 2, "compare: nowhere: no commit, tag, branch or experiment has this name"),
        (["compare", "HEAD"], 2, "compare: two different runs are needed, found HEAD. "),
        (["data-diff", "nowhere"], 2, "data-diff: nowhere: no commit"),
        (["judge-bridge", "nowhere"], 2, "judge-bridge: nowhere: no commit"),
        (["fill-judge-store", "nowhere"], 2, "fill-judge-store: nowhere: no commit"),
        (["label-sheet", "read", "nowhere.csv", "--labeller", "ann"], 2, "label-sheet read: "),
        (["serve-models", "--base", "nowhere", "--print"], 1, "serve-models: "),
        (["inspect-log", "--root", "nowhere"], None, "inspect-log: "),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_refusal_is_one_line_without_a_traceback(words: list[str], code: int | None, said: str) -> None:
    done = run(*words)
    assert done.stderr.startswith(said) and "Traceback" not in done.stderr and not done.stdout, done.stderr
    assert done.returncode == code if code is not None else done.returncode in (1, 2)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [["ask", "Why?"], ["backup"], ["verify", "--lock"], ["merge"], ["publish", "a/b"], ["final-part"]])
def test_a_folder_that_is_no_clone_is_refused(tmp_path: Path, words: list[str]) -> None:
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith(f"{words[0]}: {tmp_path} is not the folder of a clone"), done.stderr
    assert len(done.stderr.splitlines()) == 1 and not list(tmp_path.iterdir())
