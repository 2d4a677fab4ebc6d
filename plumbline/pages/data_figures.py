"""Draw the data page's figures. Touches matplotlib alone; the same input gives the same bytes."""

from collections.abc import Sequence

import numpy as np

from plumbline.pages.figures import BASE, INK, MUTED, TUNED, WIDTHS_IN, Column, for_both_columns, new_axes, svg_of

NUM_BINS = 40


def draw_lengths(question: Sequence[int], answer: Sequence[int], max_length: int) -> str:
    """Rows by tokens of question, answer and both; a line at `max_length` if it is in sight."""
    total = [one + other for one, other in zip(question, answer, strict=True)]
    longest = max(total, default=1)
    bins = np.unique(np.linspace(0, longest + 1, min(NUM_BINS, longest + 1) + 1).round())
    drawn = (("question", question, MUTED, 1.4, (0, (1, 1.5))), ("answer", answer, BASE, 1.6, "-"), ("both", total, TUNED, 2.4, "-"))

    def draw(column: Column) -> str:
        figure, axes = new_axes(WIDTHS_IN[column], 2.4)
        for name, lengths, colour, width, dashes in drawn:
            counts, edges = np.histogram(lengths, bins=bins)
            axes.stairs(counts, edges, color=colour, linewidth=width, linestyle=dashes, label=name)
        if max_length <= 2 * longest:
            axes.axvline(max_length, color=INK, linewidth=1, linestyle=(0, (3, 3)))
            axes.annotate("max_length", (max_length, axes.get_ylim()[1]), ha="right", va="top", color=INK)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.set_xlabel("tokens")
        axes.legend(frameon=False, labelcolor=INK, loc="upper right")
        return svg_of(figure, name="lengths", label="Rows by number of tokens of question, answer and both together", column=column)

    return for_both_columns(draw)
