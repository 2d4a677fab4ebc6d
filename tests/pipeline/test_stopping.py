"""Ctrl-C stops every stage within seconds, in words and with an exit code that ends the run: at any moment, whoever started it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from plumbline.stopping import STOPPED
from tests.fakes.small_project import ROOT, SmallProject

SECONDS = 10.0
BEGIN = "import os, signal, sys, time\nfrom plumbline.stopping import stop_on_signals\nstop_on_signals()\n"
WAIT = "print('now', flush=True)\nfor _ in range(600): time.sleep(0.1)\n"
SWALLOWED = f"""{BEGIN}
class Slow:
    def __del__(self):
        print("now", flush=True)
        time.sleep(1)
Slow()
for _ in range(600): time.sleep(0.1)
"""
CLEANS_UP = f"""{BEGIN}
try:
    print("now", flush=True)
    time.sleep(60)
finally:
    time.sleep(3)
    print("cleaned", flush=True)
"""
ENDS = f"""{BEGIN}
import atexit
def last():
    print("now", flush=True)
    time.sleep(2)
atexit.register(last)
"""
GONE = f"""{BEGIN}
class Last:
    def __del__(self): print("now", flush=True); [None for _ in range(100_000_000)]
keep = Last()
keep.me = keep
"""
FIRST_INPUT = {
    "answer": "data/split/benchmark.jsonl",
    "answer_general": "data/raw/embedded/general.jsonl",
    "preflight": "data/split/train.jsonl",
    "train": "data/selection/selection.json",
    "judge": "data/split/benchmark.jsonl",
    "grade": "data/split/benchmark.jsonl",
}


def started(words: list[str], folder: Path, *, ignored: tuple[signal.Signals, ...] = (), **environment: str) -> subprocess.Popen[str]:
    """Start a separate process group; `ignored`: signals that it ignores, as a command does in the background of a shell or under nohup."""

    def begin() -> None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    return subprocess.Popen(
        words, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)} | environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=begin,
    )  # fmt: skip


def signalled(process: subprocess.Popen[str], when: Callable[[], object], number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
    """The exit code and all that was said after a signal to the whole group, as a terminal sends it."""
    when()
    os.killpg(process.pid, number)
    began = time.monotonic()
    try:
        told, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert time.monotonic() - began < SECONDS
    return process.returncode, told


def said_now(process: subprocess.Popen[str]) -> Callable[[], object]:
    """Waits for the line `now`."""
    assert process.stdout is not None
    return process.stdout.readline


@pytest.mark.parametrize("ignored", [(), (signal.SIGINT,)], ids=["on a terminal", "started with & by a script"])
@pytest.mark.parametrize("script", [BEGIN + WAIT, SWALLOWED, ENDS], ids=["in its work", "in a destructor", "at its end"])
def test_ctrl_c_is_never_swallowed(tmp_path: Path, script: str, ignored: tuple[signal.Signals, ...]) -> None:
    process = started([sys.executable, "-c", script], tmp_path, ignored=ignored, DVC_STAGE="answer@base")
    code, told = signalled(process, said_now(process))
    assert code == STOPPED
    assert told.count("answer: stopped by a signal; run the same command to resume\n") == 1


def test_a_signal_after_the_last_line_of_a_stage_does_not_end_in_0(tmp_path: Path) -> None:
    process = started([sys.executable, "-c", GONE], tmp_path)
    code, _ = signalled(process, said_now(process))
    assert code == -signal.SIGINT


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_stop_as_ctrl_c_does(tmp_path: Path, number: signal.Signals) -> None:
    process = started([sys.executable, "-c", BEGIN + WAIT], tmp_path)
    code, told = signalled(process, said_now(process), number)
    assert (code, "stopped by a signal" in told) == (STOPPED, True)


def test_below_nohup_a_closed_terminal_stops_nothing(tmp_path: Path) -> None:
    quick = BEGIN + "print('now', flush=True)\ntime.sleep(1)\nprint('done')\n"
    process = started([sys.executable, "-c", quick], tmp_path, ignored=(signal.SIGHUP,))
    assert signalled(process, said_now(process), signal.SIGHUP) == (0, "done\n")


def test_what_cleans_up_is_not_disturbed(tmp_path: Path) -> None:
    process = started([sys.executable, "-c", CLEANS_UP], tmp_path)
    code, told = signalled(process, said_now(process))
    assert (code, "cleaned" in told, "Traceback" in told) == (STOPPED, True, False)


@pytest.mark.parametrize("stage", FIRST_INPUT)
def test_every_stage_stops(tmp_path: Path, stage: str) -> None:
    """Its first input is a pipe that no one writes to: there it waits."""
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    for name in ("data/answers/base.jsonl", "data/answers/tuned.jsonl", "data/context/ready.json"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "data/split").mkdir()
    (tmp_path / "models/base").mkdir(parents=True)
    pipe = tmp_path / FIRST_INPUT[stage]
    pipe.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(pipe)
    words = [sys.executable, "-m", f"stages.{stage}", *(["base"] if stage == "answer" else [])]
    process = started(words, tmp_path)
    writers: list[int] = []

    def wait_for_the_reader() -> None:
        for _ in range(600):
            try:
                writers.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
                return
            except OSError:  # no reader yet
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
        raise AssertionError("the stage never read its first input")

    code, told = signalled(process, wait_for_the_reader)
    os.close(writers[0])
    assert code == STOPPED, told
    assert told.count(f"{stage}: stopped by a signal; run the same command to resume\n") == 1


@pytest.mark.parametrize("ignored", [(), (signal.SIGINT,)], ids=["on a terminal", "started with & by a script"])
def test_dvc_starts_no_further_stage(tmp_path: Path, ignored: tuple[signal.Signals, ...]) -> None:
    root = tmp_path / "clone"
    root.mkdir()
    SmallProject(root)
    (root / "slow.py").write_text(f"{BEGIN}open(sys.argv[1], 'w').close()\nprint('now', flush=True)\ntime.sleep(5)\n")
    (root / "dvc.yaml").write_text(
        "stages:\n  first: {cmd: python slow.py one, outs: [one]}\n  second: {cmd: python slow.py two, deps: [one], outs: [two]}\n"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = started([sys.executable, "-m", "dvc", "repro"], root, ignored=ignored, PATH=path)

    def wait_for_the_stage() -> None:
        assert process.stdout is not None
        while process.stdout.readline() not in ("now\n", ""):
            pass

    code, told = signalled(process, wait_for_the_stage)
    assert code != 0
    assert told.count("first: stopped by a signal; run the same command to resume\n") == 1
    assert not (root / "two").exists()
