"""How far the judge agrees with people, and people agree with each other, on answers drawn for labelling. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from plumbline.judging.agreement import kappas_of, step_of, weighted_kappa
from plumbline.judging.disputed import Stratum
from plumbline.judging.prompt import CORRECT_FROM, SCALE
from plumbline.judging.resampling import NUM_RESAMPLES, numbered, percentile_interval, resampled_sums
from plumbline.statistics import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledAnswer:
    """One answer that the judge scored, and all scores that people gave it."""

    key: str
    arm: str
    judge: float
    human: tuple[float, ...]
    """One score for each labeller, at least one."""
    weight: float
    """How many judged answers it represents."""
    cluster: str
    length: int
    """Characters of the answer."""
    part: str = ""
    """What a second judge said about it, if there is one."""

    @property
    def human_mean(self) -> float:
        """Mean of all labellers: with two of them, a median would lean to one side."""
        return math.fsum(self.human) / len(self.human)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The judge compared with people. If an answer has several labels, each counts in part."""

    num_labels: int
    """Labelled answers."""
    exact: float
    kappa: float | None
    """Quadratic weighted; None if judge and people give the same score to all answers."""
    kappa_ci95: tuple[float, float] | None
    mean_absolute_error: float
    bias: Mapping[str, float]
    """Labelled arm -> mean of judge minus people."""
    sensitivity: Mapping[str, float | None]
    """Labelled arm -> of the answers that people call right, the share that the judge calls right."""
    specificity: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabellerPair:
    """Two people who labelled answers of the same run."""

    first: str
    second: str
    num_shared: int
    num_only_first: int
    num_only_second: int
    exact: float | None
    kappa: float | None
    """None if they share too few answers to differ."""


def sampling_strata(judged: Iterable[tuple[str, str, float, str]]) -> dict[str, Stratum]:
    """Key of an answer -> stratum (arm, judge's score, part) for drawing it. Equal answers count once, in the stratum of the first."""
    strata: dict[str, Stratum] = {}
    for key, arm, score, part in judged:
        strata.setdefault(key, (arm, score, part))
    return strata


def label_weights(strata: Mapping[str, Stratum], labelled: Iterable[str]) -> dict[str, float]:
    """Key of a labelled answer -> how many answers of its stratum it represents."""
    drawn = [key for key in dict.fromkeys(labelled) if key in strata]
    whole, taken = Counter(strata.values()), Counter(strata[key] for key in drawn)
    return {key: whole[strata[key]] / taken[strata[key]] for key in drawn}


def agreement_with_people(rows: Sequence[LabelledAnswer], *, seed: int, num_resamples: int = NUM_RESAMPLES) -> Agreement:
    """Compare the judge with people. ValueError without a labelled answer."""
    if not rows:
        raise ValueError("There are no labelled answers. Give at least one.")
    judge = [row.judge for row in rows for _ in row.human]
    human = [score for row in rows for score in row.human]
    weights = [row.weight / len(row.human) for row in rows for _ in row.human]
    total = math.fsum(weights)
    arms = sorted({row.arm for row in rows})
    by_arm = {arm: [row for row in rows if row.arm == arm] for arm in arms}
    return Agreement(
        num_labels=len(rows),
        exact=math.fsum(w for w, one, other in zip(weights, judge, human, strict=True) if one == other) / total,
        kappa=weighted_kappa(judge, human, weights),
        kappa_ci95=kappa_interval(
            judge, human, weights, [row.cluster for row in rows for _ in row.human], seed=seed, num_resamples=num_resamples
        ),
        mean_absolute_error=math.fsum(w * abs(one - other) for w, one, other in zip(weights, judge, human, strict=True)) / total,
        bias={
            arm: math.fsum(row.weight * (row.judge - row.human_mean) for row in mine) / math.fsum(row.weight for row in mine)
            for arm, mine in by_arm.items()
        },
        sensitivity={arm: _rate(mine, right=True) for arm, mine in by_arm.items()},
        specificity={arm: _rate(mine, right=False) for arm, mine in by_arm.items()},
    )


def _rate(rows: Sequence[LabelledAnswer], *, right: bool) -> float | None:
    """Of the answers that people call right (or wrong), the share for which the judge says the same."""
    among = [row for row in rows if (row.human_mean >= CORRECT_FROM) == right]
    total = math.fsum(row.weight for row in among)
    return None if not among else math.fsum(row.weight for row in among if (row.judge >= CORRECT_FROM) == right) / total


def kappa_interval(
    first: Sequence[float],
    second: Sequence[float],
    weights: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
) -> tuple[float, float] | None:
    """95 % interval of the weighted kappa over clusters of questions; None if most resamples have no kappa."""
    steps = len(SCALE)
    pairs_LP: Floats = np.zeros((len(first), steps * steps))
    for row, (one, other, weight) in enumerate(zip(first, second, weights, strict=True)):
        pairs_LP[row, step_of(one) * steps + step_of(other)] = weight
    number_L = numbered(clusters)
    pairs_CP: Floats = np.zeros((int(number_L.max()) + 1, steps * steps))
    np.add.at(pairs_CP, number_L, pairs_LP)
    drawn_BP = resampled_sums(pairs_CP, num_resamples=num_resamples, generator=np.random.default_rng(seed))
    kappa_B = kappas_of(drawn_BP.reshape(-1, steps, steps))
    kappa_B = kappa_B[~np.isnan(kappa_B)]
    if len(kappa_B) <= num_resamples // 2:
        return None
    return percentile_interval(kappa_B, kappa_B, num_clusters=len(pairs_CP), bounds=(-1.0, 1.0))


def labeller_pairs(labels: Iterable[tuple[str, str, float]]) -> list[LabellerPair]:
    """Agreement of each pair of labellers on the answers that both scored. `labels`: (answer's key, labeller, score)."""
    given: dict[str, dict[str, float]] = defaultdict(dict)
    for key, labeller, score in labels:
        given[labeller][key] = score
    found: list[LabellerPair] = []
    for first, second in combinations(sorted(given), 2):
        shared = sorted(given[first].keys() & given[second].keys())
        one, other = [given[first][key] for key in shared], [given[second][key] for key in shared]
        found.append(
            LabellerPair(
                first=first,
                second=second,
                num_shared=len(shared),
                num_only_first=len(given[first]) - len(shared),
                num_only_second=len(given[second]) - len(shared),
                exact=sum(a == b for a, b in zip(one, other, strict=True)) / len(shared) if shared else None,
                kappa=weighted_kappa(one, other) if shared else None,
            )
        )
    return found
