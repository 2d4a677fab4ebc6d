"""How often a 95 % interval holds the truth: ours, and the BCa bootstrap (widened for few units) that it replaced.

python -m bench.interval_coverage --rounds 1000        one core, about three minutes; numbers in docs/benchmarks.md
"""

import argparse
import math

import numpy as np

from bench.measurements import Table, add_json_flag, tabled, write_measured
from bench.simulated_scores import SHAPES, Floats, Shape
from plumbline.intervals import bca_interval, units_of, wilson_interval
from plumbline.statistics import difference_interval, mean_estimate

LAYOUTS = ((10, 1), (20, 1), (80, 1), (6, 5), (12, 4), (40, 4))
"""Units, and questions in each."""
NUM_RESAMPLES = 1000


def our_interval(values_N: Floats, clusters: list[int] | None, *, paired: bool) -> tuple[float, float]:
    """The interval of the report."""
    if not paired:
        return mean_estimate(values_N.tolist(), clusters=clusters).ci95
    return difference_interval(values_N, units_of(values_N, clusters), binary=False)[0]


def earlier_interval(values_N: Floats, clusters: list[int] | None, *, paired: bool, seed: int) -> tuple[float, float]:
    """BCa over units. If all units are equal: Wilson's interval of units, or the bound for units not seen."""
    units = units_of(values_N, clusters)
    found = bca_interval(units, seed=seed, num_resamples=NUM_RESAMPLES)
    if found is not None:
        return found
    mean, num_units = float(values_N.mean()), len(units.sums_U)
    if not paired:
        return wilson_interval(mean * num_units, num_units)
    unseen = 1 - 0.025 ** (1 / num_units)
    return max(-1.0, mean - unseen), min(1.0, mean + unseen)


def coverage(shape: Shape, num_units: int, size: int, rounds: int, *, earlier: bool) -> tuple[Floats, Floats]:
    """Share of intervals that hold the truth, and their mean width: for ours, and with `earlier` also for BCa."""
    generator = np.random.default_rng(1000 * num_units + size)
    clusters = None if size == 1 else np.repeat(np.arange(num_units), size).tolist()
    hits, widths = np.zeros(1 + earlier), np.zeros(1 + earlier)
    for seed in range(rounds):
        values_N = shape.draw(num_units, size, generator)
        found = [our_interval(values_N, clusters, paired=shape.paired)]
        if earlier:
            found.append(earlier_interval(values_N, clusters, paired=shape.paired, seed=seed))
        hits += [low <= shape.truth + 1e-9 and shape.truth - 1e-9 <= high for low, high in found]
        widths += [high - low for low, high in found]
    return hits / rounds, widths / rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000, help="data sets of each shape and layout")
    add_json_flag(parser)
    chosen = parser.parse_args()
    error = math.sqrt(0.95 * 0.05 / chosen.rounds)
    columns = ["five-step scores", "units x questions", "ours", "BCa, widened", "ratio of widths"]
    rows: list[list[str]] = []
    for shape in SHAPES:
        for num_units, size in LAYOUTS:
            hits, widths = coverage(shape, num_units, size, chosen.rounds, earlier=True)
            cells = [f"{hit:.3f} ({width:.2f})" for hit, width in zip(hits, widths, strict=True)]
            rows.append([shape.name, f"{num_units} x {size}", *cells, f"{widths[0] / widths[1]:.2f}"])
            print("   ".join(rows[-1]), flush=True)
    write_measured(
        chosen.json,
        tabled(
            name="intervals",
            title="How often a 95 % interval holds the truth",
            what=(
                f"Coverage of intervals of an arm's mean and of a paired difference, and mean width in brackets; "
                f"n = {chosen.rounds} data sets each, standard error near 0.95: {error:.3f}."
            ),
            table=Table(columns=columns, rows=rows),
        ),
    )


if __name__ == "__main__":
    main()
