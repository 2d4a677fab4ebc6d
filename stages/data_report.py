"""Show what the data were and what became of them: classes, lengths, reasons and repairs, on one page, before anything is trained."""

import logging
from collections.abc import Iterator
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
    repair_rows,
)
from plumbline.pages.page import render_page
from plumbline.pages.token_counts import token_lengths
from plumbline.pipeline.documents import read_object
from plumbline.pipeline.files import write_text
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.training_params import TrainParams

log = logging.getLogger("data_report")


def main(
    training: TrainParams,
    *,
    kept: Path,
    quarantined: Path,
    examples: Path,
    summary: Path,
    tokenizer: Path,
    template: Path,
    style: Path,
    script: Path,
    page: Path,
) -> None:
    """Write the page. Every number on it is in `summary`, or counted here with the base model's tokenizer."""
    numbers = read_object(summary)
    lengths = token_lengths(tokenizer, texts(kept))
    lines: dict[str, list[QuarantinedRow]] = {}
    for row in read_jsonl(quarantined, QuarantinedRow):
        found = lines.setdefault(row.reason, [])
        if len(found) < NUM_LINES_PER_REASON:
            found.append(row)
    context: dict[str, object] = {
        "headline": headline(numbers),
        "conservation": conservation(numbers),
        "classes": class_rows(numbers),
        "reasons": reason_rows(numbers, lines),
        "repairs": repair_rows(numbers, list(read_jsonl(examples, RepairExample))),
        "flags": flag_rows(numbers),
        "length_words": length_words(lengths.total, training.max_length),
    }
    figures = {"lengths": draw_lengths(lengths.question, lengths.answer, training.max_length)}
    write_text(page, render_page(template=template, style=style, script=script, context=context, entries={}, figures=figures))
    log.info("%s %s", headline(numbers), conservation(numbers))
    log.info("look at %s", page)


def texts(kept: Path) -> Iterator[tuple[str, str]]:
    """Question and answer of each kept row."""
    for row in read_jsonl(kept, InstructionRow):
        yield f"{row.instruction}\n{row.input}" if row.input else row.instruction, row.output


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("train", TrainParams),
            kept=Path("data/clean/kept.jsonl"),
            quarantined=Path("data/clean/quarantined.jsonl"),
            examples=Path("data/clean/repair_examples.jsonl"),
            summary=Path("metrics/data.json"),
            tokenizer=Path("models/base/tokenizer.json"),
            template=Path("plumbline/pages/templates/data.html.j2"),
            style=Path("plumbline/pages/templates/report.css"),
            script=Path("plumbline/pages/templates/data.js"),
            page=Path("metrics/data.html"),
        )
