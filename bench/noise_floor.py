"""What the noise floor refuses: claims where there is no difference, where a batch plan makes one, and where one is real.

python -m bench.noise_floor --rounds 1000      one core, about two minutes; results in docs/decisions.md
"""

import argparse
from dataclasses import dataclass

import numpy as np

from bench.simulated_scores import Floats
from plumbline.reporting.claims import claimed_direction
from plumbline.statistics import Comparison, Direction, paired_comparison

SPREAD = 0.5
"""Shape of the gamma law of flip rates: most questions never flip, a few flip often, and those of a cluster alike."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One evaluation: base asked twice, tuned once."""

    n: int
    num_clusters: int | None
    flip_rate: float
    """Probability, in the mean over questions, that an asking gives the other outcome than the model's usual one."""
    drift: float = 0.0
    """Share of base's right answers that only the first plan spoils."""
    effect: float = 0.0
    """Share of the questions that tuned gained, minus the share that it lost."""
    both_ways: float = 0.1
    """If there is an effect: share of the questions that tuned gained, and as many again that it lost."""


@dataclass(frozen=True)
class Outcome:
    """What one evaluation concluded."""

    is_claimed: bool
    """Without the floor."""
    is_claimed_above: bool
    """With it."""
    covers: bool
    """Whether the interval of the change holds the expected change on these questions."""


def groups_of(setting: Setting) -> np.ndarray:
    """Number of the cluster of each question."""
    return np.arange(setting.n) if setting.num_clusters is None else np.arange(setting.n) % setting.num_clusters


def evaluate(setting: Setting, generator: np.random.Generator) -> Outcome:
    """Draw one benchmark, ask, and compare."""
    n, groups_N = setting.n, groups_of(setting)
    num_groups = int(groups_N.max()) + 1
    levels_N = generator.beta(1.0, 1.2, num_groups)[groups_N]
    usual_N = (generator.random(n) < levels_N).astype(float)
    rates_N = np.minimum(0.5, generator.gamma(SPREAD, setting.flip_rate / SPREAD, num_groups)[groups_N])

    def asked(known_N: Floats, spoilt: float = 0.0) -> Floats:
        flips_N = generator.random(n) < rates_N
        scores_N = np.where(flips_N, 1 - known_N, known_N)
        return scores_N * (generator.random(n) >= spoilt)

    first_N, again_N = asked(usual_N, setting.drift), asked(usual_N)
    drawn_N = generator.random(n)
    tuned_usual_N = usual_N.copy()
    if setting.effect:
        tuned_usual_N[drawn_N < setting.both_ways + setting.effect] = 1.0
        tuned_usual_N[drawn_N > 1 - setting.both_ways] = 0.0
    comparison = compared(first_N, asked(tuned_usual_N), [str(group) for group in groups_N] if setting.num_clusters else None)
    change = compared(first_N, again_N, None)
    low, high = change.ci95
    floor = 0.0 if not change.num_first_only and not change.num_second_only else max(-low, high)
    right_N = usual_N * (1 - rates_N) + (1 - usual_N) * rates_N
    expected = float((right_N * setting.drift).mean())
    return Outcome(
        claimed_direction(comparison, comparison.p_value, 0.0) is not Direction.NONE,
        claimed_direction(comparison, comparison.p_value, floor) is not Direction.NONE,
        low <= expected <= high,
    )


def compared(first_N: Floats, second_N: Floats, clusters: list[str] | None) -> Comparison:
    """Compared as in the report."""
    return paired_comparison(first_N.tolist(), second_N.tolist(), clusters=clusters, seed=1)


def rates(setting: Setting, rounds: int, *, seed: int = 3) -> tuple[float, float, float]:
    """Share of evaluations with a claim without the floor, with it, and with an interval that covers."""
    generator = np.random.default_rng(seed)
    found = [evaluate(setting, generator) for _ in range(rounds)]
    return (
        sum(one.is_claimed for one in found) / rounds,
        sum(one.is_claimed_above for one in found) / rounds,
        sum(one.covers for one in found) / rounds,
    )


LAYOUTS: tuple[tuple[int, int | None], ...] = ((80, None), (160, None), (160, 40))
CASES = {
    "the same model": {},
    "a plan that spoils 6 %": {"drift": 0.06},
    "a plan that spoils 12 %": {"drift": 0.12},
    "a gain of 12 points": {"effect": 0.2},
    "a gain of 23 points": {"effect": 0.4},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000, help="evaluations of each layout")
    chosen = parser.parse_args()
    print("case", "questions", "flip rate", "claims", "claims above the floor", "coverage", sep="   ")
    for name, changed in CASES.items():
        for n, num_clusters in LAYOUTS:
            for flip_rate in (0.01, 0.04):
                found = rates(Setting(n=n, num_clusters=num_clusters, flip_rate=flip_rate, **changed), chosen.rounds)
                layout = f"{n}" if num_clusters is None else f"{n} in {num_clusters} clusters"
                print(name, layout, f"{flip_rate:g}", *(f"{rate:.3f}" for rate in found), sep="   ", flush=True)


if __name__ == "__main__":
    main()
