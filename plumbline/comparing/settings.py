"""Runs that differ only in their training seed are one setting; settings are compared on each question's mean over seeds. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from plumbline.comparing.comparability import refusal
from plumbline.comparing.compared_run import Run, differing, flat, kinds_of, told_value
from plumbline.comparing.comparison_tables import in_columns
from plumbline.reporting.ledger import KIND_NAMES, compare_pairs
from plumbline.reporting.words import points, span
from plumbline.rows.question import KINDS, Kind
from plumbline.statistics import Comparison, strictest_level

SEED = "train.seed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Two runs or more, one per seed."""

    name: str
    differs: dict[str, Any]
    """Parameters that are not the same in all settings."""
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> str:
        return ", ".join(str(seed) for seed in sorted((flat(run.params).get(SEED) for run in self.runs), key=str))

    @property
    def spoilt_by(self) -> tuple[str, ...]:
        """Its runs that are not results, each with its state: with one of them the setting has no numbers either."""
        return tuple(f"{run.name} is {run.state}" for run in self.runs if not run.is_result)

    def scores(self, kind: Kind) -> list[dict[str, Any]]:
        """The score of each run that has one, as its ledger has it; none if a run is not a result."""
        if self.spoilt_by:
            return []
        return [score for run in self.runs if (score := run.score(kind, run.arm))]

    def means(self, kind: Kind) -> dict[str, tuple[float | None, str]]:
        """Question id -> mean score over seeds, and cluster; None if a seed has no verdict."""
        by_run = [run.scored() for run in self.runs]
        means: dict[str, tuple[float | None, str]] = {}
        for key, row in by_run[0].items():
            if row.kind == kind:
                found = [one[key].score for one in by_run]
                scored = [score for score in found if score is not None]
                means[key] = (fmean(scored) if len(scored) == len(found) else None, row.cluster)
        return means


def settings_of(runs: Sequence[Run]) -> list[Setting]:
    """Group runs by everything but the training seed; a group is a setting only if each of its runs has another seed."""
    groups: dict[str, list[Run]] = {}
    differs: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for run, values in zip(runs, differing(runs), strict=True):
        rest = {name: value for name, value in flat(run.params).items() if name != SEED}
        key = str(sorted(rest.items(), key=str)) + str(run.identity)
        groups.setdefault(key, []).append(run)
        differs[key] = {name: value for name, value in values.items() if name != SEED}
        names[key] = ", ".join(f"{name} = {told_value(value)}" for name, value in differs[key].items()) or "as they stand"
    # Settings may differ in something that is not a parameter, such as code or judge: then their first run tells them apart.
    doubled = {name for name in names.values() if list(names.values()).count(name) > 1}
    found = [
        Setting(
            name=f"{names[key]} ({members[0].name} ...)" if names[key] in doubled else names[key],
            differs=differs[key],
            runs=tuple(members),
        )
        for key, members in groups.items()
    ]
    return [one for one in found if 2 <= len(one.runs) == len({flat(run.params).get(SEED) for run in one.runs})]


def compare_settings(settings: Sequence[Setting], *, seed: int, num_resamples: int) -> dict[tuple[str, Kind], Comparison]:
    """(setting, kind) -> its comparison with the first setting, if the two can be compared."""
    found: dict[tuple[str, Kind], Comparison] = {}
    kinds = {row.kind for setting in settings[:1] for row in setting.runs[0].scored().values()}
    level = strictest_level(len(settings[1:]) * len(kinds))
    for one in settings[1:]:
        for kind in KINDS:
            # Within a setting the runs have one identity, but each of them may or may not be a result.
            if settings[0].spoilt_by or one.spoilt_by or refusal(settings[0].runs[0], one.runs[0], kind) is not None:
                continue
            before, after = settings[0].means(kind), one.means(kind)
            pairs = [(score, after[key][0], cluster) for key, (score, cluster) in before.items()]
            comparison = compare_pairs(pairs, seed=seed, num_resamples=num_resamples, level=level)
            if comparison is not None:
                found[one.name, kind] = comparison
    return found


def setting_rows(settings: Sequence[Setting], comparisons: Mapping[tuple[str, Kind], Comparison]) -> list[dict[str, Any]]:
    """One row per setting: mean and spread over seeds, and the paired difference from the first setting; dashes and the reason if a run is not a result."""
    kinds = kinds_of([run for one in settings for run in one.runs])
    rows: list[dict[str, Any]] = []
    for one in settings:
        cells = []
        for kind in kinds:
            scores = one.scores(kind)
            comparison = comparisons.get((one.name, kind))
            values = [score["value"] for score in scores]
            why = ", ".join(one.spoilt_by)
            half = fmean((score["ci95"][1] - score["ci95"][0]) / 2 for score in scores) if scores else 0.0
            cells.append(
                {
                    "mean": points(fmean(values)) if len(values) > 1 else "–",
                    "spread": f"sd over seeds {points(stdev(values))}, over questions ± {points(half)}" if len(values) > 1 else why,
                    "difference": f"{points(comparison.delta, sign=True)} {span(comparison.ci95)}" if comparison else "",
                }
            )
        rows.append({"name": one.name, "seeds": one.seeds, "cells": cells})
    return rows


def settings_table(settings: Sequence[Setting], comparisons: Mapping[tuple[str, Kind], Comparison]) -> str:
    """The settings for a terminal; empty if no run was repeated with another seed."""
    if not settings:
        return ""
    kinds = kinds_of([run for one in settings for run in one.runs])
    lines = [["", "", *(KIND_NAMES[kind] for kind in kinds)]]
    for row in setting_rows(settings, comparisons):
        lines.append([row["name"], f"seeds {row['seeds']}", *(f"{cell['mean']} ({cell['spread']})" for cell in row["cells"])])
        if any(cell["difference"] for cell in row["cells"]):
            lines.append([f"  minus {settings[0].name}", "", *(cell["difference"] or "not comparable" for cell in row["cells"])])
    note = "intervals are over questions alone: a difference smaller than the sd over seeds is not a finding either"
    return f"\nOver seeds, each question's mean compared question by question ({note}):\n" + in_columns(lines)


def settings_numbers(settings: Sequence[Setting], comparisons: Mapping[tuple[str, Kind], Comparison]) -> dict[str, Any]:
    """The same as numbers, fractions of 1: for a table elsewhere."""
    rows: list[dict[str, Any]] = []
    for one in settings:
        numbers: dict[str, Any] = {}
        for kind in kinds_of(list(one.runs)):
            values = [score["value"] for score in one.scores(kind)]
            found = comparisons.get((one.name, kind))
            numbers[kind] = {
                "mean": round(fmean(values), 4) if values else None,
                "sd": round(stdev(values), 4) if len(values) > 1 else None,
                "n": one.scores(kind)[0]["n"] if values else 0,
                "delta": round(found.delta, 4) if found else None,
                "ci95": [round(bound, 4) for bound in found.ci95] if found else None,
                "p": float(f"{found.p_value:.3g}") if found else None,
            }
        rows.append({"name": one.name, "differs": one.differs, "seeds": one.seeds, "kinds": numbers})
    return {"reference": settings[0].name if settings else None, "settings": rows}
