"""Run the pipeline with the overrides of a profile. Touches profiles/, params.yaml and, through DVC, all that a run writes."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from plumbline.commands.refusing import refusing, repository
from plumbline.commands.running import run_pipeline, set_params
from plumbline.planning.profiles import check_has_data, merged, profile_overrides
from plumbline.planning.real_profile import one_by_one


def check_usable(root: Path, overrides: Sequence[str]) -> None:
    """OverrideRefused if DVC cannot use an override; it would say so in several lines and with the name of an exception."""
    # Imported here: DVC takes a second, and a profile that does not exist is refused without it.
    from plumbline.planning.planned_params import planned_params

    planned_params(root, overrides)


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
        check_usable(root, overrides)
    sys.exit(run_pipeline(root, ["exp", "run", *set_params(overrides)]))
