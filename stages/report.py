"""Say whether the fine-tune helped: the ledger of all verdicts, the paired differences, and the page to read."""

import logging
from pathlib import Path

from plumbline.params_sections import refuse_unknown_sections
from plumbline.pipeline.answer_files import answer_files
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.reporting.final_part_uses import journal_path
from plumbline.reporting.gather import NoiseFiles, ReportFiles
from plumbline.reporting.params import JudgeSettings, ReportParams
from plumbline.reporting.publish_params import NOTHING_REQUIRED, PublishParams
from plumbline.reporting.run import finish, report
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Arms, Compared, Comparisons


def main(
    params: ReportParams,
    answering: AnswerParams,
    judging: JudgeSettings,
    compared: Compared,
    files: ReportFiles,
    publishing: PublishParams = NOTHING_REQUIRED,
) -> None:
    """Write all numbers and the page. If the evaluation is not valid, exits with a code above 0 after writing them."""
    ends = announced_end(judging)
    finish(report(params, answering, judging, compared, files, judge_ends=ends, publishing=publishing), files)


def announced_end(judging: JudgeSettings) -> str | None:
    """When the judge's model stops answering, if that is known."""
    if judging.claude_model is None:
        return None
    # Imported here: without a model as judge, the report must not wait for the SDK (0.7 s).
    from plumbline.judging.end import end_of_life

    return end_of_life(judging.claude_model)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        refuse_unknown_sections(Path("params.yaml"))
        arms = load_params("arms", Arms)
        main(
            load_params("report", ReportParams),
            load_params("answer", AnswerParams),
            load_params("judge", JudgeSettings),
            Compared(arms, load_params("comparisons", Comparisons).of(arms)),
            ReportFiles(
                benchmark=Path("data/split/benchmark.jsonl"),
                overlap=Path("data/split/overlap.jsonl"),
                answers=answer_files(Path("data/answers"), arms.names),
                contexts={
                    "examples": Path("data/context/examples.jsonl"),
                    "passages": Path("data/context/passages.jsonl"),
                    "shuffled": Path("data/context/shuffled.jsonl"),
                },
                graded=Path("data/grades/graded.jsonl"),
                judged=Path("data/grades/judged.jsonl"),
                checks=Path("data/grades/judge_checks.jsonl"),
                noise=NoiseFiles(
                    plan=Path("data/noise/plan.json"),
                    answers=Path("data/noise/answers.jsonl"),
                    graded=Path("data/noise/graded.jsonl"),
                    judged=Path("data/noise/judged.jsonl"),
                ),
                second=Path("data/grades/second_judged.jsonl"),
                labels=Path("labels/explanations.jsonl"),
                pins=Path("requirements-model.txt"),
                uses=Path("metrics/final_part_uses.jsonl"),
                journal=journal_path(),
                data=Path("metrics/data.json"),
                preflight=Path("metrics/preflight.json"),
                training=Path("metrics/train.json"),
                loss=Path("metrics/loss.csv"),
                probes=Path("metrics/probes.json"),
                probed=Path("data/probes/answers.jsonl"),
                manifest=Path("models/base/manifest.json"),
                adapter=Path("data/training/record.json"),
                template=Path("plumbline/pages/templates/report.html.j2"),
                style=Path("plumbline/pages/templates/report.css"),
                script=Path("plumbline/pages/templates/report.js"),
                scores=Path("metrics/scores.json"),
                context=Path("metrics/context.json"),
                evaluation=Path("metrics/evaluation.json"),
                scores_by_kind=Path("metrics/scores_by_kind.csv"),
                mcq_confusion=Path("metrics/mcq_confusion.csv"),
                page=Path("metrics/report.html"),
            ),
            load_params("publish", PublishParams),
        )
