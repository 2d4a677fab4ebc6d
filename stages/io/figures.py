"""Draw the report's figures as SVG that takes its colours from the page, so that light and dark need one drawing.

Touches matplotlib alone; the same input gives the same bytes.
"""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Colours that stand for the page's own: exchanged for var(--...) after drawing.
INK, MUTED, LINE, BASE, TUNED = "#010203", "#010204", "#010205", "#010206", "#010207"
VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line", BASE: "--base", TUNED: "--tuned"}
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 11,
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


def svg_of(figure: Figure, *, name: str, label: str) -> str:
    """The figure as an inline SVG element with an accessible name."""
    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g) id="[^"]*"', r"\1", svg)  # several figures share a page: only what is referred to keeps its id
    svg = re.sub(r"font-family: [^;\"]*; ?", "", svg)
    svg = re.sub(r"\n\s*", "\n", svg)
    return re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", rf'<svg \1 role="img" aria-label="{label}" class="figure">', svg, count=1)


def new_axes(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    figure.patch.set_visible(False)
    axes = figure.subplots()
    axes.patch.set_visible(False)
    axes.tick_params(length=0)
    return figure, axes


def draw_scores(rows: Sequence[tuple[str, str, float, float, float]], chances: Sequence[tuple[str, float]]) -> str:
    """Scores with intervals. `rows`: (kind, arm, score, low, high) as fractions; `chances`: (kind, level)."""
    with mpl.rc_context(SETTINGS):
        kinds = list(dict.fromkeys(kind for kind, *_ in rows))
        figure, axes = new_axes(5.2, 0.62 + 0.62 * len(kinds))
        for kind, arm, score, low, high in rows:
            y = kinds.index(kind) + (-0.16 if arm == "base" else 0.16)
            colour = BASE if arm == "base" else TUNED
            axes.plot([100 * low, 100 * high], [y, y], color=colour, linewidth=5, alpha=0.35)
            axes.plot([100 * score], [y], "o", color=colour, markersize=7)
        for kind, level in chances:
            y = kinds.index(kind)
            axes.plot([100 * level] * 2, [y - 0.38, y + 0.38], color=MUTED, linewidth=1.2, linestyle=(0, (2, 2)))
            axes.annotate("chance", (100 * level, y - 0.40), ha="center", va="bottom", fontsize=8, color=MUTED)
        axes.set_yticks(range(len(kinds)), kinds)
        axes.set_ylim(len(kinds) - 0.45, -0.62)
        axes.set_xlim(-2, 102)
        axes.set_xticks(range(0, 101, 20))
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.set_xlabel("score, percent; the bar is the 95 % interval")
        return svg_of(figure, name="scores", label="Scores of base and tuned by kind, with 95 % intervals")


def draw_differences(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """Paired differences with intervals. `rows`: (kind, delta, low, high) as fractions."""
    with mpl.rc_context(SETTINGS):
        figure, axes = new_axes(5.2, 0.62 + 0.5 * len(rows))
        for y, (_, delta, low, high) in enumerate(rows):
            axes.plot([100 * low, 100 * high], [y, y], color=TUNED, linewidth=5, alpha=0.35)
            axes.plot([100 * delta], [y], "D", color=TUNED, markersize=6)
        reach = max(10.0, *(max(abs(100 * low), abs(100 * high)) for _, _, low, high in rows)) * 1.08
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_xlim(-reach, reach)
        axes.set_yticks(range(len(rows)), [kind for kind, *_ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.set_xlabel("tuned minus base, points")
        return svg_of(figure, name="differences", label="Paired differences between tuned and base by kind, with 95 % intervals")


def draw_loss(points: Sequence[tuple[int, float | None, float | None]]) -> str:
    """The loss curve. `points`: (step, train loss, validation loss), a loss being None where none was taken."""
    with mpl.rc_context(SETTINGS):
        figure, axes = new_axes(5.2, 2.5)
        for index, (name, colour, width) in enumerate((("training", BASE, 1.3), ("validation", TUNED, 2.2)), start=1):
            taken = [(point[0], point[index]) for point in points if point[index] is not None]
            if taken:
                steps, losses = zip(*taken, strict=True)
                axes.plot(steps, losses, color=colour, linewidth=width, marker="o" if len(taken) < 30 else "", markersize=3.5, label=name)
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.set_xlabel("optimiser step")
        axes.set_ylabel("nats per trained token")
        axes.legend(frameon=False, labelcolor=INK, loc="upper right")
        return svg_of(figure, name="loss", label="Training and validation loss by optimiser step")
