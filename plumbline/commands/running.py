"""Start DVC with the Python of this environment, so that its stages run in it too. Touches processes."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from plumbline.keeping.temporary_room import temporary_folder_of_a_run
from plumbline.stopping import STOPPED

SECONDS_TO_STOP = 60
RESUMES = "stopped by a signal before its end. Run the same command to resume: finished stages are not repeated"


def run_dvc(root: Path, words: Sequence[str], *, quiet: bool = False) -> int:
    """Run a DVC command in a repository to its end and return its exit code. On Ctrl-C DVC gets the time to clean up.

    The output is DVC's own, without the lines that a reader can do nothing about.
    """
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"} | temporary_folder_of_a_run(root)
    stream = subprocess.DEVNULL if quiet else None
    process = subprocess.Popen(
        [sys.executable, "-m", "plumbline.commands.calm_dvc", *words], cwd=root, env=environment, stdout=stream, stderr=stream
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def run_pipeline(root: Path, words: Sequence[str]) -> int:
    """Run stages as `run_dvc` does, and return the exit code. If a signal stopped them, say so in a line and return 75."""
    try:
        code = run_dvc(root, words)
    except KeyboardInterrupt:
        code = STOPPED
    if code == STOPPED:
        click.echo(f"{click.get_current_context().command_path.removeprefix('plumbline ')}: {RESUMES}", err=True)
    return code


class PathRefused(ValueError):
    """DVC cannot run an experiment here; the text says what to do."""


def refuse_other_letters(root: Path) -> None:
    """PathRefused if the path is not ASCII: DVC 3.67 writes the path of its cache as ASCII into the folder of an experiment."""
    if not str(root.resolve()).isascii():
        raise PathRefused(
            f"DVC cannot run a temporary experiment here, because the path has characters that are not ASCII: {root.resolve()}. "
            "Move the clone to a path with ASCII characters only. Plain `make` works here, too."
        )


def set_params(overrides: Sequence[str]) -> list[str]:
    """Overrides as arguments of `dvc exp run`."""
    return [word for override in overrides for word in ("-S", override)]
