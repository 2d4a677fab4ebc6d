"""The ledger of answers made elsewhere, counted as in the pipeline, for a terminal and as numbers."""

from collections.abc import Collection, Mapping, Sequence

from plumbline.comparing.counted import counted
from plumbline.comparing.graded_answers import GradedAnswer, GradedFile
from plumbline.judging.causes import JudgeCause
from plumbline.number_text import signed_ascii
from plumbline.reporting.ledger import ArmLedger, KindLedger, PairLedger, ledgers
from plumbline.reporting.numbers import arm_numbers, comparison_numbers, rounded, rounded_p
from plumbline.reporting.scored import Scored
from plumbline.reporting.slices import Slice
from plumbline.rows.arms import Pair
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Kind

UNKNOWN_HERE = ("truncated", "truncation_rate", "logprob_accuracy")
"""Numbers of an arm that a file of answers does not hold."""


def pairs_of(graded: Sequence[GradedAnswer], declared: Sequence[Pair]) -> list[Pair]:
    """The comparisons that were declared, else each arm against the first. ValueError for an arm that the file does not have."""
    arms = list(dict.fromkeys(grade.arm for grade in graded))
    for pair in declared:
        for arm in pair:
            if arm not in arms:
                raise ValueError(f"--comparison {' '.join(pair)}: no answer is from arm {arm!r}. The arms are {', '.join(arms)}.")
        if pair[0] == pair[1]:
            raise ValueError(f"--comparison {' '.join(pair)}: an arm cannot be compared with itself. The arms are {', '.join(arms)}.")
    return list(dict.fromkeys(declared)) or [(arms[0], arm) for arm in arms[1:]]


def scored_rows(found: GradedFile, cut: Collection[tuple[str, str]] = ()) -> list[Scored]:
    """The verdicts as the ledger counts them; `cut`: arm and id of the answers that are known to be cut."""
    clusters = {(question.kind, question.id): question.cluster for question in found.questions}
    return [
        Scored(
            id=grade.id,
            kind=grade.kind,
            cluster=clusters[grade.kind, grade.id],
            arm=grade.arm,
            outcome=grade.outcome,
            score=grade.score,
            truncated=(grade.arm, grade.id) in cut,
            logprob_correct=None,
            reading=grade.reading,
            tier=grade.tier,
            flags=grade.flags,
        )
        for grade in found.graded
    ]


def answer_ledgers(
    found: GradedFile, *, comparisons: Sequence[Pair], seed: int, num_resamples: int, cut: Collection[tuple[str, str]] = ()
) -> dict[Kind, KindLedger]:
    """The ledger of each kind, p values adjusted by Holm over all kinds and comparisons."""
    scored = scored_rows(found, cut)
    return ledgers(found.questions, scored, comparisons=comparisons, overlapping=(), seed=seed, num_resamples=num_resamples)


def arm_line(ledger: KindLedger, arm: str, counts: ArmLedger) -> str:
    """One arm on one kind: outcomes, score, and the score if every failure were wrong, and if every failure were right."""
    outcomes = {
        Outcome.CORRECT: counts.num_correct,
        Outcome.INCORRECT: counts.num_incorrect,
        Outcome.UNPARSED: counts.num_unparsed,
        Outcome.UNJUDGED: counts.num_unjudged,
    }
    text = f"{ledger.kind:<12} {arm:<12} n {counts.n:<5} " + "  ".join(f"{outcome} {number}" for outcome, number in outcomes.items())
    if counts.n < ledger.n:
        text += f"  unanswered {ledger.n - counts.n}"
    if counts.estimate is not None:
        low, high = counts.estimate.ci95
        text += f"  score {counts.estimate.mean:.3f} [{low:.3f}, {high:.3f}]"
    if counts.num_unparsed or counts.num_unjudged:
        text += f"  failures as 0: {counts.failures_as_zero:.3f}, as 1: {counts.failures_as_one:.3f}"
    return text + "".join(f"  {flag} {number}" for flag, number in counts.flags.items())


def pair_line(kind: Kind, pair: Pair, found: PairLedger) -> str:
    """One comparison on one kind."""
    first, second = pair
    comparison = found.comparison
    if comparison is None:
        return f"{kind:<12} {second} - {first}: no question with a score in both"
    low, high = comparison.ci95
    return (
        f"{kind:<12} {second} - {first}: {signed_ascii(comparison.delta, 3)} [{signed_ascii(low, 3)}, {signed_ascii(high, 3)}]  "
        f"p {comparison.p_value:.3g} ({comparison.test}), by Holm {found.p_holm:.3g}  "
        f"right only in {first}: {comparison.num_first_only}, only in {second}: {comparison.num_second_only}  "
        f"smallest detectable difference {comparison.minimum_detectable_effect:.3f}  pairs {comparison.n}"
    )


def slice_line(one: Slice) -> str:
    """One slice of one comparison."""
    first, second = one.pair
    name = f"{one.kind:<12} {one.tag}  {second} - {first}"
    if one.comparison is None or one.p_holm is None:
        clusters = f" in {counted(one.num_clusters, 'cluster')}" if one.num_clusters < one.n else ""
        return f"{name}: too few questions ({one.n}{clusters})"
    low, high = one.comparison.ci95
    return (
        f"{name}: {signed_ascii(one.comparison.delta, 3)} [{signed_ascii(low, 3)}, {signed_ascii(high, 3)}]  "
        f"by Holm over the slices {one.p_holm:.3g}  right only in {first}: {one.comparison.num_first_only}, "
        f"only in {second}: {one.comparison.num_second_only}  "
        f"pairs {one.n}"
    )


def notes(found: GradedFile, by_kind: Mapping[Kind, KindLedger]) -> list[str]:
    """What a reader must know about these numbers, a sentence each."""
    told: list[str] = []
    if not found.has_clusters:
        told.append(
            "No row has a cluster, so each question counts as independent. If questions were made from one template or text, "
            "give them one `cluster`. Otherwise the intervals are too narrow."
        )
    without = sum(grade.reading == JudgeCause.NO_KEY_POINTS for grade in found.graded)
    if without:
        told.append(
            f"Unjudged because they have no `key_points`: {counted(without, 'explanation')}. Give their rows a list of what an answer must say."
        )
    tests = sum(pair.comparison is not None for ledger in by_kind.values() for pair in ledger.pairs.values())
    if tests > 1:
        told.append(f"p by Holm holds for all {tests} comparisons together.")
    return told


def ledger_text(found: GradedFile, by_kind: Mapping[Kind, KindLedger]) -> str:
    """The ledger for a terminal."""
    lines: list[str] = []
    for kind, ledger in by_kind.items():
        units = f" in {counted(ledger.num_clusters, 'cluster')}" if found.has_clusters else ""
        chance = f"; blind guessing scores {ledger.chance:.3f}" if ledger.chance is not None else ""
        lines.append(f"{kind:<12} {counted(ledger.n, 'question')}{units}{chance}")
        lines += [arm_line(ledger, arm, counts) for arm, counts in ledger.arms.items()]
        lines += [pair_line(kind, pair, pair_ledger) for pair, pair_ledger in ledger.pairs.items()]
    return "\n".join([*lines, *notes(found, by_kind)])


def ledger_numbers(by_kind: Mapping[Kind, KindLedger]) -> dict[str, object]:
    """The ledger as numbers, in the terms and digits of metrics/evaluation.json."""
    kinds: dict[str, object] = {}
    for kind, ledger in by_kind.items():
        arms = {
            arm: {name: value for name, value in arm_numbers(counts).items() if name not in UNKNOWN_HERE}
            for arm, counts in ledger.arms.items()
        }
        comparisons = [
            {"reference": first, "arm": second, **comparison_numbers(found.comparison), "p_holm": rounded_p(found.p_holm)}
            for (first, second), found in ledger.pairs.items()
            if found.comparison is not None
        ]
        kinds[kind] = {
            "n": ledger.n,
            "num_clusters": ledger.num_clusters,
            "chance": rounded(ledger.chance),
            "arms": arms,
            "comparisons": comparisons,
        }
    return {"schema": "plumbline-answers/1", "kinds": kinds}
