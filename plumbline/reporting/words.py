"""The verdict in plain words: what a reader may repeat aloud without adding a footnote. Pure."""

import math
from collections.abc import Mapping, Sequence

from plumbline.number_text import signed
from plumbline.reporting.claims import claimed_direction, is_below_floor
from plumbline.reporting.ledger import KIND_NAMES, KindLedger, PairLedger
from plumbline.rows.arms import ArmParams
from plumbline.rows.question import KINDS, Kind
from plumbline.statistics import Comparison, Direction
from plumbline.training.forgetting import Forgetting

SMALLEST_FORGETTING = 0.005
"""Nats a token: less is written as 0."""


def points(fraction: float, *, sign: bool = False) -> str:
    """A fraction as points: whole, but with a digit where whole would hide that it is not 0."""
    value = 100 * fraction
    digits = 1 if 0 < abs(value) < 1 else 0
    text = signed(value, digits)
    return text if sign else text.removeprefix("+")


def span(bounds: tuple[float, float]) -> str:
    """An interval in points."""
    return f"[{points(bounds[0])}, {points(bounds[1])}]"


def p_words(p_value: float | None) -> str:
    """A p value for reading."""
    if p_value is None:
        return "–"
    return "< 0.0001" if p_value < 0.0001 else f"{p_value:.4f}" if p_value < 0.01 else f"{p_value:.2f}"


def arm_words(arm: str) -> str:
    """The name of an arm in a sentence."""
    return arm.replace("_", " ")


def arm_title(arm: str) -> str:
    """The name of an arm at the start of one."""
    words = arm_words(arm)
    return words[0].upper() + words[1:]


WHO = {
    "base": "the model without the adapter",
    "adapter": "the model with it",
    "model": "another model",
    "file": "answers made elsewhere",
}
WITH = {
    "none": "",
    "examples": ", with examples in the prompt",
    "passages": ", with retrieved passages in the prompt",
    "shuffled": ", with the passages of another question",
}


def arm_note(arm: ArmParams) -> str:
    """What an arm is, for a legend."""
    return WHO[arm.weights_kind] + WITH.get(arm.context_name, f", with {arm.context_name}")


def pair_direction(pair: PairLedger | None) -> Direction:
    """What may be claimed of the second arm, with the p value that is adjusted for all kinds and comparisons, and above the noise floor."""
    return Direction.UNSCORED if pair is None else claimed_direction(pair.comparison, pair.p_holm, pair.floor)


def within_floor(pair: PairLedger | None) -> bool:
    """Whether a difference is shown and not claimed, since the same model moves as far when asked again."""
    return pair is not None and is_below_floor(pair.comparison, pair.p_holm, pair.floor)


def floor_clause(floor: float) -> str:
    """Why a difference that the test shows is not claimed."""
    return f"smaller than what the same model gives when asked again in other batches (up to {points(floor)} points)"


def direction_of(ledger: KindLedger) -> Direction:
    """What the first comparison shows on one kind."""
    return pair_direction(ledger.headline)


def kind_words(ledger: KindLedger) -> str:
    """What a card says of one kind next to its numbers."""
    direction = direction_of(ledger)
    if ledger.headline is None:
        return "No two arms are compared."
    comparison = ledger.headline.comparison
    if comparison is None:
        return "No one gave a verdict: there is no score, and no zero either."
    if within_floor(ledger.headline):
        return f"No difference is claimed: it is {floor_clause(ledger.headline.floor)}."
    if direction is Direction.NONE:
        return f"No detectable difference; {resolution(comparison)}."
    assert ledger.headline_pair is not None
    second = arm_title(ledger.headline_pair[1])
    return f"{second} is {direction}: from {points(comparison.first_mean)} to {points(comparison.second_mean)} of 100."


def ordered(bounds: tuple[float, float], direction: Direction) -> tuple[float, float]:
    """The interval of an amount: of "worse by" the signs turn."""
    return (-bounds[1], -bounds[0]) if direction is Direction.WORSE else bounds


def joined(names: Sequence[str], link: str = "and") -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" {link} {names[-1]}"


def by_direction(ledgers: Mapping[Kind, KindLedger]) -> dict[Direction, list[KindLedger]]:
    """The ledgers of the kinds in which tuned is better, worse, not detectably different, or not scored."""
    groups: dict[Direction, list[KindLedger]] = {direction: [] for direction in Direction}
    for kind in KINDS:
        if kind in ledgers:
            groups[direction_of(ledgers[kind])].append(ledgers[kind])
    return groups


def names_of(group: Sequence[KindLedger]) -> str:
    return joined([KIND_NAMES[ledger.kind] for ledger in group])


def headline_words(ledgers: Mapping[Kind, KindLedger]) -> str:
    """One sentence on the whole evaluation; an average over kinds would hide which of them moved."""
    groups = by_direction(ledgers)
    pair = next((ledger.headline_pair for ledger in ledgers.values() if ledger.headline_pair is not None), None)
    parts = [f"{direction} on {names_of(groups[direction])}" for direction in (Direction.BETTER, Direction.WORSE) if groups[direction]]
    if pair is None or not (parts or groups[Direction.NONE]):
        return "Nothing could be compared."
    first, second = pair
    done = "claimed" if any(within_floor(ledger.headline) for ledger in groups[Direction.NONE]) else "detected"
    if not parts:
        return f"No difference between {arm_words(first)} and {arm_words(second)} was {done}."
    sentence = f"{arm_title(second)} is " + ", ".join(parts)
    return sentence + (f"; no difference was {done} on {names_of(groups[Direction.NONE])}." if groups[Direction.NONE] else ".")


def verdict_words(ledgers: Mapping[Kind, KindLedger]) -> str:
    """The whole verdict with its numbers, as one would quote it."""
    if all(ledger.headline is None for ledger in ledgers.values()):
        return "No two arms are compared."
    groups = by_direction(ledgers)
    sentences: list[str] = []
    for direction in (Direction.BETTER, Direction.WORSE):
        amounts = [
            f"on {KIND_NAMES[ledger.kind]} by {points(abs(found.delta))} points {span(ordered(found.ci95, direction))}"
            for ledger in groups[direction]
            if ledger.headline is not None and (found := ledger.headline.comparison) is not None
        ]
        if amounts:
            pair = groups[direction][0].headline_pair
            assert pair is not None
            sentences.append(f"{arm_title(pair[1])} is {direction} {joined(amounts)}.")
    for ledger in groups[Direction.NONE]:
        comparison = ledger.headline.comparison if ledger.headline is not None else None
        if comparison is not None:
            found = f"{points(comparison.delta, sign=True)} points {span(comparison.ci95)}"
            if ledger.headline is not None and within_floor(ledger.headline):
                sentences.append(
                    f"On {KIND_NAMES[ledger.kind]} the difference ({found}) is {floor_clause(ledger.headline.floor)}: it is not claimed."
                )
                continue
            sentences.append(f"There is no detectable difference on {KIND_NAMES[ledger.kind]} ({found}); {resolution(comparison)}.")
    if groups[Direction.UNSCORED]:
        sentences.append(f"No one gave a verdict on {names_of(groups[Direction.UNSCORED])}: there is no score, and no zero either.")
    return " ".join(sentences)


def forgetting_words(forgetting: Forgetting) -> str:
    """What the number of forgetting means, for a reader who does not think in nats."""
    increase, low, high = forgetting.increase, forgetting.increase_low, forgetting.increase_high
    interval = "" if low is None or high is None else f" [{signed(low)}, {signed(high)}]"
    found = (
        f"On {forgetting.num_prompts} general prompts, which no row teaches, base's own answers cost tuned {forgetting.tuned_nll:.2f} nats "
        f"a token, and base {forgetting.base_nll:.2f}: {signed(increase)}{interval}."
    )
    if abs(increase) < SMALLEST_FORGETTING:
        return f"{found} Tuned still says there what base would say."
    if increase < 0:
        return f"{found} Tuned is surer of these answers than base: nothing was forgotten."
    return (
        f"{found} Word for word, tuned gives what base would have said {math.exp(-increase):.2g} times the probability that base gave it."
    )


def resolution(comparison: Comparison) -> str:
    """What the benchmark could have shown."""
    if comparison.minimum_detectable_effect < 1:
        return f"this benchmark could have shown {points(comparison.minimum_detectable_effect)} points"
    units = f" in {comparison.num_units} groups that stand or fall together" if comparison.num_units < comparison.n else ""
    return f"no difference could be shown with {comparison.n} question{'' if comparison.n == 1 else 's'}{units}"
