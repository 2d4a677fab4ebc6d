"""Two arms compared within each slice of the questions, by the ledger's own comparison. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from plumbline.reporting.ledger import compare_pairs
from plumbline.reporting.scored import Scored
from plumbline.reporting.slices import MIN_CLUSTERS, MIN_QUESTIONS
from plumbline.rows.arms import Pair
from plumbline.statistics import Comparison, holm, shown_direction, strictest_level

TOO_FEW = "too few questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One pair of arms on the questions of one slice."""

    name: str
    pair: Pair
    comparison: Comparison | None
    """None if no question of it has a score in both arms."""
    p_holm: float | None = None
    """The p value adjusted for all slices and pairs that were looked at."""

    @property
    def finding(self) -> str:
        """`better` or `worse` for the second arm, `none` if nothing was shown, or that the slice is too small to show anything."""
        if self.comparison is None or self.p_holm is None:
            return "no verdicts"
        found = self.comparison
        if found.n < MIN_QUESTIONS or found.num_units < MIN_CLUSTERS or found.minimum_detectable_effect >= 1:
            return TOO_FEW
        return str(shown_direction(self.comparison.ci95, self.p_holm))


def compare_slices(
    scored: Sequence[Scored], slice_of: Mapping[str, str], pairs: Sequence[Pair], *, seed: int, num_resamples: int
) -> list[Slice]:
    """Compare the pairs in every slice; `slice_of`: id of a question -> its slice. Slices come in the order of their questions.

    Holm's correction is over all of them: among many slices, one must show more.
    """
    rows = {(row.arm, row.id): row for row in scored}
    questions: dict[str, dict[str, None]] = {}
    for row in scored:
        if row.id in slice_of:
            questions.setdefault(slice_of[row.id], {})[row.id] = None
    level = strictest_level(len(questions) * len(pairs))
    found: list[Slice] = []
    for name, ids in questions.items():
        for first, second in pairs:
            both = [(rows[first, key], rows[second, key]) for key in ids if (first, key) in rows and (second, key) in rows]
            triples = [(one.score, other.score, one.cluster) for one, other in both]
            comparison = compare_pairs(triples, seed=seed, num_resamples=num_resamples, level=level)
            found.append(Slice(name=name, pair=(first, second), comparison=comparison))
    places = {f"{place:06d}": one for place, one in enumerate(found)}
    adjusted = holm({name: one.comparison.p_value for name, one in places.items() if one.comparison is not None})
    return [replace(one, p_holm=adjusted.get(name)) for name, one in places.items()]


def slice_numbers(one: Slice) -> dict[str, object]:
    """A slice as a row of numbers, unrounded."""
    comparison = one.comparison
    row: dict[str, object] = {"slice": one.name, "reference": one.pair[0], "arm": one.pair[1], "n": 0, "finding": one.finding}
    if comparison is None:
        return row
    low, high = comparison.ci95
    return row | {
        "n": comparison.n,
        "num_units": comparison.num_units,
        "reference_score": comparison.first_mean,
        "arm_score": comparison.second_mean,
        "delta": comparison.delta,
        "low": low,
        "high": high,
        "p": comparison.p_value,
        "p_holm": one.p_holm,
        "test": str(comparison.test),
        "num_reference_only": comparison.num_first_only,
        "num_arm_only": comparison.num_second_only,
        "minimum_detectable_effect": comparison.minimum_detectable_effect,
    }
