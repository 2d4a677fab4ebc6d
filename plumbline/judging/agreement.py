"""How far one set of scores agrees with another: the judge with people, or a new judge with an old one. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from plumbline.judging.prompt import SCALE, JudgeItem, item_key
from plumbline.judging.resampling import NUM_RESAMPLES

MIN_BRIDGE = 100
"""Answers that two judges must share before their scores may be compared."""


def answer_key(item: JudgeItem) -> str:
    """Name of an answer to a question, the same for every judge."""
    return item_key("label", item)


def step_of(score: float) -> int:
    """Number of the step on the scale that is nearest to a score in 0..1."""
    return min(range(len(SCALE)), key=lambda step: abs(SCALE[step] - score))


def weighted_kappa(first: Sequence[float], second: Sequence[float], weights: Sequence[float] | None = None) -> float | None:
    """Cohen's kappa with quadratic disagreement weights over the scale; None if agreement by chance is total.

    `weights`: how many answers each pair represents. Source: Cohen 1968, Psychological Bulletin 70(4).
    """
    counts = np.zeros((1, len(SCALE), len(SCALE)))
    for one, other, weight in zip(first, second, weights or [1.0] * len(first), strict=True):
        counts[0, step_of(one), step_of(other)] += weight
    kappa = float(kappas_of(counts)[0])
    return None if math.isnan(kappa) else kappa


def kappas_of(counts_BSS: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kappa of each table of counts, first scores down and second across; NaN if agreement by chance is total."""
    steps = np.arange(counts_BSS.shape[1])
    disagreement = (steps[:, None] - steps[None, :]) ** 2
    total_B = np.maximum(counts_BSS.sum(axis=(1, 2)), 1e-300)
    chance_BSS = counts_BSS.sum(axis=2)[:, :, None] * counts_BSS.sum(axis=1)[:, None, :] / total_B[:, None, None]
    expected_B = (disagreement * chance_BSS).sum(axis=(1, 2))
    observed_B = (disagreement * counts_BSS).sum(axis=(1, 2))
    return np.where(expected_B > 0, 1.0 - observed_B / np.where(expected_B > 0, expected_B, 1.0), np.nan)


def draw_strata(population: Sequence[tuple[Hashable, str, float]], count: int) -> list[Hashable]:
    """Draw `count` answers, given as (name, arm, score), as evenly over (arm, score) as possible. Input order decides within one.

    The draw is even, not proportional, since agreement on rare scores matters too. The weights correct for this.
    """
    strata: dict[tuple[str, float], list[Hashable]] = defaultdict(list)
    for name, arm, score in population:
        strata[arm, score].append(name)
    drawn: list[Hashable] = []
    while len(drawn) < min(count, len(population)):
        for stratum in sorted(strata):
            if strata[stratum] and len(drawn) < count:
                drawn.append(strata[stratum].pop(0))
    return drawn


def bridge(pairs: Sequence[tuple[str, str, float, float]], *, seed: int, num_resamples: int = NUM_RESAMPLES) -> dict[str, object]:
    """Compare two judges on the same answers, given as (arm, cluster, old score, new score).

    The shift is new minus old, with a 95 % interval from resampling clusters. Scores of the two judges are never joined into one series.
    """
    if not pairs:
        return {"num_answers": 0, "is_enough": False}
    clusters: dict[str, list[float]] = defaultdict(list)
    for _, cluster, old, new in pairs:
        clusters[cluster].append(new - old)
    sums: NDArray[np.float64] = np.array([math.fsum(gaps) for _, gaps in sorted(clusters.items())])
    sizes: NDArray[np.float64] = np.array([len(gaps) for _, gaps in sorted(clusters.items())], dtype=float)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(sums), size=(num_resamples, len(sums)))
    shifts = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    confusion = Counter((old, new) for _, _, old, new in pairs)
    by_arm = {arm: [new - old for one, _, old, new in pairs if one == arm] for arm in sorted({pair[0] for pair in pairs})}
    return {
        "num_answers": len(pairs),
        "is_enough": len(pairs) >= MIN_BRIDGE,
        "mean_shift": math.fsum(gap for gaps in clusters.values() for gap in gaps) / len(pairs),
        "ci95": [float(bound) for bound in np.quantile(shifts, [0.025, 0.975])],
        "shift_by_arm": {arm: math.fsum(gaps) / len(gaps) for arm, gaps in by_arm.items()},
        "exact_agreement": sum(old == new for _, _, old, new in pairs) / len(pairs),
        "weighted_kappa": weighted_kappa([old for _, _, old, _ in pairs], [new for _, _, _, new in pairs]),
        "confusion": [{"old": old, "new": new, "count": count} for (old, new), count in sorted(confusion.items())],
    }
