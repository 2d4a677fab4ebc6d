"""Time and memory of `clean` on many rows, with the same work in a pandas loop, in plain `datasets.map` and on Ray next to it.

    python -m bench.clean_rows --rows 10000 100000 1000000 --pandas-up-to 100000
    make bench-on-ray     # also on Ray, 10^3 to 10^6 rows, in a separate environment

The rows are those of a file repeated with changes, so that deduplication has work: one copy in five is exact,
the others differ by a number or a clause. Prints machine, versions, and for each size: seconds (best and spread of the
repetitions), processor seconds (a busy machine hardly stretches them), rows per second, and the largest resident
memory of all processes together, polled every 20 ms (memory that processes share is counted in each). All ways of a repetition run one
after another. With --ray it ends with the number of rows from which Ray on more processes pays.
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
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

from bench.measurements import Curve, Point, add_json_flag, measured, point, write_measured
from plumbline.cleaning.cleaned_row import Cleaned, content_keys
from plumbline.cleaning.codes import Rule
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.row_cleaning import clean_line
from plumbline.cleaning.workers import num_workers
from plumbline.pipeline.params import read_yaml
from stages.clean import CleanParams, main
from stages.split import SplitParams
from stages.split import main as split

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


class Run(NamedTuple):
    """One measured run of a fresh process with its children."""

    seconds: float
    peak_bytes: int
    """Largest sum of resident memory."""
    processor_seconds: float
    own_seconds: float
    """Processor seconds of the process itself: more processes do not reduce them."""


def timed(work: Callable[[], None], load: Callable[[], object] = lambda: None) -> Run:
    """Do the work in a fresh process and watch it.

    `load` imports what the work needs and this process does not have, before the clocks start.
    """
    loaded, tell = multiprocessing.Pipe(duplex=False)

    def run() -> None:
        load()
        tell.send(time.process_time())
        work()

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy: dict[int, float] = {}
    process = multiprocessing.get_context("fork").Process(target=run)
    peak = 0
    process.start()
    loading = loaded.recv()
    started = time.perf_counter()
    ended = threading.Event()

    def poll() -> None:
        nonlocal peak
        parent = psutil.Process(process.pid)
        while not ended.wait(0.02):
            try:
                together = 0
                for one in [parent, *parent.children(recursive=True)]:
                    with one.oneshot():
                        times = one.cpu_times()
                        busy[one.pid] = times.user + times.system
                        together += one.memory_info().rss
                peak = max(peak, together)
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
    reaped = ended_use.ru_utime + ended_use.ru_stime - used.ru_utime - used.ru_stime
    # No one waits for all of Ray's processes, so what they were last seen with is nearer to the truth.
    return Run(seconds, peak, max(reaped, sum(busy.values())) - loading, busy.get(process.pid or 0, loading) - loading)


def params(near_duplicate: str) -> CleanParams:
    """The section of params.yaml, with the near-duplicate rule as asked: that rule has a separate budget."""
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


def run_on_ray(source: Path, folder: Path) -> None:
    """The stage on Ray, with as many processes on this machine."""
    os.environ["PLUMBLINE_RAY_ADDRESS"] = "local"
    run_clean(source, folder, "off")


def run_split(folder: Path) -> None:
    """The stage `split` on what was kept, with the embedded benchmark."""
    section = SplitParams.model_validate(read_yaml(ROOT / "params.yaml")["split"])
    outputs = {name: folder / f"{name}.jsonl" for name in ("train", "validation", "questions", "overlap")}
    split(section, kept=folder / "kept.jsonl", benchmark=ROOT / section.benchmark, **outputs)


def pays_from_rows(start: Run, local: Run, ray: Run, num_rows: int, workers: int, times: int) -> float | None:
    """Rows from which Ray on `times` as many processes is faster than `workers` processes here; None if it never is.

    Counted in processor seconds, because other work on the machine hardly stretches them; `start` is the run of a few rows on Ray. The work of the
    process itself is not divided among the others.
    """
    alone = (local.processor_seconds - local.own_seconds) / workers + local.own_seconds
    own = ray.own_seconds - start.own_seconds
    spread = (ray.processor_seconds - start.processor_seconds - own) / (workers * times) + own
    gained_per_row = (alone - spread) / num_rows
    return start.seconds / gained_per_row if gained_per_row > 0 else None


def plain_policy() -> Policy:
    """The rules of params.yaml, without those that look at several rows."""
    section = params("off")
    return Policy(
        "alpaca",
        {Rule(name): action for name, action in section.rules.model_dump().items()},
        section.min_output_characters,
        section.max_output_characters,
    )


def run_pandas(source: Path, folder: Path) -> None:
    """The same row function in a loop over a frame, as a script would have it: load, `iterrows`, a list of dicts, write."""
    import pandas

    policy = plain_policy()
    active = policy.active
    seen: set[bytes] = set()
    kept = []
    frame = pandas.read_json(source, lines=True, dtype=False)  # pyright: ignore[reportArgumentType] -- pandas takes a bool, its types do not
    for _, row in frame.iterrows():
        verdict = clean_line(json.dumps(row.to_dict(), ensure_ascii=False).encode(), policy, active)
        if not isinstance(verdict, Cleaned):
            continue
        key = content_keys(verdict)[1]
        if key not in seen:
            seen.add(key)
            kept.append({"instruction": verdict.instruction, "input": verdict.input, "output": verdict.output})
    pandas.DataFrame(kept).to_json(folder / "kept_by_pandas.jsonl", orient="records", lines=True, force_ascii=False)


def run_datasets(source: Path, folder: Path) -> None:
    """The same row function under `datasets`: load, map, drop rejected and repeated rows, write."""
    import datasets

    policy = plain_policy()
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
    table.filter(is_new).remove_columns(["reason", "key"]).to_json(folder / "kept_by_datasets.jsonl", force_ascii=False)


def report(name: str, num_rows: int, runs: list[Run]) -> None:
    """One line of the result."""
    seconds = sorted(run.seconds for run in runs)
    peak = max(run.peak_bytes for run in runs)
    spread = f"{seconds[0]:.1f}" if len(seconds) == 1 else f"{seconds[0]:.1f} (to {seconds[-1]:.1f}, n={len(seconds)})"
    busy = min(run.processor_seconds for run in runs)
    rate = num_rows / seconds[0]
    print(
        f"{name:28} {num_rows:>9} rows {spread:>20} s {busy:>7.1f} s of processors {rate:>8.0f} rows/s {peak / 2**20:>6.0f} MiB", flush=True
    )


class Way(NamedTuple):
    """One way to clean a source into a folder."""

    run: Callable[[Path, Path], None]
    library: str | None = None
    """Imported before the clocks start."""


CLEAN, PANDAS, RAY = "clean", "pandas loop", "clean on Ray"
WAYS = {
    CLEAN: Way(partial(run_clean, near_duplicate="off")),
    PANDAS: Way(run_pandas, "pandas"),
    RAY: Way(run_on_ray),
    "clean with near-duplicates": Way(partial(run_clean, near_duplicate="flag")),
    "datasets.map": Way(run_datasets, "datasets"),
    "split": Way(lambda source, folder: run_split(folder)),
}
"""Ways of a repetition run in this order; `split` takes what `clean` has kept."""


def measure_size(source: Path, folder: Path, num_rows: int, ways: list[str], repeats: int) -> dict[str, list[Run]]:
    """Run the ways in turn and print a line for each."""
    found: dict[str, list[Run]] = {way: [] for way in ways}
    for _ in range(repeats):
        for name in ways:
            way = WAYS[name]
            load = partial(import_module, way.library) if way.library else lambda: None
            found[name].append(timed(partial(way.run, source, folder), load))
    for way, runs in found.items():
        report(way, num_rows, runs)
    if RAY in found:
        ratios = sorted(one.seconds / other.seconds for one, other in zip(found[RAY], found[CLEAN], strict=True))
        print(f"{'':28} Ray takes {median(ratios):.2f} times as long [{ratios[0]:.2f}, {ratios[-1]:.2f}], pair by pair", flush=True)
    return found


def tell_when_ray_pays(curve: dict[int, dict[str, list[Run]]]) -> None:
    """The number of rows from which Ray pays, by the fastest runs of the smallest and the largest size."""
    fewest, most = min(curve), max(curve)
    start, local, ray = min(curve[fewest][RAY]), min(curve[most][CLEAN]), min(curve[most][RAY])
    for times in (1, 2, 4, 8, 16):
        rows = pays_from_rows(start, local, ray, most, num_workers(), times)
        print(f"Ray on {times * num_workers()} processes pays from {f'{rows:,.0f} rows on' if rows else 'no number of rows on'}")


def measure_long_line(folder: Path) -> None:
    """One line of 100 MiB must not cost its size in memory."""
    source = folder / "long.jsonl"
    good = json.dumps({"instruction": "What is the SI unit of energy?", "input": "", "output": "The joule."}) + "\n"
    source.write_text(good)
    idle = timed(partial(run_clean, source, folder, "off"))
    with source.open("w") as stream:
        stream.write(good + json.dumps({"instruction": "q?", "input": "", "output": "x" * (100 << 20)}) + "\n")
    long = timed(partial(run_clean, source, folder, "off"))
    print(f"one line of 100 MiB: {long.seconds:.2f} s, {(long.peak_bytes - idle.peak_bytes) / 2**20:.0f} MiB more than without it")


def as_point(num_rows: int, found: dict[str, list[Run]]) -> Point:
    """Wall seconds of every way, and its memory at the highest."""
    besides = {f"{way}, MiB": max(run.peak_bytes for run in runs) / 2**20 for way, runs in found.items()}
    seconds = {way: [run.seconds for run in runs] for way, runs in found.items()}
    return point(num_rows, seconds, naive=PANDAS, ours=CLEAN, better="less", **besides)


def bench() -> None:
    """Parse the sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--source", type=Path, default=Path("data/raw/embedded/train.jsonl"), help="a file of rows; that of the embedded run by default"
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--once-from", type=int, default=10**9, metavar="ROWS", help="from this many rows on, one repetition")
    parser.add_argument("--pandas-up-to", type=int, default=0, metavar="ROWS", help="also in a pandas loop, up to this many rows")
    parser.add_argument("--near", action="store_true", help="also with the near-duplicate search")
    parser.add_argument("--datasets", action="store_true", help="also in plain datasets.map")
    parser.add_argument("--split", action="store_true", help="then also split what was kept, which holds all rows in memory")
    parser.add_argument("--ray", action="store_true", help="also on Ray with as many processes on this machine")
    parser.add_argument("--long-line", action="store_true", help="also one line of 100 MiB")
    add_json_flag(parser)
    chosen = parser.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    if not chosen.source.is_file():
        sys.exit(
            f"{chosen.source} is missing: give another file with --source; `dvc repro synthesize` writes data/raw/embedded/train.jsonl."
        )
    print(f"{platform.platform()}, {num_workers()} workers, Python {platform.python_version()}", end="")
    packages = ("orjson", "numpy", "rensa", "datasets", "pandas", *["ray"] * chosen.ray)
    print("".join(f", {name} {version(name)}" for name in packages), flush=True)
    wanted = {RAY: chosen.ray, "clean with near-duplicates": chosen.near, "datasets.map": chosen.datasets, "split": chosen.split}
    curve: dict[int, dict[str, list[Run]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for num_rows in chosen.rows:
            source = folder / "source.jsonl"
            write_rows(chosen.source, source, num_rows, seed=1)
            ways = [way for way in WAYS if wanted.get(way, num_rows <= chosen.pandas_up_to if way == PANDAS else True)]
            curve[num_rows] = measure_size(source, folder, num_rows, ways, 1 if num_rows >= chosen.once_from else chosen.repeat)
        if chosen.ray:
            tell_when_ray_pays(curve)
        if chosen.long_line:
            measure_long_line(folder)
    write_measured(
        chosen.json,
        measured(
            name="cleaning",
            title="Cleaning rows",
            what="`clean` against the same row function in a pandas loop; wall seconds of a fresh process, and the memory of all its processes at its highest.",
            curve=Curve(
                x="rows", unit="s", better="less", naive=PANDAS, ours=CLEAN, points=[as_point(rows, found) for rows, found in curve.items()]
            ),
        ),
    )


if __name__ == "__main__":
    bench()
