"""Draw the report's figures as SVG that takes its colours from the page, so that light and dark need one drawing.

Each is drawn twice, for a wide and for a narrow column: a wide drawing shrunk to a phone cannot be read. The page's style shows one of the two.
Touches matplotlib alone; the same input gives the same bytes.
"""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plumbline.number_text import signed

# Colours that stand for the page's own: exchanged for var(--...) after drawing.
INK, MUTED, LINE, BASE, TUNED = "#010203", "#010204", "#010205", "#010206", "#010207"
ARMS = tuple(f"#01030{number}" for number in range(7))
VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line", BASE: "--base", TUNED: "--tuned"}
VARIABLES |= {colour: f"--a{number}" for number, colour in enumerate(ARMS)}
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "lines.solid_capstyle": "round",
}
Column = Literal["wide", "narrow"]
WIDTHS_IN: dict[Column, float] = {"wide": 5.2, "narrow": 3.4}
FONT_SIZES_PT: dict[Column, float] = {"wide": 11, "narrow": 10}
"""A narrow drawing, 245 points across, is shown from about 270 pixels on: 10 points are then 11 pixels."""


def for_both_columns(draw: Callable[[Column], str]) -> str:
    """A figure drawn for a wide and for a narrow column, one behind the other."""
    drawn = []
    for column, size in FONT_SIZES_PT.items():
        with mpl.rc_context({**SETTINGS, "font.size": size}):
            drawn.append(draw(column))
    return "\n".join(drawn)


def svg_of(figure: Figure, *, name: str, label: str, column: Column) -> str:
    """The figure as an inline SVG element with an accessible name."""
    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": f"{name} {column}", "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g) id="[^"]*"', r"\1", svg)  # several figures share a page: only what is referred to keeps its id
    svg = re.sub(r"font-family: [^;\"]*; ?", "", svg)
    svg = re.sub(r"\n\s*", "\n", svg)
    return re.sub(
        r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", rf'<svg \1 role="img" aria-label="{label}" class="figure {column}">', svg, count=1
    )


def new_axes(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    figure.patch.set_visible(False)
    axes = figure.subplots()
    axes.patch.set_visible(False)
    axes.tick_params(length=0)
    return figure, axes


def name_rows(axes: Axes, names: Sequence[str], column: Column) -> None:
    """Name the rows 0, 1, ... of a figure: beside them, or above where beside would leave no room to draw."""
    axes.set_ylim(len(names) - 0.45, -0.5 if column == "wide" else -0.75)
    if column == "wide":
        axes.set_yticks(range(len(names)), names)
        return
    axes.set_yticks([])
    for y, name in enumerate(names):
        axes.annotate(name, (0, y - 0.36), xycoords=("axes fraction", "data"), ha="left", va="bottom")


def draw_scores(rows: Sequence[tuple[str, str, float, float, float]], chances: Sequence[tuple[str, float]]) -> str:
    """Scores in percent with intervals. `rows`: (kind, arm, score, low, high) as fractions; `chances`: (kind, level)."""

    def draw(column: Column) -> str:
        kinds = list(dict.fromkeys(kind for kind, *_ in rows))
        arms = list(dict.fromkeys(arm for _, arm, *_ in rows))
        figure, axes = new_axes(WIDTHS_IN[column], 0.4 + (0.3 + 0.16 * max(2, len(arms))) * len(kinds))
        for kind, arm, score, low, high in rows:
            place = arms.index(arm)
            y = kinds.index(kind) + 0.64 * ((place + 0.5) / max(2, len(arms)) - 0.5) if len(arms) > 1 else kinds.index(kind)
            colour = ARMS[place % len(ARMS)]
            axes.plot([100 * low, 100 * high], [y, y], color=colour, linewidth=5, alpha=0.35)
            axes.plot([100 * score], [y], "o", color=colour, markersize=7)
        for kind, level in chances:
            y = kinds.index(kind)
            axes.plot([100 * level] * 2, [y - 0.3, y + 0.3], color=MUTED, linewidth=1.2, linestyle=(0, (2, 2)))
        name_rows(axes, kinds, column)
        axes.set_xlim(-2, 102)
        axes.set_xticks(range(0, 101, 20))
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        return svg_of(figure, name="scores", label="Scores of the arms by kind, with 95 % intervals", column=column)

    return for_both_columns(draw)


def draw_differences(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """Paired differences in points with intervals. `rows`: (kind, delta, low, high) as fractions."""

    def draw(column: Column) -> str:
        figure, axes = new_axes(WIDTHS_IN[column], 0.4 + 0.62 * len(rows))
        for y, (_, delta, low, high) in enumerate(rows):
            axes.plot([100 * low, 100 * high], [y, y], color=TUNED, linewidth=5, alpha=0.35)
            axes.plot([100 * delta], [y], "D", color=TUNED, markersize=6)
        # 0 is always in sight, and a little beyond it: no side looks larger than it is.
        axes.set_xlim(
            1.08 * min(-10.0, *(100 * low for _, _, low, _ in rows)),
            1.08 * max(10.0, *(100 * high for _, _, _, high in rows)),
        )
        axes.axvline(0, color=INK, linewidth=1)
        name_rows(axes, [kind for kind, *_ in rows], column)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(lambda value, _: signed(value, 0))
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        return svg_of(figure, name="differences", label="Paired differences by kind, with 95 % intervals", column=column)

    return for_both_columns(draw)


def draw_loss(points: Sequence[tuple[int, float | None, float | None]]) -> str:
    """The loss curve. `points`: (step, train loss, validation loss), a loss being None where none was taken."""

    def draw(column: Column) -> str:
        figure, axes = new_axes(WIDTHS_IN[column], 2.5)
        for index, (name, colour, width) in enumerate((("training", BASE, 1.3), ("validation", TUNED, 2.2)), start=1):
            taken = [(point[0], point[index]) for point in points if point[index] is not None]
            if taken:
                steps, losses = zip(*taken, strict=True)
                axes.plot(steps, losses, color=colour, linewidth=width, marker="o" if len(taken) < 30 else "", markersize=3.5, label=name)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.set_xlabel("optimiser step")
        axes.legend(frameon=False, labelcolor=INK, loc="upper right")
        return svg_of(figure, name="loss", label="Training and validation loss by optimiser step", column=column)

    return for_both_columns(draw)
