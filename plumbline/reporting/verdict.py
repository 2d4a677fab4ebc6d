"""The verdict of an evaluation with several arms: is fine-tuning better than the best arm without it, and what does a context bring alone? Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from plumbline.reporting.contrasts import Contrast, Square
from plumbline.reporting.ledger import KIND_NAMES, KindLedger, PairLedger
from plumbline.reporting.words import arm_words, headline_words, joined, ordered, pair_direction, points, resolution, span, verdict_words
from plumbline.rows.arms import NO_CONTEXT, Arms, Pair
from plumbline.rows.question import Kind
from plumbline.statistics import Comparison, Direction, shown_direction


class Rival(NamedTuple):
    """An arm without the adapter that the tuned arm was compared with, on one kind."""

    name: str
    comparison: Comparison
    direction: Direction


class Finding(NamedTuple):
    """What one kind says of fine-tuning."""

    kind: Kind
    direction: Direction
    """BETTER than every rival; WORSE than one of them at least; else NONE."""
    rival: Rival
    """The one that comes nearest to the tuned arm, or is furthest ahead of it."""
    num_rivals: int


def tuned_arm(arms: Arms, comparisons: Sequence[Pair]) -> str | None:
    """The arm that the verdict is about: of the declared comparisons the first second arm in which the adapter answers, whose rival has none."""
    return next((second for first, second in comparisons if arms.root[second].is_trained and not arms.root[first].is_trained), None)


def rivals_of(ledger: KindLedger, arms: Arms, tuned: str) -> list[Rival]:
    """The arms without the adapter that were declared as references of the tuned arm."""
    return [
        Rival(first, found.comparison, pair_direction(found))
        for (first, second), found in ledger.pairs.items()
        if second == tuned and not arms.root[first].is_trained and found.comparison is not None
    ]


def finding_of(ledger: KindLedger, arms: Arms, tuned: str) -> Finding | None:
    """What one kind says; None where nothing could be compared. A claim against the best of several holds only where it holds against each."""
    rivals = rivals_of(ledger, arms, tuned)
    if not rivals:
        return None
    ahead = [rival for rival in rivals if rival.direction is Direction.WORSE]
    open_ = [rival for rival in rivals if rival.direction is not Direction.BETTER]
    nearest = min(ahead or open_ or rivals, key=lambda rival: rival.comparison.delta)
    direction = Direction.WORSE if ahead else Direction.NONE if open_ else Direction.BETTER
    return Finding(ledger.kind, direction, nearest, len(rivals))


def findings(ledgers: Mapping[Kind, KindLedger], arms: Arms, tuned: str) -> list[Finding]:
    """Kind by kind."""
    return [found for ledger in ledgers.values() if (found := finding_of(ledger, arms, tuned)) is not None]


def kinds_words(found: Sequence[Finding]) -> str:
    return joined([KIND_NAMES[one.kind] for one in found])


def evaluation_headline(ledgers: Mapping[Kind, KindLedger], arms: Arms, comparisons: Sequence[Pair]) -> str:
    """One sentence on the whole evaluation."""
    tuned = tuned_arm(arms, comparisons)
    if len(comparisons) < 2 or tuned is None:
        return headline_words(ledgers)
    by_direction: dict[Direction, list[Finding]] = {direction: [] for direction in Direction}
    for found in findings(ledgers, arms, tuned):
        by_direction[found.direction].append(found)
    parts: list[str] = []
    if better := by_direction[Direction.BETTER]:
        parts.append(f"beats every arm without it on {kinds_words(better)}")
    if worse := by_direction[Direction.WORSE]:
        parts.append(f"loses to an arm without it on {kinds_words(worse)}")
    if undecided := by_direction[Direction.NONE]:
        parts.append(f"is not shown to beat the best arm without it on {kinds_words(undecided)}")
    return f"Fine-tuning {'; it '.join(parts)}." if parts else "Nothing could be compared."


def evaluation_verdict(ledgers: Mapping[Kind, KindLedger], arms: Arms, comparisons: Sequence[Pair]) -> str:
    """The whole verdict with its numbers, as one would quote it."""
    tuned = tuned_arm(arms, comparisons)
    if len(comparisons) < 2 or tuned is None:
        return verdict_words(ledgers)
    sentences = [finding_words(found) for found in findings(ledgers, arms, tuned)]
    sentences += [alone for pair in comparisons if (alone := alone_words(ledgers, arms, pair)) is not None]
    return " ".join(sentences)


def finding_words(found: Finding) -> str:
    """Fine-tuning against the arms without it, on one kind."""
    rival, comparison, kind = arm_words(found.rival.name), found.rival.comparison, KIND_NAMES[found.kind]
    best = f"the best of {found.num_rivals} arms without it ({rival})" if found.num_rivals > 1 else rival
    if found.direction is Direction.NONE:
        return (
            f"On {kind} fine-tuning is not shown to differ from {best}: {points(comparison.delta, sign=True)} points {span(comparison.ci95)}; "
            f"{resolution(comparison)}."
        )
    amount = f"{points(abs(comparison.delta))} points {span(ordered(comparison.ci95, found.direction))}"
    if found.direction is Direction.BETTER:
        return f"On {kind} fine-tuning beats {best} by {amount}."
    return f"On {kind} fine-tuning is worse than {rival} by {amount}."


def alone_words(ledgers: Mapping[Kind, KindLedger], arms: Arms, pair: Pair) -> str | None:
    """What a context brings the same weights; None for a pair that differs in more than the context."""
    first, second = (arms.root[name] for name in pair)
    if first.weights != second.weights or first.context_name != NO_CONTEXT or second.context_name == NO_CONTEXT:
        return None
    amounts = [
        f"{points(found.delta, sign=True)} {span(found.ci95)} on {KIND_NAMES[kind]}{shown_mark(ledger.pairs[pair])}"
        for kind, ledger in ledgers.items()
        if (found := ledger.pairs[pair].comparison) is not None
    ]
    if not amounts:
        return None
    whose = "the tuned model" if second.is_trained else "base" if second.weights_kind == "base" else arm_words(pair[0])
    alone = "" if second.is_trained else " alone"
    return f"{second.context_name.capitalize()}{alone} bring {whose} {joined(amounts)} points."


def shown_mark(pair: PairLedger) -> str:
    """What is said of a difference that was not shown."""
    return " (no difference shown)" if pair_direction(pair) is Direction.NONE else ""


def contrast_words(kind: Kind, square: Square, found: Contrast) -> str:
    """Does a context still help once the model is tuned?"""
    comparison = found.comparison
    amount = f"{points(comparison.delta, sign=True)} points {span(comparison.ci95)}"
    direction = shown_direction(comparison.ci95, found.p_holm if found.p_holm is not None else 1.0)
    gains = f"{square.context} bring base {points(comparison.first_mean, sign=True)} and tuned {points(comparison.second_mean, sign=True)} points"
    if direction is Direction.NONE:
        return f"On {KIND_NAMES[kind]} {gains}; that the gain differs is not shown ({amount})."
    more = "more" if direction is Direction.BETTER else "less"
    return f"On {KIND_NAMES[kind]} {gains}: they help tuned {more} ({amount})."
