"""How often a 95 % interval of a paired difference holds the truth: percentile, BCa, and BCa widened for few clusters.

python -m bench.interval_coverage --rounds 1000        one core, about a minute; numbers in docs/experiments.md
"""

import argparse

import numpy as np

from bench.measurements import Table, add_json_flag, tabled, write_measured
from plumbline.statistics import bca_interval, tango_interval, units_of

NUM_RESAMPLES = 1000
TRUTH = 24 / 35 - 1 / 2
"""E[sqrt(s)] - E[s] for s ~ Beta(2, 2): base knows a share s of a cluster, tuned sqrt(s)."""


def percentile_interval(sums: np.ndarray, sizes: np.ndarray, seed: int) -> tuple[float, float]:
    drawn = np.random.default_rng(seed).integers(0, len(sums), size=(NUM_RESAMPLES, len(sums)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def coverage_over_clusters(num_clusters: int, size: int, rounds: int) -> list[str]:
    """A row: of each interval the share that holds the truth, and its mean width."""
    generator = np.random.default_rng(num_clusters)
    hits, widths = np.zeros(3), np.zeros(3)
    for seed in range(rounds):
        skill = generator.beta(2, 2, num_clusters)[:, None]
        base = (generator.random((num_clusters, size)) < skill).astype(float)
        tuned = (generator.random((num_clusters, size)) < np.sqrt(skill)).astype(float)
        clusters = np.repeat(np.arange(num_clusters), size).tolist()
        units = units_of((tuned - base).ravel(), clusters)
        found = [percentile_interval(units.sums_U, units.sizes_U, seed)]
        found += [bca_interval(units, seed=seed, num_resamples=NUM_RESAMPLES, expand=expand) or (0.0, 0.0) for expand in (False, True)]
        hits += [low <= TRUTH <= high for low, high in found]
        widths += [high - low for low, high in found]
    return [
        f"{num_clusters} x {size}",
        *(f"{share:.3f} ({width:.2f})" for share, width in zip(hits / rounds, widths / rounds, strict=True)),
    ]


def coverage_of_pairs(n: int, gained: float, lost: float, rounds: int) -> tuple[float, float]:
    """Independent 0/1 pairs, few of which disagree: shares of Tango's and Wald's intervals that hold the truth."""
    generator = np.random.default_rng(n)
    hits = np.zeros(2)
    for _ in range(rounds):
        up, down, _same = generator.multinomial(n, [gained, lost, 1 - gained - lost])
        low, high = tango_interval(int(down), int(up), n)
        half = 1.96 * np.sqrt((up + down) / n - ((up - down) / n) ** 2) / np.sqrt(n)
        hits += [low <= gained - lost <= high, abs((up - down) / n - (gained - lost)) <= half]
    return float(hits[0] / rounds), float(hits[1] / rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000, help="data sets of each shape")
    add_json_flag(parser)
    chosen = parser.parse_args()
    error = float(np.sqrt(0.95 * 0.05 / chosen.rounds))
    print(f"{chosen.rounds} data sets each; standard error of a coverage near 0.95: {error:.3f}")
    columns = ["clusters x questions", "percentile", "BCa", "BCa widened"]
    print("   ".join(columns) + "   (share of intervals that hold the truth; mean width)")
    rows: list[list[str]] = []
    for num_clusters, size in ((6, 20), (12, 12), (20, 8), (40, 4), (160, 1)):
        rows.append(coverage_over_clusters(num_clusters, size, chosen.rounds))
        print("   ".join(rows[-1]), flush=True)
    print("independent 0/1 pairs, few of which disagree: Tango against Wald")
    for n, gained, lost in ((40, 0.05, 0.02), (160, 0.05, 0.02), (160, 0.2, 0.1)):
        tango, wald = coverage_of_pairs(n, gained, lost, chosen.rounds)
        print(f"n = {n:4d}, {gained:.2f} gained, {lost:.2f} lost: Tango {tango:.3f}, Wald {wald:.3f}")
    write_measured(
        chosen.json,
        tabled(
            name="intervals",
            title="How often a 95 % interval holds the truth",
            what=f"Coverage of intervals of a paired difference over clusters, and mean width; n = {chosen.rounds} data sets each, standard error near 0.95: {error:.3f}.",
            table=Table(columns=columns, rows=rows),
        ),
    )


if __name__ == "__main__":
    main()
