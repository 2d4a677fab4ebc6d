"""Resampling of clusters, and the interval between percentiles of the resamples. Pure."""

import math
from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from plumbline.intervals import NORMAL, Floats

NUM_RESAMPLES = 2000
CHUNK = 4_000_000
"""Most numbers held at a time: 10^5 clusters, each drawn 2,000 times, would not fit into memory."""


def numbered(clusters: Sequence[Hashable]) -> NDArray[np.int64]:
    """Number of each row's cluster, counted in the order of first appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters], dtype=np.int64)


def drawn_clusters(num_clusters: int, *, size: int, generator: np.random.Generator) -> Floats:
    """How often each cluster is drawn in each resample. Shape: (size, num_clusters)."""
    return generator.multinomial(num_clusters, np.full(num_clusters, 1 / num_clusters), size=size).astype(float)


def chunks(num_resamples: int, num_clusters: int) -> Iterator[int]:
    """Sizes of the chunks in which resamples are made."""
    most = max(1, CHUNK // num_clusters)
    for start in range(0, num_resamples, most):
        yield min(most, num_resamples - start)


def resampled_sums(values_CM: Floats, *, num_resamples: int, generator: np.random.Generator) -> Floats:
    """Sums over the clusters of each resample. Shape: (num_resamples, M)."""
    parts = [drawn_clusters(len(values_CM), size=size, generator=generator) @ values_CM for size in chunks(num_resamples, len(values_CM))]
    return np.concatenate(parts)


def reach_of(num_clusters: int) -> float:
    """Standard errors between an estimate and a bound of its 95 % interval; more than 1.96 if there are few clusters.

    Student's t and sqrt(C / (C - 1)), as in `statistics.bca_interval`; infinite for one cluster.
    """
    if num_clusters < 2:
        return math.inf
    return math.sqrt(num_clusters / (num_clusters - 1)) * float(stdtrit(num_clusters - 1, 0.975))


def percentile_interval(low_B: Floats, high_B: Floats, *, num_clusters: int, bounds: tuple[float, float]) -> tuple[float, float]:
    """The 95 % interval of resampled values, each known as a range from `low_B` to `high_B`. `bounds`: the possible range."""
    reach = reach_of(num_clusters)
    if math.isinf(reach):
        return bounds
    low, high = float(np.quantile(low_B, NORMAL.cdf(-reach))), float(np.quantile(high_B, NORMAL.cdf(reach)))
    return max(bounds[0], low), min(bounds[1], high)
