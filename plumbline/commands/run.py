"""Run the pipeline and end with what a reader wants to know. Touches DVC's cache and, through DVC, all that a run writes."""

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
    """Bring the base model that git holds into the cache, where DVC finds it, and say so; a base that is here stays."""
    if (root / BASE).exists() or not (root / "dvc.lock").exists():
        return
    # Imported here: a run that has its base need not wait for DVC twice.
    from plumbline.keeping.bundled import bring_bundled

    try:
        found = bring_bundled(root, [BASE])
    except ValueError as error:
        # A project of one's own may have no bundled store: the run does not need it.
        click.echo(f"base: not brought from git: {error}", err=True)
        return
    if found.damaged:
        click.echo(f"base: git holds {', '.join(found.damaged)} with other bytes than dvc.lock names, so the base is made again", err=True)
    elif found.missing:
        click.echo(f"base: git does not hold {', '.join(found.missing)}, so the base is made again", err=True)
    elif found.num_objects:
        click.echo(f"base: {found.num_objects} objects, {size_text(found.size_bytes)}, from .dvc/bundled; every hash is right")


def ending(root: Path) -> list[str]:
    """The verdict, where the report is, and how the results stand to those of the commit."""
    evaluation = json.loads((root / EVALUATION).read_text(encoding="utf-8"))
    marks = [f"not valid: {problem}" for problem in evaluation["invalid_because"]]
    marks += [f"not complete: {evaluation['incomplete_because']}"] if evaluation["incomplete_because"] else []
    return ["", evaluation["verdict"], *marks, f"report: {(root / REPORT).resolve().as_uri()}", standing(root)]


@click.command()
def command() -> None:
    """Run what changed, and say what came out.

    This is `dvc repro`, which `make` runs. The base model that git holds is brought first, with every hash checked, where models/base is not there;
    if its parameters or its code differ from those of the commit, DVC makes it again. The last lines are the verdict, the path of the report,
    and whether the results are those of the commit. If a stage fails or is stopped, the metrics that git holds are put back.

    Exit 0 if the run came to its end, 75 if a signal stopped it, else the exit code of `dvc repro`.
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
