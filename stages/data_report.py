"""Show what the data were and what was done to them: classes, lengths, reasons and repairs, on one page, before anything is trained."""

import logging
from pathlib import Path

from plumbline.pages.data_report import DataReportFiles, write_data_page
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.rows.training_params import TrainParams

log = logging.getLogger("data_report")


def main(
    training: TrainParams,
    files: DataReportFiles,
) -> None:
    """Write the page. Every number on it is in its summary, or counted here with the base model's tokenizer."""
    words = write_data_page(files, max_length=training.max_length)
    log.info("%s", words)
    log.info("look at %s", files.page)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("train", TrainParams),
            DataReportFiles(
                kept=Path("data/clean/kept.jsonl"),
                quarantined=Path("data/clean/quarantined.jsonl"),
                examples=Path("data/clean/repair_examples.jsonl"),
                overlap=Path("data/split/overlap.jsonl"),
                summary=Path("metrics/data.json"),
                tokenizer=Path("models/base/tokenizer.json"),
                template=Path("plumbline/pages/templates/data.html.j2"),
                style=Path("plumbline/pages/templates/report.css"),
                script=Path("plumbline/pages/templates/data.js"),
                page=Path("metrics/data.html"),
            ),
        )
