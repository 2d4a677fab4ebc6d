"""If the output is read later, long work is never silent for more than a minute; if a person sees a bar, it writes no lines."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.pipeline.heartbeat import Progress, duration, watched, working
from tests.conftest import ROOT


class Clock:
    """Time that passes only when someone waits; the work ends when it is over."""

    def __init__(self, *, seconds: float) -> None:
        self.now, self.end = 0.0, seconds
        self.work = lambda now: None

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        if self.now > self.end:
            return True
        self.work(self.now)
        return False


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines_of(progress: Progress) -> list[str]:
    """What is written until the clock is at its end."""
    with progress:
        assert progress._thread is not None
        progress._thread.join(10)
    return str(progress._stream.getvalue()).splitlines()  # type: ignore[attr-defined]


def test_a_line_comes_each_minute_with_steps_note_speed_and_time_left() -> None:
    clock = Clock(seconds=200)
    progress = Progress("train", total=480, unit="step", stream=io.StringIO(), clock=clock, wait=clock.wait)
    clock.work = lambda now: (progress.update(30), progress.say(f"loss {3 - now / 60:.3f}, 276 tokens/s"))  # type: ignore[assignment]
    assert lines_of(progress) == [
        "train: 30 of 480 steps, loss 2.000, 276 tokens/s, 2.0 s per step, 15 min left",
        "train: 60 of 480 steps, loss 1.000, 276 tokens/s, 2.0 s per step, 14 min left",
        "train: 90 of 480 steps, loss 0.000, 276 tokens/s, 2.0 s per step, 13 min left",
    ]


def test_a_single_step_of_many_minutes_is_no_silence() -> None:
    clock = Clock(seconds=180)
    progress = Progress("answer base", total=400, unit="question", stream=io.StringIO(), clock=clock, wait=clock.wait)
    assert lines_of(progress) == [f"answer base: 0 of 400 questions, {said} so far" for said in ("60 s", "2 min", "3 min")]


def test_what_an_earlier_run_did_counts_as_done_and_not_for_the_speed() -> None:
    clock = Clock(seconds=60)
    progress = Progress("train", total=500, unit="step", stream=io.StringIO(), clock=clock, wait=clock.wait)
    progress.begin_at(380)
    clock.work = lambda now: progress.update(60)
    assert lines_of(progress) == ["train: 440 of 500 steps, 1.0 steps/s, 60 s left"]


def test_work_without_steps_says_how_long_it_has_taken() -> None:
    clock = Clock(seconds=130)
    assert lines_of(Progress("checking the weights", stream=io.StringIO(), clock=clock, wait=clock.wait)) == [
        "checking the weights: 60 s so far",
        "checking the weights: 2 min so far",
    ]


def test_no_line_comes_on_a_terminal_where_the_bar_stays() -> None:
    clock, terminal = Clock(seconds=600), Terminal()
    progress = Progress("train", total=480, unit="step", stream=terminal, clock=clock, wait=clock.wait)
    with progress:
        assert progress._thread is not None
        progress._thread.join(10)
        progress.update(480)
        progress.say("loss 0.5")
    written = terminal.getvalue()
    assert "480/480" in written and "steps" not in written and "left" not in written


def test_short_work_and_other_ranks_say_nothing() -> None:
    stream = io.StringIO()
    with Progress("train", total=2, unit="step", stream=stream) as progress:
        progress.update(2)
    clock = Clock(seconds=600)
    with Progress("train", total=2, unit="step", shown=False, stream=stream, clock=clock, wait=clock.wait) as progress:
        progress.update()
        assert progress._thread is None
    assert stream.getvalue() == ""


def test_an_error_ends_the_beat() -> None:
    progress = Progress("train", stream=io.StringIO())
    with pytest.raises(KeyError), progress:
        raise KeyError("x")
    assert progress._thread is not None and not progress._thread.is_alive()


def test_every_item_passes_and_the_beat_ends_with_the_last_and_with_the_reader() -> None:
    assert list(watched(range(5), "count", unit="number", total=5)) == [0, 1, 2, 3, 4]
    half = watched(iter(range(5)), "count", unit="number")
    assert next(half) == 0
    half.close()
    with working("nothing"):
        pass


def test_a_process_whose_output_is_a_file_writes_a_line_each_interval(tmp_path: Path) -> None:
    code = (
        "import time\nfrom plumbline.pipeline.heartbeat import Progress\n"
        "with Progress('train', total=40, unit='step', every_seconds=0.1) as progress:\n"
        "    for _ in range(20):\n        time.sleep(0.03)\n        progress.update()\n        progress.say('loss 1.000')\n"
    )
    log = tmp_path / "log"
    with log.open("wb") as stream:
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=stream, stdout=stream, check=True, timeout=60)
    lines = log.read_text(encoding="utf-8").splitlines()
    assert len(lines) >= 3
    assert all(re.fullmatch(r"train: \d+ of 40 steps, loss 1\.000, [\d.]+ steps/s, \d s left", line) for line in lines[1:]), lines


@pytest.mark.parametrize("file", sorted((ROOT / "plumbline").rglob("*.py")), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_other_module_draws_bars(file: Path) -> None:
    """A separate bar would be silent if the output is not a terminal."""
    if file.name != "heartbeat.py":
        assert "tqdm" not in file.read_text(encoding="utf-8").replace("disable_tqdm=True", "")


@pytest.mark.parametrize(("seconds", "said"), [(12, "12 s"), (89, "89 s"), (600, "10 min"), (86_400, "24.0 h")])
def test_durations_are_said_as_a_person_says_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said
