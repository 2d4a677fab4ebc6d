"""What it brings to label disputed answers first: the error of the corrected difference, by how the labels were drawn.

python -m bench.disputed_labels --rounds 500        one core, about six minutes; numbers in docs/decisions.md
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.judge_correction import LENIENT, NOISE, TRUTH, Judged, judged_world
from plumbline.judging.agreement import draw_strata
from plumbline.judging.calibration import ArmName, Corrected, Label, corrected_difference
from plumbline.judging.disputed import draw_disputed_first, part_of
from plumbline.judging.prompt import SCALE

Drawn = Literal["at random", "evenly", "disputed first"]
WAYS: tuple[Drawn, ...] = ("at random", "evenly", "disputed first")
"""At random from all answers; evenly over arm and score, as a sheet without a second judge draws; or as a sheet with one draws."""
ARMS: tuple[ArmName, ArmName] = ("first", "second")


@dataclass(frozen=True)
class TwoJudges:
    """A world, with a second judge's score for each answer."""

    judged: Judged
    parts: dict[ArmName, list[str]]

    def labels(self, way: Drawn, count: int, generator: np.random.Generator, *, clustered: bool = True) -> list[Label]:
        """Labels of this many answers; their weights correct for the drawing."""
        judge, human = self.judged.judge, self.judged.human
        names: list[tuple[ArmName, int]] = [(arm, n) for n in range(len(self.judged.clusters)) for arm in ARMS]
        shuffled = [names[number] for number in generator.permutation(len(names))]
        strata = {(arm, n): (arm, judge[arm][n], self.parts[arm][n]) for arm, n in names}
        if way == "disputed first":
            drawn = set(draw_disputed_first([(name, *strata[name]) for name in shuffled], count))
        elif way == "evenly":
            drawn = set(draw_strata([(name, *strata[name][:2]) for name in shuffled], count))
        else:
            drawn = set(shuffled[:count])
        sizes, taken = Counter(strata.values()), Counter(strata[name] for name in names if name in drawn)
        by_part = way == "disputed first"
        return [
            Label(
                arm,
                judge[arm][n],
                human[arm][n],
                sizes[strata[arm, n]] / taken[strata[arm, n]] if by_part else 1.0,
                self.judged.clusters[n] if clustered else None,
                self.parts[arm][n] if by_part else "",
            )
            for arm, n in names
            if (arm, n) in drawn
        ]

    def corrected(self, labels: Sequence[Label], *, seed: int) -> Corrected:
        """Corrected by the arms' own labels, in the strata by which they were drawn."""
        by_part = any(label.part for label in labels)
        return corrected_difference(
            self.judged.judge["first"],
            self.judged.judge["second"],
            labels,
            clusters=self.judged.clusters,
            seed=seed,
            num_resamples=400,
            parts=(self.parts["first"], self.parts["second"]) if by_part else None,
        )


def twice_judged(
    generator: np.random.Generator, lenient: tuple[float, float], *, share: float, num_questions: int, size: int = 1
) -> TwoJudges:
    """A second judge, lenient to no one and as noisy as the first, on a share of the questions."""
    judged = judged_world(generator, lenient, num_questions=num_questions, size=size)
    asked = generator.random(num_questions) < share
    parts: dict[ArmName, list[str]] = {}
    for arm in ARMS:
        steps = np.array([SCALE.index(score) for score in judged.human[arm]])
        moved = steps + np.where(generator.random(num_questions) < NOISE, generator.choice([-1, 1], size=num_questions), 0)
        second = [SCALE[step] for step in np.clip(moved, 0, len(SCALE) - 1)]
        parts[arm] = [part_of(judged.judge[arm][n], second[n] if asked[n] else None) for n in range(num_questions)]
    return TwoJudges(judged, parts)


@dataclass(frozen=True)
class Errors:
    """Over many rounds. Bias and rmse against labels of every answer show what missing labels cost; coverage is against TRUTH."""

    bias: float
    bias_error: float
    """Standard error of the bias."""
    rmse: float
    coverage: float
    width: float


def errors_of(
    way: Drawn,
    lenient: tuple[float, float],
    *,
    share: float,
    num_labels: int,
    num_questions: int,
    rounds: int,
    size: int = 1,
    clustered: bool = True,
) -> Errors:
    """Draw this many evaluations and correct each. The worlds are the same for every way of drawing."""
    generator, order = np.random.default_rng([num_labels, num_questions, size]), np.random.default_rng(7)
    errors, hits, widths = [], 0, 0.0
    for seed in range(rounds):
        world = twice_judged(generator, lenient, share=share, num_questions=num_questions, size=size)
        found = world.corrected(world.labels(way, num_labels, order, clustered=clustered), seed=seed)
        errors.append(found.delta - world.judged.human_difference)
        hits += found.ci95[0] <= TRUTH <= found.ci95[1]
        widths += found.width
    return Errors(
        float(np.mean(errors)),
        float(np.std(errors) / rounds**0.5),
        float(np.sqrt(np.mean(np.square(errors)))),
        hits / rounds,
        widths / rounds,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500, help="evaluations of each sort")
    chosen = parser.parse_args()
    print("lenient on | questions | labels | share judged twice | drawn | bias | rmse | coverage | width")
    for who, lenient in LENIENT.items():
        if who == "half of both arms":
            continue
        for num_questions, num_labels in ((80, 60), (300, 100)):
            for share in (0.3, 1.0):
                for way in WAYS:
                    if way != "disputed first" and share < 1:  # the second judge changes nothing for these
                        continue
                    one = errors_of(way, lenient, share=share, num_labels=num_labels, num_questions=num_questions, rounds=chosen.rounds)
                    cells = f"{one.bias:+.4f} ({one.bias_error:.4f}) | {one.rmse:.4f} | {one.coverage:.3f} | {one.width:.3f}"
                    print(f"{who} | {num_questions} | {num_labels} | {share:g} | {way} | {cells}", flush=True)


if __name__ == "__main__":
    main()
