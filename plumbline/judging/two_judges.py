"""Two judges on the same answers: how far they agree, and whether the difference of two arms depends on the judge. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from plumbline.judging.agreement import step_of, weighted_kappa
from plumbline.judging.people import kappa_interval
from plumbline.rows.finding import PointFinding
from plumbline.statistics import Comparison, Direction, Estimate, mean_estimate, paired_comparison, shown_direction

MIN_QUESTIONS = 10
MIN_CLUSTERS = 6
"""With fewer clusters, an interval does not hold its 95 % (tests/unit/test_instruments_hold.py), so nothing is concluded from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwiceJudged:
    """One answer that both judges scored."""

    id: str
    """Id of the question."""
    arm: str
    cluster: str
    first: float
    second: float
    points: tuple[bool, ...]
    """For each key point, whether both found the same; empty if one of them did not check points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAgreement:
    """How far two judges agree. Intervals are over clusters of questions."""

    same_score: Estimate
    kappa: float | None
    """Quadratic weighted; None if both give the same score to all answers."""
    kappa_ci95: tuple[float, float] | None
    same_finding: Estimate | None
    """Share of equal findings on key points that both decided; None if there are none."""
    shift: float
    """Mean of the second judge's score minus the first one's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoDifferences:
    """The difference of two arms by each judge, on the questions that both judges scored in both arms."""

    first_arm: str
    second_arm: str
    n: int
    num_clusters: int
    by_first: Comparison | None
    """None if there are too few questions."""
    by_second: Comparison | None
    gap: Comparison | None
    """delta: the second judge's difference minus the first one's, in -2..2."""

    @property
    def directions(self) -> tuple[Direction, Direction]:
        """What each judge shows about the second arm."""
        found = (self.by_first, self.by_second)
        one, other = (Direction.UNSCORED if of is None else shown_direction(of.ci95, of.p_value) for of in found)
        return one, other

    @property
    def depends_on_judge(self) -> bool:
        """Whether the two contradict each other, or conclude differently and are shown to differ.

        It is not a contradiction if only one shows a difference: noise alone causes this in a quarter of runs with a real effect
        of 10 points (40 questions).
        """
        one, other = self.directions
        if {one, other} == {Direction.BETTER, Direction.WORSE}:
            return True
        return one is not other and self.gap is not None and shown_direction(self.gap.ci95, self.gap.p_value) is not Direction.NONE


def same_findings(first: Sequence[PointFinding], second: Sequence[PointFinding]) -> tuple[bool, ...]:
    """Whether two judges found the same for each key point; empty if they do not name the same points."""
    if [one.point for one in first] != [one.point for one in second]:
        return ()
    return tuple(one.finding is other.finding for one, other in zip(first, second, strict=True))


def agreement_of(rows: Sequence[TwiceJudged], *, seed: int, num_resamples: int) -> JudgeAgreement:
    """Compare two judges. ValueError without an answer."""
    if not rows:
        raise ValueError("No answer was scored by both judges. Give at least one.")
    clusters = [row.cluster for row in rows]
    first, second = [row.first for row in rows], [row.second for row in rows]
    points = [(float(same), row.cluster) for row in rows for same in row.points]
    return JudgeAgreement(
        same_score=mean_estimate([float(step_of(row.first) == step_of(row.second)) for row in rows], clusters=clusters),
        kappa=weighted_kappa(first, second),
        kappa_ci95=kappa_interval(first, second, [1.0] * len(rows), clusters, seed=seed, num_resamples=num_resamples),
        same_finding=mean_estimate([same for same, _ in points], clusters=[cluster for _, cluster in points]) if points else None,
        shift=sum(row.second - row.first for row in rows) / len(rows),
    )


def by_question(rows: Sequence[TwiceJudged]) -> dict[str, TwiceJudged]:
    """One row for each question of an arm, with each judge's mean over its answers."""
    answers: dict[str, list[TwiceJudged]] = {}
    for row in rows:
        answers.setdefault(row.id, []).append(row)
    return {
        key: replace(found[0], first=fmean(one.first for one in found), second=fmean(one.second for one in found), points=())
        for key, found in answers.items()
    }


def two_differences(rows: Sequence[TwiceJudged], pair: tuple[str, str], *, seed: int, num_resamples: int) -> TwoDifferences:
    """Compare two arms by each judge, and the two differences by question. A question counts once, with the mean of its answers."""
    first_arm, second_arm = (by_question([row for row in rows if row.arm == arm]) for arm in pair)
    both = [(row, second_arm[key]) for key, row in first_arm.items() if key in second_arm]
    clusters = [one.cluster for one, _ in both]
    bare = TwoDifferences(
        first_arm=pair[0], second_arm=pair[1], n=len(both), num_clusters=len(set(clusters)), by_first=None, by_second=None, gap=None
    )
    if bare.n < MIN_QUESTIONS or bare.num_clusters < MIN_CLUSTERS:
        return bare

    def compared(base: list[float], tuned: list[float]) -> Comparison:
        return paired_comparison(base, tuned, clusters=clusters, seed=seed, num_resamples=num_resamples)

    # (s - f) of one arm minus (s - f) of the other is twice (s + f') / 2 - (s' + f) / 2: two scores in 0..1, as in reporting/contrasts.py.
    half = compared([(one.second + other.first) / 2 for one, other in both], [(other.second + one.first) / 2 for one, other in both])
    by_first = compared([one.first for one, _ in both], [other.first for _, other in both])
    by_second = compared([one.second for one, _ in both], [other.second for _, other in both])
    gap = replace(half, delta=2 * half.delta, ci95=(2 * half.ci95[0], 2 * half.ci95[1]))
    return replace(bare, by_first=by_first, by_second=by_second, gap=gap)
