"""Where the uncertainty of the scores of runs and settings comes from: questions, sampling, training seeds. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.comparing.comparability import refusal
from plumbline.comparing.compared_run import Run, flat
from plumbline.comparing.comparison_tables import in_columns
from plumbline.comparing.settings import SEED, Setting
from plumbline.reporting.ledger import KIND_NAMES
from plumbline.reporting.scored import Scored
from plumbline.reporting.variance_split import VarianceSplit, arm_split, pair_split
from plumbline.reporting.variance_words import split_numbers, split_row
from plumbline.rows.question import KINDS, Kind

Rows = Mapping[str, Scored]
Splits = dict[tuple[str, Kind], VarianceSplit]
"""(what it is the mean of, kind) -> its parts."""


def uncertainty_of(runs: Sequence[Run], settings: Sequence[Setting]) -> Splits:
    """The parts for every setting, for every single run with several answers to a question, and for their differences from the first.

    Runs that are not results have none. A setting that was not trained with the seeds of the first has no row for their difference.
    """
    repeated = {run.name for one in settings for run in one.runs}
    groups = {one.name: sorted(one.runs, key=seed_of) for one in settings if not one.spoilt_by}
    scored = {run.name: run.scored() for run in runs if run.is_result}
    sampled = {name for name, rows in scored.items() if any(row.samples for row in rows.values())}
    groups |= {run.name: [run] for run in runs if run.name in sampled - repeated}
    found: Splits = {}
    for name, members in groups.items():
        for kind in KINDS:
            if (split := arm_split([of_kind(scored[run.name], kind) for run in members])) is not None:
                found[name, kind] = split
    first = groups.get(settings[0].name) if settings else [runs[0]] if runs[0].name in scored else None
    for name, members in groups.items():
        if first is None or members is first or members == first:
            continue
        for kind in KINDS:
            if (split := difference_split(first, members, kind, scored)) is not None:
                found[f"{name} minus {settings[0].name if settings else runs[0].name}", kind] = split
    return found


def difference_split(first: Sequence[Run], second: Sequence[Run], kind: Kind, scored: Mapping[str, Rows]) -> VarianceSplit | None:
    """The parts of a difference, training by training: those of one seed saw the rows in one order. None if they are not comparable."""
    if len(first) != len(second) or (len(first) > 1 and [*map(seed_of, first)] != [*map(seed_of, second)]):
        return None
    if any(refusal(one, other, kind) is not None for one, other in zip(first, second, strict=True)):
        return None
    return pair_split(
        [(of_kind(scored[one.name], kind), of_kind(scored[other.name], kind)) for one, other in zip(first, second, strict=True)]
    )


def of_kind(rows: Rows, kind: Kind) -> dict[str, Scored]:
    """The rows of one kind."""
    return {name: row for name, row in rows.items() if row.kind == kind}


def seed_of(run: Run) -> str:
    """By which runs of two settings belong together."""
    return str(flat(run.params).get(SEED))


def uncertainty_rows(splits: Splits) -> list[dict[str, Any]]:
    """A row per kind and mean, kind by kind."""
    return [split_row(KIND_NAMES[kind], name, split) for wanted in KINDS for (name, kind), split in splits.items() if kind == wanted]


def uncertainty_table(splits: Splits) -> str:
    """The same for a terminal; empty if nothing was repeated, neither a training nor an answer."""
    if not splits:
        return ""
    lines = [["", "mean of", "standard error", "by questions", "by sampling", "by seeds", ""]]
    lines += [
        [str(row[name]) for name in ("kind", "what", "error", "questions", "sampling", "seeds", "advice")]
        for row in uncertainty_rows(splits)
    ]
    return "\nWhere the uncertainty comes from, in points; the parts add up as squares:\n" + in_columns(lines)


def uncertainty_numbers(splits: Splits) -> list[dict[str, Any]]:
    """The same as numbers."""
    return [{"kind": kind, "of": name, **split_numbers(split)} for (name, kind), split in splits.items()]
