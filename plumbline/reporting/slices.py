"""The paired difference on the questions of each tag: where does an arm gain, and where does it lose? Pure.

Slices are looked at after the verdict, and are a separate family of tests: Holm over the slices of one comparison, all kinds together. They do not
change the p values of the verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from plumbline.reporting.scored import Scored
from plumbline.rows.arms import Pair
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import Comparison, holm, paired_comparison, strictest_level

MIN_QUESTIONS = 10
MIN_CLUSTERS = 6
"""Fewer do not hold an interval of 95 % (tests/unit/test_instruments_hold.py), so none is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One tag on the questions of one kind, for one declared comparison."""

    pair: Pair
    kind: Kind
    tag: str
    n: int
    """Questions with the tag that are scored in both arms."""
    num_clusters: int
    comparison: Comparison | None
    """None if there are too few questions or clusters."""
    p_holm: float | None
    """Adjusted for all slices of the comparison."""
    floor: float = 0.0
    """No difference up to this one is claimed (noise_floor.py)."""


Triple = tuple[float, float, str]
"""Score of the reference, score of the arm, cluster."""


def tags_of(questions: Sequence[Question], kind: Kind) -> dict[str, list[str]]:
    """Tag -> ids of the questions of a kind that have it, by name. A tag of all of them is not a slice: it is the kind."""
    of_kind = [question for question in questions if question.kind == kind]
    found: dict[str, list[str]] = {}
    for question in of_kind:
        for tag in dict.fromkeys(question.tags):
            found.setdefault(tag, []).append(question.id)
    return {tag: ids for tag, ids in sorted(found.items()) if len(ids) < len(of_kind)}


def slices_of(
    questions: Sequence[Question], scored: Sequence[Scored], comparisons: Sequence[Pair], *, seed: int, num_resamples: int
) -> list[Slice]:
    """Every tag of every kind, for each declared comparison in its order."""
    tags: dict[Kind, dict[str, list[str]]] = {kind: tags_of(questions, kind) for kind in KINDS}
    if not any(tags.values()):
        return []
    rows = {(row.arm, row.id): row for row in scored}
    found: list[Slice] = []
    for pair in comparisons:
        triples: dict[tuple[Kind, str], list[Triple]] = {
            (kind, tag): triples_of(ids, rows, pair) for kind, by_tag in tags.items() for tag, ids in by_tag.items()
        }
        level = strictest_level(sum(is_enough(one) for one in triples.values()))
        of_pair = [
            slice_of(pair, kind, tag, one, seed=seed, num_resamples=num_resamples, level=level) for (kind, tag), one in triples.items()
        ]
        found += with_holm(of_pair)
    return found


def triples_of(ids: Sequence[str], rows: dict[tuple[str, str], Scored], pair: Pair) -> list[Triple]:
    """Both scores and the cluster of the questions that are scored in both arms."""
    both = [(rows.get((pair[0], id)), rows.get((pair[1], id))) for id in ids]
    return [
        (first.score, second.score, first.cluster)
        for first, second in both
        if first is not None and second is not None and first.score is not None and second.score is not None
    ]


def is_enough(triples: Sequence[Triple]) -> bool:
    """Whether there are enough questions for an interval that holds."""
    return len(triples) >= MIN_QUESTIONS and len({cluster for _, _, cluster in triples}) >= MIN_CLUSTERS


def slice_of(pair: Pair, kind: Kind, tag: str, triples: Sequence[Triple], *, seed: int, num_resamples: int, level: float) -> Slice:
    """One slice, compared if there are enough questions."""
    clusters = [cluster for _, _, cluster in triples]
    comparison = None
    if is_enough(triples):
        comparison = paired_comparison(
            [first for first, _, _ in triples],
            [second for _, second, _ in triples],
            clusters=clusters,
            seed=seed,
            num_resamples=num_resamples,
            level=level,
        )
    return Slice(pair=pair, kind=kind, tag=tag, n=len(triples), num_clusters=len(set(clusters)), comparison=comparison, p_holm=None)


def with_holm(found: Sequence[Slice]) -> list[Slice]:
    """The slices of one comparison with their p values adjusted for all of them."""
    # Names only order equal p values: by their place.
    adjusted = holm({f"{place:06d}": one.comparison.p_value for place, one in enumerate(found) if one.comparison is not None})
    return [replace(one, p_holm=adjusted.get(f"{place:06d}")) for place, one in enumerate(found)]
