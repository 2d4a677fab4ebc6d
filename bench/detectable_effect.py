"""How often the test finds an effect of the size that the report calls detectable. The goal: 0.75 to 0.9.

python -m bench.detectable_effect --sets 40        one core, about three minutes; numbers in docs/benchmarks.md
"""

import argparse
import math
from dataclasses import dataclass

import numpy as np

from bench.measurements import Table, add_json_flag, tabled, write_measured
from bench.simulated_scores import Floats, TwoArms
from plumbline.intervals import units_of
from plumbline.paired_tests import mcnemar_exact, sign_flip_p_value
from plumbline.statistics import paired_comparison

LAYOUTS = ((19, None), (40, None), (80, None), (160, None), (40, 6), (160, 6), (40, 12), (160, 12), (80, 40), (160, 40))
"""Questions, and clusters."""
NOISES = {"rarely": 0.2, "often": 0.8}
LEVELS = {"one test": 0.05, "six tests": 0.05 / 6}
"""The second is the strictest level of Holm's correction for two comparisons of three kinds."""
REPEATS = 10
"""New data sets at the effect that each data set calls detectable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What was found in one setting."""

    differing: float
    """Share of questions on which the arms differ if there is no effect."""
    effect: float
    """Median of the effects that the data sets call detectable."""
    power: float | None
    """Share of new data sets, each with its effect, in which the test found it; None if the report says that no effect can be shown."""


def p_value(differences_N: Floats, clusters: list[str] | None, *, binary: bool) -> float:
    """Of the test that the report uses."""
    if binary and clusters is None:
        return mcnemar_exact(int((differences_N < 0).sum()), int((differences_N > 0).sum()))
    return sign_flip_p_value(units_of(differences_N, clusters).sums_U.tolist(), seed=0)


def power_at_stated_effect(arms: TwoArms, level: float, num_sets: int) -> Power:
    """Draw data sets without an effect, take the effect that they call detectable, and test new data sets that have it."""
    generator = np.random.default_rng(7)
    shifts, effects = arms.effects(generator)
    base, tuned = arms.draw(0.0, num_sets, generator)
    clusters = arms.clusters()
    stated = [
        paired_comparison(first.tolist(), second.tolist(), clusters=clusters, seed=0, level=level).minimum_detectable_effect
        for first, second in zip(base, tuned, strict=True)
    ]
    reachable = [effect for effect in stated if effect < effects[-1]]
    found = 0
    for effect in reachable:
        new_base, new_tuned = arms.draw(float(np.interp(effect, effects, shifts)), REPEATS, generator)
        for differences_N in new_tuned - new_base:
            found += p_value(differences_N, clusters, binary=arms.binary) < level and differences_N.sum() > 0
    enough = len(reachable) >= num_sets / 2
    return Power(
        differing=float((base != tuned).mean()),
        effect=float(np.median(stated)),
        power=found / (len(reachable) * REPEATS) if enough else None,
    )


def settings() -> list[tuple[TwoArms, str, str]]:
    """Every setting: two arms, how often they differ, and the name of the level."""
    return [
        (TwoArms(n=n, num_clusters=num_clusters, binary=binary, noise=noise), often, level)
        for level in LEVELS
        for binary in (True, False)
        for often, noise in NOISES.items()
        for n, num_clusters in LAYOUTS
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=40, help="data sets of each setting; ten with the effect follow each")
    add_json_flag(parser)
    chosen = parser.parse_args()
    columns = ["level for", "scores", "questions", "clusters", "differ", "detectable, points", "power"]
    rows: list[list[str]] = []
    for arms, _, level in settings():
        found = power_at_stated_effect(arms, LEVELS[level], chosen.sets)
        rows.append(
            [
                level,
                "0/1" if arms.binary else "five steps",
                str(arms.n),
                "-" if arms.num_clusters is None else str(arms.num_clusters),
                f"{found.differing:.2f}",
                "none" if found.effect >= 1 else f"{100 * found.effect:.1f}",
                "-" if found.power is None else f"{found.power:.2f}",
            ]
        )
        print("   ".join(rows[-1]), flush=True)
    error = math.sqrt(0.8 * 0.2 / (chosen.sets * REPEATS))
    write_measured(
        chosen.json,
        tabled(
            name="detectable",
            title="How often a detectable effect is found",
            what=(
                f"Median detectable effect of n = {chosen.sets} data sets without an effect, and the power of the test on {REPEATS} new data sets "
                f"for each that have the effect it states; standard error about {error:.3f}, more where the stated effects vary."
            ),
            table=Table(columns=columns, rows=rows),
        ),
    )


if __name__ == "__main__":
    main()
