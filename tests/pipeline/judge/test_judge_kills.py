"""Kill the judge stage at random instants: nothing lost, nothing paid twice beyond the calls in flight, the same bytes in the end."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from plumbline.judging.verdict_store import read_lines
from tests.fakes.claude_server import KEY, FakeClaude, item_of, seeded_faults
from tests.fakes.judge_bench import Bench, settings

ROOT = Path(__file__).resolve().parents[3]
CONCURRENCY = 4


class Launcher:
    """Stage processes, started quickly and killed without notice."""

    def __init__(self, bench: Bench, fake: FakeClaude) -> None:
        self.bench, self.fake = bench, fake
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.stage_launcher"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    @property
    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin is not None and self.process.stdout is not None
        return self.process.stdin, self.process.stdout

    def run(self, root: Path, *, kill_after_seconds: float | None, **params: Any) -> int:
        """Run the stage, kill it if it is not done in time, and return how it ended."""
        environment = {"DVC_ROOT": str(root), "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": self.fake.base_url,
                       "PLUMBLINE_JUDGE_CONCURRENCY": str(CONCURRENCY), "PLUMBLINE_JUDGE_BACKOFF_SECONDS": "0.01",
                       "PLUMBLINE_JUDGE_POLL_SECONDS": "0.02"}  # fmt: skip
        paths = {name: str(path) for name, path in self.bench.paths.items()}
        order = {"environment": environment, "paths": paths, "params": settings(**params).model_dump(), "smallest_batch": 5}
        to_launcher, from_launcher = self._pipes
        to_launcher.write(json.dumps(order) + "\n")
        to_launcher.flush()
        child = int(from_launcher.readline())
        if kill_after_seconds is not None:
            wait_for_end(child, kill_after_seconds)
            os.kill(child, signal.SIGKILL)  # one that has ended already is a zombie until the next line: no harm
        to_launcher.write("\n")
        to_launcher.flush()
        return int(from_launcher.readline())

    def pace(self, folder: Path, **params: Any) -> "Pace":
        """Time undisturbed runs, once the launcher has imported everything."""
        seconds: list[float] = []
        for name in ("first", "whole", "whole"):  # the last finds every reply in the store of the one before
            begin = time.monotonic()
            assert self.run(folder / f"undisturbed-{name}", kill_after_seconds=None, **params) == 0
            seconds.append(time.monotonic() - begin)
        return Pace(whole_seconds=seconds[1], stored_seconds=seconds[2])

    def close(self) -> None:
        self._pipes[0].close()
        self.process.wait(timeout=30)


def wait_for_end(child: int, seconds: float) -> None:
    """Wait until a process is a zombie, or for so long."""
    deadline = time.monotonic() + seconds
    process = psutil.Process(child)
    while time.monotonic() < deadline and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(max(min(0.005, deadline - time.monotonic()), 0.0))


@dataclass
class Pace:
    """How long a run takes, so that kills fall into it: a kill after its end kills nothing."""

    whole_seconds: float
    """With no reply in the store."""
    stored_seconds: float
    """With all of them."""
    slowness: float = 1.0
    """Of the machine, against the time when both were measured."""

    def seconds(self, share_due: float) -> float:
        """Of a run that has to ask for a share of the replies."""
        return self.slowness * (self.stored_seconds + share_due * max(self.whole_seconds - self.stored_seconds, 0.0))

    def note(self, seconds: float, share_due: float) -> None:
        """Learn from a run that came to its end."""
        self.slowness *= seconds / self.seconds(share_due)


@pytest.fixture
def launcher(bench: Bench, fake: FakeClaude) -> Iterator[Launcher]:
    started = Launcher(bench, fake)
    yield started
    started.close()


def answers_in_store(root: Path) -> set[str]:
    """Items with a reply on disk, by the store's key, which identifies what the judge was asked."""
    return {str(line["key"]) for path in root.glob(".cache/judge/*.jsonl") for line in read_lines(path)}


def kill_often(launcher: Launcher, pace: Pace, *, num_kills: int, seed: int) -> None:
    """Kill runs on fresh and half-filled stores until `num_kills` really killed one; check the ledger after each."""
    fake, bench = launcher.fake, launcher.bench
    rng = random.Random(seed)
    expected = bench.paths["judged"].read_bytes()
    num_killed = num_series = 0
    while num_killed < num_kills:
        root = bench.folder / f"series-{num_series}"
        num_series += 1
        start_of_series, num_killed_here, ended = len(fake.ledger) - fake.num_unheard, 0, None
        while ended != 0:
            stored = answers_in_store(root)
            start_of_run = len(fake.ledger) - fake.num_unheard
            bench.paths["judged"].unlink(missing_ok=True)
            # Later runs find less to do: aim into what is left of it.
            share_due = 1 - len(stored) / len(bench.due)
            wait = rng.uniform(0.0, pace.seconds(share_due)) if num_killed < num_kills and num_killed_here < 8 else None
            begin = time.monotonic()
            ended = launcher.run(root, kill_after_seconds=wait)
            assert ended in (0, -signal.SIGKILL)
            if ended == 0:
                pace.note(time.monotonic() - begin, share_due)
            num_killed_here += ended != 0
            num_killed += ended != 0
            fake.wait_for_gone_clients()  # a killed client's calls are paid when the server answers
            paid_now = len(fake.ledger) - fake.num_unheard - start_of_run
            assert stored <= answers_in_store(root), "a reply on disk was lost"
            assert paid_now <= len(bench.due) - len(stored), "a stored reply was paid for again"
        paid = len(fake.ledger) - fake.num_unheard - start_of_series
        assert paid <= len(bench.due) + num_killed_here * CONCURRENCY, (
            f"{paid} paid for {len(bench.due)} answers and {num_killed_here} kills"
        )
        assert bench.paths["judged"].read_bytes() == expected
    print(f"{num_killed} kills in {num_series} series of {len(bench.due)} answers")


@pytest.mark.slow
@pytest.mark.parametrize("faulty", [False, True], ids=["sound", "faulty"])
def test_a_hundred_kills_of_direct_judging_lose_nothing_and_pay_nothing_twice(launcher: Launcher, faulty: bool) -> None:
    bench, fake = launcher.bench.write(20), launcher.fake
    fake.latency_seconds = 0.01
    pace = launcher.pace(bench.folder)
    assert len({item_of(request)["student_answer"] for request in fake.requests}) == len(bench.due) == 40
    if faulty:
        fake.faults = seeded_faults(3, 0.1)
    kill_often(launcher, pace, num_kills=100, seed=faulty)


@pytest.mark.slow
def test_forty_kills_of_batch_judging_make_no_second_batch(launcher: Launcher) -> None:
    bench, fake = launcher.bench.write(20), launcher.fake
    fake.batch_seconds = 0.1
    pace = launcher.pace(bench.folder, mode="batch")
    num_batches = len(fake.batches)
    rng = random.Random(9)
    num_killed = num_series = 0
    while num_killed < 40:
        root, ended, num_killed_here = bench.folder / f"series-{num_series}", None, 0
        num_series += 1
        while ended != 0:
            wait = rng.uniform(0.0, 0.9 * pace.seconds(1.0)) if num_killed_here < 6 else None
            begin = time.monotonic()
            ended = launcher.run(root, kill_after_seconds=wait, mode="batch")
            if ended == 0 and num_killed_here == 0:
                pace.note(time.monotonic() - begin, 1.0)
            num_killed += ended != 0
            num_killed_here += ended != 0
            fake.wait_for_gone_clients()
        num_batches += 1
        assert len(fake.batches) == num_batches, "a kill led to a second batch"
    assert len(fake.ledger) == (2 + num_series) * len(bench.due)
    print(f"{num_killed} kills in {num_series} series")
