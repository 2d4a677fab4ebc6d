"""What a benchmark can show before anything is run: the smallest difference of each kind, and the questions that a difference takes. Pure.

It rests on how often the arms disagree, which only answers tell: those of the last run, or an assumption that is named.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plumbline.intervals import Floats, Units, units_of
from plumbline.power import (
    MANY_MOVING,
    MANY_UNITS,
    PRIOR_CORRELATION,
    Disagreement,
    detectable_with,
    disagreement_of,
    num_moving_units,
    power_at,
    wanted_power,
)
from plumbline.reporting.benchmark_parts import Part, questions_of
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import difference_interval, strictest_level

ASSUMED_SHARE: Mapping[Kind, float] = {"mcq": 0.3, "numeric": 0.3, "explanation": 0.5}
"""Share of the questions on which two arms differ; with graded scores they differ on more questions, but by less."""
ASSUMED_SIZES: Mapping[Kind, tuple[float, ...]] = {"mcq": (1.0,), "numeric": (1.0,), "explanation": (0.25, 0.25, 0.5)}
LEAST_COVERED = 0.9
"""Share of the questions of a kind that the last run must have scored in both arms, for its disagreement to be used."""
MOST_QUESTIONS = 1_000_000
SIMULATED, WANTED_POWER = 150, 0.8
"""Data sets that are simulated for a margin if too few clusters move for a formula, and how many of them must be within it."""
Z_BOUND, Z_POWER = 1.96, 0.8416
"""Normal quantiles of the bound of a 95 % interval, and of four times in five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the questions of one kind can show."""

    kind: Kind
    n: int
    num_clusters: int
    is_assumed: bool
    """Whether the disagreement of the arms is assumed; else it is that of the last run."""
    share: float
    """Of the questions on which the arms differ."""
    level: float
    """A p value below it is significant, after the correction for all tests of the report."""
    detectable: float
    """Smallest true difference that is shown four times in five; 1 for none."""
    takes: Mapping[float, int | None]
    """Wanted difference -> questions that it takes; None if even MOST_QUESTIONS are too few, or if no such difference is possible."""
    margin: float | None
    """The margin of publish.require; None if none is set."""
    margin_takes: int | None
    """How many questions it takes to show that two equal arms are not worse by the margin; None without a margin, or if MOST_QUESTIONS are too few."""


def is_binary(kind: Kind) -> bool:
    """Whether scores of a kind are 0 or 1."""
    return kind != "explanation"


def resolution_of(
    questions: Sequence[Question],
    kind: Kind,
    differences: Mapping[str, float],
    *,
    level: float,
    wanted: Sequence[float],
    margin: float | None,
) -> Resolution:
    """What the questions of one kind can show. `differences`: question id -> second arm minus first, of the last run; empty without a last run."""
    of_kind = [question for question in questions if question.kind == kind]
    seen = [differences[question.id] for question in of_kind if question.id in differences]
    units = units_of(np.zeros(len(of_kind)), [question.cluster for question in of_kind])
    is_assumed = len(seen) < LEAST_COVERED * len(of_kind)
    if is_assumed:
        found = assumed_disagreement(kind, units)
    else:
        clusters = [question.cluster for question in of_kind if question.id in differences]
        values_N = np.array(seen)
        found = disagreement_of(values_N, units_of(values_N, clusters), binary=is_binary(kind))
    return Resolution(
        kind=kind,
        n=len(of_kind),
        num_clusters=len(units.sums_U),
        is_assumed=is_assumed,
        share=found.share,
        level=level,
        detectable=detectable_with(found, units, binary=is_binary(kind), level=level),
        takes={effect: questions_for(found, units, effect, binary=is_binary(kind), level=level) for effect in wanted},
        margin=margin,
        margin_takes=None if margin is None else questions_for_margin(found, units, margin, binary=is_binary(kind)),
    )


def assumed_disagreement(kind: Kind, units: Units) -> Disagreement:
    """The disagreement of two arms about which nothing is known yet."""
    sizes = np.array(ASSUMED_SIZES[kind])
    return Disagreement(
        share=ASSUMED_SHARE[kind],
        size=float(sizes.mean()),
        sizes=sizes,
        square=float((sizes**2).mean()),
        step=1.0 if is_binary(kind) else 0.25,
        correlation=PRIOR_CORRELATION if units.clustered else 0.0,
    )


def with_units(units: Units, num_units: int) -> Units:
    """This many clusters, with sizes like these."""
    # Evenly over the sorted sizes, so that a few units are like all of them.
    places = (np.arange(num_units) * len(units.sizes_U) // num_units) if num_units <= len(units.sizes_U) else None
    sizes_U = np.resize(units.sizes_U, num_units) if places is None else units.sizes_U[places]
    return Units(np.zeros(num_units), sizes_U)


def questions_for(found: Disagreement, units: Units, effect: float, *, binary: bool, level: float) -> int | None:
    """Questions, in clusters like these, that show a true difference four times in five."""
    if effect >= found.size:
        return None

    def is_enough(num_units: int) -> bool:
        tried = with_units(units, num_units)
        return power_at(found, tried, effect, binary=binary, level=level) >= wanted_power(found, tried, binary=binary)

    return fewest_questions(is_enough, units)


def fewest_questions(is_enough: Callable[[int], bool], units: Units) -> int | None:
    """Questions in the fewest clusters that are enough, to about a hundredth; None if even MOST_QUESTIONS are too few."""
    high = 8
    while not is_enough(high):
        high *= 2
        if high * float(units.sizes_U.mean()) > MOST_QUESTIONS:
            return None
    low = high // 2
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return int(with_units(units, high).sizes_U.sum())


def questions_for_margin(found: Disagreement, units: Units, margin: float, *, binary: bool) -> int | None:
    """How many questions, in clusters like these, put the bound of two equal arms within the margin four times in five.

    (z_bound sd_margin + z_power sd_equal)^2 / margin^2, as for a score interval: its bound asks how arms would disagree of which one loses the
    margin. So it takes questions even if the arms never disagree, and more of them in few clusters, because their interval is wider.
    """
    lost, gained = found.shares_at(margin)
    at_margin, equal = max(found.square * (lost + gained) - margin**2, 0.0), found.square * found.share

    def is_enough(num_units: int) -> bool:
        tried = with_units(units, num_units)
        n, number = float(tried.sizes_U.sum()), tried.effective_number
        is_score_interval = binary and not tried.clustered
        bound = Z_BOUND if is_score_interval else tried.allowed_errors
        inflation = 1 + (float((tried.sizes_U**2).sum()) / n - 1) * found.correlation
        if margin * math.sqrt(n) <= (bound * math.sqrt(at_margin) + Z_POWER * math.sqrt(equal)) * math.sqrt(inflation):
            return False
        is_normal = number >= MANY_UNITS and num_moving_units(found, tried, 0.0) >= MANY_MOVING
        return is_score_interval or is_normal or margin_power(found, tried, margin, binary=binary) >= WANTED_POWER

    return fewest_questions(is_enough, units)


def margin_power(found: Disagreement, units: Units, margin: float, *, binary: bool) -> float:
    """How often the interval of two equal arms is within the margin, by simulation with fixed random numbers.

    The differences of a cluster are correlated because each question copies that of its cluster with probability sqrt(correlation).
    """
    generator, n = np.random.default_rng(0), int(units.sizes_U.sum())
    sizes_U = units.sizes_U.astype(np.int64)
    starts_U = np.append(0, np.cumsum(sizes_U)[:-1])

    def differences(count: int) -> Floats:
        signs = generator.choice([-1.0, 0.0, 1.0], count, p=[found.share / 2, 1 - found.share, found.share / 2])
        return signs * generator.choice(found.sizes, count)

    num_within = 0
    for _ in range(SIMULATED):
        shared_N = np.repeat(differences(len(sizes_U)), sizes_U)
        values_N = np.where(generator.random(n) < math.sqrt(found.correlation), shared_N, differences(n))
        drawn = Units(np.add.reduceat(values_N, starts_U), units.sizes_U)
        num_within += difference_interval(values_N, drawn, binary=binary)[0][0] > -margin
    return num_within / SIMULATED


def resolutions(
    questions: Sequence[Question],
    differences: Mapping[str, float],
    *,
    part: Part,
    development_fraction: float,
    num_tests_of_a_kind: int,
    wanted: Sequence[float],
    margins: Mapping[str, float | None],
) -> list[Resolution]:
    """For every kind with questions in the reported part. `num_tests_of_a_kind`: comparisons and contrasts."""
    reported = questions_of(questions, part=part, development_fraction=development_fraction)
    kinds: list[Kind] = [kind for kind in KINDS if any(question.kind == kind for question in reported)]
    level = strictest_level(len(kinds) * num_tests_of_a_kind)
    return [resolution_of(reported, kind, differences, level=level, wanted=wanted, margin=margins.get(kind)) for kind in kinds]
