"""Correct the judged difference of two arms with people's labels of a sample, each arm by its own labels. Pure.

Post-stratification: the answers of an arm with the same judge's score form a stratum, and people's mean in it replaces
the judge's score. The two arms are never pooled: if a judge is lenient to one of them, the other one would lose.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from plumbline.judging.agreement import step_of
from plumbline.judging.labelled_strata import Stratum, deviations_of, drawn_gaps, neighbouring_gap, strata_of
from plumbline.judging.prompt import SCALE
from plumbline.judging.resampling import NUM_RESAMPLES, chunks, drawn_clusters, percentile_interval
from plumbline.statistics import Floats, checked_scores

ArmName = Literal["first", "second"]
ARM_NAMES: tuple[ArmName, ArmName] = ("first", "second")
Side = tuple[float, str]
"""The judge's score of an answer, and its part."""


@dataclass(frozen=True, slots=True)
class Label:
    """One answer that both the judge and people scored."""

    arm: ArmName
    judge: float
    human: float
    weight: float = 1.0
    """How many answers of its stratum it represents, up to a factor. 1 if all answers were equally likely to be drawn."""
    cluster: Hashable | None = None
    """Cluster of its question; None means that the label stands alone. Labels of a cluster are resampled with its questions."""
    part: str = ""
    """What a second judge said about the answer, if there is one. Each part of a stratum is a separate stratum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlabelled:
    """A stratum in which no one has labelled an answer."""

    arm: ArmName
    judge: float
    num_answers: int
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """Mean scores of two arms and their difference, second minus first, as people would have given them. Fractions 0-1."""

    delta: float
    ci95: tuple[float, float]
    """It covers the uncertainty of questions and labels. In a stratum without labels, people's mean may be anything in 0..1."""
    first: float
    first_ci95: tuple[float, float]
    second: float
    second_ci95: tuple[float, float]
    num_labels: int
    unlabelled: tuple[Unlabelled, ...]

    @property
    def width(self) -> float:
        """Width of the interval of the difference."""
        return self.ci95[1] - self.ci95[0]


@dataclass(frozen=True, slots=True)
class _Cluster:
    """A unit of resampling: pairs of judge's scores, and the labels that belong to them. Sorted, so the caller's order has no effect."""

    pairs: tuple[tuple[Side, Side], ...]
    labels: tuple[tuple[int, float, float, float, str], ...]
    """Each label as number of the arm, judge's score, people's score, weight, part."""


def corrected_difference(
    first: Sequence[float],
    second: Sequence[float],
    labels: Sequence[Label],
    *,
    clusters: Sequence[Hashable] | None,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
    parts: tuple[Sequence[str], Sequence[str]] | None = None,
) -> Corrected:
    """Correct the judge's scores of the same questions in two arms with human labels of a sample of the answers.

    Within a stratum the sample must be random, or have known probabilities, for which the weights correct. ValueError if an
    arm has no label: the other arm's labels say nothing about it. A stratum without labels takes the gap between people
    and judge from the labelled steps next to it in the same arm. The interval allows any mean in it. A stratum with
    one label shows no spread, so it takes the spread of the other labels of its arm. `parts`: for the answers of each arm,
    what a second judge said about them (Label.part). Then answers may be labelled more often if the judges disagree.
    Source: post-stratification is prediction-powered inference with a saturated calibration, arXiv 2601.05420.
    """
    for arm, scores in zip(ARM_NAMES, (first, second), strict=True):
        checked_scores(scores, arm)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} first and {len(second)} second scores. Give scores of the same questions in both arms.")
    if len(first) == 0:
        raise ValueError("There are no pairs. Give at least one question with a judge's score in both arms.")
    if clusters is not None and len(clusters) != len(first):
        raise ValueError(f"{len(clusters)} clusters for {len(first)} pairs. Give one per question.")
    if parts is not None and (len(parts[0]), len(parts[1])) != (len(first), len(second)):
        raise ValueError(f"{len(parts[0])} and {len(parts[1])} parts for {len(first)} pairs. Give one for each answer.")
    for label in labels:
        checked_scores([label.judge, label.human], "label")
        if not (math.isfinite(label.weight) and label.weight > 0):
            raise ValueError(f"A label has weight {label.weight!r}. Give a number above 0.")
    for arm in ARM_NAMES:
        if all(label.arm != arm for label in labels):
            raise ValueError(f"The {arm} arm has no label, and labels of the other arm say nothing about it. Label answers of both arms.")
    sides: list[list[Side]] = [
        [(float(score), part) for score, part in zip(scores, of, strict=True)]
        for scores, of in zip((first, second), parts or ([""] * len(first), [""] * len(second)), strict=True)
    ]
    together, alone = _clusters_of(list(zip(*sides, strict=True)), labels, clusters)
    mirrored_together, mirrored_alone = [_mirrored(one) for one in together], _mirrored(alone)
    # One order of the arms is computed and the other mirrored, so that swapping the arms changes only signs.
    key, mirrored_key = (
        [*sorted((one.pairs, one.labels) for one in group), (single.pairs, single.labels)]
        for group, single in ((together, alone), (mirrored_together, mirrored_alone))
    )
    if mirrored_key < key:
        found = _corrected(mirrored_together, mirrored_alone, seed=seed, num_resamples=num_resamples)
        return _swapped(found)
    return _corrected(together, alone, seed=seed, num_resamples=num_resamples)


def _clusters_of(
    scored: Sequence[tuple[Side, Side]], labels: Sequence[Label], clusters: Sequence[Hashable] | None
) -> tuple[list[_Cluster], _Cluster]:
    """The clusters of the questions, and the labels that belong to no cluster."""
    names = [("cluster", cluster) for cluster in clusters] if clusters is not None else [("question", n) for n in range(len(scored))]
    pairs: dict[Hashable, list[tuple[Side, Side]]] = defaultdict(list)
    for name, pair in zip(names, scored, strict=True):
        pairs[name].append(pair)
    held: dict[Hashable, list[tuple[int, float, float, float, str]]] = defaultdict(list)
    alone: list[tuple[int, float, float, float, str]] = []
    for label in labels:
        row = (ARM_NAMES.index(label.arm), float(label.judge), float(label.human), float(label.weight), label.part)
        name = ("cluster", label.cluster)
        (held[name] if label.cluster is not None and name in pairs else alone).append(row)
    return [_Cluster(tuple(sorted(pairs[name])), tuple(sorted(held[name]))) for name in pairs], _Cluster((), tuple(sorted(alone)))


def _mirrored(cluster: _Cluster) -> _Cluster:
    return _Cluster(
        tuple(sorted((second, first) for first, second in cluster.pairs)),
        tuple(sorted((1 - arm, judge, human, weight, part) for arm, judge, human, weight, part in cluster.labels)),
    )


def _swapped(found: Corrected) -> Corrected:
    other: dict[ArmName, ArmName] = {"first": "second", "second": "first"}
    return replace(
        found,
        delta=-found.delta,
        ci95=(-found.ci95[1], -found.ci95[0]),
        first=found.second,
        first_ci95=found.second_ci95,
        second=found.first,
        second_ci95=found.first_ci95,
        unlabelled=tuple(
            sorted((replace(one, arm=other[one.arm]) for one in found.unlabelled), key=lambda one: (one.arm, one.judge, one.part))
        ),
    )


def _corrected(together: Sequence[_Cluster], alone: _Cluster, *, seed: int, num_resamples: int) -> Corrected:
    ordered = sorted(together, key=lambda one: (one.pairs, one.labels))
    strata = strata_of(
        (*label, number if number < len(ordered) else -1) for number, one in enumerate((*ordered, alone)) for label in one.labels
    )
    sizes_C = np.array([len(one.pairs) for one in ordered], dtype=float)
    judged_CA = np.array([[math.fsum(pair[arm][0] for pair in one.pairs) for arm in (0, 1)] for one in ordered])
    present = sorted({_stratum(pair, arm) for one in ordered for pair in one.pairs for arm in (0, 1)})
    counts_CS = np.array([[sum(_stratum(pair, of[0]) == of for pair in one.pairs) for of in present] for one in ordered], dtype=float)
    gaps = {stratum: strata[stratum].gap if stratum in strata else neighbouring_gap(stratum, strata) for stratum in present}
    mean_A = judged_CA.sum(axis=0) / sizes_C.sum()
    shares_S = counts_CS.sum(axis=0) / sizes_C.sum()
    for place, stratum in enumerate(present):
        mean_A[stratum[0]] += shares_S[place] * gaps[stratum]

    generator = np.random.default_rng(seed)
    lows: list[Floats] = []
    highs: list[Floats] = []
    for size in chunks(num_resamples, len(ordered)):
        drawn_BC = drawn_clusters(len(ordered), size=size, generator=generator)
        total_B = drawn_BC @ sizes_C
        low_BA = drawn_BC @ judged_CA / total_B[:, None]
        high_BA = low_BA.copy()
        shares_BS = drawn_BC @ counts_CS / total_B[:, None]
        for place, (arm, step, part) in enumerate(present):
            if (arm, step, part) in strata:
                gap_B = drawn_gaps(strata[arm, step, part], drawn_BC, deviations_of(arm, strata), generator)
                low_BA[:, arm] += shares_BS[:, place] * gap_B
                high_BA[:, arm] += shares_BS[:, place] * gap_B
            else:
                low_BA[:, arm] -= shares_BS[:, place] * SCALE[step]
                high_BA[:, arm] += shares_BS[:, place] * (1 - SCALE[step])
        lows.append(low_BA)
        highs.append(high_BA)
    low_BA, high_BA = np.concatenate(lows), np.concatenate(highs)
    intervals = [_interval(low_BA[:, arm], high_BA[:, arm], float(mean_A[arm]), len(ordered), least=0.0) for arm in (0, 1)]
    delta = float(mean_A[1] - mean_A[0])
    return Corrected(
        delta=delta,
        ci95=_interval(low_BA[:, 1] - high_BA[:, 0], high_BA[:, 1] - low_BA[:, 0], delta, len(ordered), least=-1.0),
        first=float(mean_A[0]),
        first_ci95=intervals[0],
        second=float(mean_A[1]),
        second_ci95=intervals[1],
        num_labels=sum(len(one.labels) for one in (*ordered, alone)),
        unlabelled=tuple(
            Unlabelled(arm=ARM_NAMES[arm], judge=SCALE[step], num_answers=int(counts_CS[:, place].sum()), part=part)
            for place, (arm, step, part) in enumerate(present)
            if (arm, step, part) not in strata
        ),
    )


def _stratum(pair: tuple[Side, Side], arm: int) -> Stratum:
    score, part = pair[arm]
    return arm, step_of(score), part


def _interval(low_B: Floats, high_B: Floats, estimate: float, num_clusters: int, *, least: float) -> tuple[float, float]:
    low, high = percentile_interval(low_B, high_B, num_clusters=num_clusters, bounds=(least, 1.0))
    return min(low, estimate), max(high, estimate)
