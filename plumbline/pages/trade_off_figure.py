"""Draw gain against forgetting, a point per run. Touches matplotlib alone; the same input gives the same bytes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plumbline.number_text import signed
from plumbline.pages.figures import INK, MUTED, TUNED, WIDTHS_IN, Column, for_both_columns, svg_of

Measured = tuple[float, tuple[float, float] | None]
"""A value and its 95 % interval, if there is one."""
MOST_LABELS = 6
"""If there are more points, they are numbered as the lines of the table."""
LOOKS: dict[bool, dict[str, Any]] = {True: {}, False: {"markerfacecolor": "none", "markeredgewidth": 1.6}}


class RunPoint(NamedTuple):
    """One run: gain and loss on the probes as fractions, nats a token."""

    label: str
    is_replayed: bool
    gain: Measured
    probes: Measured | None
    nats: Measured | None


def draw_trade_offs(runs: Sequence[RunPoint]) -> str:
    """Gain in points against points lost on the probes, and against nats a token; a panel without a number of any run is left out."""
    panels = [
        (title, [(place, run, turned) for place, run in enumerate(runs, start=1) if (turned := taken(run)) is not None])
        for title, taken in (("points lost on the probes", lost_points), ("nats a token lost on general text", nats))
    ]
    panels = [panel for panel in panels if panel[1]]

    def draw(column: Column) -> str:
        figure = Figure(figsize=(WIDTHS_IN[column], 2.9 * len(panels)), layout="constrained")
        figure.patch.set_visible(False)
        for axes, (title, points) in zip(panel_axes(figure, len(panels)), panels, strict=True):
            for place, run, forgotten in points:
                label = run.label if len(runs) <= MOST_LABELS else str(place)
                draw_run(axes, run, forgotten, label, place=place)
            finish(axes, title, narrow=column == "narrow")
        return svg_of(figure, name="trade_offs", label="Gain in the domain against what was forgotten, a point per run", column=column)

    return for_both_columns(draw)


def panel_axes(figure: Figure, count: int) -> list[Axes]:
    """One below the other: side by side they would have no room for their labels."""
    found = [figure.add_subplot(count, 1, place + 1) for place in range(count)]
    for axes in found:
        axes.patch.set_visible(False)
        axes.tick_params(length=0)
    return found


def lost_points(run: RunPoint) -> Measured | None:
    """What was lost on the probes, in points: to the right is more."""
    return None if run.probes is None else turned(run.probes, -100)


def nats(run: RunPoint) -> Measured | None:
    return run.nats


def turned(measured: Measured, factor: float) -> Measured:
    """A value and its interval, scaled; the ends of the interval stay in order."""
    value, ci95 = measured
    if ci95 is None:
        return factor * value, None
    low, high = sorted(factor * bound for bound in ci95)
    return factor * value, (low, high)


def draw_run(axes: Axes, run: RunPoint, forgotten: Measured, label: str, *, place: int) -> None:
    """A point with both of its intervals and its name."""
    (x, x_bounds), (y, y_bounds) = forgotten, turned(run.gain, 100)
    if x_bounds is not None:
        axes.plot(x_bounds, [y, y], color=TUNED, linewidth=4, alpha=0.3)
    if y_bounds is not None:
        axes.plot([x, x], y_bounds, color=TUNED, linewidth=4, alpha=0.3)
    axes.plot([x], [y], "o", color=TUNED, markersize=7.5, **LOOKS[run.is_replayed])
    low, high = y_bounds or (y, y)
    # At the ends of the bar: next to the point the bar of a neighbour would cross the name.
    end, offset, side = (high, 5, "bottom") if place % 2 else (low, -5, "top")
    axes.annotate(label, (x, end), xytext=(0, offset), textcoords="offset points", ha="center", va=side, color=INK)


def finish(axes: Axes, title: str, *, narrow: bool) -> None:
    """Axes at nothing forgotten and at nothing gained; both are always in sight."""
    axes.margins(0.12, 0.2)
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.axhline(0, color=MUTED, linewidth=1)
    low, high = axes.get_xlim()
    axes.set_xlim(low - 0.2 * (high - low), high + 0.2 * (high - low))  # room for the names
    axes.set_xlabel(title)
    axes.set_ylabel("gain, points")
    axes.xaxis.set_major_locator(MaxNLocator(5 if narrow else 7))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(lambda value, _: signed(value, 0))
    axes.grid()
    axes.set_axisbelow(True)
