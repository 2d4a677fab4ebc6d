"""Grade answers of other tools with the graders, the outcomes and the statistics of the pipeline. Touches the files that are named."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from plumbline.commands.known_questions import known_questions
from plumbline.commands.outputs import refuse_files_of_the_run, refuse_overwriting
from plumbline.commands.refusing import refusing
from plumbline.commands.tolerance_options import distance, fraction
from plumbline.comparing.answers_ledger import answer_ledgers, ledger_numbers, ledger_text, pairs_of
from plumbline.comparing.graded_answers import grade_file
from plumbline.grading.tolerance import Tolerance
from plumbline.pipeline.files import write_json
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.reporting.ledger import Pair
from plumbline.rows.question import Question

SEED = 11
NUM_RESAMPLES = 10_000
"""Both are as in section `report` of params.yaml, so that the same answers get the same intervals."""


def main(
    path: Path,
    *,
    tolerance: Tolerance,
    benchmark: Mapping[str, Question] | None = None,
    comparisons: Sequence[Pair] = (),
    out: Path | None = None,
    numbers: Path | None = None,
) -> str:
    """Grade a file, write the verdicts and the numbers if asked to, and return the ledger."""
    found = grade_file(path, tolerance, benchmark=benchmark)
    pairs = pairs_of(found.graded, comparisons)
    by_kind = answer_ledgers(found, comparisons=pairs, seed=SEED, num_resamples=NUM_RESAMPLES)
    if out is not None:
        write_jsonl(out, found.graded)
    if numbers is not None:
        write_json(numbers, ledger_numbers(by_kind))
    return ledger_text(found, by_kind)


@click.command()
@click.argument("answers", type=click.Path(path_type=Path))
@click.option("--benchmark", type=click.Path(path_type=Path), help="Questions by id, in a shape that check-benchmark reads.")
@click.option(
    "--comparison",
    "comparisons",
    nargs=2,
    multiple=True,
    metavar="REFERENCE ARM",
    help="Two arms; repeat it for more. By default each arm against the first.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write JSON lines here, one verdict per answer.")
@click.option("--json", "numbers", type=click.Path(path_type=Path), help="Write the numbers of the ledger here.")
@click.option(
    "--relative-tolerance", type=float, callback=fraction, default=0.05, show_default=True, help="A fraction of a numeric reference."
)
@click.option(
    "--absolute-tolerance", type=float, callback=distance, help="In the unit of the reference; needed if a numeric reference is 0."
)
def command(
    answers: Path,
    benchmark: Path | None,
    comparisons: tuple[Pair, ...],
    out: Path | None,
    numbers: Path | None,
    relative_tolerance: float,
    absolute_tolerance: float | None,
) -> None:
    """Grade answers of other tools with the same rules.

    ANSWERS is CSV with a header, or JSON lines, with a row per answer: `question`, `response`, `reference` and `kind` (mcq, numeric or explanation).
    A row may also have `unit`, `choices` (an object letter -> text; without it the options are read from the question), `key_points` (a list of what
    an explanation must say), `cluster` (one name for questions made from one template or text), `arm` (who answered) and `id` (without it equal
    questions are the same question). docs/formats.md explains `answer_kind`, `partial_credit` and `tolerance`. With --benchmark a row needs only
    `id`, `response` and `arm`.

    Graders, outcomes and statistics are those of the pipeline: intervals over clusters, p values adjusted by Holm over all comparisons, failures
    counted as 0 and as 1. No model is needed. An explanation is judged by its key points, and stays unjudged without them. Prints the ledger.

    Exit 1 if the file cannot be graded.
    """
    with refusing(1, OSError, ValueError):
        refuse_overwriting([answers, *([] if benchmark is None else [benchmark])], [out, numbers])
        refuse_files_of_the_run(Path.cwd(), [out, numbers])
        told = main(
            answers,
            tolerance=Tolerance(relative=relative_tolerance, absolute=absolute_tolerance),
            benchmark=None if benchmark is None else known_questions(benchmark),
            comparisons=comparisons,
            out=out,
            numbers=numbers,
        )
    click.echo(told)
    for name, path in (("verdicts", out), ("numbers", numbers)):
        if path is not None:
            click.echo(f"{name}: {path}")
