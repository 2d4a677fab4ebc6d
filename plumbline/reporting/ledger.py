"""Count every answer once: correct + incorrect + unparsed + unjudged = n, for each kind and arm. Pure.

Each kind has its own denominator, an answer without a verdict is never a zero, and what it could have been is bounded.
Any number of arms: each is counted, and the declared pairs of them are compared.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from plumbline.reporting.contrasts import Contrast, Square, contrast_of
from plumbline.reporting.scored import Scored
from plumbline.reporting.variance_split import VarianceSplit, arm_split, has_samples, pair_split
from plumbline.rows.arms import Pair
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import Comparison, Estimate, chance_level, holm, mean_estimate, paired_comparison, strictest_level

KIND_NAMES: dict[Kind, str] = {"mcq": "multiple choice", "numeric": "numeric problems", "explanation": "explanations"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmLedger:
    """All answers of one kind in one arm. The outcomes of all samples are counted, and the estimate is over questions."""

    n: int
    """Questions."""
    num_answers: int
    """As many as questions, or more with several samples."""
    num_correct: int
    num_incorrect: int
    num_unparsed: int
    num_unjudged: int
    estimate: Estimate | None
    """Mean score over all answers with a verdict, with unparsed ones as 0; None without any verdict."""
    failures_as_zero: float
    """Mean over all questions with unparsed and unjudged answers as 0: nothing that failed was right."""
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
        return self.num_unparsed / self.num_answers

    @property
    def truncation_rate(self) -> float:
        return self.num_truncated / self.num_answers

    @property
    def coverage(self) -> float:
        """Share of answers with a verdict."""
        return 1 - self.num_unjudged / self.num_answers


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLedger:
    """One arm against another on the questions of one kind. In each comparison the reference is the first arm."""

    comparison: Comparison | None
    """On the questions with a score in both arms; None without such questions."""
    p_holm: float | None
    """The p value adjusted for testing all kinds and all pairs."""
    logprob_comparison: Comparison | None
    without_overlap: Comparison | None
    """The comparison without the questions near the training rows; None if nothing overlaps or nothing is left."""
    overlap_only: Comparison | None
    floor: float = 0.0
    """No difference up to this one is claimed: the same model may move as far when asked again (noise_floor.py); 0 if nothing is known."""


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
    contrasts: dict[Square, Contrast]
    """For each context that stands before base and adapter both: does it still help once the model is tuned?"""
    arm_splits: Mapping[str, VarianceSplit] = field(default_factory=dict)
    """Where the uncertainty of each score comes from; empty if no arm gave several answers to a question."""
    pair_splits: Mapping[Pair, VarianceSplit] = field(default_factory=dict)
    """The same of each difference."""

    same_prompts: Mapping[str, str] = field(default_factory=dict)
    """Arm -> the arm without a context that was asked with the same prompts: the context held nothing for this kind (same_prompts.py)."""

    def is_alike(self, pair: Pair) -> bool:
        """Whether both arms are the same weights, asked with the same prompts."""
        first, second = (self.same_prompts.get(name, name) for name in pair)
        return first == second

    @property
    def headline(self) -> PairLedger | None:
        """The comparison that was declared first; None if none was declared."""
        return next(iter(self.pairs.values()), None)

    @property
    def headline_pair(self) -> Pair | None:
        """Its two arms."""
        return next(iter(self.pairs), None)


def sorted_counts(values: Iterable[str | None]) -> dict[str, int]:
    """Value -> how often, by name; None is left out."""
    return dict(sorted(Counter(value for value in values if value is not None).items()))


def estimate_of(values: Sequence[float], rows: Sequence[Scored]) -> Estimate | None:
    """The mean of one value per row, with its interval; None without rows."""
    if not values:
        return None
    return mean_estimate(values, clusters=[row.cluster for row in rows])


def arm_ledger(rows: Sequence[Scored]) -> ArmLedger:
    """Count the answers of one kind in one arm; `rows`: one per question. AssertionError if a verdict is lost."""
    answers = [answer for row in rows for answer in row.answers]
    counts = Counter(answer.outcome for answer in answers)
    assert sum(counts[outcome] for outcome in Outcome) == len(answers)
    scores = [answer.score for answer in answers if answer.score is not None]
    assert len(scores) == len(answers) - counts[Outcome.UNJUDGED], "a score exactly where there is a verdict"
    verdicts = [row for row in rows if row.score is not None]
    letters = [row for row in rows if row.logprob_correct is not None]

    return ArmLedger(
        n=len(rows),
        num_answers=len(answers),
        num_correct=counts[Outcome.CORRECT],
        num_incorrect=counts[Outcome.INCORRECT],
        num_unparsed=counts[Outcome.UNPARSED],
        num_unjudged=counts[Outcome.UNJUDGED],
        estimate=estimate_of([row.score for row in verdicts if row.score is not None], verdicts),
        failures_as_zero=sum(with_failures_as(row, 0.0) for row in rows) / len(rows),
        failures_as_one=sum(with_failures_as(row, 1.0) for row in rows) / len(rows),
        num_truncated=sum(answer.truncated for answer in answers),
        readings=sorted_counts(answer.reading for answer in answers),
        tiers=sorted_counts(answer.tier for answer in answers),
        flags=sorted_counts(flag for answer in answers for flag in answer.flags),
        histogram=dict(sorted(Counter(scores).items())),
        logprob=estimate_of([float(bool(row.logprob_correct)) for row in letters], letters),
    )


def with_failures_as(row: Scored, score: float) -> float:
    """The score of a question if each answer without a readable text or a verdict had this one."""
    failed = (Outcome.UNPARSED, Outcome.UNJUDGED)
    found = [score if answer.outcome in failed else answer.score or 0.0 for answer in row.answers]
    return sum(found) / len(found)


def compare_pairs(
    pairs: Sequence[tuple[float | None, float | None, str]], *, seed: int, num_resamples: int, level: float
) -> Comparison | None:
    """Compare the (reference, other, cluster) triples with both scores; None if there are no such triples."""
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
    """Whether the most probable letter is right, as a score; None without such a letter."""
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


def num_guesses(question: Question) -> int:
    """Among how many answers a guess at an mcq chooses: the choices, or the sets of at least one choice."""
    return 2 ** len(question.choices) - 1 if question.answer_kind == "letters" else len(question.choices)


def kind_ledger(
    kind: Kind,
    questions: Sequence[Question],
    scored: Sequence[Scored],
    *,
    comparisons: Sequence[Pair],
    squares: Sequence[Square],
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
    sampled = has_samples(rows)
    return KindLedger(
        kind=kind,
        n=len(of_kind),
        num_clusters=len({question.cluster for question in of_kind.values()}),
        chance=chance_level([num_guesses(question) for question in of_kind.values()]) if kind == "mcq" else None,
        arms={arm: arm_ledger(list(mine.values())) for arm, mine in rows.items()},
        pairs={
            (first, second): pair_ledger(
                rows.get(first, {}), rows.get(second, {}), near=near, seed=seed, num_resamples=num_resamples, level=level
            )
            for first, second in comparisons
        },
        num_overlapping=len(near),
        contrasts={
            square: Contrast(comparison=found, p_holm=None)
            for square in squares
            if (found := contrast_of(rows, square, seed=seed, num_resamples=num_resamples, level=level)) is not None
        },
        arm_splits={arm: split for arm, mine in rows.items() if (split := arm_split([mine])) is not None} if sampled else {},
        pair_splits={
            pair: split for pair in comparisons if (split := pair_split([(rows.get(pair[0], {}), rows.get(pair[1], {}))])) is not None
        }
        if sampled
        else {},
    )


def ledgers(
    questions: Sequence[Question],
    scored: Sequence[Scored],
    *,
    comparisons: Sequence[Pair],
    overlapping: Collection[str],
    seed: int,
    num_resamples: int,
    squares: Sequence[Square] = (),
) -> dict[Kind, KindLedger]:
    """The ledger of every kind that has questions, p values adjusted by Holm over all kinds, pairs and contrasts that were tested."""
    present: list[Kind] = [kind for kind in KINDS if any(question.kind == kind for question in questions)]
    tested = {row.kind for row in scored if row.score is not None}
    level = strictest_level(len(tested) * (len(comparisons) + len(squares)))
    by_kind: dict[Kind, KindLedger] = {
        kind: kind_ledger(
            kind,
            questions,
            scored,
            comparisons=comparisons,
            squares=squares,
            overlapping=overlapping,
            seed=seed,
            num_resamples=num_resamples,
            level=level,
        )
        for kind in present
    }
    return {kind: with_holm(ledger, adjusted_p_values(by_kind)) for kind, ledger in by_kind.items()}


Test = tuple[Kind, Pair | Square]
"""What was tested: a declared pair or a contrast, on one kind."""


def adjusted_p_values(by_kind: Mapping[Kind, KindLedger]) -> dict[Test, float]:
    """The p value of every test of an evaluation, adjusted by Holm for all of them."""
    found: dict[Test, float] = {}
    for kind, ledger in by_kind.items():
        found |= {(kind, pair): one.comparison.p_value for pair, one in ledger.pairs.items() if one.comparison is not None}
        found |= {(kind, square): one.comparison.p_value for square, one in ledger.contrasts.items()}
    # Names of tests only order equal p values: by their place.
    names = {test: f"{place:06d}" for place, test in enumerate(found)}
    adjusted = holm({names[test]: p_value for test, p_value in found.items()})
    return {test: adjusted[name] for test, name in names.items()}


def with_holm(ledger: KindLedger, adjusted: Mapping[Test, float]) -> KindLedger:
    """A ledger with the adjusted p values of its comparisons and contrasts."""
    kind = ledger.kind
    return replace(
        ledger,
        pairs={pair: replace(found, p_holm=adjusted.get((kind, pair))) for pair, found in ledger.pairs.items()},
        contrasts={square: replace(found, p_holm=adjusted[kind, square]) for square, found in ledger.contrasts.items()},
    )
