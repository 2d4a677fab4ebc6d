"""The verdict in plain words: what a reader may repeat aloud without adding a footnote. Pure."""

import math
import re
from collections.abc import Mapping, Sequence

from plumbline.number_text import counted, signed
from plumbline.power import least_p_value
from plumbline.reporting.claims import claimed_direction, is_below_floor
from plumbline.reporting.ledger import KIND_NAMES, KindLedger, PairLedger
from plumbline.rows.arms import ArmParams
from plumbline.rows.question import KINDS, Kind
from plumbline.statistics import SIGNIFICANCE, Comparison, Direction
from plumbline.training.forgetting import Forgetting

SENTENCE_END = re.compile(r"(?<=[a-z\])]\.) (?=[A-Z])")
SMALLEST_FORGETTING = 0.005
"""Nats a token: less is written as 0."""


def points(fraction: float, *, sign: bool = False) -> str:
    """A fraction in points: a whole number, but with one digit if a whole number would hide that it is not 0."""
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
    """What may be claimed about the second arm, by the p value adjusted for all kinds and comparisons, and above the noise floor."""
    return Direction.UNSCORED if pair is None else claimed_direction(pair.comparison, pair.p_holm, pair.floor)


def within_floor(pair: PairLedger | None) -> bool:
    """Whether a difference is shown but not claimed, because the same model moves as far when asked again."""
    return pair is not None and is_below_floor(pair.comparison, pair.p_holm, pair.floor)


def floor_clause(floor: float) -> str:
    """Why a difference that the test shows is not claimed."""
    return f"within the noise floor (asked again in other batches, the same model may move by up to {points(floor)} points)"


def direction_of(ledger: KindLedger) -> Direction:
    """What the first comparison shows on one kind; nothing if both arms had the same prompts."""
    if ledger.headline_pair is not None and ledger.is_alike(ledger.headline_pair):
        return Direction.UNSCORED
    return pair_direction(ledger.headline)


def kind_words(ledger: KindLedger) -> str:
    """What a card says about one kind next to its numbers."""
    direction = direction_of(ledger)
    if ledger.headline is None:
        return "No two arms are compared."
    comparison = ledger.headline.comparison
    if ledger.headline_pair is not None and ledger.is_alike(ledger.headline_pair):
        return "Both arms had the same prompts, so there is nothing to compare."
    if comparison is None:
        return "No answer was judged, so there is no score. This is not a zero."
    if within_floor(ledger.headline):
        return f"No difference is claimed: it is {floor_clause(ledger.headline.floor)}."
    if direction is Direction.NONE:
        return f"No detectable difference{not_shown_because(comparison)}; {resolution(comparison, ledger.headline.floor)}."
    assert ledger.headline_pair is not None
    second = arm_title(ledger.headline_pair[1])
    return f"{second} is {direction}: from {points(comparison.first_mean)} to {points(comparison.second_mean)} of 100."


def ordered(bounds: tuple[float, float], direction: Direction) -> tuple[float, float]:
    """The interval of an amount; for "worse by" its signs are turned."""
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
    within = [ledger for ledger in groups[Direction.NONE] if within_floor(ledger.headline)]
    unseen = [ledger for ledger in groups[Direction.NONE] if not within_floor(ledger.headline)]
    floor = f"the difference on {names_of(within)} is within the noise floor, so it is not claimed" if within else ""
    if not parts:
        if not unseen:
            return f"{floor[0].upper()}{floor[1:]}."
        where = f" on {names_of(unseen)}; {floor}" if within else ""
        return f"No difference between {arm_words(first)} and {arm_words(second)} was detected{where}."
    told = [f"{arm_title(second)} is " + ", ".join(parts)]
    told += [f"no difference was detected on {names_of(unseen)}"] if unseen else []
    return "; ".join([*told, *([floor] if floor else [])]) + "."


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
        headline = ledger.headline
        comparison = headline.comparison if headline is not None else None
        if headline is not None and comparison is not None:
            found = f"{points(comparison.delta, sign=True)} points {span(comparison.ci95)}"
            if within_floor(headline):
                sentences.append(
                    f"On {KIND_NAMES[ledger.kind]} the difference ({found}) is {floor_clause(headline.floor)}: it is not claimed."
                )
                continue
            because = not_shown_because(comparison)
            sentences.append(
                f"There is no detectable difference on {KIND_NAMES[ledger.kind]} ({found}){because}; {resolution(comparison, headline.floor)}."
            )
    unscored = groups[Direction.UNSCORED]
    if alike := [one for one in unscored if one.headline_pair is not None and one.is_alike(one.headline_pair)]:
        sentences.append(f"On {names_of(alike)} both arms had the same prompts, so there is nothing to compare.")
    if silent := [one for one in unscored if one not in alike]:
        sentences.append(f"No answer on {names_of(silent)} was judged, so there is no score. This is not a zero.")
    return " ".join(sentences)


def sentences_of(text: str) -> list[str]:
    """The sentences of a verdict, a line each; a verdict of one or two stays one paragraph."""
    found = SENTENCE_END.split(text)
    return found if len(found) > 2 else [text]


def nothing_in_it(arm: str, context: str, bare: str, kinds: Sequence[Kind]) -> str:
    """That an arm had no context for some kinds, without the full stop."""
    what = "no example" if context == "examples" else "no passage" if context in ("passages", "shuffled") else "no context"
    return f"{arm} had {what} for {joined([KIND_NAMES[kind] for kind in kinds])}: same prompts as {bare}, nothing to compare"


def forgetting_words(forgetting: Forgetting) -> str:
    """What the number of forgetting means, for a reader who does not think in nats."""
    increase, low, high = forgetting.increase, forgetting.increase_low, forgetting.increase_high
    interval = "" if low is None or high is None else f" [{signed(low)}, {signed(high)}]"
    found = (
        f"On {forgetting.num_prompts} general prompts, which no row teaches, tuned has a loss of {forgetting.tuned_nll:.2f} nats a token on "
        f"base's own answers, and base {forgetting.base_nll:.2f}: {signed(increase)}{interval}."
    )
    is_open = low is None or high is None or low <= 0 <= high
    if abs(increase) < SMALLEST_FORGETTING:
        return f"{found} Tuned still says what base would say{', as far as these prompts tell' if is_open else ''}."
    if is_open:
        why = "There is no interval" if low is None or high is None else "The interval holds 0"
        return f"{found} {why}: it is not shown that tuned finds these answers less likely than base, nor that nothing was forgotten."
    if increase < 0:
        return f"{found} Tuned is surer of these answers than base: nothing was forgotten."
    return f"{found} Token for token, tuned gives base's answers {math.exp(-increase):.2g} times the probability that base gives them."


def num_tests_of(level: float) -> int:
    """The number of tests for which a level is corrected."""
    return max(1, round(SIGNIFICANCE / level))


def not_shown_because(comparison: Comparison) -> str:
    """Why a difference is not shown although the interval of this comparison alone excludes 0; empty if it includes 0."""
    low, high = comparison.ci95
    if low <= 0 <= high:
        return ""
    if comparison.p_value < SIGNIFICANCE:
        return f" after correction for {counted(num_tests_of(comparison.level), 'test')}"
    return f" by the test, p = {p_words(comparison.p_value)}"


def resolution(comparison: Comparison, floor: float = 0.0) -> str:
    """What the benchmark could have shown, above the noise floor. One rule for every place: `minimum_detectable_effect` is 1 if nothing could be shown."""
    if comparison.minimum_detectable_effect < 1:
        return f"this benchmark could have shown {points(max(comparison.minimum_detectable_effect, floor))} points"
    return too_few_words(comparison.n, comparison.num_units, comparison.level)


def too_few_words(n: int, num_units: int, level: float) -> str:
    """Why no difference could have been shown, and that the interval is not corrected, if the p value is."""
    unit = "group" if num_units < n else "question"
    of = " of questions that stand or fall together" if num_units < n else ""
    tests, least = num_tests_of(level), least_p_value(num_units)
    needed = f"{level:.2g}" + (f" after correction for {tests} tests" if tests > 1 else "")
    if least < level:
        result = f"even the largest difference would mostly not count as shown (p must be below {needed})"
    else:
        alone = "" if least >= SIGNIFICANCE else " by itself"  # if other tests are shown, Holm asks less of the rest
        result = f"no result would count as shown{alone} (p can reach {least:.2g}, and must be below {needed})"
    reserve = "; the interval is not corrected" if tests > 1 else ""
    return f"too few {unit}s{of}: with {counted(num_units, unit)} {result}{reserve}"


def detectable_words(comparison: Comparison, floor: float = 0.0) -> str:
    """The same in a few words, for a card or a cell: what could have been shown."""
    if comparison.minimum_detectable_effect < 1:
        return f"{points(max(comparison.minimum_detectable_effect, floor))} points"
    return f"nothing: too few {'groups' if comparison.num_units < comparison.n else 'questions'}"
