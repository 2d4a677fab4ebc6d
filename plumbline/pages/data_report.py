"""Write the data page from the files of a run. Reads and writes files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plumbline.cleaning.quarantined_row import QuarantinedRow
from plumbline.cleaning.repair_example import RepairExample
from plumbline.pages.data_figures import draw_lengths
from plumbline.pages.data_page import (
    NUM_LINES_PER_REASON,
    class_rows,
    conservation,
    flag_rows,
    headline,
    length_words,
    reason_rows,
    removed_rows,
    repair_rows,
    structured_words,
)
from plumbline.pages.page import render_page
from plumbline.pages.token_counts import token_lengths
from plumbline.pipeline.documents import read_object, read_objects
from plumbline.pipeline.files import write_text
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.rows.instruction_row import InstructionRow


@dataclass(frozen=True, kw_only=True)
class DataReportFiles:
    """What the stage reads and writes."""

    kept: Path
    quarantined: Path
    examples: Path
    overlap: Path
    """Rows that repeat the benchmark, among other lines of `split`."""
    summary: Path
    tokenizer: Path
    """Of the base model."""
    template: Path
    style: Path
    script: Path
    page: Path
    """Output."""


def write_data_page(files: DataReportFiles, *, max_length: int) -> str:
    """Write the page and return its first words. Every number on it is in `summary`, or counted here with the base model's tokenizer.

    `max_length`: tokens of a training example that are read.
    """
    numbers = read_object(files.summary)
    removed = [row for row in read_objects(files.overlap) if row.get("record") == "removed_row"]
    words = headline(numbers, len(removed))
    lengths = token_lengths(files.tokenizer, texts(files.kept))
    context: dict[str, object] = {
        "headline": words,
        "structured": structured_words(numbers),
        "conservation": conservation(numbers),
        "classes": class_rows(numbers),
        "reasons": reason_rows(numbers, first_lines(files.quarantined)),
        "repairs": repair_rows(numbers, list(read_jsonl(files.examples, RepairExample))),
        "removed": removed_rows(removed),
        "flags": flag_rows(numbers, first_flagged(files.kept)),
        "length_words": length_words(lengths.total, max_length),
    }
    figures = {"lengths": draw_lengths(lengths.question, lengths.answer, max_length)}
    page = render_page(template=files.template, style=files.style, script=files.script, context=context, entries={}, figures=figures)
    write_text(files.page, page)
    return f"{words} {structured_words(numbers)} {conservation(numbers)}"


def first_lines(quarantined: Path) -> dict[str, list[QuarantinedRow]]:
    """The first quarantined lines of each reason, as many as the page shows."""
    lines: dict[str, list[QuarantinedRow]] = {}
    for row in read_jsonl(quarantined, QuarantinedRow):
        found = lines.setdefault(row.reason, [])
        if len(found) < NUM_LINES_PER_REASON:
            found.append(row)
    return lines


def first_flagged(kept: Path) -> dict[str, list[InstructionRow]]:
    """The first kept rows with each flag, as many as the page shows."""
    rows: dict[str, list[InstructionRow]] = {}
    for row in read_jsonl(kept, InstructionRow):
        for code in row.flags:
            found = rows.setdefault(code, [])
            if len(found) < NUM_LINES_PER_REASON:
                found.append(row)
    return rows


def texts(kept: Path) -> Iterator[tuple[str, str]]:
    """What is asked in each kept row, with what was said before, and its last answer."""
    for row in read_jsonl(kept, InstructionRow):
        before = "".join(f"{one.user}\n{one.assistant}\n" for one in row.earlier)
        yield before + (f"{row.instruction}\n{row.input}" if row.input else row.instruction), row.output
