"""Time and memory of `clean` on many rows, with the same work in plain `datasets.map` beside it.

    python -m bench.clean_rows --rows 10000 100000 1000000

The rows are those of a real file repeated with changes, so that deduplication has work: one copy in five is exact,
the others differ by a number or a clause. Prints machine, versions, and for each size: seconds (best and spread of the
repetitions), processor seconds (what a busy machine does not stretch much), rows per second, and the largest resident
memory of all processes together, polled every 20 ms.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import psutil

from stages.clean import CleanParams, main
from stages.io.params import read_yaml
from stages.io.workers import num_workers
from stages.logic.row_cleaning import Cleaned, Policy, clean_line, content_keys
from stages.records.cleaning_codes import Rule

ROOT = Path(__file__).resolve().parent.parent
CLAUSES = ("", " Give a reason.", " Say it briefly.", " Use SI units.", " Show each step.", " Assume ideal conditions.")


def write_rows(source: Path, target: Path, num_rows: int, seed: int) -> None:
    """Write `num_rows` rows, drawn from the lines of `source`, most of them changed."""
    generator = random.Random(seed)
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").split("\n") if line.strip()]
    with target.open("w", encoding="utf-8") as stream:
        for index in range(num_rows):
            row = dict(rows[index % len(rows)])
            if index >= len(rows) and generator.random() > 0.2:
                row["instruction"] += f" (case {generator.randrange(10**6)}){generator.choice(CLAUSES)}"
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def measured(work: Callable[[], None]) -> tuple[float, int, float]:
    """Seconds, largest sum of resident bytes, and processor seconds of a fresh process that does the work, with its children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = multiprocessing.get_context("fork").Process(target=work)
    peak = 0
    started = time.perf_counter()
    process.start()
    ended = threading.Event()

    def poll() -> None:
        nonlocal peak
        parent = psutil.Process(process.pid)
        while not ended.wait(0.02):
            try:
                peak = max(peak, sum(one.memory_info().rss for one in [parent, *parent.children(recursive=True)]))
            except psutil.NoSuchProcess:
                continue

    watcher = threading.Thread(target=poll)
    watcher.start()
    process.join()
    seconds = time.perf_counter() - started
    ended.set()
    watcher.join()
    if process.exitcode:
        sys.exit(f"a measured process ended with {process.exitcode}")
    ended_use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, peak, ended_use.ru_utime + ended_use.ru_stime - used.ru_utime - used.ru_stime


def params(near_duplicate: str) -> CleanParams:
    """The section of params.yaml, with the near-duplicate rule as asked: it has a budget of its own."""
    section = read_yaml(ROOT / "params.yaml")["clean"]
    return CleanParams.model_validate(section | {"format": "alpaca", "rules": section["rules"] | {"near_duplicate": near_duplicate}})


def run_clean(source: Path, folder: Path, near_duplicate: str) -> None:
    """The stage as DVC runs it."""
    main(
        params(near_duplicate),
        source=source,
        kept=folder / "kept.jsonl",
        quarantined=folder / "quarantined.jsonl",
        metrics=folder / "data.json",
    )


def run_datasets(source: Path, folder: Path) -> None:
    """The same row function under `datasets`: load, map, drop what was rejected and what repeats, write."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
    import datasets

    section = params("off")
    policy = Policy(
        "alpaca",
        {Rule(name): action for name, action in section.rules.model_dump().items()},
        section.min_output_characters,
        section.max_output_characters,
    )
    active = policy.active

    def clean_one(row: dict[str, str]) -> dict[str, object]:
        verdict = clean_line(json.dumps(dict(row), ensure_ascii=False).encode(), policy, active)
        if not isinstance(verdict, Cleaned):
            return {"instruction": "", "input": "", "output": "", "reason": verdict.reason, "key": b""}
        return {
            "instruction": verdict.instruction,
            "input": verdict.input,
            "output": verdict.output,
            "reason": "",
            "key": content_keys(verdict)[1],
        }

    seen: set[bytes] = set()

    def is_new(row: dict[str, object]) -> bool:
        key = row["key"]
        assert isinstance(key, bytes)
        if not key or key in seen:
            return False
        seen.add(key)
        return True

    table = datasets.load_dataset("json", data_files=str(source), split="train", cache_dir=str(folder / "cache"))
    table = table.map(clean_one, num_proc=num_workers())
    table.filter(is_new).remove_columns(["reason", "key"]).to_json(folder / "kept.jsonl", force_ascii=False)


def report(name: str, num_rows: int, runs: list[tuple[float, int, float]]) -> None:
    """One line of the result."""
    seconds = sorted(run[0] for run in runs)
    peak = max(run[1] for run in runs)
    spread = f"{seconds[0]:.1f}" if len(seconds) == 1 else f"{seconds[0]:.1f} (to {seconds[-1]:.1f}, n={len(seconds)})"
    busy = min(run[2] for run in runs)
    rate = num_rows / seconds[0]
    print(
        f"{name:28} {num_rows:>9} rows {spread:>20} s {busy:>7.1f} s of processors {rate:>8.0f} rows/s {peak / 2**20:>6.0f} MiB", flush=True
    )


def bench() -> None:
    """Parse the sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=ROOT.parent / "shared" / "data" / "physics" / "alpaca_physics_5k_raw.jsonl")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--near", action="store_true", help="also with the near-duplicate search")
    parser.add_argument("--datasets", action="store_true", help="also in plain datasets.map")
    parser.add_argument("--long-line", action="store_true", help="also one line of 100 MiB")
    chosen = parser.parse_args()
    print(f"{platform.platform()}, {num_workers()} workers, Python {platform.python_version()}", end="")
    print("".join(f", {name} {version(name)}" for name in ("orjson", "numpy", "rensa", "datasets")), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for num_rows in chosen.rows:
            source = folder / "source.jsonl"
            write_rows(chosen.source, source, num_rows, seed=1)
            report("clean", num_rows, [measured(partial(run_clean, source, folder, "off")) for _ in range(chosen.repeat)])
            if chosen.near:
                report(
                    "clean with near-duplicates",
                    num_rows,
                    [measured(partial(run_clean, source, folder, "flag")) for _ in range(chosen.repeat)],
                )
            if chosen.datasets:
                report("datasets.map, same work", num_rows, [measured(partial(run_datasets, source, folder)) for _ in range(chosen.repeat)])
        if chosen.long_line:
            source = folder / "long.jsonl"
            good = json.dumps({"instruction": "What is the SI unit of energy?", "input": "", "output": "The joule."}) + "\n"
            source.write_text(good)
            idle = measured(partial(run_clean, source, folder, "off"))
            with source.open("w") as stream:
                stream.write(good + json.dumps({"instruction": "q?", "input": "", "output": "x" * (100 << 20)}) + "\n")
            long = measured(partial(run_clean, source, folder, "off"))
            print(f"one line of 100 MiB: {long[0]:.2f} s, {(long[1] - idle[1]) / 2**20:.0f} MiB more than without it")


if __name__ == "__main__":
    bench()
