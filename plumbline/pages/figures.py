"""Draw the report's figures as SVG with the colours of the page, so that light and dark need only one drawing.

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

# Placeholders for the page's own colours, replaced by var(--...) after drawing.
INK, MUTED, LINE, BASE, TUNED = "#010203", "#010204", "#010205", "#010206", "#010207"
MODEL, FILE = "#010208", "#010209"
VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line", BASE: "--base", TUNED: "--tuned", MODEL: "--model", FILE: "--file"}
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
    """A figure drawn for a wide and for a narrow column, one after the other."""
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
    """Name the rows 0, 1, ... of a figure: next to them, or above them if that would leave no room to draw."""
    axes.set_ylim(len(names) - 0.45, -0.5 if column == "wide" else -0.75)
    if column == "wide":
        axes.set_yticks(range(len(names)), names)
        return
    axes.set_yticks([])
    for y, name in enumerate(names):
        axes.annotate(name, (0, y - 0.36), xycoords=("axes fraction", "data"), ha="left", va="bottom")


def draw_loss(points: Sequence[tuple[int, float | None, float | None]], *, scores: Sequence[tuple[int, float]] = ()) -> str:
    """The loss curve. `points`: (step, train loss, validation loss); a loss is None if it was not measured.

    `scores`: (step, score from 0 to 1) on the questions that chose the checkpoint, with their own axis; empty if the loss chose.
    """

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
        if scores:
            draw_scores_beside(axes, scores)
            label = "Training and validation loss and development score by optimiser step"
            return svg_of(figure, name="loss", label=label, column=column)
        axes.legend(frameon=False, labelcolor=INK, loc="upper right")
        return svg_of(figure, name="loss", label="Training and validation loss by optimiser step", column=column)

    return for_both_columns(draw)


def draw_scores_beside(axes: Axes, scores: Sequence[tuple[int, float]]) -> None:
    """The development score over the losses, with its own axis on the right. One legend above the curves names all three."""
    right = axes.twinx()
    right.tick_params(length=0, labelcolor=INK)
    right.set_ylim(0, 1)
    right.set_ylabel("development score")
    steps, values = zip(*scores, strict=True)
    right.plot(steps, values, color=MODEL, linewidth=1.8, linestyle="--", marker="s", markersize=4, label="development score")
    lines = [*axes.get_lines(), *right.get_lines()]
    axes.legend(
        lines, [str(line.get_label()) for line in lines], frameon=False, labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1), ncols=2,
        borderaxespad=0,
    )  # fmt: skip
