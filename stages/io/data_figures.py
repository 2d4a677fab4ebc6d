"""Draw the data page's figures. Touches matplotlib alone; the same input gives the same bytes."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import MaxNLocator

from stages.io.figures import BASE, INK, MUTED, SETTINGS, TUNED, new_axes, svg_of

NUM_BINS = 40


def draw_classes(rows: Sequence[tuple[str, int, int]]) -> str:
    """Outputs by class before and after. `rows`: (class in words, before, after). Small counts are read from their labels."""
    with mpl.rc_context(SETTINGS):
        figure, axes = new_axes(7.2, 0.7 + 0.52 * len(rows))
        largest = max((max(before, after) for _, before, after in rows), default=1) or 1
        for y, (_, before, after) in enumerate(rows):
            for offset, number, colour in ((-0.18, before, BASE), (0.18, after, TUNED)):
                axes.barh(y + offset, number, height=0.3, color=colour)
                axes.annotate(
                    f"{number:,}", (number, y + offset), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9, color=INK
                )
        axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 1.1 * largest)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.set_xlabel("outputs")
        return svg_of(figure, name="classes", label="Outputs by class before and after cleaning")


def draw_lengths(question: Sequence[int], answer: Sequence[int], max_length: int) -> str:
    """Rows by tokens of question, answer and both; a line at `max_length` where it is in sight."""
    with mpl.rc_context(SETTINGS):
        figure, axes = new_axes(7.2, 2.8)
        total = [one + other for one, other in zip(question, answer, strict=True)]
        longest = max(total, default=1)
        bins = np.unique(np.linspace(0, longest + 1, min(NUM_BINS, longest + 1) + 1).round())
        drawn = (("question", question, MUTED, 1.4, (0, (1, 1.5))), ("answer", answer, BASE, 1.6, "-"), ("both", total, TUNED, 2.4, "-"))
        for name, lengths, colour, width, dashes in drawn:
            counts, edges = np.histogram(lengths, bins=bins)
            axes.stairs(counts, edges, color=colour, linewidth=width, linestyle=dashes, label=name)
        if max_length <= 2 * longest:
            axes.axvline(max_length, color=INK, linewidth=1, linestyle=(0, (3, 3)))
            axes.annotate("max_length", (max_length, axes.get_ylim()[1]), ha="right", va="top", fontsize=9, color=INK)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.set_xlabel("tokens")
        axes.set_ylabel("rows")
        axes.legend(frameon=False, labelcolor=INK, loc="upper right")
        return svg_of(figure, name="lengths", label="Rows by number of tokens of question, answer and both together")
