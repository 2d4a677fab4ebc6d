"""A dry run of a few steps in a temporary experiment. Touches git's experiments and the caches; the workspace stays as it is."""

import sys

import click

from plumbline.commands import stale_scores
from plumbline.commands.refusing import refusing, repository
from plumbline.commands.run import bring_base
from plumbline.commands.running import refuse_other_letters, run_pipeline, set_params

OVERRIDES = ("train.max_steps=5", "report.part=development")


@click.command()
def command() -> None:
    """Run a dry run of 5 steps next to the workspace.

    It is a temporary DVC experiment: params.yaml, dvc.lock and the metrics in the folder stay as they are, and the final part is not used.

    Exit 0 if it finished, 75 if a signal stopped it, else the exit code of `dvc exp run`.
    """
    root = repository()
    with refusing(1, ValueError, OSError):
        refuse_other_letters(root)
        bring_base(root)
        code = run_pipeline(root, [stale_scores.OPTION, "exp", "run", "--temp", *set_params(OVERRIDES)])
    sys.exit(code)
