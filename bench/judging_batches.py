"""Memory of the judge stage in batch mode against the number of answers, and its account against the server's.

    python -m bench.judging_batches --answers 1000 10000 100000

`python -m stages.judge` runs as a separate process for each size and asks a server on this machine. The server's replies are as long
as a real judge's (2.6 kB stored, thinking included). Prints machine, versions, peak memory, growth per answer, processor seconds, and
the cost that the stage states next to what the server billed. 10^5 answers take some minutes.
"""

import argparse
import os
import platform
import re
import resource
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from plumbline.pipeline.files import write_json
from tests.fakes.claude_server import serving
from tests.fakes.judging_at_scale import lay_out, ledger_usd, run, server_for_many


def measure(num_answers: int, folder: Path) -> dict[str, object]:
    """Judge that many answers; AssertionError if the stage's account differs from the server's."""
    root = lay_out(folder / str(num_answers), num_answers=num_answers)
    with serving(server_for_many()) as fake:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        judged = run(root, fake)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(judged.said, file=sys.stderr)
        assert judged.exit_code == 0, judged.said
        again = run(root, fake)
        said = re.search(r"cost (\d+\.\d+) USD", judged.said)
        billed = ledger_usd(fake)
        assert said is not None and abs(float(said[1]) - billed) < 1e-4, f"said {judged.said}, billed {billed}"
        assert len(fake.ledger) == num_answers and again.exit_code == 0, "a reply was paid for twice, or not at all"
        return {
            "answers": num_answers,
            "batches": len(fake.batches),
            "largest_batch_bytes": fake.largest_batch_bytes,
            "peak_bytes": judged.peak_bytes,
            "peak_bytes_from_store": again.peak_bytes,
            "processor_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
            "wall_seconds": round(judged.wall_seconds, 1),
            "said_usd": float(said[1]),
            "billed_usd": round(billed, 4),
        }


def main(sizes: list[int], out: Path | None) -> None:
    """Measure and print."""
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}, anthropic {version('anthropic')}")
    print("answers  batches  largest MB  peak MB  more per answer, kB  again MB  processor s  said USD  billed USD")
    found: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        for size in sizes:
            row = measure(size, Path(name))
            growth = "-"
            if found:
                growth = f"{(row['peak_bytes'] - found[-1]['peak_bytes']) / (size - found[-1]['answers']) / 1e3:.2f}"  # type: ignore[operator]
            found.append(row)
            print(
                f"{size:7d} {row['batches']:8d} {row['largest_batch_bytes'] / 1e6:11.1f} {row['peak_bytes'] / 1e6:8.0f} {growth:>20s} "  # type: ignore[operator]
                f"{row['peak_bytes_from_store'] / 1e6:9.0f} {row['processor_seconds']:12.1f} {row['said_usd']:9.4f} {row['billed_usd']:11.4f}",  # type: ignore[operator]
                flush=True,
            )
    if out is not None:
        write_json(out, {"python": platform.python_version(), "anthropic": version("anthropic"), "sizes": found})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m bench.judging_batches", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--answers", type=int, nargs="+", default=[1000, 10_000], help="sizes, ascending")
    parser.add_argument("--out", type=Path, help="also write the numbers as JSON")
    given = parser.parse_args()
    main(given.answers, given.out)
