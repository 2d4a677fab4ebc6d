"""How far one set of scores agrees with another: the judge with people, or a new judge with an old one. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.judging.prompt import CORRECT_FROM, SCALE, JudgeItem, item_key

MIN_LABELS = 60
"""Fewer labels than this leave the judge uncalibrated."""
MIN_BRIDGE = 100
"""Answers that two judges must share before their scales may be set side by side."""
NUM_RESAMPLES = 2000


def answer_key(item: JudgeItem) -> str:
    """Name of an answer to a question, whoever judges it."""
    return item_key("label", item)


def weighted_kappa(first: Sequence[float], second: Sequence[float], weights: Sequence[float] | None = None) -> float | None:
    """Cohen's kappa with quadratic disagreement weights over the scale; None where chance agreement is total.

    `weights`: how many answers each pair stands for. Source: Cohen 1968, Psychological Bulletin 70(4).
    """
    place = {score: number for number, score in enumerate(SCALE)}
    counts = np.zeros((len(SCALE), len(SCALE)))
    for one, other, weight in zip(first, second, weights or [1.0] * len(first), strict=True):
        counts[place[one], place[other]] += weight
    steps = np.arange(len(SCALE))
    disagreement = (steps[:, None] - steps[None, :]) ** 2
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1e-300)
    expected = float((disagreement * chance).sum())
    return None if expected == 0 else 1.0 - float((disagreement * counts).sum()) / expected


@dataclass(frozen=True)
class Labelled:
    """One answer with both scores."""

    arm: str
    judge: float
    human: float
    weight: float
    """How many judged answers of its stratum (arm and judge's score) each label stands for."""


def stratified_weights(population: Sequence[tuple[str, float]], sample: Sequence[tuple[str, float]]) -> list[float]:
    """Return for each sampled (arm, score) how many answers of the population it stands for."""
    whole, drawn = Counter(population), Counter(sample)
    return [whole[stratum] / drawn[stratum] for stratum in sample]


def draw_strata(population: Sequence[tuple[Hashable, str, float]], count: int) -> list[Hashable]:
    """Draw `count` answers, given as (name, arm, score), as evenly over (arm, score) as they are there; input order decides within one.

    Even, not proportional: agreement is needed where scores are rare as well; the weights undo it.
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


def _share(rows: Sequence[Labelled], true: Callable[[Labelled], bool], among: Callable[[Labelled], bool]) -> float | None:
    total = math.fsum(row.weight for row in rows if among(row))
    return None if total == 0 else math.fsum(row.weight for row in rows if among(row) and true(row)) / total


def _rates(rows: Sequence[Labelled]) -> tuple[float | None, float | None]:
    sensitivity = _share(rows, lambda row: row.judge >= CORRECT_FROM, lambda row: row.human >= CORRECT_FROM)
    specificity = _share(rows, lambda row: row.judge < CORRECT_FROM, lambda row: row.human < CORRECT_FROM)
    return sensitivity, specificity


def corrected_share(share: float, sensitivity: float | None, specificity: float | None) -> float | None:
    """Return the share of truly right answers behind a judged share, 0-1; None where the judge tells right from wrong too badly.

    Source: arXiv 2511.21140 (Rogan and Gladen 1978).
    """
    if sensitivity is None or specificity is None or sensitivity + specificity - 1 < 0.1:
        return None
    return min(1.0, max(0.0, (share + specificity - 1) / (sensitivity + specificity - 1)))


def calibration(
    labels: Sequence[tuple[str, float, float]], judged: Mapping[str, Sequence[float]], *, seed: int, num_resamples: int = NUM_RESAMPLES
) -> dict[str, object]:
    """Compare the judge with people.

    `labels`: (arm, judge's score, human score) of each labelled answer; `judged`: arm -> all scores of the judge. Shares and
    differences are fractions 0-1. Corrected shares carry a 95 % interval from resampling labels within their strata and answers.
    """
    population = [(arm, score) for arm, scores in judged.items() for score in scores]
    weights = stratified_weights(population, [(arm, judge) for arm, judge, _ in labels])
    rows = [Labelled(arm, judge, human, weight) for (arm, judge, human), weight in zip(labels, weights, strict=True)]
    if not rows:
        return {"num_labels": 0, "is_calibrated": False}
    total = math.fsum(row.weight for row in rows)
    sensitivity, specificity = _rates(rows)
    bias = {arm: _mean_gap([row for row in rows if row.arm == arm]) for arm in sorted(judged)}
    return {
        "num_labels": len(rows),
        "is_calibrated": len(rows) >= MIN_LABELS,
        "exact_agreement": math.fsum(row.weight for row in rows if row.judge == row.human) / total,
        "weighted_kappa": weighted_kappa([row.judge for row in rows], [row.human for row in rows], [row.weight for row in rows]),
        "mean_absolute_error": math.fsum(row.weight * abs(row.judge - row.human) for row in rows) / total,
        "bias": bias,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "correct_share": {arm: _corrected(arm, rows, judged[arm], seed=seed, num_resamples=num_resamples) for arm in sorted(judged)},
    }


def _mean_gap(rows: Sequence[Labelled]) -> float | None:
    total = math.fsum(row.weight for row in rows)
    return None if total == 0 else math.fsum(row.weight * (row.judge - row.human) for row in rows) / total


def _corrected(arm: str, rows: Sequence[Labelled], scores: Sequence[float], *, seed: int, num_resamples: int) -> dict[str, object]:
    passed = np.array([score >= CORRECT_FROM for score in scores], dtype=float)
    if not passed.size:
        return {"judged": None, "corrected": None, "ci95": None}
    sensitivity, specificity = _rates(rows)
    value = corrected_share(float(passed.mean()), sensitivity, specificity)
    rng = np.random.default_rng([seed, *arm.encode()])
    strata: dict[tuple[str, float], list[Labelled]] = defaultdict(list)
    for row in rows:
        strata[row.arm, row.judge].append(row)
    found: list[float] = []
    for _ in range(num_resamples if value is not None else 0):
        again = [group[number] for _, group in sorted(strata.items()) for number in rng.integers(len(group), size=len(group))]
        share = float(passed[rng.integers(passed.size, size=passed.size)].mean())
        resampled = corrected_share(share, *_rates(again))
        if resampled is not None:
            found.append(resampled)
    interval = [float(bound) for bound in np.quantile(found, [0.025, 0.975])] if len(found) > num_resamples // 2 else None
    return {"judged": float(passed.mean()), "corrected": value, "ci95": interval}


def bridge(pairs: Sequence[tuple[str, str, float, float]], *, seed: int, num_resamples: int = NUM_RESAMPLES) -> dict[str, object]:
    """Compare two judges on the same answers, given as (arm, cluster, old score, new score).

    The shift is new minus old, with a 95 % interval from resampling clusters. The two scales are then read side by side, never spliced.
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
