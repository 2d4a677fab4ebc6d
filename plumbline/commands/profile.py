"""Run the pipeline with the overrides of a profile. Touches profiles/, params.yaml and, through DVC, all that a run writes."""

import sys

import click

from plumbline.commands.refusing import refusing, repository
from plumbline.commands.running import run_pipeline, set_params
from plumbline.planning.profiles import check_has_data, merged, profile_overrides
from plumbline.planning.real_profile import one_by_one


@click.command()
@click.argument("name")
@click.option("-S", "--set-param", "more", multiple=True, metavar="KEY=VALUE", help="One more override; it wins over the profile's.")
def command(name: str, more: tuple[str, ...]) -> None:
    """Run the pipeline with the overrides of a profile.

    NAME is a file of profiles/. The run is a DVC experiment in this folder: params.yaml, dvc.lock and the metrics are then those of the profile.

    Exit 1 if the profile cannot be used, 75 if a signal stopped it, else the exit code of `dvc exp run`.
    """
    root = repository()
    with refusing(1, ValueError, OSError):
        overrides = merged(profile_overrides(root, name), one_by_one(more))
        check_has_data(root, name, overrides)
    sys.exit(run_pipeline(root, ["exp", "run", *set_params(overrides)]))
