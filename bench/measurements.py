"""The JSON record of a benchmark, with one shape for all, from which `bench.suite` makes tables and pictures."""

import argparse
import os
import platform
import shlex
import statistics
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from plumbline.pipeline.files import write_text
from plumbline.pipeline.record import Record

PACKAGES = ("torch", "transformers", "trl", "peft", "numpy", "orjson", "pandas", "datasets", "anthropic", "dvc")


class Spread(Record):
    """Some repetitions of one measurement."""

    n: int
    median: float
    least: float
    most: float


class Point(Record):
    """All arms at one size, or in one case."""

    x: float | str
    arms: dict[str, Spread]
    """Arm -> what it took. An arm that is not here was not run at this size."""
    ratio: Spread | None
    """How many times better ours is than the naive arm, for each repetition's pair. None without such a pair."""
    besides: dict[str, float]
    """Further numbers of this size, one column each: memory, share of equal texts, ..."""

    @property
    def size(self) -> str:
        """`x` as a reader sees it."""
        return self.x if isinstance(self.x, str) else f"{self.x:,.0f}"


class Curve(Record):
    """One measurement over sizes or cases."""

    x: str
    """What grows, as the head of the first column: rows, questions, calls at a time."""
    unit: str
    """Of the arms."""
    better: Literal["less", "more"]
    naive: str | None
    ours: str
    points: list[Point]

    @property
    def arms(self) -> list[str]:
        """Every arm of any point, in the order in which they come."""
        return list(dict.fromkeys(name for point in self.points for name in point.arms))


class Table(Record):
    """Results that are not a curve, as they will be shown."""

    columns: list[str]
    rows: list[list[str]]

    @model_validator(mode="after")
    def _is_even(self) -> "Table":
        uneven = [row for row in self.rows if len(row) != len(self.columns)]
        if uneven:
            raise ValueError(f"{len(self.columns)} columns {self.columns}, but a row of {len(uneven[0])}: {uneven[0]}")
        return self


class Measured(Record):
    """Everything that one run of one benchmark found."""

    name: str
    title: str
    command: str
    what: str
    """What is compared with what, in a sentence or two."""
    n: int | None
    """Repetitions of the headline: ours at the largest size at which the naive way also ran (otherwise at the largest size)."""
    median: float | None
    spread: tuple[float, float] | None
    unit: str | None
    ratio: float | None
    """How many times better than the naive way, at that size."""
    ratio_spread: tuple[float, float] | None
    curve: Curve | None
    table: Table | None
    not_measured: str | None
    """Why there are no numbers; None if there are."""


def spread_of(values: Sequence[float]) -> Spread:
    """Median and range, rounded to the precision of a benchmark: five digits."""
    return Spread(n=len(values), median=_five(statistics.median(values)), least=_five(min(values)), most=_five(max(values)))


def _five(value: float) -> float:
    return float(f"{value:.5g}")


def pairs(naive: Sequence[float], ours: Sequence[float], *, better: Literal["less", "more"]) -> Spread | None:
    """Ratio of each repetition's pair; repetitions without a partner are left out."""
    both = list(zip(naive, ours, strict=False))
    return spread_of([a / b if better == "less" else b / a for a, b in both]) if both else None


def point(
    x: float | str, arms: Mapping[str, Sequence[float]], *, naive: str | None, ours: str, better: Literal["less", "more"], **besides: float
) -> Point:
    """A point from the repetitions of each arm; arms without any are left out."""
    found = {name: spread_of(values) for name, values in arms.items() if values}
    ratio = pairs(arms[naive], arms[ours], better=better) if naive in found and ours in found and naive is not None else None
    return Point(x=x, arms=found, ratio=ratio, besides={name.replace("_", " "): _five(value) for name, value in besides.items()})


def measured(*, name: str, title: str, what: str, curve: Curve) -> Measured:
    """The record of a curve, with its headline."""
    compared = [one for one in curve.points if one.ratio is not None]
    last = compared[-1] if compared else curve.points[-1]
    ours = last.arms[curve.ours]
    return Measured(
        name=name,
        title=title,
        command=own_command(),
        what=what,
        n=ours.n,
        median=ours.median,
        spread=(ours.least, ours.most),
        unit=curve.unit,
        ratio=last.ratio.median if last.ratio else None,
        ratio_spread=(last.ratio.least, last.ratio.most) if last.ratio else None,
        curve=curve,
        table=None,
        not_measured=None,
    )


def tabled(*, name: str, title: str, what: str, table: Table) -> Measured:
    """The record of results that are not a curve."""
    return _without_curve(name=name, title=title, command=own_command(), what=what, table=table, not_measured=None)


def not_measured(*, name: str, title: str, command: str, reason: str) -> Measured:
    """The record of a benchmark that could not run here."""
    return _without_curve(name=name, title=title, command=command, what="", table=None, not_measured=reason)


def _without_curve(*, name: str, title: str, command: str, what: str, table: Table | None, not_measured: str | None) -> Measured:
    nothing = {"n": None, "median": None, "spread": None, "unit": None, "ratio": None, "ratio_spread": None, "curve": None}
    return Measured.model_validate(
        {"name": name, "title": title, "command": command, "what": what, "table": table, "not_measured": not_measured, **nothing}
    )


def own_command() -> str:
    """The command line of this process as a person would type it, without the file for the record."""
    module = sys.modules["__main__"].__spec__
    words = list(sys.argv[1:])
    if "--json" in words:
        at = words.index("--json")
        del words[at : at + 2]
    return f"python -m {shlex.join([module.name if module else sys.argv[0], *words])}"


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """The option that every benchmark has."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the record there, for bench.suite")


def write_measured(path: Path | None, found: Measured) -> None:
    """Write the record, if one was asked for."""
    if path is not None:
        write_text(path, found.model_dump_json(indent=1) + "\n")


def read_measured(path: Path) -> Measured:
    return Measured.model_validate_json(path.read_text(encoding="utf-8"))


class Machine(Record):
    """Where and with what it was measured."""

    system: str
    num_processors: int
    memory_gib: float
    python: str
    versions: dict[str, str]
    load_at_start: float
    """Processes that wanted a processor in the last minute: below 1 on an idle machine."""

    def told(self) -> str:
        """In a line."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"{self.system}, {self.num_processors} processors, {self.memory_gib:g} GiB, Python {self.python}, {versions}"


def this_machine() -> Machine:
    """Ask the system."""
    versions: dict[str, str] = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        num_processors=os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        python=platform.python_version(),
        versions=versions,
        load_at_start=round(os.getloadavg()[0], 1),
    )
