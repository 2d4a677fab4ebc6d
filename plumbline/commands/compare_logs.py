"""Compare logs of other tools question by question, with the statistics of the pipeline. Touches the files that are named."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from plumbline.commands.known_questions import known_questions
from plumbline.commands.outputs import refuse_files_of_the_run, refuse_overwriting
from plumbline.commands.refusing import refusing
from plumbline.commands.tolerance_options import distance, fraction
from plumbline.comparing.answers_ledger import answer_ledgers, ledger_numbers, ledger_text, pairs_of, scored_rows, slice_line
from plumbline.comparing.logs.arms import arms_of, differing_settings, with_questions
from plumbline.comparing.logs.log_grades import ScoreParams, graded_logs, with_tags
from plumbline.comparing.logs.logged_answer import LogArm
from plumbline.comparing.logs.logs_page import logs_context, logs_entries
from plumbline.comparing.logs.matching import MatchBy, matched
from plumbline.comparing.logs.unpaired import unpaired
from plumbline.grading.run import Tolerance
from plumbline.pages.page import render_page
from plumbline.pipeline.files import write_json, write_text
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.reporting.ledger import Pair
from plumbline.reporting.numbers import slice_numbers
from plumbline.reporting.slices import slices_of
from plumbline.reporting.tables import slice_rows

TEMPLATES = Path(__file__).resolve().parents[1] / "pages/templates"
SEED = 11
NUM_RESAMPLES = 10_000
"""Both are as in section `report` of params.yaml, so that the same answers get the same intervals."""


@dataclass(frozen=True, kw_only=True)
class LogOutputs:
    """The files to write; None: that file is not written."""

    page: Path | None = None
    numbers: Path | None = None
    verdicts: Path | None = None


@dataclass(frozen=True, kw_only=True)
class LogQuestions:
    """What is known about the questions besides the logs."""

    match: MatchBy | None = None
    benchmark: Path | None = None
    comparisons: Sequence[Pair] = field(default_factory=tuple)
    slice_by: str | None = None
    """A field of the logs."""


def main(logs: Sequence[str], *, scores: ScoreParams, questions: LogQuestions, outputs: LogOutputs) -> str:
    """Compare the logs, write what was asked for, and return what to tell."""
    arms = arms_of(logs, scores.names)
    if len(arms) < 2:
        raise Refused(f"two logs are needed, but there is only {arms[0].name}. Give a second log, or a folder with the logs of two models.")
    refuse_overwriting(read_for(arms, questions.benchmark), [outputs.page, outputs.numbers, outputs.verdicts])
    refuse_files_of_the_run(Path.cwd(), [outputs.page, outputs.numbers, outputs.verdicts])
    if questions.benchmark is not None:
        known = known_questions(questions.benchmark)
        arms = [replace(arm, answers=with_questions(arm.answers, known)) for arm in arms]
    names = [arm.name for arm in arms]
    asked = matched(arms, questions.match)
    graded = graded_logs(asked, names, scores)
    pairs = pairs_of(graded.found.graded, questions.comparisons)
    by_kind = answer_ledgers(graded.found, comparisons=pairs, seed=SEED, num_resamples=NUM_RESAMPLES, cut=graded.cut)
    tagged = with_tags(graded, asked, questions.slice_by)
    slices = slices_of(tagged, scored_rows(graded.found), pairs, seed=SEED, num_resamples=NUM_RESAMPLES)
    warnings = [*(text for arm in arms for text in arm.warnings), *unpaired(graded.found, pairs)]
    differing = differing_settings(arms)
    if outputs.verdicts is not None:
        write_jsonl(outputs.verdicts, graded.found.graded)
    if outputs.numbers is not None:
        write_json(
            outputs.numbers,
            ledger_numbers(by_kind)
            | {"slices": [slice_numbers(one) for one in slices], "scores": list(graded.told), "warnings": [*warnings, *differing]},
        )
    told = [ledger_text(graded.found, by_kind), *map(slice_line, slices), *graded.told, *(f"! {text}" for text in [*warnings, *differing])]
    if outputs.page is not None:
        banners = {"Read with care": warnings, "Not like with like": differing, "Which scores": graded.told}
        entries = logs_entries(graded, names, pairs)
        page = render_page(
            template=TEMPLATES / "report.html.j2",
            style=TEMPLATES / "report.css",
            script=TEMPLATES / "report.js",
            context=logs_context(graded, by_kind, arms, pairs, entries, banners=banners) | {"slices": slice_rows(slices)},
            entries=entries,
            figures={},
        )
        write_text(outputs.page, page)
    written = (("page", outputs.page), ("numbers", outputs.numbers), ("verdicts", outputs.verdicts))
    told += [f"{name}: {path}" for name, path in written if path is not None]
    return "\n".join(told)


def read_for(arms: Sequence[LogArm], benchmark: Path | None) -> list[Path]:
    """Every file that a comparison reads: the logs, the results that the harness writes next to its samples, the benchmark."""
    logs = [Path(path) for arm in arms for path in arm.paths]
    results = [path for folder in {path.parent for path in logs} for path in folder.glob("results_*.json")]
    return [*logs, *results, *([] if benchmark is None else [benchmark])]


@click.command()
@click.argument("logs", nargs=-1, required=True)
@click.option(
    "--score",
    "names",
    multiple=True,
    metavar="NAME",
    help="Which score to compare: its name, or the column of a table. Repeat it for several tasks.",
)
@click.option(
    "--regrade", is_flag=True, help="Grade letters and numbers by the graders of Plumbline, instead of using the scores of the logs."
)
@click.option(
    "--score-range", nargs=2, type=float, default=(0.0, 1.0), metavar="LOW HIGH", help="The scale of the scores; by default 0 to 1."
)
@click.option("--match", type=click.Choice(["id", "question"]), help="Match questions by id or by text; by default by id within one tool.")
@click.option("--cluster", metavar="FIELD", help="Field of the log that says which questions belong together; by default `cluster`.")
@click.option(
    "--slice",
    "slice_by",
    metavar="FIELD",
    help="Also compare within each value of this field; by default within each task, if there are several.",
)
@click.option("--benchmark", type=click.Path(path_type=Path), help="Questions by id, in a shape that check-benchmark reads.")
@click.option(
    "--comparison",
    "comparisons",
    nargs=2,
    multiple=True,
    metavar="REFERENCE ARM",
    help="Two logs by name; repeat it for more. By default each log against the first.",
)
@click.option("--page", type=click.Path(path_type=Path), help="Write a page with every question and answer here.")
@click.option("--json", "numbers", type=click.Path(path_type=Path), help="Write the numbers of the ledger here.")
@click.option("--out", type=click.Path(path_type=Path), help="Write JSON lines here, one verdict per question and log.")
@click.option(
    "--relative-tolerance",
    type=float,
    callback=fraction,
    default=0.05,
    show_default=True,
    help="With --regrade: a fraction of a numeric target.",
)
@click.option(
    "--absolute-tolerance",
    type=float,
    callback=distance,
    help="With --regrade: in the unit of the target; needed if a numeric target is 0.",
)
def command(logs: tuple[str, ...], **given: Any) -> None:
    """Compare logs of other tools question by question.

    LOGS are files or folders: `.eval` and `.json` of Inspect, `samples_*.jsonl` of lm-evaluation-harness, `reviews/` of EvalScope, outputs of a batch
    service (with --benchmark), or tables (CSV, TSV, JSON lines) with `id` and `score`, or with `question`, `response` and `reference`. A folder gives
    an arm for each model in it. NAME=PATH names a log. The first one is the reference. docs/formats.md says how each is recognised.

    If all logs have a score of the same name, that score is compared. Otherwise letters and numbers are graded again here. Statistics are those of
    the pipeline: paired differences, exact tests, intervals over clusters, p values adjusted by Holm. Several samples of a question are averaged
    first: the question is the unit. No model, no GPU and no clone is needed: `pip install 'plumbline[logs]'` is enough.

    Exit 1 if a log cannot be read, or if the logs cannot be compared.
    """
    with refusing(1, OSError, ValueError):
        low, high = given["score_range"]
        if not low < high:
            raise Refused(f"--score-range {low:g} {high:g} is not a range. Give the lowest score, then the highest.")
        tolerance = Tolerance(relative=given["relative_tolerance"], absolute=given["absolute_tolerance"])
        told = main(
            logs,
            scores=ScoreParams(
                names=given["names"], regrade=given["regrade"], low=low, high=high, cluster=given["cluster"], tolerance=tolerance
            ),
            questions=LogQuestions(
                match=given["match"], benchmark=given["benchmark"], comparisons=given["comparisons"], slice_by=given["slice_by"]
            ),
            outputs=LogOutputs(page=given["page"], numbers=given["numbers"], verdicts=given["out"]),
        )
    click.echo(told)
