"""Judging against calls x latency / concurrency, and against one call after another.

    python -m bench.judging --concurrency 1 4 16 64 --latency 1 --rounds 3 3 3 8
    python -m bench.judging --calls 640 --latency 2 --concurrency 64

The judge stage asks a server on this machine that answers after a fixed time. The study's script made one call after another: a
loop over the items, the same requests by the same SDK, nothing kept on disk. Prints machine, versions, n, and for each concurrency
the calls per second and the time beyond the ideal, in per cent, for the whole run and for the part after its first two rounds. The first rounds
hold the start, the opening of all connections and the first replies, which all come at once. The SDK is imported before the clock starts.
"""

import argparse
import multiprocessing
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import patch

import anthropic

import plumbline.judging.claude_judge  # noqa: F401 -- before the clock starts
from bench.measurements import Curve, Point, add_json_flag, measured, point, write_measured
from plumbline.judging.items import DueAnswers
from plumbline.judging.prompt import request_body
from plumbline.judging.verdict_store import VerdictStore
from plumbline.number_text import signed_ascii
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.judgement import RawReply
from plumbline.rows.question import Question
from tests.fakes.claude_server import KEY, FakeClaude, serving
from tests.fakes.judge_bench import ARMS, Bench, settings

LOOP, STAGE = "one after another", "judge stage"
NUM_START_ROUNDS = 2
"""Left out of the numbers of the steady state."""


def seconds_per_append(folder: Path, count: int) -> list[float]:
    """Time of each synced append of a reply of the usual size."""
    store = VerdictStore(folder)
    reply = RawReply(
        attempt=1, stop_reason="end_turn", model="m", request_id="r", body='"' + "x" * 1500 + '"', input_tokens=1, output_tokens=1
    )
    took = []
    for number in range(count):
        start = time.perf_counter()
        store.add(f"{number:064x}", reply)
        took.append(time.perf_counter() - start)
    return took


def serve(latency_seconds: float, announce: Connection) -> None:
    """Be the server, in a separate process, until killed."""
    with serving(FakeClaude(latency_seconds=latency_seconds)) as fake:
        announce.send(fake.base_url)
        threading.Event().wait()


def one_after_another(bench: Bench, num_calls: int) -> float:
    """Calls per second of a plain loop over the first items."""
    arms = {arm: list(read_jsonl(bench.paths[arm], Answer)) for arm in ARMS}
    due = DueAnswers(list(read_jsonl(bench.paths["questions"], Question)), arms)
    params = settings()
    assert params.model is not None and params.max_tokens is not None, "settings of the model judge"
    requests = [
        request_body(due.item(number), model=params.model, max_tokens=params.max_tokens, effort=params.effort)
        for number in range(num_calls)
    ]
    client = anthropic.Anthropic(max_retries=0)
    start = time.perf_counter()
    for request in requests:
        client.messages.create(**request)
    return len(requests) / (time.perf_counter() - start)


@contextmanager
def keeping_time() -> Iterator[list[float]]:
    """The moments at which the stage has a reply on disk, in a list that grows."""
    moments: list[float] = []
    add = VerdictStore.add

    def timed_add(store: VerdictStore, key: str, reply: RawReply) -> None:
        add(store, key, reply)
        moments.append(time.perf_counter())

    with patch.object(VerdictStore, "add", timed_add):
        yield moments


def beyond_after_start(moments: list[float], concurrency: int, latency_seconds: float) -> float | None:
    """Per cent beyond the ideal, from the last reply of the start to the last of all; None if nothing comes after the start."""
    num_start = NUM_START_ROUNDS * concurrency
    if len(moments) < num_start + concurrency:
        return None
    took = max(moments) - sorted(moments)[num_start - 1]
    return 100 * (took / ((len(moments) - num_start) * latency_seconds / concurrency) - 1)


def measure(bench: Bench, concurrency: int, calls: int, latency_seconds: float, repeats: int) -> tuple[list[float], dict[str, float]]:
    """Calls per second of each repetition of the stage, and the other numbers about them."""
    os.environ["PLUMBLINE_JUDGE_CONCURRENCY"] = str(concurrency)
    bench.write(calls // 2)
    ideal = calls * latency_seconds / concurrency
    rates: list[float] = []
    later: list[float] = []
    busy = time.process_time()
    for _ in range(repeats):
        with keeping_time() as moments:
            start = time.perf_counter()
            bench.run(epoch=time.perf_counter_ns(), max_cost_usd=None)  # a new epoch: nothing is in the store yet
            rates.append(calls / (time.perf_counter() - start))
        assert len(moments) == calls, "the timed function did not keep every reply"
        if (steady := beyond_after_start(moments, concurrency, latency_seconds)) is not None:
            later.append(steady)
    milliseconds = 1000 * (time.process_time() - busy) / calls / repeats
    beyond = [100 * (calls / rate / ideal - 1) for rate in rates]
    print(
        f"{calls} calls of {latency_seconds} s, {concurrency} at a time: {statistics.median(rates):.1f} calls/s, beyond the ideal "
        f"{signed_ascii(statistics.median(beyond), 1)} % ({signed_ascii(min(beyond), 1)} to {signed_ascii(max(beyond), 1)}), {milliseconds:.1f} ms of processor per call",
        flush=True,
    )
    besides = {"beyond the ideal, %": statistics.median(beyond)}
    if later:
        besides["beyond it after two rounds, %"] = statistics.median(later)
        print(
            f"    after the first {NUM_START_ROUNDS} rounds {signed_ascii(statistics.median(later), 1)} % ({signed_ascii(min(later), 1)} to {signed_ascii(max(later), 1)})",
            flush=True,
        )
    return rates, besides | {"processor per call, ms": milliseconds}


def main(concurrencies: list[int], calls: int | None, latency_seconds: float, rounds: list[int], repeats: int) -> list[Point]:
    """Measure and print. `rounds`: of each concurrency."""
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}, anthropic {version('anthropic')}")
    print(f"load {os.getloadavg()[0]:.1f} at the start, {repeats} repetitions", flush=True)
    announced, announce = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("fork").Process(target=serve, args=(latency_seconds, announce), daemon=True)
    server.start()
    points = []
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": announced.recv(), "DVC_ROOT": name}
        bench = Bench(Path(name)).write(2 * min(rounds))
        loop = [one_after_another(bench, min(rounds)) for _ in range(repeats)]
        print(f"one after another: {statistics.median(loop):.2f} calls/s")
        for concurrency, num_rounds in zip(concurrencies, rounds, strict=True):
            num_calls = calls or 2 * max(1, round(num_rounds * concurrency / 2))
            rates, besides = measure(bench, concurrency, num_calls, latency_seconds, repeats)
            points.append(point(concurrency, {LOOP: loop, STAGE: rates}, naive=LOOP, ours=STAGE, better="more", **besides))
        appended = sorted(seconds_per_append(Path(name) / "store", 300))
    server.kill()
    print(f"synced append: median {1000 * appended[150]:.2f} ms, 99 % below {1000 * appended[297]:.2f} ms (n = 300)")
    return points


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.judging", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[16])
    parser.add_argument("--calls", type=int, help="of each repetition; else rounds x concurrency")
    parser.add_argument(
        "--rounds", type=int, nargs="+", default=[8], help="calls that each place makes one after another: for all, or for each concurrency"
    )
    parser.add_argument("--latency", type=float, default=0.5, help="of a call, in seconds")
    parser.add_argument("--repeats", type=int, default=3)
    add_json_flag(parser)
    given = parser.parse_args()
    rounds = given.rounds * len(given.concurrency) if len(given.rounds) == 1 else given.rounds
    if len(rounds) != len(given.concurrency):
        parser.error(f"--rounds: one number for all, or one for each of {len(given.concurrency)} concurrencies; {len(rounds)} were given.")
    found = main(given.concurrency, given.calls, given.latency, rounds, given.repeats)
    write_measured(
        given.json,
        measured(
            name="judging",
            title="Judging by calls",
            what=f"The judge stage against one call after another; a server on this machine answers each call after {given.latency:g} s. The ideal is calls x latency / concurrency; "
            f"what is beyond it in the first {NUM_START_ROUNDS} rounds is the start: connections, and replies that all come at once.",
            curve=Curve(x="calls at a time", unit="calls/s", better="more", naive=LOOP, ours=STAGE, points=found),
        ),
    )
