"""One kept row as it stood before and after a repair, for a person to look at."""

from typing import Literal

from plumbline.pipeline.record import Record
from plumbline.rows.instruction_row import Origin


class RepairExample(Record):
    """A text that a repair changed. Long texts are cut around the first place where they differ, and the cut is counted."""

    code: str
    """The repair."""
    id: str
    """Of the kept row."""
    origin: Origin
    field: Literal["output", "instruction", "input", "line", "earlier"]
    """Where the repair shows; `line`: in how the whole line was written; `earlier`: in a turn before the last exchange."""
    before: str
    """As it stood in the source; an output that was not text, as JSON."""
    after: str
    num_skipped: int
    """Characters left out at the start: the same on both sides."""
    num_cut_before: int
    """Characters left out at the end of `before`."""
    num_cut_after: int
