"""Draw what was forgotten: a difference per capability, and gain against forgetting over runs. Touches matplotlib alone; same input, same bytes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plumbline.number_text import signed
from plumbline.pages.figures import INK, MUTED, TUNED, WIDTHS_IN, Column, for_both_columns, name_rows, new_axes, svg_of


class CapabilityChange(NamedTuple):
    """Tuned minus base on the probes of one capability, as fractions."""

    name: str
    delta: float
    low: float
    high: float
    is_shown: bool
    """Whether the adjusted test shows a difference."""
    is_within_reach: bool
    """False if neither base nor tuned can do it: a difference of 0 then says nothing."""


def draw_capabilities(rows: Sequence[CapabilityChange]) -> str:
    """A row per capability: hollow if no difference is shown, grey if neither can do it."""

    def draw(column: Column) -> str:
        figure, axes = new_axes(WIDTHS_IN[column], 0.4 + (0.42 if column == "wide" else 0.56) * len(rows))
        for y, row in enumerate(rows):
            colour = TUNED if row.is_within_reach else MUTED
            hollow: dict[str, Any] = {} if row.is_shown else {"markerfacecolor": "none", "markeredgewidth": 1.4}
            axes.plot([100 * row.low, 100 * row.high], [y, y], color=colour, linewidth=5, alpha=0.35)
            axes.plot([100 * row.delta], [y], "D", color=colour, markersize=6, **hollow)
        name_rows(axes, [row.name for row in rows], column)
        axes.set_xlim(1.08 * min(-10.0, *(100 * row.low for row in rows)), 1.08 * max(10.0, *(100 * row.high for row in rows)))
        axes.axvline(0, color=INK, linewidth=1)
        in_signed(axes)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        return svg_of(figure, name="probes", label="Differences by capability, with 95 % intervals", column=column)

    return for_both_columns(draw)


def in_signed(axes: Axes) -> None:
    """Ticks of the x axis with their sign."""
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(lambda value, _: signed(value, 0))
