"""Draw the data page's figures. Touches matplotlib alone; the same input gives the same bytes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from plumbline.pages.figures import BASE, INK, MUTED, TUNED, WIDTHS_IN, Column, for_both_columns, new_axes, svg_of

NUM_BINS = 40
FAR_OUT = 4
"""A few rows that are more than this many times as long as 99 % of the others are counted at the right edge: drawn to scale they hide the rest."""


def draw_lengths(question: Sequence[int], answer: Sequence[int], max_length: int) -> str:
    """Rows by tokens of question, answer and both; a line at `max_length` if it is in sight. The last bin also holds what is far longer."""
    total = [one + other for one, other in zip(question, answer, strict=True)]
    longest = drawn_up_to(total, max_length)
    is_cut = longest < max(total, default=1)
    bins = np.unique(np.linspace(0, longest + 1, min(NUM_BINS, longest + 1) + 1).round())
    drawn = (("question", question, MUTED, 1.4, (0, (1, 1.5))), ("answer", answer, BASE, 1.6, "-"), ("both", total, TUNED, 2.4, "-"))

    def draw(column: Column) -> str:
        figure, axes = new_axes(WIDTHS_IN[column], 2.4)
        for name, lengths, colour, width, dashes in drawn:
            counts, edges = np.histogram(np.minimum(lengths, longest), bins=bins)
            axes.stairs(counts, edges, color=colour, linewidth=width, linestyle=dashes, label=name)
        if max_length <= 2 * longest:
            axes.axvline(max_length, color=INK, linewidth=1, linestyle=(0, (3, 3)))
            # On the side with more room, so that the words never cover the numbers of the axis.
            is_left = max_length < longest / 2
            axes.annotate(
                " max_length " if is_left else "max_length ",
                (max_length, 1),
                xycoords=("data", "axes fraction"),
                ha="left" if is_left else "right",
                va="top",
                color=INK,
            )
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6 if column == "wide" else 4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.set_xlabel(f"tokens (the last bar: {bins[-2]:.0f} or more)" if is_cut else "tokens")
        # Above the axes: inside them it would cover the bars wherever these stand.
        axes.legend(frameon=False, labelcolor=INK, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)
        return svg_of(figure, name="lengths", label="Rows by number of tokens of question, answer and both together", column=column)

    return for_both_columns(draw)


def drawn_up_to(lengths: Sequence[int], max_length: int) -> int:
    """The length at the right edge: the longest, or less if a few rows are far longer than all others; `max_length` stays in sight."""
    if not lengths:
        return 1
    longest, usual = max(lengths), int(np.percentile(lengths, 99, method="lower"))
    edge = max(FAR_OUT * usual, max_length + 1, NUM_BINS)
    return edge if longest > edge else longest
