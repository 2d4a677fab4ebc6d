"""The tables of a comparison, for the page and for a terminal: every number already worded. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.comparing.compared_run import Run, differing, kinds_of, told_value
from plumbline.comparing.differences import Cell, adjusted
from plumbline.reporting.claims import claimed_direction, is_below_floor
from plumbline.reporting.ledger import KIND_NAMES
from plumbline.reporting.words import arm_words, detectable_words, p_words, points, span
from plumbline.rows.question import Kind
from plumbline.statistics import Direction


def run_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The table of runs."""
    rows: list[dict[str, Any]] = []
    for run, values in zip(runs, differing(runs), strict=True):
        cells = []
        for kind in kinds_of(runs):
            mine, reference = run.score(kind, run.arm), run.score(kind, run.reference_arm)
            cells.append(
                {
                    "score": points(mine["value"]) if mine else "–",
                    "interval": span(tuple(mine["ci95"])) if mine else "",
                    "reference": f"{arm_words(run.reference_arm)} {points(reference['value'])}" if reference else "",
                    "n": mine["n"] if mine else 0,
                }
            )
        changes = ", ".join(f"{name} = {told_value(value)}" for name, value in values.items()) or "–"
        rows.append({"name": run.name, "cells": cells, "state": run.state, "changes": changes})
    return rows


def matrix(runs: Sequence[Run], cells: Mapping[tuple[str, Kind], Cell]) -> list[dict[str, Any]]:
    """The table of paired differences."""
    p_values = adjusted(cells)
    rows: list[dict[str, Any]] = []
    for run in runs[1:]:
        shown = []
        for kind in kinds_of(runs):
            one = cells[run.name, kind]
            if one.comparison is None:
                shown.append({"value": "–", "interval": "", "note": one.refused or "no verdicts", "direction": Direction.NONE})
                continue
            found = one.comparison
            if one.across is not None:
                note = f"two judges, n = {found.n}, not corrected, no p value: {one.across.words}"
                shown.append(
                    {
                        "value": points(found.delta, sign=True),
                        "interval": f"{span(found.ci95)} (two judges)",
                        "note": note,
                        "direction": Direction.NONE,
                    }
                )
                continue
            p_value = p_values[f"{run.name} {kind}"]
            floor = highest_floor([runs[0], run], kind) or 0.0
            way = claimed_direction(found, p_value, floor)
            note = f"p {p_words(p_value)}, n = {found.n}, +{found.num_second_only} −{found.num_first_only}"
            if is_below_floor(found, p_value, floor):
                note += ", not claimed"
            elif way is Direction.NONE:
                note += f", could have shown {detectable_words(found, floor)}"
            note += f", noise floor {points(floor)}" if floor else ""
            shown.append({"value": points(found.delta, sign=True), "interval": span(found.ci95), "note": note, "direction": way})
        rows.append({"name": run.name, "cells": shown})
    return rows


def highest_floor(runs: Sequence[Run], kind: Kind) -> float | None:
    """The largest noise floor among runs: no smaller difference between them is claimed; None if no run has one."""
    return max((floor for run in runs if (floor := run.floor(kind)) is not None), default=None)


def floor_line(runs: Sequence[Run], kinds: Sequence[Kind]) -> list[list[str]]:
    """The noise floor of each kind, as a line of the table; no line if no run has one."""
    floors = [highest_floor(runs, kind) for kind in kinds]
    if all(floor is None for floor in floors):
        return []
    return [["noise floor", *("–" if floor is None else points(floor) for floor in floors)]]


def text_table(runs: Sequence[Run], cells: Mapping[tuple[str, Kind], Cell]) -> str:
    """The comparison for a terminal."""
    kinds = kinds_of(runs)
    names = [KIND_NAMES[kind] for kind in kinds]
    lines = [["run", *names, "state"]]
    lines += [
        [str(row["name"]), *(f"{one['score']} {one['interval']}".strip() for one in row["cells"]), str(row["state"])]
        for row in run_rows(runs)
    ]
    lines.append([])
    lines.append([f"minus {runs[0].name}", *names])
    lines += [
        [
            str(row["name"]),
            *(f"{one['value']} {one['interval']}".strip() if one["value"] != "–" else str(one["note"]) for one in row["cells"]),
        ]
        for row in matrix(runs, cells)
    ]
    lines += floor_line(runs, kinds)
    return in_columns(lines)


def in_columns(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, each column as wide as its widest cell."""
    widths = [max((len(line[column]) for line in lines if len(line) > column), default=0) for column in range(max(map(len, lines)))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=False)).rstrip() for line in lines) + "\n"
