"""Count every answer once: correct + incorrect + unparsed + unjudged = n, for each kind and arm. Pure.

Each kind has its own denominator, an answer without a verdict is never a zero, and what it could have been is bounded.
Any number of arms: each is counted, and the declared pairs of them are compared.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import Comparison, Estimate, chance_level, holm, mean_estimate, paired_comparison, strictest_level
from plumbline.thinking import is_cut_while_thinking

Pair = tuple[str, str]
"""Two arms: the reference, and the one whose gain over it is asked for."""
KIND_NAMES: dict[Kind, str] = {"mcq": "multiple choice", "numeric": "numeric problems", "explanation": "explanations"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One arm's answer to one question with its verdict, whoever gave it."""

    id: str
    kind: Kind
    cluster: str
    arm: str
    outcome: Outcome
    score: float | None
    """In 0..1; None where unjudged."""
    truncated: bool
    logprob_correct: bool | None
    """mcq: whether the letter of the highest log-probability is the target; None for the other kinds."""
    reading: str
    """What the rule read (`value`, `none`, ...) or why the judge gave this score or none."""
    tier: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmLedger:
    """All answers of one kind in one arm."""

    n: int
    num_correct: int
    num_incorrect: int
    num_unparsed: int
    num_unjudged: int
    estimate: Estimate | None
    """Mean score over all answers with a verdict, unparsed ones counting 0; None where there is no verdict at all."""
    failures_as_zero: float
    """Mean over all n with unparsed and unjudged answers as 0: nothing that failed was right."""
    failures_as_one: float
    """The same with them as 1: everything that failed would have been right."""
    num_truncated: int
    readings: dict[str, int]
    tiers: dict[str, int]
    flags: dict[str, int]
    histogram: dict[float, int]
    """Score -> number of answers."""
    logprob: Estimate | None
    """mcq: accuracy of the most probable letter, which no answer format can hide."""

    @property
    def unparsed_rate(self) -> float:
        return self.num_unparsed / self.n

    @property
    def truncation_rate(self) -> float:
        return self.num_truncated / self.n

    @property
    def coverage(self) -> float:
        """Share of answers with a verdict."""
        return 1 - self.num_unjudged / self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLedger:
    """One arm against another on the questions of one kind. In each comparison `base` is the reference, and `tuned` the other arm."""

    comparison: Comparison | None
    """On the questions with a score in both arms; None where there is none."""
    p_holm: float | None
    """The p value adjusted for testing all kinds and all pairs."""
    logprob_comparison: Comparison | None
    without_overlap: Comparison | None
    """The comparison without the questions near the training rows; None where nothing overlaps or nothing is left."""
    overlap_only: Comparison | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindLedger:
    """All arms on the questions of one kind."""

    kind: Kind
    n: int
    num_clusters: int
    chance: float | None
    arms: dict[str, ArmLedger]
    pairs: dict[Pair, PairLedger]
    """The comparisons in the order in which they were declared."""
    num_overlapping: int
    """Questions that overlap the training rows."""

    @property
    def headline(self) -> PairLedger:
        """The comparison that was declared first."""
        return next(iter(self.pairs.values()))


def score_of(outcome: Outcome) -> float:
    """A rule's verdict as a score: right is 1, wrong and unreadable are 0."""
    if outcome is Outcome.UNJUDGED:
        raise ValueError("unjudged is no score: rules leave nothing unjudged.")
    return 1.0 if outcome is Outcome.CORRECT else 0.0


def join_verdicts(
    questions: Iterable[Question], answers: Iterable[Answer], grades: Iterable[Grade], judgements: Iterable[Judgement]
) -> list[Scored]:
    """Bring question, answer and verdict together, in benchmark order, arms in the order of the answers. KeyError where one is missing."""
    answered: dict[tuple[str, str], Answer] = {(answer.arm, answer.id): answer for answer in answers}
    graded: dict[tuple[str, str], Grade] = {(grade.arm, grade.id): grade for grade in grades}
    judged: dict[tuple[str, str], Judgement] = {(judgement.arm, judgement.id): judgement for judgement in judgements}
    arms = list(dict.fromkeys(arm for arm, _ in answered))
    scored: list[Scored] = []
    for question in questions:
        for arm in arms:
            shared = {
                "id": question.id,
                "kind": question.kind,
                "cluster": question.cluster,
                "arm": arm,
                "truncated": is_cut(answered[arm, question.id]),
            }
            if question.kind == "explanation":
                verdict = judged[arm, question.id]
                row = Scored(
                    **shared,
                    outcome=verdict.outcome,
                    score=verdict.score,
                    logprob_correct=None,
                    reading=verdict.cause,
                    tier=None,
                    flags=(),
                )
            else:
                grade = graded[arm, question.id]
                row = Scored(
                    **shared,
                    outcome=grade.outcome,
                    score=score_of(grade.outcome),
                    logprob_correct=None if grade.logprob_outcome is None else grade.logprob_outcome is Outcome.CORRECT,
                    reading=grade.reading,
                    tier=grade.tier,
                    flags=grade.flags,
                )
            scored.append(row)
    return scored


def is_cut(answer: Answer) -> bool:
    """Say whether the text of an answer is not whole: cut at answer.max_new_tokens, or ended while it thinks."""
    return answer.stopped == "max_new_tokens" or is_cut_while_thinking(answer.response)


def sorted_counts(values: Iterable[str | None]) -> dict[str, int]:
    """Value -> how often, by name; None is left out."""
    return dict(sorted(Counter(value for value in values if value is not None).items()))


def arm_ledger(rows: Sequence[Scored]) -> ArmLedger:
    """Count the answers of one kind in one arm. AssertionError if a verdict is lost."""
    counts = Counter(row.outcome for row in rows)
    n = len(rows)
    assert sum(counts[outcome] for outcome in Outcome) == n
    verdicts = [row for row in rows if row.score is not None]
    assert len(verdicts) == n - counts[Outcome.UNJUDGED], "a score exactly where there is a verdict"
    total = sum(row.score for row in verdicts if row.score is not None)
    failures = counts[Outcome.UNPARSED] + counts[Outcome.UNJUDGED]
    letters = [row for row in rows if row.logprob_correct is not None]

    def estimate(values: Sequence[float], of: Sequence[Scored]) -> Estimate | None:
        if not values:
            return None
        return mean_estimate(values, clusters=[row.cluster for row in of])

    return ArmLedger(
        n=n,
        num_correct=counts[Outcome.CORRECT],
        num_incorrect=counts[Outcome.INCORRECT],
        num_unparsed=counts[Outcome.UNPARSED],
        num_unjudged=counts[Outcome.UNJUDGED],
        estimate=estimate([row.score for row in verdicts if row.score is not None], verdicts),
        failures_as_zero=total / n,
        failures_as_one=(total + failures) / n,
        num_truncated=sum(row.truncated for row in rows),
        readings=sorted_counts(row.reading for row in rows),
        tiers=sorted_counts(row.tier for row in rows),
        flags=sorted_counts(flag for row in rows for flag in row.flags),
        histogram=dict(sorted(Counter(row.score for row in verdicts if row.score is not None).items())),
        logprob=estimate([float(bool(row.logprob_correct)) for row in letters], letters),
    )


def compare_pairs(
    pairs: Sequence[tuple[float | None, float | None, str]], *, seed: int, num_resamples: int, level: float
) -> Comparison | None:
    """Compare (reference, other, cluster) triples where both scores exist; None where none do."""
    both = [(first, second, cluster) for first, second, cluster in pairs if first is not None and second is not None]
    if not both:
        return None
    return paired_comparison(
        [first for first, _, _ in both],
        [second for _, second, _ in both],
        clusters=[cluster for _, _, cluster in both],
        seed=seed,
        num_resamples=num_resamples,
        level=level,
    )


def letter_score(row: Scored) -> float | None:
    """Whether the most probable letter is right, as a score; None where there is none."""
    return None if row.logprob_correct is None else float(row.logprob_correct)


def pair_ledger(
    first: Mapping[str, Scored], second: Mapping[str, Scored], *, near: Collection[str], seed: int, num_resamples: int, level: float
) -> PairLedger:
    """Compare two arms on the questions that both answered; `near`: ids of questions that the training rows come close to.

    `level`: the strictest of Holm's correction, for which the detectable effect is computed.
    """
    shared = [key for key in first if key in second]

    def compare(ids: Iterable[str], value: Callable[[Scored], float | None]) -> Comparison | None:
        triples = [(value(first[key]), value(second[key]), first[key].cluster) for key in ids]
        return compare_pairs(triples, seed=seed, num_resamples=num_resamples, level=level)

    def score(row: Scored) -> float | None:
        return row.score

    return PairLedger(
        comparison=compare(shared, score),
        p_holm=None,
        logprob_comparison=compare(shared, letter_score),
        without_overlap=compare([key for key in shared if key not in near], score) if near else None,
        overlap_only=compare([key for key in shared if key in near], score) if near else None,
    )


def kind_ledger(
    kind: Kind,
    questions: Sequence[Question],
    scored: Sequence[Scored],
    *,
    comparisons: Sequence[Pair],
    overlapping: Collection[str],
    seed: int,
    num_resamples: int,
    level: float,
) -> KindLedger:
    """Count and compare the answers of one kind; `overlapping`: ids of questions that the training rows come close to."""
    rows: dict[str, dict[str, Scored]] = {}
    for row in scored:
        if row.kind == kind:
            assert row.id not in rows.setdefault(row.arm, {}), f"{kind}: arm {row.arm} answers each question once"
            rows[row.arm][row.id] = row
    of_kind = {question.id: question for question in questions if question.kind == kind}
    assert all(row.keys() <= of_kind.keys() for row in rows.values()), f"{kind}: each answer is to one of the questions"
    near = of_kind.keys() & set(overlapping)
    return KindLedger(
        kind=kind,
        n=len(of_kind),
        num_clusters=len({question.cluster for question in of_kind.values()}),
        chance=chance_level([len(question.choices) for question in of_kind.values()]) if kind == "mcq" else None,
        arms={arm: arm_ledger(list(mine.values())) for arm, mine in rows.items()},
        pairs={
            (first, second): pair_ledger(
                rows.get(first, {}), rows.get(second, {}), near=near, seed=seed, num_resamples=num_resamples, level=level
            )
            for first, second in comparisons
        },
        num_overlapping=len(near),
    )


def ledgers(
    questions: Sequence[Question],
    scored: Sequence[Scored],
    *,
    comparisons: Sequence[Pair],
    overlapping: Collection[str],
    seed: int,
    num_resamples: int,
) -> dict[Kind, KindLedger]:
    """The ledger of every kind that has questions, p values adjusted by Holm over all kinds and pairs that were compared."""
    present: list[Kind] = [kind for kind in KINDS if any(question.kind == kind for question in questions)]
    level = strictest_level(len(present) * len(comparisons))
    by_kind: dict[Kind, KindLedger] = {
        kind: kind_ledger(
            kind,
            questions,
            scored,
            comparisons=comparisons,
            overlapping=overlapping,
            seed=seed,
            num_resamples=num_resamples,
            level=level,
        )
        for kind in present
    }
    # The name of a test only orders equal p values: kind, then the place of the pair.
    names = {(kind, pair): f"{kind} {place}" for kind in present for place, pair in enumerate(comparisons)}
    adjusted = holm(
        {
            names[kind, pair]: found.comparison.p_value
            for kind, ledger in by_kind.items()
            for pair, found in ledger.pairs.items()
            if found.comparison is not None
        }
    )
    return {
        kind: replace(ledger, pairs={pair: replace(found, p_holm=adjusted.get(names[kind, pair])) for pair, found in ledger.pairs.items()})
        for kind, ledger in by_kind.items()
    }
