"""Write the evaluation as Inspect logs, one per arm. Touches git, data/, metrics/ and the folder of the logs."""

import datetime
import subprocess
import sys
from pathlib import Path

import click

from plumbline.commands.outputs import refuse_files_of_the_run
from plumbline.commands.refusing import refusing


@click.command()
@click.option("--root", type=click.Path(path_type=Path), default=Path(), show_default=True, help="The repository with the run.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("logs/inspect"), show_default=True, help="Where the logs go.")
def command(root: Path, out: Path) -> None:
    """Write the evaluation as Inspect logs, one per arm.

    Look at them with `inspect view`. Needs inspect-ai (requirements-inspect.txt); `make inspect-log` installs it in a separate environment.

    Correct is C, incorrect I, unparsed N, which Inspect counts as 0, as the report does; explanations keep their score of 0 to 1; an unjudged answer
    has no score. The metrics are those of the report; nothing is computed again.

    Exit 1 if inspect-ai is not installed, 2 if the run cannot be read.
    """
    try:
        from plumbline.keeping.inspect_logs import write_logs
    except ModuleNotFoundError as missing:
        if missing.name != "inspect_ai":
            raise
        sys.exit("inspect-log: inspect-ai is not installed here. Run `make inspect-log`, which installs it in a separate environment.")
    with refusing(2, ValueError, OSError):
        refuse_files_of_the_run(root, [out])
        head = subprocess.run(["git", "log", "-1", "--format=%H %cI"], cwd=root, capture_output=True, text=True)
        revision, when = head.stdout.split() if head.returncode == 0 else (None, datetime.datetime.now(datetime.UTC).isoformat())
        told = write_logs(root, out, created=when, commit=revision)
    click.echo(told)
