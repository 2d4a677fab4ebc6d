"""The verdict of an evaluation with several arms: is fine-tuning better than the best arm without it, and what does a context bring alone? Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from plumbline.reporting.claims import claimed_direction, is_below_floor
from plumbline.reporting.contrasts import Contrast, Square
from plumbline.reporting.ledger import KIND_NAMES, KindLedger, PairLedger
from plumbline.reporting.words import (
    arm_title,
    arm_words,
    direction_of,
    floor_clause,
    headline_words,
    joined,
    not_shown_because,
    nothing_in_it,
    ordered,
    pair_direction,
    points,
    resolution,
    span,
    verdict_words,
    within_floor,
)
from plumbline.rows.arms import NO_CONTEXT, Arms, Pair
from plumbline.rows.question import Kind
from plumbline.statistics import Comparison, Direction


class Rival(NamedTuple):
    """An arm without the adapter that the tuned arm was compared with, on one kind."""

    name: str
    comparison: Comparison
    """The tuned arm against this one, whichever way it was declared."""
    direction: Direction
    """What it shows about the tuned arm."""
    floor: float = 0.0
    """The noise floor; 0 if nothing is known."""
    is_within_floor: bool = False
    """Whether the floor is what forbids the claim."""


class Finding(NamedTuple):
    """What one kind says about the tuned arm."""

    kind: Kind
    direction: Direction
    """BETTER than every rival; WORSE than at least one of them; else NONE."""
    rival: Rival
    """Its comparison decides. It is the furthest ahead, else the nearest without a shown difference, else the best of those beaten."""
    rivals: tuple[Rival, ...]
    is_all: bool
    """Whether every arm without the adapter is among the rivals."""

    @property
    def is_best(self) -> bool:
        """Whether the rival that decides is the best of several."""
        return len(self.rivals) > 1 and self.rival.comparison.delta == min(rival.comparison.delta for rival in self.rivals)


def tuned_arm(arms: Arms, comparisons: Sequence[Pair]) -> str | None:
    """The arm that the verdict is about: one with the adapter, compared with one without it. An arm without a context comes first, then the first declared."""
    found = [
        second if arms.root[second].is_trained else first
        for first, second in comparisons
        if arms.root[first].is_trained != arms.root[second].is_trained
    ]
    bare = [name for name in found if arms.root[name].context_name == NO_CONTEXT]
    return next(iter(bare or found), None)


def mirrored(comparison: Comparison) -> Comparison:
    """The same comparison with its arms exchanged."""
    return replace(
        comparison,
        first_mean=comparison.second_mean,
        second_mean=comparison.first_mean,
        delta=-comparison.delta,
        ci95=(-comparison.ci95[1], -comparison.ci95[0]),
        num_first_only=comparison.num_second_only,
        num_second_only=comparison.num_first_only,
    )


def rivals_of(ledger: KindLedger, arms: Arms, tuned: str) -> list[Rival]:
    """The arms without the adapter that were compared with the tuned arm, either way round."""
    found: list[Rival] = []
    others = {name for pair in ledger.pairs for name in pair if tuned in pair}
    for (first, second), pair in ledger.pairs.items():
        other = first if second == tuned else second
        if tuned not in (first, second) or arms.root[other].is_trained or pair.comparison is None or pair.p_holm is None:
            continue
        if ledger.same_prompts.get(other) in others:  # the same prompts as that arm: not a second arm to beat
            continue
        comparison = pair.comparison if second == tuned else mirrored(pair.comparison)
        direction = claimed_direction(comparison, pair.p_holm, pair.floor)
        found.append(Rival(other, comparison, direction, pair.floor, within_floor(pair)))
    return found


def finding_of(ledger: KindLedger, arms: Arms, tuned: str) -> Finding | None:
    """What one kind says; None if nothing could be compared. A claim against the best of several holds only if it holds against each."""
    rivals = rivals_of(ledger, arms, tuned)
    if not rivals:
        return None
    ahead = [rival for rival in rivals if rival.direction is Direction.WORSE]
    undecided = [rival for rival in rivals if rival.direction is Direction.NONE]
    decides = min(ahead or undecided or rivals, key=lambda rival: rival.comparison.delta)
    direction = Direction.WORSE if ahead else Direction.NONE if undecided else Direction.BETTER
    without = {name for name, arm in arms.root.items() if not arm.is_trained}
    return Finding(ledger.kind, direction, decides, tuple(rivals), without <= {rival.name for rival in rivals} | {*ledger.same_prompts})


def findings(ledgers: Mapping[Kind, KindLedger], arms: Arms, tuned: str) -> list[Finding]:
    """Kind by kind."""
    return [found for ledger in ledgers.values() if (found := finding_of(ledger, arms, tuned)) is not None]


def kinds_words(found: Sequence[Finding]) -> str:
    return joined([KIND_NAMES[one.kind] for one in found])


def subject(arms: Arms, tuned: str) -> str:
    """The subject of the verdict: fine-tuning, or the tuned arm by name if its prompts hold a context as well."""
    return "fine-tuning" if arms.root[tuned].context_name == NO_CONTEXT else arm_words(tuned)


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
        whom = "every arm without it" if all(found.is_all for found in better) else beaten_words(better)
        parts.append(f"beats {whom} on {kinds_words(better)}")
    if worse := by_direction[Direction.WORSE]:
        parts.append(f"loses to an arm without it on {kinds_words(worse)}")
    if undecided := by_direction[Direction.NONE]:
        parts.append(f"is not shown to beat {beaten_words(undecided, 'or')} on {kinds_words(undecided)}")
    name = subject(arms, tuned)
    return f"{name[0].upper()}{name[1:]} {'; it '.join(parts)}." if parts else "Nothing could be compared."


def beaten_words(found: Sequence[Finding], link: str = "and") -> str:
    """The arms that decide, each once."""
    decide = [rival for one in found for rival in (one.rivals if one.direction is Direction.BETTER else (one.rival,))]
    return joined(list(dict.fromkeys(arm_words(rival.name) for rival in decide)), link)


def overall(ledgers: Mapping[Kind, KindLedger], arms: Arms, comparisons: Sequence[Pair]) -> Direction:
    """Colour of the headline: mixed results have none."""
    tuned = tuned_arm(arms, comparisons)
    if len(comparisons) < 2 or tuned is None:
        found = {direction_of(ledger) for ledger in ledgers.values()}
    else:
        found = {one.direction for one in findings(ledgers, arms, tuned)}
    if Direction.BETTER in found and Direction.WORSE not in found:
        return Direction.BETTER
    return Direction.WORSE if Direction.WORSE in found and Direction.BETTER not in found else Direction.NONE


def evaluation_verdict(ledgers: Mapping[Kind, KindLedger], arms: Arms, comparisons: Sequence[Pair]) -> str:
    """The whole verdict with its numbers, as one would quote it."""
    tuned = tuned_arm(arms, comparisons)
    if len(comparisons) < 2 or tuned is None:
        return verdict_words(ledgers)
    found = findings(ledgers, arms, tuned)
    sentences = [finding_words(one, subject(arms, tuned)) for one in found]
    sentences += [alone for pair in comparisons if (alone := alone_words(ledgers, arms, pair)) is not None]
    if silent := [KIND_NAMES[kind] for kind in ledgers if kind not in {one.kind for one in found}]:
        sentences.append(f"Nothing could be compared on {joined(silent)}: a score is missing. This is not a zero.")
    return " ".join(sentences)


def finding_words(found: Finding, name: str) -> str:
    """The tuned arm against the arms without the adapter, on one kind."""
    rival, comparison, kind = arm_words(found.rival.name), found.rival.comparison, KIND_NAMES[found.kind]
    others = f"the best of {len(found.rivals)} arms without it ({rival})" if found.is_best else rival
    if found.direction is Direction.NONE:
        amount = f"{points(comparison.delta, sign=True)} points {span(comparison.ci95)}"
        if found.rival.is_within_floor:
            return f"On {kind} the difference of {name} from {others} ({amount}) is {floor_clause(found.rival.floor)}: it is not claimed."
        return f"On {kind} {name} is not shown to differ from {others}{not_shown_because(comparison)}: {amount}; {resolution(comparison, found.rival.floor)}."
    amount = f"{points(abs(comparison.delta))} points {span(ordered(comparison.ci95, found.direction))}"
    if found.direction is Direction.BETTER:
        return f"On {kind} {name} beats {others} by {amount}."
    return f"On {kind} {name} is worse than {rival} by {amount}."


def alone_words(ledgers: Mapping[Kind, KindLedger], arms: Arms, pair: Pair) -> str | None:
    """What a context brings to the same weights; None for a pair that differs in more than the context."""
    first, second = (arms.root[name] for name in pair)
    if first.weights != second.weights or first.context_name != NO_CONTEXT or second.context_name == NO_CONTEXT:
        return None
    amounts = [
        f"{points(found.delta, sign=True)} points {span(found.ci95)} on {KIND_NAMES[kind]}{shown_mark(ledger.pairs[pair])}"
        for kind, ledger in ledgers.items()
        if (found := ledger.pairs[pair].comparison) is not None and not ledger.is_alike(pair)
    ]
    alike: list[Kind] = [kind for kind, ledger in ledgers.items() if ledger.is_alike(pair)]
    nothing = f"{nothing_in_it(arm_title(pair[1]), second.context_name, arm_words(pair[0]), alike)}." if alike else ""
    if not amounts:
        return nothing or None
    owner = "the tuned model" if second.is_trained else "base" if second.weights_kind == "base" else arm_words(pair[0])
    what = "Another question's passages" if second.context_name == "shuffled" else second.context_name.capitalize()
    alone = "" if second.is_trained else " alone"
    return f"{what}{alone} bring {owner} {joined(amounts)}. {nothing}".strip()


def shown_mark(pair: PairLedger) -> str:
    """What is said about a difference that was not shown, or is not claimed."""
    if within_floor(pair):
        return " (within the noise floor)"
    if pair.comparison is None or pair_direction(pair) is not Direction.NONE:
        return ""
    because = not_shown_because(pair.comparison)
    return f" (not shown{because})" if because else " (no difference shown)"


def contrast_words(kind: Kind, square: Square, found: Contrast) -> str:
    """Does a context still help once the model is tuned?"""
    comparison = found.comparison
    amount = f"{points(comparison.delta, sign=True)} points {span(comparison.ci95)}"
    direction = claimed_direction(comparison, found.p_holm if found.p_holm is not None else 1.0, found.floor)
    gains = f"{square.context} bring base {points(comparison.first_mean, sign=True)} and tuned {points(comparison.second_mean, sign=True)} points"
    if is_below_floor(comparison, found.p_holm, found.floor):
        return f"On {KIND_NAMES[kind]} {gains}; the difference of the gains ({amount}) is {floor_clause(found.floor)}."
    if direction is Direction.NONE:
        return f"On {KIND_NAMES[kind]} {gains}; it is not shown that the gains differ{not_shown_because(comparison)} ({amount})."
    more = "more" if direction is Direction.BETTER else "less"
    return f"On {KIND_NAMES[kind]} {gains}: they help tuned {more} ({amount})."
