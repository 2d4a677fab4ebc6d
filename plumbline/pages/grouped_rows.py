"""Places of named rows in named groups of a figure: names next to the bars, or above them if a long one would leave no room to draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from plumbline.pages.figures import INK, LINE, Column

ROW_IN = 0.25
"""Height of a row."""
AXIS_IN = 0.4
TITLE_ROWS, GAP_ROWS = 1.05, 0.35
"""Space in rows for the title of a group, and after a group."""
STACKED_ROWS = 1.75
"""Rows that a bar takes with its name above."""
MAX_BESIDE: dict[Column, int] = {"wide": 26, "narrow": 17}
"""The most characters of a name that leave room to draw next to it."""
MAX_TITLE: dict[Column, int] = {"wide": 50, "narrow": 36}
"""The most characters of a line above a group or above a bar."""


def cut(name: str, length: int) -> str:
    """A name that fits; the tables of the page have the whole one."""
    return name if len(name) <= length else f"{name[: length - 1].rstrip()}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedRows:
    """The place of each row; y grows downwards, and a row is 1 high."""

    places: Sequence[float]
    """y of each row, in the order in which the rows were given."""
    names: Sequence[str]
    spans: dict[str, tuple[float, float]]
    """Group -> y above its first row and below its last."""
    is_beside: bool
    """Whether names are next to the bars."""
    column: Column

    @property
    def height_in(self) -> float:
        """Height of the figure."""
        return AXIS_IN + ROW_IN * (max(bottom for _, bottom in self.spans.values()) + GAP_ROWS)

    def name(self, axes: Axes) -> None:
        """Set the names of rows and groups, and the range of y."""
        axes.set_ylim((self.height_in - AXIS_IN) / ROW_IN, 0)
        longest = MAX_TITLE[self.column]
        at: dict[str, Any] = {"ha": "left", "va": "bottom", "in_layout": False}  # long text must not take the room of the axes
        if self.is_beside:
            axes.set_yticks(self.places, self.names)
        else:
            axes.set_yticks([])
            for y, name in zip(self.places, self.names, strict=True):
                axes.annotate(cut(name, longest), (0, y - 0.3), xycoords=("axes fraction", "data"), **at)
        for place, (title, (top, _)) in enumerate(self.spans.items()):
            axes.annotate(cut(title, longest), (0.01, top - 0.05), xycoords=("figure fraction", "data"), weight="bold", color=INK, **at)
            if place:
                axes.axhline(top - TITLE_ROWS - GAP_ROWS / 2, color=LINE, linewidth=0.6)


def group_rows(rows: Sequence[tuple[str, str]], column: Column) -> GroupedRows:
    """Place rows, each a (group, name); groups in the order of their first row."""
    is_beside = max(len(name) for _, name in rows) <= MAX_BESIDE[column]
    height = 1.0 if is_beside else STACKED_ROWS
    places: dict[int, float] = {}
    spans: dict[str, tuple[float, float]] = {}
    y = 0.0
    for title in dict.fromkeys(group for group, _ in rows):
        top = y = y + TITLE_ROWS
        for index in (index for index, (group, _) in enumerate(rows) if group == title):
            places[index] = y + height - 0.5
            y += height
        spans[title] = (top, y)
        y += GAP_ROWS
    return GroupedRows(
        places=[places[index] for index in range(len(rows))],
        names=[name for _, name in rows],
        spans=spans,
        is_beside=is_beside,
        column=column,
    )
