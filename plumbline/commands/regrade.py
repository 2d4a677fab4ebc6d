"""Grade and report again from what git holds, without a model or a network. Touches DVC's cache, data/, models/base and metrics/."""

import os
import sys
from pathlib import Path

import click

from plumbline.commands.refusing import refusing, repository
from plumbline.commands.run import ending
from plumbline.commands.running import run_pipeline
from plumbline.keeping.bundled import bring_bundled, bundled_outs, lay_out
from plumbline.keeping.tracked_metrics import surviving_metrics
from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.params import read_yaml

STAGES = ("grade", "grade_again", "report")


class NotRegraded(ValueError):
    """Something is missing; the text says what and what to do."""


def missing_inputs(root: Path) -> list[str]:
    """What the stages read and the folder lacks."""
    stages = expanded_stages(read_yaml(root / "dvc.yaml"), read_yaml(root / "params.yaml"))
    made = {out if isinstance(out, str) else next(iter(out)) for name in STAGES for out in stages[name]["outs"]}
    deps = dict.fromkeys(dep for name in STAGES for dep in stages[name]["deps"])
    return [dep for dep in deps if dep not in made and not (root / dep).exists()]


def bring_inputs(root: Path) -> None:
    """Bring what git holds of the run into the folder. NotRegraded names what is still missing."""
    outs = bundled_outs(root)
    damaged = bring_bundled(root, outs).damaged
    lay_out(root, outs)
    if missing := missing_inputs(root):
        broken = f" ({', '.join(damaged)} in .dvc/bundled has other bytes: run `git restore .dvc/bundled`)" if damaged else ""
        raise NotRegraded(
            f"{', '.join(missing)} is missing here, and git does not hold it{broken}. "
            "If you can reach the backup, run `dvc pull`. Otherwise `make` makes it again."
        )


@click.command()
def command() -> None:
    """Grade and report again, without a model.

    For a clone that holds no model and has no network, no key and no backup: questions, contexts, answers, verdicts of the judge and the record of the
    training are in git (.dvc/bundled). They are brought from there and every hash is checked. Then `grade`, `grade_again` and `report` run. The judge is
    not asked again.

    Exit 0 if all ran. 1: something is missing, and nothing was run; or a stage failed, and the metrics that git holds are as they were.
    """
    root = repository()
    with refusing(1, ValueError, OSError):
        bring_inputs(root)
        os.environ["HF_HUB_OFFLINE"] = "1"
        with surviving_metrics(root) as put_back:
            code = run_pipeline(root, ["repro", "-s", "-f", *STAGES])
        if code:
            kept = f"; put back as they were before: {', '.join(put_back)}" if put_back else ""
            raise NotRegraded(f"a stage failed; the lines above say which one and why{kept}")
        click.echo("\n".join(ending(root)))
    sys.exit(0)
