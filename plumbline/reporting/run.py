"""Say whether the fine-tune helped: read all files, decide, and write the numbers and the page."""

import logging
import sys

from plumbline.pipeline.heartbeat import working
from plumbline.reporting.decide import Evaluation, decide, whole_evaluation_problems
from plumbline.reporting.final_part_uses import note_look
from plumbline.reporting.gather import ReportFiles, gather
from plumbline.reporting.numbers import whole_verdict
from plumbline.reporting.params import JudgeSettings, ReportParams
from plumbline.reporting.publish_params import NOTHING_REQUIRED, PublishParams, deciding_pair
from plumbline.reporting.write import write_numbers, write_page
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Compared

log = logging.getLogger("report")


def report(
    params: ReportParams,
    answering: AnswerParams,
    judging: JudgeSettings,
    compared: Compared,
    files: ReportFiles,
    *,
    judge_ends: str | None,
    publishing: PublishParams = NOTHING_REQUIRED,
) -> Evaluation:
    """Write all numbers and the page. `judge_ends`: the day on which the judge's model stops answering, if that is known.

    SystemExit before anything is scored if the final part is asked for and this machine knows of uses that the record lacks: the page
    would count too few.
    """
    deciding_pair(publishing, compared.arms, compared.comparisons)  # refuses before anything is read
    gathered = gather(files, compared.arms, compared.comparisons)
    if files.journal is not None and not whole_evaluation_problems(gathered):
        note_look(gathered.own_uses, gathered.uses, part=params.part, journal=files.journal)
    with working("report"):
        evaluation = decide(gathered, params, answering, judging, judge_ends=judge_ends, publishing=publishing)
    write_numbers(evaluation, gathered, params, files, publishing)
    write_page(evaluation, gathered, params, answering, files)
    return evaluation


def finish(evaluation: Evaluation, files: ReportFiles) -> None:
    """Print the result. SystemExit if the evaluation is not valid."""
    if evaluation.is_valid:
        log.info("%s", whole_verdict(evaluation))
    if evaluation.publishing is not None:
        for requirement in evaluation.publishing.requirements:
            log.info("publishing requires %s: %s. %s", requirement.name, "met" if requirement.ok else "not met", requirement.text)
    if evaluation.incomplete is not None:
        log.warning("not complete: %s", evaluation.incomplete)
    for text in evaluation.care:
        log.warning("%s", text)
    log.info("read %s", files.page)
    if not evaluation.is_valid:
        problems = "; ".join(evaluation.problems)
        sys.exit(f"report: not valid: {problems}. The numbers were written with valid: false; see {files.page}.")
