"""Choose the questions of the development part that decide which checkpoint a training keeps; none if the validation loss decides."""

import logging
from functools import partial
from pathlib import Path

from plumbline.grading.params import GradeParams
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.reporting.benchmark_parts import in_development
from plumbline.reporting.params import ReportParams
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Arms
from plumbline.rows.training_params import TrainParams
from plumbline.selecting.run import Asking, SelectionFiles, write_selection

log = logging.getLogger("selection")


def main(params: TrainParams, report: ReportParams, asking: Asking, files: SelectionFiles) -> None:
    """Write the file that `train` depends on. Which part is reported changes nothing in it, so that a claim never retrains."""
    part = None if report.part == "all" else partial(in_development, fraction=report.development_fraction)
    selection = write_selection(params, asking, files, in_development=part)
    if selection is None:
        log.info("the validation loss chooses the checkpoint; no question of the benchmark is used")
        return
    num, of = len(selection.questions), selection.num_in_development
    asked = "without a context" if selection.arm is None else f"as arm {selection.arm}"
    log.info("%d of %d mcq and numeric questions of the development part choose the checkpoint, asked %s", num, of, asked)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("train", TrainParams),
            load_params("report", ReportParams),
            Asking(
                answering=load_params("answer", AnswerParams),
                tolerance=load_params("grade", GradeParams).tolerance,
                arms=load_params("arms", Arms),
            ),
            SelectionFiles(
                benchmark=Path("data/split/benchmark.jsonl"),
                contexts={
                    "none": Path("data/context/none.jsonl"),
                    "examples": Path("data/context/examples.jsonl"),
                    "passages": Path("data/context/passages.jsonl"),
                    "shuffled": Path("data/context/shuffled.jsonl"),
                },
                selection=Path("data/selection/selection.json"),
            ),
        )
