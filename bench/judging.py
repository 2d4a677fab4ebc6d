"""Wall time of judging against calls x latency / concurrency, and what durability costs.

    python -m bench.judging --calls 400 --latency 0.5 --concurrency 16

The judge stage asks a server on this machine that answers after a fixed time. Prints machine, versions, n, and for each
repetition the seconds beyond the ideal, in per cent; the SDK is imported before the clock starts.
"""

import argparse
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path

import stages.io.claude
import stages.io.claude_batches  # noqa: F401 -- before the clock starts
from stages.io.verdict_store import VerdictStore
from stages.records.judgement import RawReply
from tests.fakes.claude_server import KEY, FakeClaude, serving
from tests.fakes.judge_bench import Bench


def seconds_per_append(folder: Path, count: int) -> list[float]:
    """Time of each synced append of a reply of usual size."""
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
    """Be the server, in a process of its own, until killed."""
    with serving(FakeClaude(latency_seconds=latency_seconds)) as fake:
        announce.send(fake.base_url)
        threading.Event().wait()


def main(calls: int, latency_seconds: float, concurrency: int, repeats: int) -> None:
    """Measure and print."""
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}, anthropic {version('anthropic')}")
    print(
        f"load {os.getloadavg()[0]:.1f} at the start; {calls} calls of {latency_seconds} s, {concurrency} at a time, {repeats} repetitions"
    )
    ideal = calls * latency_seconds / concurrency
    beyond = []
    announced, announce = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("fork").Process(target=serve, args=(latency_seconds, announce), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": announced.recv(), "PLUMBLINE_JUDGE_CONCURRENCY": str(concurrency)}
        os.environ["DVC_ROOT"] = name
        bench = Bench(Path(name)).write(calls // 2)
        for repeat in range(repeats):
            start, busy = time.perf_counter(), time.process_time()
            bench.run(epoch=repeat, max_cost_usd=None)
            took = time.perf_counter() - start
            beyond.append(100 * (took / ideal - 1))
            busy = time.process_time() - busy
            print(f"{took:6.2f} s, ideal {ideal:.2f} s, {beyond[-1]:+.1f} %; {1000 * busy / calls:.1f} ms of processor per call")
        appended = sorted(seconds_per_append(Path(name) / "store", 300))
    server.kill()
    print(f"beyond the ideal: median {statistics.median(beyond):+.1f} %, from {min(beyond):+.1f} to {max(beyond):+.1f} %")
    print(f"synced append: median {1000 * appended[150]:.2f} ms, 99 % below {1000 * appended[297]:.2f} ms (n = 300)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.judging", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    sys.exit(main(given.calls, given.latency, given.concurrency, given.repeats))
