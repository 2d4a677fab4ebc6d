"""Grade multiple-choice and numeric answers of every arm by rule; no model is asked."""

import logging
from collections.abc import Sequence
from pathlib import Path

from plumbline.grading.params import GradeParams
from plumbline.grading.run import GradeFiles, grade_files
from plumbline.pipeline.answer_files import answer_files
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.rows.arms import Arms

log = logging.getLogger("grade")


def main(params: GradeParams, arms: Sequence[str], *, benchmark: Path, answers: Path, graded: Path) -> None:
    """Write one grade per answer. `answers`: the folder of the arms' files."""
    files = GradeFiles(benchmark=benchmark, answers=answer_files(answers, arms), graded=graded)
    grades = grade_files(files, params.tolerance)
    log.info("%s: %d grades written", graded, len(grades))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("grade", GradeParams),
            load_params("arms", Arms).names,
            benchmark=Path("data/split/benchmark.jsonl"),
            answers=Path("data/answers"),
            graded=Path("data/grades/graded.jsonl"),
        )
