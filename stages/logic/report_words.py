"""The verdict in plain words: what a reader may repeat aloud without adding a footnote. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stages.logic.ledger import KindLedger
from stages.records.question import KINDS, Kind

Direction = Literal["better", "worse", "none", "unscored"]

KIND_NAMES: dict[Kind, str] = {"mcq": "multiple choice", "numeric": "numeric problems", "explanation": "explanations"}
SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class KindVerdict:
    """What can be said of one kind."""

    kind: Kind
    name: str
    direction: Direction
    """`better` or `worse` only where the interval excludes 0 and the test, adjusted for three kinds, agrees."""
    sentence: str


def points(fraction: float, *, sign: bool = False) -> str:
    """A fraction as points: whole, but with a digit where whole would hide that it is not 0."""
    value = 100 * fraction
    digits = 1 if 0 < abs(value) < 1 else 0
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def span(bounds: tuple[float, float]) -> str:
    """An interval in points."""
    return f"[{points(bounds[0])}, {points(bounds[1])}]"


def p_words(p_value: float | None) -> str:
    """A p value for reading."""
    if p_value is None:
        return "–"
    return "< 0.0001" if p_value < 0.0001 else f"{p_value:.4f}" if p_value < 0.01 else f"{p_value:.2f}"


def direction_of(ledger: KindLedger) -> Direction:
    comparison = ledger.comparison
    if comparison is None or ledger.p_holm is None:
        return "unscored"
    low, high = comparison.ci95
    if ledger.p_holm < SIGNIFICANCE and low > 0:
        return "better"
    if ledger.p_holm < SIGNIFICANCE and high < 0:
        return "worse"
    return "none"


def kind_verdict(ledger: KindLedger) -> KindVerdict:
    """One sentence on one kind."""
    name, direction, comparison = KIND_NAMES[ledger.kind], direction_of(ledger), ledger.comparison
    if comparison is None:
        sentence = f"No {name} have a verdict: there is no score, and no zero either."
    elif direction == "none":
        sentence = f"No detectable difference ({points(comparison.delta, sign=True)} points {span(comparison.ci95)})."
        if comparison.minimum_detectable_effect < 1:
            sentence += f" This benchmark could have shown {points(comparison.minimum_detectable_effect)} points."
        else:
            sentence += " This benchmark is too small to show any difference."
    else:
        sentence = f"Tuned is {direction} by {points(abs(comparison.delta))} points {span(ordered(comparison.ci95, direction))}."
    return KindVerdict(kind=ledger.kind, name=name, direction=direction, sentence=sentence)


def ordered(bounds: tuple[float, float], direction: Direction) -> tuple[float, float]:
    """The interval of an amount: of "worse by" the signs turn."""
    return (-bounds[1], -bounds[0]) if direction == "worse" else bounds


def joined(names: Sequence[str]) -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def headline_words(ledgers: Mapping[Kind, KindLedger]) -> str:
    """One sentence on the whole evaluation; an average over kinds would hide which of them moved."""
    verdicts = [kind_verdict(ledgers[kind]) for kind in KINDS if kind in ledgers]
    by_direction = {
        direction: [verdict.name for verdict in verdicts if verdict.direction == direction] for direction in ("better", "worse", "none")
    }
    parts: list[str] = []
    if by_direction["better"]:
        parts.append(f"better on {joined(by_direction['better'])}")
    if by_direction["worse"]:
        parts.append(f"worse on {joined(by_direction['worse'])}")
    if not parts:
        return "No difference between base and tuned was detected." if by_direction["none"] else "Nothing could be compared."
    sentence = "Tuned is " + ", ".join(parts)
    return sentence + (f"; no difference was detected on {joined(by_direction['none'])}." if by_direction["none"] else ".")
