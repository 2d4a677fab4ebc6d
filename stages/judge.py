"""Judge explanations: by the key-point rubric, by Claude, or not at all; a share by a second judge too; every raw reply is kept."""

import logging
from pathlib import Path

from plumbline.judging.params import JudgeParams
from plumbline.judging.run import JudgeFiles, judge_explanations
from plumbline.judging.second_judge import judge_share
from plumbline.pipeline.answer_files import answer_files
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.rows.arms import Arms

log = logging.getLogger("judge")


def main(params: JudgeParams, files: JudgeFiles) -> None:
    """Judge all arms' explanations and probe the judge. Exits with a code above 0 if a further run may add to the result."""
    judged = judge_explanations(params, files)
    log.info("%d explanations, %d scored by %s %s", judged.causes.total(), judged.num_scored, params.backend, dict(judged.causes))
    again = judge_share(params, files)
    if again is not None:
        log.info("%d of them judged twice, %d scored by the second judge %s", again.num_items, again.num_scored, dict(again.causes))
    judged.finish()
    if again is not None:
        again.finish("second judge: ")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("judge", JudgeParams),
            JudgeFiles(
                questions=Path("data/split/benchmark.jsonl"),
                answers=answer_files(Path("data/answers"), load_params("arms", Arms).names),
                judged=Path("data/grades/judged.jsonl"),
                checks=Path("data/grades/judge_checks.jsonl"),
                second=Path("data/grades/second_judged.jsonl"),
            ),
        )
