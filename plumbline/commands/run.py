"""Run the pipeline, and end with the verdict and the path of the report. Touches DVC's cache and, through DVC, all that a run writes."""

import json
import sys
from pathlib import Path

import click

from plumbline.commands.named_inputs import check_named_inputs
from plumbline.commands.refusing import refusing, repository
from plumbline.commands.running import run_pipeline
from plumbline.keeping.committed_results import standing
from plumbline.keeping.tracked_metrics import surviving_metrics
from plumbline.number_text import size_text

BASE = "models/base"
REPORT = "metrics/report.html"
EVALUATION = "metrics/evaluation.json"


def bring_base(root: Path) -> None:
    """Bring the base model that git holds into the cache, where DVC finds it, and say so. An existing base stays."""
    if (root / BASE).exists() or not (root / "dvc.lock").exists():
        return
    # Imported here: a run that has its base does not wait for DVC twice.
    from plumbline.keeping.bundled import bring_bundled

    try:
        found = bring_bundled(root, [BASE])
    except ValueError as error:
        # A user's own project may have no bundled store, and the run does not need it.
        click.echo(f"base: not brought from git: {error}", err=True)
        return
    if found.damaged:
        click.echo(f"base: {', '.join(found.damaged)} in git has other bytes than dvc.lock records, so the base is made again", err=True)
    elif found.missing:
        click.echo(f"base: git does not hold {', '.join(found.missing)}, so the base is made again", err=True)
    elif found.num_objects:
        click.echo(f"base: {found.num_objects} objects, {size_text(found.size_bytes)}, from .dvc/bundled; every hash matches")


def ending(root: Path) -> list[str]:
    """The verdict, where the report is, and how the results compare with those of the commit."""
    evaluation = json.loads((root / EVALUATION).read_text(encoding="utf-8"))
    marks = [f"not valid: {problem}" for problem in evaluation["invalid_because"]]
    marks += [f"not complete: {evaluation['incomplete_because']}"] if evaluation["incomplete_because"] else []
    return ["", evaluation["verdict"], *marks, f"report: {(root / REPORT).resolve().as_uri()}", standing(root)]


@click.command()
def command() -> None:
    """Run what changed, and say what came out.

    This is `dvc repro`, and `make` runs it. If models/base is missing, the base model that git holds is brought first, and every hash is checked.
    If its parameters or its code differ from those of the commit, DVC makes it again. The last lines are the verdict, the path of the report,
    and whether the results are those of the commit. If a stage fails or is stopped, the metrics that git holds are put back.

    Exit 0 if the run finished, 75 if a signal stopped it, else the exit code of `dvc repro`.
    """
    root = repository()
    with refusing(1, ValueError, OSError):
        check_named_inputs(root)
        bring_base(root)
        with surviving_metrics(root) as put_back:
            code = run_pipeline(root, ["repro"])
        if code and put_back:
            click.echo(f"run: put back as they were before: {', '.join(put_back)}", err=True)
        if code == 0 and (root / EVALUATION).exists():
            click.echo("\n".join(ending(root)))
    sys.exit(code)
