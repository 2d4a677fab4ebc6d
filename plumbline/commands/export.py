"""Write rows, answers or results of a run in forms that other tools read. Touches git, DVC's cache and the file that is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from plumbline.commands.outputs import refuse_files_of_the_run
from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.revisions import open_run, read_evaluation, read_rows
from plumbline.comparing.run_frames import load_run
from plumbline.keeping.result_exports import RESULTS_FILE, eval_results_text, harness_summary, measured_pair, refuse_no_result
from plumbline.keeping.row_exports import SHAPES
from plumbline.pipeline.files import replacing, write_json, write_text
from plumbline.pipeline.refused import Refused
from plumbline.rows.instruction_row import InstructionRow

ROWS = {"train": "data/split/train.jsonl", "validation": "data/split/validation.jsonl", "kept": "data/clean/kept.jsonl"}
"""Name -> the cleaned rows: what is trained on, what the loss is measured on, or all that `clean` kept."""


def write_rows(root: Path, run: str, out: Path, *, shape: str, part: str) -> str:
    """Cleaned rows as JSON lines, or as one list if the file ends in .json."""
    if out.suffix not in (".json", ".jsonl"):
        raise Refused(f"{out} ends in neither .jsonl nor .json. Give a name in .jsonl for one row per line, or in .json for one list.")
    texts = (json.dumps(SHAPES[shape](row), ensure_ascii=False) for row in read_rows(open_run(root, run), ROWS[part], InstructionRow))
    count = 0
    with replacing(out) as stream:
        if out.suffix == ".json":
            stream.write("[")
        for count, text in enumerate(texts, start=1):
            stream.write(text + "\n" if out.suffix == ".jsonl" else (",\n" if count > 1 else "\n") + text)
        if out.suffix == ".json":
            stream.write("\n]\n")
    return f"{out}: {count} rows of {ROWS[part]} as {shape}"


def write_results(root: Path, run: str, out: Path, *, arm: str | None, dataset: str | None, revision: str | None, url: str | None) -> str:
    """The scores of an arm for the Hub; `out` is the folder of the model's repository."""
    if dataset is None:
        raise Refused(
            "--dataset is missing, and a result belongs to a benchmark. Name the benchmark's repository on the Hub, such as my-org/my-benchmark."
        )
    evaluation = read_evaluation(open_run(root, run), run)
    refuse_no_result(evaluation, run)
    path = out / RESULTS_FILE
    write_text(path, eval_results_text(evaluation, dataset=dataset, arm=arm, revision=revision, source_url=url))
    return f"{path}: the results of {measured_pair(evaluation, arm)[1]}"


def write_summaries(root: Path, run: str, out: Path, *, arm: str | None) -> str:
    """A results file of lm-evaluation-harness for each arm, or for one."""
    evaluation: dict[str, Any] = read_evaluation(open_run(root, run), run)
    refuse_no_result(evaluation, run)
    told: list[str] = []
    for name in [arm] if arm is not None else list(evaluation["arms"]):
        path = out / name / "results_plumbline.json"
        write_json(path, harness_summary(evaluation, name))
        told.append(str(path))
    return "\n".join(told)


@click.group()
def command() -> None:
    """Write rows, answers or results for other tools.

    RUN is a commit, an experiment, or `workspace`, which is the folder itself. A file is written whole or not at all.

    Exit 1 if the run or its file cannot be read, or the result is not valid for others to use.
    """


RUN = click.argument("run", default="workspace")
ARM = click.option("--arm", help="The arm to export; by default every arm, or the arm of the model card.")


def told(action: Callable[[Path], str], *, out: Path) -> None:
    """Run one export, and say what was written."""
    root = repository()
    with refusing(1, ValueError, OSError):
        refuse_files_of_the_run(root, [out])
        said = action(root)
    click.echo(said)


@command.command()
@RUN
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A file that ends in .jsonl or .json.")
@click.option("--as", "shape", type=click.Choice(list(SHAPES)), default="messages", show_default=True, help="The shape of a row.")
@click.option(
    "--part", type=click.Choice(list(ROWS)), default="train", show_default=True, help="Which rows; `kept` is all that `clean` kept."
)
def rows(run: str, out: Path, shape: str, part: str) -> None:
    """Write cleaned rows as messages or Alpaca, for other trainers."""
    told(lambda root: write_rows(root, run, out, shape=shape, part=part), out=out)


@command.command()
@RUN
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A file that ends in .parquet, .csv or .jsonl.")
def answers(run: str, out: Path) -> None:
    """Write answers with questions, grades and scores, as Parquet, CSV or JSON lines."""
    told(lambda root: f"{(frames := load_run(run, root=root)).export(out)}: {len(frames.answers)} answers", out=out)


@command.command("eval-results")
@RUN
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder of the model's repository.")
@click.option("--dataset", metavar="ORG/NAME", help="The benchmark's repository on the Hub.")
@click.option("--dataset-revision", metavar="COMMIT", help="The benchmark's commit there.")
@click.option("--source-url", metavar="URL", help="Where the evaluation can be looked at.")
@ARM
def eval_results(run: str, out: Path, dataset: str | None, dataset_revision: str | None, source_url: str | None, arm: str | None) -> None:
    """Write the scores as the Hub's .eval_results, with interval and n in the notes."""
    told(lambda root: write_results(root, run, out, arm=arm, dataset=dataset, revision=dataset_revision, url=source_url), out=out)


@command.command("lm-eval")
@RUN
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder; it gets a folder for each arm.")
@ARM
def lm_eval(run: str, out: Path, arm: str | None) -> None:
    """Write the scores as the results file of lm-evaluation-harness."""
    told(lambda root: write_summaries(root, run, out, arm=arm), out=out)
