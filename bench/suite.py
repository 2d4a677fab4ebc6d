"""All benchmarks, one after another, into one JSON, the tables of docs/benchmarks.md and a picture: `make bench`.

    python -m bench.suite                       about 7 minutes on two cores; writes into docs/
    python -m bench.suite --size full           longer curves
    python -m bench.suite --size quick          under a minute: only shows that everything works; writes into bench-quick/
    python -m bench.suite --only cleaning       measures these again and keeps the others' numbers
    python -m bench.suite --only                measures nothing: makes tables and picture from the JSON again

Every benchmark is a separate process, with a time limit. If one fails, it says so, the others run, and the exit status is 1.
"""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.curves_picture import draw_curves
from bench.measurements import Machine, Measured, Table, not_measured, read_measured, this_machine
from bench.suite_page import with_blocks
from plumbline.number_text import size_text
from plumbline.pipeline.files import write_text
from plumbline.pipeline.record import Record

ANSWERS = "ANSWERS.jsonl"
PEERS = "PYTHON PYTHON"
"""How a command names the labelled answers, which are not part of the repository. If you have such a file, name its path."""
ROWS_OF = "--source data/raw/embedded/train.jsonl"
SIZES = ("quick", "default", "full")


class Suite(Record):
    """docs/benchmarks.json."""

    machine: Machine
    size: str
    wall_seconds: float
    bench_seconds: dict[str, float]
    """Each program's share of these seconds, its start included."""
    benches: list[Measured]


class Bench(NamedTuple):
    """One line of the suite: a program, its flags by size, and how to read what it wrote."""

    name: str
    title: str
    module: str
    flags: dict[str, str]
    """Size -> command line. `{folder}` is where pictures go, `{answers}` a file of labelled answers. A size without an entry is not run."""
    limit_seconds: int = 600
    missing: Callable[[], str | None] = lambda: None
    """Why it cannot run here."""
    json_flag: str = "--json"
    read: Callable[[Path, "Bench", str], Measured] = lambda path, bench, command: read_measured(path)
    kept: Path | None = None
    """What it left on a machine where it could run: read if it cannot run here."""


def no_gpu() -> str | None:
    if shutil.which("nvidia-smi") and subprocess.run(["nvidia-smi", "-L"], capture_output=True, check=False).returncode == 0:
        return None
    return "no GPU at hand"


def read_gpu(path: Path, bench: Bench, command: str) -> Measured:
    """A GPU benchmark's JSON (bench/arms.py): a row per arm."""
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = []
    for name, arm in found["arms"].items():
        if arm["status"] != "measured":
            rows.append([name, arm["status"], "", ""])
            continue
        mfu, memory = arm.get("mfu"), arm.get("peak_memory_bytes")
        rows.append(
            [
                name,
                f"{arm['tokens_per_second']:,.0f}",
                "" if mfu is None else f"{100 * mfu:.1f} %",
                "" if memory is None else size_text(memory),
            ]
        )
    table = Table(columns=["arm", "tokens/s", "MFU", "peak memory"], rows=rows)
    told = f"{found['device']}, shape of {found['shape']}, torch {found.get('versions', {}).get('torch', 'unknown')}; arms and targets are explained below."
    return not_measured(name=bench.name, title=bench.title, command=command, reason="").model_copy(
        update={"what": told, "table": table, "not_measured": None}
    )


def read_sizes(path: Path, bench: Bench, command: str) -> Measured:
    """A JSON with a list `sizes` of equal objects: a row per object, a column per key."""
    sizes: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["sizes"]
    rows = [[f"{value:,}" if isinstance(value, int) else str(value) for value in one.values()] for one in sizes]
    table = Table(columns=[name.replace("_", " ") for name in sizes[0]], rows=rows)
    return not_measured(name=bench.name, title=bench.title, command=command, reason="").model_copy(
        update={"table": table, "not_measured": None}
    )


BENCHES = (
    Bench(
        "cleaning",
        "Cleaning rows",
        "bench.clean_rows",
        {
            "quick": f"{ROWS_OF} --rows 1000 3000 --pandas-up-to 3000",
            "default": f"{ROWS_OF} --rows 1000 10000 100000 1000000 --repeat 3 --once-from 100000 --pandas-up-to 100000",
            "full": f"{ROWS_OF} --rows 1000 10000 100000 1000000 --repeat 3 --once-from 1000000 --pandas-up-to 100000 --datasets",
        },
    ),
    Bench(
        "training",
        "Training, by the lengths of the rows",
        "bench.training_speed",
        {
            "quick": "--mixes 'all of 64 tokens' --repeats 1 --steps 4",
            "default": "--mixes --repeats 2 --steps 13",
            "full": "--mixes --repeats 5 --steps 23",
        },
    ),
    Bench(
        "answering",
        "Answering questions",
        "bench.answering",
        {
            "quick": "--arms base --questions 10 20 --single-up-to 10 --repeats 1",
            "default": "--arms base --questions 10 100 1000 10000 --repeats 3 --once-from 1000 --single-up-to 1000",
            "full": "--arms base --questions 10 30 100 300 1000 3000 10000 --repeats 3 --single-up-to 1000",
        },
    ),
    Bench(
        "judging",
        "Judging by calls",
        "bench.judging",
        {
            "quick": "--concurrency 1 8 --latency 0.2 --rounds 4 --repeats 1",
            "default": "--concurrency 1 4 16 64 --latency 1 --rounds 3 3 3 8 --repeats 2",
            "full": "--concurrency 1 2 4 8 16 32 64 --latency 2 --rounds 8 --repeats 3",
        },
    ),
    Bench(
        "judging_batches",
        "Judging in batches",
        "bench.judging_batches",
        {"quick": "--answers 300", "default": "--answers 1000 10000", "full": "--answers 1000 10000 100000"},
        json_flag="--out",
        read=read_sizes,
    ),
    Bench(
        "graders",
        "Rule graders against people",
        "bench.grader_confusion",
        dict.fromkeys(SIZES, "--cases {answers}"),
    ),
    Bench(
        "grader_families",
        "Rule graders by family of answer",
        "bench.grader_families",
        dict.fromkeys(SIZES, "--before f8a7ba4 --peers {peers}"),
    ),
    Bench(
        "intervals",
        "How often a 95 % interval holds the truth",
        "bench.interval_coverage",
        {"quick": "--rounds 10", "default": "--rounds 200", "full": "--rounds 1000"},
    ),
    Bench(
        "detectable",
        "How often a detectable effect is found",
        "bench.detectable_effect",
        {"quick": "--sets 1", "default": "--sets 16", "full": "--sets 60"},
    ),
    Bench(
        "judge_correction",
        "What human labels make of a lenient judge",
        "bench.judge_correction",
        {"quick": "--rounds 4", "default": "--rounds 400", "full": "--rounds 1000"},
    ),
    Bench(
        "gpu_train",
        "Training on one GPU",
        "bench.gpu_train",
        dict.fromkeys(SIZES, ""),
        missing=no_gpu,
        json_flag="--out",
        read=read_gpu,
        kept=Path("docs/runs/gpu_train.json"),
    ),
    Bench(
        "gpu_answering",
        "Answering on one GPU",
        "bench.gpu_answering",
        dict.fromkeys(SIZES, ""),
        missing=no_gpu,
        json_flag="--out",
        read=read_gpu,
        kept=Path("docs/runs/gpu_answering.json"),
    ),
)
"""In this order. To add a benchmark, add one entry here; the first run makes its block in docs/benchmarks.md."""


def run(bench: Bench, size: str, folder: Path, answers: Path | None = None, peers: Sequence[str] = ()) -> tuple[Measured, bool]:
    """Run one benchmark: what it found or why it found nothing, and whether it did what it should.

    `answers` are labelled answers, and `peers` are interpreters with other graders; only some benchmarks need them.
    """

    def command_with(answers: str, peers: str) -> str:
        return f"python -m {bench.module} {bench.flags[size].format(folder=folder, answers=answers, peers=peers)}".strip()

    command = command_with(ANSWERS, PEERS)

    def nothing(reason: str) -> Measured:
        return not_measured(name=bench.name, title=bench.title, command=command, reason=reason)

    reason = bench.missing()
    if answers is None and "{answers}" in bench.flags[size]:
        reason = "no labelled answers given (--answers FILE)"
    if reason is not None and bench.kept is not None and bench.kept.is_file():
        print(f"\n{bench.title}: {reason}; the record in {bench.kept} stands", flush=True)
        return bench.read(bench.kept, bench, command), True
    print(f"\n{bench.title}: {command if reason is None else f'not measured, {reason}'}", flush=True)
    if reason is not None:
        return nothing(reason), True
    with tempfile.TemporaryDirectory() as scratch, (Path(scratch) / "errors").open("w+", encoding="utf-8") as errors:
        result = Path(scratch) / "found.json"
        words = [sys.executable, *shlex.split(command_with(shlex.quote(str(answers)), shlex.join(peers)))[1:], bench.json_flag, str(result)]
        try:
            done = subprocess.run(words, stderr=errors, timeout=bench.limit_seconds, check=False)
        except subprocess.TimeoutExpired:
            return nothing(f"it was ended after {bench.limit_seconds} s"), False
        if done.returncode == 0 and result.is_file():
            record = bench.read(result, bench, command)
            # A program writes down how it was called, but the path of a private file must not be published.
            has_own_files = any(name in bench.flags[size] for name in ("{answers}", "{peers}"))
            return record.model_copy(update={"command": command}) if has_own_files else record, True
        errors.seek(0)
        lines = [line.strip() for line in errors if line.strip()] or ["no message"]
        print("\n".join(lines[-20:]), file=sys.stderr)
        return nothing(f"it ended with {done.returncode}: {lines[-1][:300]}"), False


def remeasured(old: Suite, machine: Machine, found: Sequence[Measured]) -> list[Measured]:
    """The old records with some of them replaced. ValueError if the old ones were measured on another machine."""
    here, there = (one.model_copy(update={"load_at_start": 0.0}) for one in (machine, old.machine))
    if found and here != there:
        raise ValueError(f"The present numbers were measured on {there}, and this is {here}. Measure all of them again, without --only.")
    new = {one.name: one for one in found}
    kept = {one.name: one for one in old.benches} | new
    return [kept[bench.name] for bench in BENCHES if bench.name in kept]


def page_of(suite: Suite, text: str) -> str:
    """The page with the suite's numbers."""
    return with_blocks(
        text,
        machine=suite.machine,
        size=suite.size,
        wall_seconds=suite.wall_seconds,
        bench_seconds=suite.bench_seconds,
        benches=suite.benches,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="default")
    parser.add_argument("--only", nargs="*", choices=[bench.name for bench in BENCHES], metavar="NAME")
    parser.add_argument("--folder", type=Path, help="where benchmarks.json, .md and .png are written; without it docs, or bench-quick")
    parser.add_argument(
        "--answers",
        type=Path,
        help="answers with people's verdicts, in the shape that bench.grader_confusion names; without it they are not graded",
    )
    parser.add_argument(
        "--peers", nargs="*", default=[], metavar="PYTHON", help="as bench.grader_families takes them; without it no peer is shown"
    )
    chosen = parser.parse_args(arguments)
    if chosen.answers is not None and not chosen.answers.is_file():
        parser.error(f"{chosen.answers}: no such file. Give --answers JSON lines with people's verdicts.")
    folder: Path = chosen.folder or Path("bench-quick" if chosen.size == "quick" else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    results, page = folder / "benchmarks.json", folder / "benchmarks.md"
    machine = this_machine()
    print(f"{machine.told()}; load {machine.load_at_start} at the start", flush=True)
    began = time.perf_counter()
    wanted = [bench for bench in BENCHES if chosen.only is None or bench.name in chosen.only]
    found, took, well = [], {}, True
    for bench in wanted:
        start = time.perf_counter()
        record, did_well = run(bench, chosen.size, folder, chosen.answers, chosen.peers)
        took[bench.name] = round(time.perf_counter() - start, 1)
        found.append(record)
        well = well and did_well
    seconds = round(time.perf_counter() - began, 1)
    if chosen.only is None:
        suite = Suite(machine=machine, size=chosen.size, wall_seconds=seconds, bench_seconds=took, benches=found)
    else:
        old = Suite.model_validate_json(results.read_text(encoding="utf-8"))
        suite = old.model_copy(update={"benches": remeasured(old, machine, found), "bench_seconds": old.bench_seconds | took})
    write_text(results, suite.model_dump_json(indent=1) + "\n")
    text = page.read_text(encoding="utf-8") if page.is_file() else Path("docs/benchmarks.md").read_text(encoding="utf-8")
    write_text(page, page_of(suite, text))
    draw_curves(suite.benches, folder / "benchmarks.png")
    print(f"\n{seconds:.0f} s; written: {results}, {page}, {folder / 'benchmarks.png'}")
    if not well:
        sys.exit("a benchmark failed: its record says why.")


if __name__ == "__main__":
    main()
