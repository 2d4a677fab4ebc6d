"""Where the uncertainty of a mean comes from: the questions, the sampling of answers, the training seeds. Pure.

Each part is a variance of the mean, and an unbiased estimate, even if two arms have unequal numbers of samples. It may be below 0 if it is too
small to see. One assumption: a question with too few scored samples to show its own sampling is like the others. Their sum is the variance of
the mean over other questions, other draws and other trainings. Units are clusters of questions. Scores are in 0..1.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from plumbline.reporting.scored import Sample, Scored

Samples = Mapping[Sample, float]
"""Number of a sample -> its score, without those that have no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceSplit:
    """The variance of one mean, or of one mean difference, in parts that add up."""

    n: int
    """Questions."""
    num_units: int
    num_samples: float
    """Mean number of scored samples of a question; for a difference, of the arm that has fewer."""
    num_seeds: int
    """Trainings; with 1, nothing is known about them."""
    questions: float
    sampling: float | None
    """None if each question has one answer, drawn or greedy: then nothing is known about it."""
    seeds: float | None
    """None with one training. It includes that another training is right on other questions."""

    @property
    def total(self) -> float:
        """Of the mean."""
        return self.questions + (self.sampling or 0.0) + (self.seeds or 0.0)


def samples_of(row: Scored) -> dict[Sample, float]:
    """The scores of a question's samples; of a single answer its own."""
    return {answer.sample: answer.score for answer in row.answers if answer.score is not None}


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The scored samples of one arm on one question, two or more, and how they enter the mean."""

    weight: float
    scores: Samples


@dataclass(frozen=True, slots=True)
class _Question:
    """What one question gives."""

    mean: float
    drawn: tuple[_Drawn, ...]
    """Empty with one sample: then nothing is known about its sampling."""
    num_samples: int
    cluster: str


def covariance(first: _Drawn, second: _Drawn) -> float | None:
    """Of two weighted means, unbiased, whatever their numbers of samples; of one with itself its variance.

    Samples of one number were drawn with the same random numbers, those of two numbers have nothing in common. None if a single number is in
    both: that they have something in common is known then, but not how much.
    """
    common = [number for number in first.scores if number in second.scores]
    if len(common) == 1:
        return None
    if not common:
        return 0.0
    mine, others = [first.scores[number] for number in common], [second.scores[number] for number in common]
    my_mean, other_mean = math.fsum(mine) / len(mine), math.fsum(others) / len(others)
    products = math.fsum((one - my_mean) * (other - other_mean) for one, other in zip(mine, others, strict=True))
    share = len(common) / (len(first.scores) * len(second.scores))
    return first.weight * second.weight * share * products / (len(common) - 1)


def sampling_variance(drawn: Sequence[_Drawn]) -> float | None:
    """Of the sum of weighted means; None if a part of it is not known."""
    parts = [covariance(first, second) for first in drawn for second in drawn]
    known = [part for part in parts if part is not None]
    return math.fsum(known) if len(known) == len(parts) else None


def of_arm(row: Scored) -> _Question | None:
    """One arm on one question; None without a verdict."""
    scores = samples_of(row)
    if not scores:
        return None
    drawn = (_Drawn(1.0, scores),) if len(scores) > 1 else ()
    return _Question(math.fsum(scores.values()) / len(scores), drawn, len(scores), row.cluster)


def of_difference(first: Scored, second: Scored) -> _Question | None:
    """Second minus first on one question; None without a verdict in one arm. An arm with one answer to each question is greedy, or counts as if it were."""
    before, after = samples_of(first), samples_of(second)
    if not before or not after:
        return None
    mean = math.fsum(after.values()) / len(after) - math.fsum(before.values()) / len(before)
    drawn = tuple(_Drawn(weight, scores) for weight, scores in ((1.0, after), (-1.0, before)) if len(scores) > 1)
    counts = sorted((len(before), len(after)))
    return _Question(mean, drawn, counts[0] if counts[0] > 1 else counts[1], first.cluster)


def cluster_sums(values_NR: NDArray[np.float64], clusters: Sequence[str]) -> NDArray[np.float64]:
    """Sum rows by cluster. Shapes: (N, R) -> (U, R)."""
    places: dict[str, int] = {}
    numbers = [places.setdefault(cluster, len(places)) for cluster in clusters]
    sums_UR = np.zeros((len(places), values_NR.shape[1]))
    np.add.at(sums_UR, numbers, values_NR)
    return sums_UR


def mean_sampling(runs: Sequence[Mapping[str, _Question]], ids: Sequence[str]) -> float | None:
    """Variance by sampling of the mean over these questions and runs; a question that cannot show its own is taken to be like the others."""
    known: dict[str, float] = {}
    for name in ids:
        if not all(run[name].drawn for run in runs):
            continue
        drawn = [_Drawn(one.weight / len(runs), one.scores) for run in runs for one in run[name].drawn]
        if (found := sampling_variance(drawn)) is not None:
            known[name] = found
    if not known:
        return None
    counts = {name: fmean(run[name].num_samples for run in runs) for name in ids}
    usual = fmean(spread * counts[name] for name, spread in known.items())
    return math.fsum(known.get(name, usual / counts[name]) for name in ids) / len(ids) ** 2


def split_of(runs: Sequence[Mapping[str, _Question]]) -> VarianceSplit | None:
    """The parts, from one run or from several trainings of one setting: question -> what it gives. None with fewer than two units.

    Only questions with a verdict in every run count.
    """
    ids = [name for name in runs[0] if all(name in run for run in runs)]
    clusters = [runs[0][name].cluster for name in ids]
    num_units, n, num_seeds = len(set(clusters)), len(ids), len(runs)
    if num_units < 2:
        return None
    scores_NR = np.array([[run[name].mean for run in runs] for name in ids])
    factor = num_units / (num_units - 1)
    means_N, runs_R = scores_NR.mean(axis=1, keepdims=True), scores_NR.mean(axis=0, keepdims=True)
    mean = float(scores_NR.mean())
    between = factor * float((cluster_sums(means_N - mean, clusters) ** 2).sum()) / n**2
    sampling = mean_sampling(runs, ids)
    counts = [run[name].num_samples for name in ids for run in runs]
    seeds, questions = None, between - (sampling or 0.0)
    if num_seeds > 1:
        # The joint part of question and training: it is in the spread of the questions and in the spread of the trainings.
        rest_NR = scores_NR - means_N - runs_R + mean
        rest = factor * float((cluster_sums(rest_NR, clusters) ** 2).sum()) / (n**2 * num_seeds * (num_seeds - 1))
        # All trainings draw with the same numbers, so part of the sampling is common to them and is in the questions alone.
        of_one = fmean(mean_sampling([run], ids) or 0.0 for run in runs)
        own = (of_one - (sampling or 0.0)) / (num_seeds - 1)
        seeds = float(runs_R.var(ddof=1)) / num_seeds - own
        questions = between - rest - (of_one - own * num_seeds)
    return VarianceSplit(
        n=n,
        num_units=num_units,
        num_samples=sum(counts) / len(counts),
        num_seeds=num_seeds,
        questions=questions,
        sampling=sampling,
        seeds=seeds,
    )


def arm_split(runs: Sequence[Mapping[str, Scored]]) -> VarianceSplit | None:
    """Of an arm's mean score; `runs`: question -> row, one mapping per training."""
    return split_of([{name: found for name, row in run.items() if (found := of_arm(row)) is not None} for run in runs])


def pair_split(runs: Sequence[tuple[Mapping[str, Scored], Mapping[str, Scored]]]) -> VarianceSplit | None:
    """Of the mean difference of two arms, second minus first; a pair of mappings per training."""
    return split_of(
        [
            {name: found for name in first if name in second and (found := of_difference(first[name], second[name])) is not None}
            for first, second in runs
        ]
    )


def standard_error(part: float | None) -> float:
    """A part as a standard error; 0 for a part below 0, which is too small to see."""
    return math.sqrt(max(part or 0.0, 0.0))


def needed_to_halve(total: float, part: float, count: float) -> int | None:
    """How many samples (or seeds), instead of `count`, halve the standard error of the mean; None if no number does."""
    other = total - part
    if part <= 0 or total <= 0 or other >= total / 4:
        return None
    return math.ceil(part * count / (total / 4 - other) - 1e-9)


def has_samples(rows: Mapping[str, Mapping[str, Scored]]) -> bool:
    """Whether any arm gave several answers to a question; `rows`: arm -> question -> row."""
    return any(row.samples for mine in rows.values() for row in mine.values())


def by_arm(scored: Sequence[Scored]) -> dict[str, dict[str, Scored]]:
    """Arm -> question -> row."""
    found: dict[str, dict[str, Scored]] = defaultdict(dict)
    for row in scored:
        found[row.arm][row.id] = row
    return dict(found)
