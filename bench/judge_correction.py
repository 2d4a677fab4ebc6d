"""How well human labels correct a lenient judge: without correction, with labels of both arms pooled, and with each arm's own labels.

python -m bench.judge_correction --rounds 1000        one core, about two minutes; numbers in docs/benchmarks.md
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.measurements import Table, add_json_flag, tabled, write_measured
from plumbline.judging.agreement import draw_strata
from plumbline.judging.calibration import ArmName, Corrected, Label, corrected_difference
from plumbline.judging.prompt import SCALE

NUM_QUESTIONS = 80
SHARES = {"first": (0.25, 0.25, 0.2, 0.15, 0.15), "second": (0.1, 0.15, 0.2, 0.25, 0.3)}
"""Probabilities of people's scores, for each arm."""
TRUTH = float(np.dot(SHARES["second"], SCALE) - np.dot(SHARES["first"], SCALE))
"""The difference over all questions that could have been asked."""
NOISE = 0.15
"""Share of answers that the judge scores a step off, either way."""
LENIENT: dict[str, tuple[float, float]] = {"no one": (0, 0), "half of both arms": (0.5, 0.5), "half of second only": (0, 0.5)}
"""Share of answers of first and of second to which the judge gives one step more."""
NUM_RESAMPLES = 1000


@dataclass(frozen=True)
class Judged:
    """Judge's and people's scores of the same questions in two arms, in steps of the scale."""

    judge: dict[ArmName, list[float]]
    human: dict[ArmName, list[float]]
    clusters: list[int]

    @property
    def human_difference(self) -> float:
        """The difference that labels of every answer would give."""
        return float(np.mean(self.human["second"]) - np.mean(self.human["first"]))

    def labels(self, count: int, *, clustered: bool = True) -> list[Label]:
        """Labels of this many answers, drawn as a sheet draws them."""
        arms: tuple[ArmName, ArmName] = ("first", "second")
        population = [((arm, n), arm, self.judge[arm][n]) for n in range(len(self.clusters)) for arm in arms]
        drawn = set(draw_strata(population, count))
        return [
            Label(arm, self.judge[arm][n], self.human[arm][n], cluster=self.clusters[n] if clustered else None)
            for arm in arms
            for n in range(len(self.clusters))
            if (arm, n) in drawn
        ]

    def corrected(self, labels: Sequence[Label], *, seed: int) -> Corrected:
        """By the arms' own labels."""
        return corrected_difference(
            self.judge["first"], self.judge["second"], labels, clusters=self.clusters, seed=seed, num_resamples=NUM_RESAMPLES
        )


def judged_world(
    generator: np.random.Generator, lenient: tuple[float, float], *, num_questions: int = NUM_QUESTIONS, size: int = 1
) -> Judged:
    """Draw questions in clusters of a size; if it is above 1, a cluster's answers move together."""
    judge: dict[ArmName, list[float]] = {}
    human: dict[ArmName, list[float]] = {}
    clusters = np.repeat(np.arange(num_questions), size)[:num_questions]
    arms: tuple[ArmName, ArmName] = ("first", "second")
    for arm, share in zip(arms, lenient, strict=True):
        steps = generator.choice(len(SCALE), p=SHARES[arm], size=num_questions)
        if size > 1:  # two answers in three of a cluster are the same
            steps = np.where(generator.random(num_questions) < 2 / 3, steps[clusters * size], steps)
        moved = steps + np.where(generator.random(num_questions) < NOISE, generator.choice([-1, 1], size=num_questions), 0)
        moved = np.clip(moved + (generator.random(num_questions) < share), 0, len(SCALE) - 1)
        human[arm], judge[arm] = [SCALE[step] for step in steps], [SCALE[step] for step in moved]
    return Judged(judge, human, clusters.tolist())


def pooled_difference(judged: Judged, labels: Sequence[Label]) -> float:
    """Post-stratification with the labels of both arms together, which one should not do."""
    strata: dict[float, list[Label]] = defaultdict(list)
    for label in labels:
        strata[label.judge].append(label)
    sizes = {(arm, score): judged.judge[arm].count(score) for arm in judged.judge for score in SCALE}
    drawn = {(arm, score): sum(one.arm == arm for one in strata[score]) for arm in judged.judge for score in SCALE}

    def mean(score: float) -> float:
        weights = [sizes[one.arm, score] / drawn[one.arm, score] for one in strata[score]]
        return float(np.average([one.human for one in strata[score]], weights=weights)) if weights else score

    means = {score: mean(score) for score in SCALE}
    return float(np.mean([means[score] for score in judged.judge["second"]]) - np.mean([means[score] for score in judged.judge["first"]]))


@dataclass(frozen=True)
class Errors:
    """Over many rounds, against labels of every answer; coverage and width of the interval against TRUTH."""

    bias: tuple[float, float, float]
    """Of the judge without correction, pooled, and per arm."""
    rmse: tuple[float, float, float]
    coverage: float
    width: float


def errors_of(lenient: tuple[float, float], *, num_labels: int, rounds: int, size: int = 1, clustered: bool = True) -> Errors:
    """Draw this many evaluations and correct each."""
    generator = np.random.default_rng([num_labels, size])
    errors, hits, widths = [], 0, 0.0
    for seed in range(rounds):
        judged = judged_world(generator, lenient, size=size)
        labels = judged.labels(num_labels, clustered=clustered)
        found = judged.corrected(labels, seed=seed)
        as_it_is = float(np.mean(judged.judge["second"]) - np.mean(judged.judge["first"]))
        errors.append(np.array([as_it_is, pooled_difference(judged, labels), found.delta]) - judged.human_difference)
        hits += found.ci95[0] <= TRUTH <= found.ci95[1]
        widths += found.width
    bias = np.mean(errors, axis=0)
    rmse = np.sqrt(np.mean(np.square(errors), axis=0))
    return Errors(
        (float(bias[0]), float(bias[1]), float(bias[2])), (float(rmse[0]), float(rmse[1]), float(rmse[2])), hits / rounds, widths / rounds
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000, help="evaluations of each sort")
    add_json_flag(parser)
    chosen = parser.parse_args()
    columns = ["judge lenient on", "labels", "judge as is", "arms pooled", "per arm", "coverage", "width"]
    print("   ".join(columns), flush=True)
    rows: list[list[str]] = []
    for who, lenient in LENIENT.items():
        for num_labels in (60, 100):
            for size in (1, 4) if num_labels == 100 else (1,):
                found = errors_of(lenient, num_labels=num_labels, rounds=chosen.rounds, size=size)
                cells = [f"{bias:+.3f}, {rmse:.3f}" for bias, rmse in zip(found.bias, found.rmse, strict=True)]
                clusters = "" if size == 1 else f"; clusters of {size}"
                rows.append([f"{who}{clusters}", str(num_labels), *cells, f"{found.coverage:.3f}", f"{found.width:.2f}"])
                print("   ".join(rows[-1]), flush=True)
    error = float(np.sqrt(0.95 * 0.05 / chosen.rounds))
    write_measured(
        chosen.json,
        tabled(
            name="judge_correction",
            title="What human labels make of a lenient judge",
            what=(
                f"Error of the corrected difference of two arms (bias, rmse), {NUM_QUESTIONS} questions in each, and how often its 95 % "
                f"interval holds the truth; n = {chosen.rounds} evaluations each, standard error of a coverage near 0.95: {error:.3f}."
            ),
            table=Table(columns=columns, rows=rows),
        ),
    )


if __name__ == "__main__":
    main()
