"""How often an arm that loses exactly the margin is called "not worse".

python -m bench.non_inferiority --rounds 2000      one core, about six minutes; results in docs/publishing.md
"""

import argparse
import math

import numpy as np

from bench.simulated_scores import SHAPES, Floats, Shape, TwoArms
from plumbline.intervals import units_of
from plumbline.statistics import Verdict, difference_interval, verdict_at

MARGINS = (0.03, 0.05, 0.1)
LAYOUTS: tuple[tuple[int, int | None], ...] = ((40, None), (80, None), (160, None), (40, 8), (80, 16), (160, 12), (160, 40))
"""Questions, and the clusters that they lie in."""
NOISES = (0.2, 0.8)
NOMINAL = 0.05
"""The bound of a two-sided 95 % interval aims at half of it."""
QUESTIONS_TO_FIND_THE_LOSS = 400_000


def shift_that_loses(arms: TwoArms, margin: float) -> float:
    """The shift with which the second arm loses the margin in the mean, by bisection over one large draw."""
    low, high = -5.0, 1.0
    for _ in range(22):
        middle = (low + high) / 2
        first, second = arms.draw(middle, QUESTIONS_TO_FIND_THE_LOSS // arms.n, np.random.default_rng(7))
        low, high = (middle, high) if float((second - first).mean()) < -margin else (low, middle)
    return (low + high) / 2


def is_called_not_worse(differences_N: Floats, clusters: list[str] | None, margin: float, *, binary: bool) -> bool:
    """Whether the report would say not worse; a p value of 0 makes `better` easiest, which is wrong here too."""
    bounds, _ = difference_interval(differences_N, units_of(differences_N, clusters), binary=binary)
    return verdict_at(bounds, 0.0, margin) in (Verdict.NOT_WORSE, Verdict.BETTER)


def error_of_arms(arms: TwoArms, margin: float, rounds: int) -> float:
    """Share of evaluations in which an arm that loses the margin is called not worse."""
    first, second = arms.draw(shift_that_loses(arms, margin), rounds, np.random.default_rng(arms.n))
    clusters = arms.clusters()
    return sum(is_called_not_worse(row_N, clusters, margin, binary=arms.binary) for row_N in second - first) / rounds


def error_of_shape(shape: Shape, n: int, rounds: int) -> float:
    """The same for differences of a shape, turned into losses; the margin is the loss itself."""
    lost = Shape(shape.name, tuple(-value for value in reversed(shape.values)), tuple(reversed(shape.shares)), True)
    margin, generator = -lost.truth, np.random.default_rng(n)
    assert margin > 0
    return sum(is_called_not_worse(lost.draw(n, 1, generator), None, margin, binary=False) for _ in range(rounds)) / rounds


SKEWED = tuple(shape for shape in SHAPES if shape.paired and shape.truth > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2000, help="evaluations of each layout")
    chosen = parser.parse_args()
    print("scores", "questions", *(f"margin {margin:g}" for margin in MARGINS), sep="   ")
    for binary in (True, False):
        for n, num_clusters in LAYOUTS:
            errors = [
                error_of_arms(TwoArms(n=n, num_clusters=num_clusters, binary=binary, noise=noise), margin, chosen.rounds)
                for margin in MARGINS
                for noise in NOISES
            ]
            name = "0/1" if binary else "five steps"
            layout = f"{n}" if num_clusters is None else f"{n} in {num_clusters} clusters"
            print(name, layout, *(f"{max(errors[2 * place : 2 * place + 2]):.3f}" for place in range(len(MARGINS))), sep="   ", flush=True)
    for shape in SKEWED:
        for n in (40, 80, 160):
            print(shape.name, n, f"{error_of_shape(shape, n, chosen.rounds):.3f} at a margin of {shape.truth:.3f}", sep="   ", flush=True)
    error = math.sqrt(NOMINAL * (1 - NOMINAL) / chosen.rounds)
    print(
        f"At most {NOMINAL:g} is promised; the larger of two noises; n = {chosen.rounds} evaluations each, standard error at most {error:.3f}."
    )


if __name__ == "__main__":
    main()
