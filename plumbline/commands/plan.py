"""Plan a run: look at what was asked for, and show the lines of the plan. Reads params.yaml, profiles/ and what `plan_lines` reads."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from dvc.exceptions import DvcException

from plumbline.commands.real_request import given_files
from plumbline.commands.refusing import refusing, repository
from plumbline.laptop.own_files import refuse_no_files
from plumbline.params_sections import unknown_sections
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.params import read_yaml
from plumbline.planning.line import WHOLE, Line
from plumbline.planning.planned_params import NotPlanned, planned_params
from plumbline.planning.profiles import merged, profile_overrides
from plumbline.planning.real_profile import PROFILE, one_by_one, own_in_params, real_overrides

WIDTH = 110
GIVEN = "given"
"""Stands for the path of the user's own file among overrides, where a path may hold signs that mean something."""


def chosen_overrides(
    root: Path, profile: str | None, given: Mapping[str, str], more: Sequence[str]
) -> tuple[list[str], Mapping[str, str], bool]:
    """The overrides of a run; the user's own files, as parameter -> path; and whether they replace those of the profile of `plumbline real`."""
    lines = profile_overrides(root, profile) if profile else []
    own = given if given or profile != PROFILE else own_in_params(read_yaml(root / "params.yaml"))
    places = dict.fromkeys(own, GIVEN)
    lines = real_overrides(lines, places) if profile == PROFILE else [*lines, *(f"{key}={place}" for key, place in places.items())]
    return merged(lines, one_by_one(more)), own, profile == PROFILE and bool(own)


def params_of(root: Path, overrides: Sequence[str], files: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a run. `files`: parameter -> path of the user's own file, which stands where no override of -S names another.

    NotPlanned if there is a section that no stage reads.
    """
    params = planned_params(root, overrides)
    for key, path in files.items():
        section, name = key.split(".")
        if params[section][name] == GIVEN:
            params[section][name] = path
    if (problem := unknown_sections(params, read_yaml(root / "dvc.yaml"))) is not None:
        raise NotPlanned(problem)
    return params


def in_brief(lines: Sequence[Line]) -> str:
    """How long all of it takes."""
    return next(line.value for line in lines if line.what == WHOLE)


def table(lines: Sequence[Line]) -> str:
    """The plan for a terminal: what, how much, and how that is known."""
    name = max(len(line.what) for line in lines)
    told = (f"{line.what:{name}}  {line.value}  ({line.known})" for line in lines)
    return "".join(textwrap.fill(line, WIDTH, subsequent_indent=" " * (name + 4)) + "\n" for line in told)


@click.command()
@click.argument("profile", required=False)
@click.option("-S", "--set-param", "overrides", multiple=True, metavar="KEY=VALUE", help="An override, as for `dvc exp run`.")
@click.option(
    "--difference",
    "wanted",
    multiple=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Say how many questions it takes to show this difference, a fraction: 0.05 is 5 points. Repeat it for several.",
)
@click.option("--rows", type=click.Path(path_type=Path), help="Your own training rows, as for `plumbline real`.")
@click.option("--questions", type=click.Path(path_type=Path), help="Your own questions; with --rows.")
@click.option(
    "--corpus", type=click.Path(path_type=Path), help="Your own text to look things up in; without it, no arm of your own run has passages."
)
@click.option("--brief", is_flag=True, help="Say only how long all of it takes.")
def command(
    profile: str | None,
    overrides: tuple[str, ...],
    wanted: tuple[float, ...],
    rows: Path | None,
    questions: Path | None,
    corpus: Path | None,
    brief: bool,
) -> None:
    """Say what a run will take, before anything is spent.

    PROFILE is a file of profiles/; without it the plan is for params.yaml as it is. Each number says how it is known: counted, computed, measured here
    in a few seconds, estimated or assumed. The last lines say which difference the benchmark can show, and how many questions another one takes.
    Counts the rows and questions of the last split if it read the same files with the same settings. Else it cleans and splits them in a temporary
    folder, as the run will. Reads the grades of the last run; leaves nothing behind. The profile of `plumbline real` is planned with your own files if
    params.yaml names both, or --rows and --questions do.

    Exit 1 if the run cannot be planned.
    """
    root = repository()
    with refusing(1, ValueError, OSError, DvcException):
        given = given_files(rows, questions, corpus)
        refuse_no_files(given)
        chosen, files, has_own = chosen_overrides(root, profile, {key: str(path) for key, path in given.items()}, overrides)
        params = params_of(root, chosen, files)
        if not brief:
            click.echo("plan: counting the rows and measuring this machine, which takes up to a minute", err=True)
        with working("plan"):
            # torch takes seconds to load, and a refusal need not wait for it.
            from plumbline.commands.plan_lines import WANTED, plan_lines

            lines = plan_lines(root, params, wanted or WANTED)
        if has_own:
            own = " and ".join([params["clean"]["source"], params["split"]["benchmark"], *([str(corpus)] if corpus else [])])
            lines.insert(0, Line("run", f"as `plumbline real` with {own}", "given" if given else "the files of params.yaml"))
        text = f"{in_brief(lines)}\n" if brief else table(lines)
    click.echo(text, nl=False)
