"""Draw what an evaluation found: scores of arms by kind, and differences of pairs of arms.

The colour says who answers, the marker says what stands before the question. Touches matplotlib alone; the same input gives the same bytes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plumbline.number_text import signed
from plumbline.pages.figures import (
    BASE,
    FILE,
    INK,
    MODEL,
    MUTED,
    TUNED,
    WIDTHS_IN,
    Column,
    for_both_columns,
    name_rows,
    new_axes,
    svg_of,
)
from plumbline.pages.grouped_rows import group_rows

COLOURS = {"base": BASE, "adapter": TUNED, "model": MODEL, "file": FILE}
"""By ArmParams.weights_kind; the page's dots have the same colours, by the classes w-base, w-adapter, ..."""
MARKERS: dict[str, tuple[str, float]] = {"none": ("o", 7), "examples": ("s", 6.5), "passages": ("^", 7.5), "shuffled": ("X", 7.5)}
"""By ArmParams.context_name: shape and size in points; the page's dots have the same shapes."""
OTHER_MARKER = ("D", 6.0)


class ArmScore(NamedTuple):
    """The score of one arm on one kind, as fractions."""

    kind: str
    arm: str
    weights: str
    context: str
    score: float
    low: float
    high: float


class PairDifference(NamedTuple):
    """Second arm minus first on one kind, as fractions."""

    kind: str
    pair: str
    weights: str
    """Of the second arm."""
    delta: float
    low: float
    high: float
    is_shown: bool
    """Whether the adjusted test shows a difference."""


def draw_scores(rows: Sequence[ArmScore], chances: Sequence[tuple[str, float]]) -> str:
    """Scores in percent with intervals. `chances`: (kind, what guessing gives). Arms are named, unless there are only two and they look different."""
    arms = {row.arm: (row.weights, row.context) for row in rows}
    if len(arms) > 2 or len(set(arms.values())) < len(arms):
        return draw_named_scores(rows, dict(chances))

    def draw(column: Column) -> str:
        kinds = list(dict.fromkeys(row.kind for row in rows))
        names = list(arms)
        figure, axes = new_axes(WIDTHS_IN[column], 0.4 + 0.62 * len(kinds))
        for row in rows:
            y = kinds.index(row.kind) + (0.32 * names.index(row.arm) - 0.16 if len(names) > 1 else 0)
            draw_arm(axes, row, y)
        for kind, level in chances:
            y = kinds.index(kind)
            draw_chance(axes, level, y - 0.3, y + 0.3)
        name_rows(axes, kinds, column)
        in_percent(axes)
        return svg_of(figure, name="scores", label="Scores of the arms by kind, with 95 % intervals", column=column)

    return for_both_columns(draw)


def draw_named_scores(rows: Sequence[ArmScore], chances: dict[str, float]) -> str:
    """A group per kind, in it a row per arm with its name."""

    def draw(column: Column) -> str:
        groups = group_rows([(row.kind, row.arm) for row in rows], column)
        figure, axes = new_axes(WIDTHS_IN[column], groups.height_in)
        for row, y in zip(rows, groups.places, strict=True):
            draw_arm(axes, row, y)
        for kind, (top, bottom) in groups.spans.items():
            if kind in chances:
                draw_chance(axes, chances[kind], top, bottom)
        groups.name(axes)
        in_percent(axes)
        return svg_of(figure, name="scores", label="Scores of the arms by kind, with 95 % intervals", column=column)

    return for_both_columns(draw)


def draw_arm(axes: Axes, row: ArmScore, y: float) -> None:
    colour = COLOURS[row.weights]
    marker, size = MARKERS.get(row.context, OTHER_MARKER)
    axes.plot([100 * row.low, 100 * row.high], [y, y], color=colour, linewidth=5, alpha=0.35)
    axes.plot([100 * row.score], [y], marker, color=colour, markersize=size)


def draw_chance(axes: Axes, level: float, top: float, bottom: float) -> None:
    axes.plot([100 * level] * 2, [top, bottom], color=MUTED, linewidth=1.2, linestyle=(0, (2, 2)))


def in_percent(axes: Axes) -> None:
    axes.set_xlim(-2, 102)
    axes.set_xticks(range(0, 101, 20))
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def draw_differences(rows: Sequence[PairDifference]) -> str:
    """Paired differences in points with intervals: a row per kind, and with several pairs a group per pair; hollow if nothing is shown."""
    pairs = list(dict.fromkeys(row.pair for row in rows))

    def draw(column: Column) -> str:
        if len(pairs) > 1:
            groups = group_rows([(row.pair, row.kind) for row in rows], column)
            figure, axes = new_axes(WIDTHS_IN[column], groups.height_in)
            places = groups.places
            groups.name(axes)
        else:
            figure, axes = new_axes(WIDTHS_IN[column], 0.4 + 0.62 * len(rows))
            places = [float(y) for y in range(len(rows))]
            name_rows(axes, [row.kind for row in rows], column)
        for row, y in zip(rows, places, strict=True):
            hollow: dict[str, Any] = {} if row.is_shown or len(pairs) == 1 else {"markerfacecolor": "none", "markeredgewidth": 1.4}
            axes.plot([100 * row.low, 100 * row.high], [y, y], color=COLOURS[row.weights], linewidth=5, alpha=0.35)
            axes.plot([100 * row.delta], [y], "D", color=COLOURS[row.weights], markersize=6, **hollow)
        # 0 is always in sight, and a little beyond it: no side looks larger than it is.
        axes.set_xlim(1.08 * min(-10.0, *(100 * row.low for row in rows)), 1.08 * max(10.0, *(100 * row.high for row in rows)))
        axes.axvline(0, color=INK, linewidth=1)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(lambda value, _: signed(value, 0))
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        label = "Paired differences by kind, with 95 % intervals"
        return svg_of(figure, name="differences", label=label, column=column)

    return for_both_columns(draw)
