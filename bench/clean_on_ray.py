"""When Ray pays: `clean` on Ray beside the local engine, as many processes each, on this machine; then by arithmetic on more.

    .venv/ray/bin/python -m bench.clean_on_ray --rows 1000 10000 100000 1000000 --repeat 3    # after make clean-on-ray
    python -m bench.clean_on_ray --rows 10000 100000 --only-split                             # what `split` takes, in one process

Rows and measures are those of bench/clean_rows.py.
"""

import argparse
import os
import platform
import sys
import tempfile
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.clean_rows import ROOT, Run, report, run_clean, timed, write_rows
from stages.io.params import read_yaml
from stages.io.workers import num_workers
from stages.split import SplitParams
from stages.split import main as split

SOURCE = Path("data/raw/embedded/train.jsonl")


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
    """Rows from which Ray on `times` as many processes is sooner done than `workers` processes here; None where it never is.

    By processor seconds, which other work on the machine stretches little; `start` is the run of a few rows on Ray. What the
    process itself does is not divided among the others.
    """
    alone = (local.processor_seconds - local.own_seconds) / workers + local.own_seconds
    own = ray.own_seconds - start.own_seconds
    spread = (ray.processor_seconds - start.processor_seconds - own) / (workers * times) + own
    gained_per_row = (alone - spread) / num_rows
    return start.seconds / gained_per_row if gained_per_row > 0 else None


def bench() -> None:
    """Parse the sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=SOURCE)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument(
        "--only-split", action="store_true", help="not on Ray: clean, then split what was kept, which holds all rows in memory"
    )
    chosen = parser.parse_args()
    if not chosen.source.is_file():
        sys.exit(f"{chosen.source} is missing: run `dvc repro synthesize`, or give another file with --source.")
    print(f"{platform.platform()}, {num_workers()} workers, Python {platform.python_version()}", end="")
    print("".join(f", {name} {version(name)}" for name in ("orjson", "numpy", *["ray"] * (not chosen.only_split))), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source.jsonl"
        curve: dict[int, dict[str, Run]] = {}
        for num_rows in chosen.rows:
            write_rows(chosen.source, source, num_rows, seed=1)
            local = partial(run_clean, source, folder, "off")
            if chosen.only_split:
                timed(local)
                report("split", num_rows, [timed(partial(run_split, folder)) for _ in range(chosen.repeat)])
                continue
            arms: dict[str, list[Run]] = {"clean": [], "clean on Ray": []}
            for _ in range(chosen.repeat):
                arms["clean"].append(timed(local))
                arms["clean on Ray"].append(timed(partial(run_on_ray, source, folder)))
            for arm, runs in arms.items():
                report(arm, num_rows, runs)
            curve[num_rows] = {arm: min(runs) for arm, runs in arms.items()}
            ratios = sorted(one.seconds / other.seconds for one, other in zip(arms["clean on Ray"], arms["clean"], strict=True))
            print(f"{'':28} Ray takes {median(ratios):.2f} times as long [{ratios[0]:.2f}, {ratios[-1]:.2f}], pair by pair", flush=True)
    if not curve:
        return
    fewest, most = min(curve), max(curve)
    for times in (1, 2, 4, 8, 16):
        start, here, ray = curve[fewest]["clean on Ray"], curve[most]["clean"], curve[most]["clean on Ray"]
        rows = pays_from_rows(start, here, ray, most, num_workers(), times)
        print(f"Ray on {times * num_workers()} processes pays from {f'{rows:,.0f} rows on' if rows else 'no number of rows on'}")


if __name__ == "__main__":
    bench()
