"""How often a 95 % interval of a paired difference holds the truth: percentile, BCa, and BCa widened for few clusters.

Run: python -m bench.interval_coverage. One core, about a minute; numbers in docs/experiments.md.
"""

import numpy as np

from stages.logic.statistics import bca_interval, tango_interval, units_of

ROUNDS = 1000
NUM_RESAMPLES = 1000
TRUTH = 24 / 35 - 1 / 2
"""E[sqrt(s)] - E[s] for s ~ Beta(2, 2): base knows a share s of a cluster, tuned sqrt(s)."""


def percentile_interval(sums: np.ndarray, sizes: np.ndarray, seed: int) -> tuple[float, float]:
    drawn = np.random.default_rng(seed).integers(0, len(sums), size=(NUM_RESAMPLES, len(sums)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    print(f"{ROUNDS} data sets each; standard error of a coverage near 0.95: {np.sqrt(0.95 * 0.05 / ROUNDS):.3f}")
    print("clusters x questions   percentile   BCa     BCa widened   (share of intervals that hold the truth; mean width)")
    for num_clusters, size in ((6, 20), (12, 12), (20, 8), (40, 4), (160, 1)):
        generator = np.random.default_rng(num_clusters)
        hits, widths = np.zeros(3), np.zeros(3)
        for seed in range(ROUNDS):
            skill = generator.beta(2, 2, num_clusters)[:, None]
            base = (generator.random((num_clusters, size)) < skill).astype(float)
            tuned = (generator.random((num_clusters, size)) < np.sqrt(skill)).astype(float)
            clusters = np.repeat(np.arange(num_clusters), size).tolist()
            units = units_of((tuned - base).ravel(), clusters)
            found = [percentile_interval(units.sums_U, units.sizes_U, seed)]
            found += [bca_interval(units, seed=seed, num_resamples=NUM_RESAMPLES, expand=expand) or (0.0, 0.0) for expand in (False, True)]
            hits += [low <= TRUTH <= high for low, high in found]
            widths += [high - low for low, high in found]
        shares, mean_widths = hits / ROUNDS, widths / ROUNDS
        cells = "   ".join(f"{share:.3f} ({width:.2f})" for share, width in zip(shares, mean_widths, strict=True))
        print(f"{num_clusters:4d} x {size:<3d}   {cells}")
    print("independent 0/1 pairs, few of which disagree: Tango against Wald")
    for n, gained, lost in ((40, 0.05, 0.02), (160, 0.05, 0.02), (160, 0.2, 0.1)):
        generator = np.random.default_rng(n)
        hits = np.zeros(2)
        for _ in range(ROUNDS):
            up, down, _same = generator.multinomial(n, [gained, lost, 1 - gained - lost])
            low, high = tango_interval(int(down), int(up), n)
            half = 1.96 * np.sqrt((up + down) / n - ((up - down) / n) ** 2) / np.sqrt(n)
            hits += [low <= gained - lost <= high, abs((up - down) / n - (gained - lost)) <= half]
        print(f"n = {n:4d}, {gained:.2f} gained, {lost:.2f} lost: Tango {hits[0] / ROUNDS:.3f}, Wald {hits[1] / ROUNDS:.3f}")


if __name__ == "__main__":
    main()
