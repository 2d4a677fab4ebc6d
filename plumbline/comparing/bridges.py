"""Bridges between judges: how the scores of one differ from those of another on the same answers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from plumbline.judging.agreement import MIN_BRIDGE
from plumbline.pipeline.record import Record
from plumbline.reporting.words import points, span


class Cell(Record):
    """How many answers got these two scores."""

    old: float
    new: float
    count: int


class JudgeBridge(Record):
    """Two judges on the same answers; scores are 0-1. Only bridges of enough answers are on record."""

    old: str
    """Judge identity."""
    new: str
    num_answers: int = Field(ge=MIN_BRIDGE)
    mean_shift: float
    """New minus old."""
    ci95: tuple[float, float] = Field(strict=False)
    """Of the shift, from resampling clusters of questions."""
    shift_by_arm: dict[str, float]
    exact_agreement: float
    """Share of the answers with the same score."""
    weighted_kappa: float | None
    confusion: tuple[Cell, ...] = Field(strict=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A bridge as read from one side: how much more the other judge gives than the judge here."""

    num_answers: int
    shift: float
    ci95: tuple[float, float]
    exact_agreement: float
    weighted_kappa: float | None

    @property
    def words(self) -> str:
        """What the bridge says, in points, for a reader of a difference across it."""
        kappa = "" if self.weighted_kappa is None else f", weighted kappa {self.weighted_kappa:.2f}"
        return (
            f"on the {self.num_answers} answers of the bridge the other judge gives {points(self.shift, sign=True)} {span(self.ci95)} points, "
            f"the same score for {100 * self.exact_agreement:.0f} %{kappa}"
        )


def crossing(bridges: Sequence[JudgeBridge], *, here: str, there: str) -> Crossing | None:
    """The bridge from one judge identity to another, whichever way it was built; None if none is on record."""
    for one in bridges:
        if {one.old, one.new} == {here, there} and here != there:
            low, high = one.ci95
            forward = (one.old, one.new) == (here, there)
            return Crossing(
                num_answers=one.num_answers,
                shift=one.mean_shift if forward else -one.mean_shift,
                ci95=(low, high) if forward else (-high, -low),
                exact_agreement=one.exact_agreement,
                weighted_kappa=one.weighted_kappa,
            )
    return None
