"""Grade what was answered again, by the rules that graded the arms; a judge that is a model is not paid a second time."""

import logging
from collections.abc import Mapping
from pathlib import Path

from plumbline.answering.noise_plan import AGAIN
from plumbline.grading.params import GradeParams
from plumbline.grading.run import GradeFiles, grade_files
from plumbline.judging.params import JudgeParams
from plumbline.judging.run import JudgeFiles, judge_explanations
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.pipeline.params import load_params

log = logging.getLogger("grade_again")
BY_RULE = "key_points"
"""The backend that costs nothing and never disagrees with itself."""


def main(params: GradeParams, judging: JudgeParams, *, asked: Path, answers: Mapping[str, Path], graded: Path, judged: Path) -> None:
    """Write the grades and, if the judge is a rule, the judgements. `asked`: the questions, none if nothing was asked again."""
    grades = grade_files(GradeFiles(benchmark=asked, answers=answers, graded=graded), params.tolerance)
    if judging.backend == BY_RULE:
        judge_explanations(judging, JudgeFiles(questions=asked, answers=answers, judged=judged))
    else:
        write_jsonl(judged, [])
        log.info("explanations are not judged again: judge.backend is %s", judging.backend)
    log.info("%s: %d grades written", graded, len(grades))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("grade", GradeParams),
            load_params("judge", JudgeParams),
            asked=Path("data/noise/benchmark.jsonl"),
            answers={AGAIN: Path("data/noise/answers.jsonl")},
            graded=Path("data/noise/graded.jsonl"),
            judged=Path("data/noise/judged.jsonl"),
        )
