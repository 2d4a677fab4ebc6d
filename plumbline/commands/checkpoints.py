"""List the folders of checkpoints in .cache/train, and remove those that no training is using. Touches .cache/train and the clock."""

import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

import click

from plumbline.number_text import size_text
from plumbline.pipeline.cache import cache_folder
from plumbline.training.checkpoints import AlreadyRunning, only_writer


class Run(NamedTuple):
    """One folder of checkpoints."""

    folder: Path
    size_bytes: int
    steps: list[int]
    """Of its checkpoints, ascending."""
    age_days: float
    """Since its newest file was written."""
    running: bool


def find_runs(root: Path, *, now: float) -> list[Run]:
    """Look at every run below `root`, the newest first. `now` is in seconds since the epoch."""
    runs = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []:
        files = [file.stat() for file in folder.rglob("*") if file.is_file() and file.name != "lock"]
        written = max((file.st_mtime for file in files), default=folder.stat().st_mtime)
        try:
            with only_writer(folder):
                running = False
        except AlreadyRunning:
            running = True
        runs.append(
            Run(
                folder=folder,
                size_bytes=sum(file.st_size for file in files),
                steps=sorted(int(path.name.rsplit("-", 1)[1]) for path in folder.glob("checkpoint-*[0-9]")),
                age_days=max(0.0, now - written) / 86400,
                running=running,
            )
        )
    return sorted(runs, key=lambda run: (run.age_days, run.folder.name))


def described(run: Run) -> str:
    """One line for a person."""
    steps = ", ".join(map(str, run.steps)) or "none"
    state = "  running" if run.running else ""
    return f"{run.folder.name}  {size_text(run.size_bytes):>9}  {run.age_days:6.1f} days  checkpoints at steps: {steps}{state}"


def remove(run: Run) -> bool:
    """Delete a run's folder while holding its lock. If a training holds the lock, delete nothing and return False."""
    try:
        with only_writer(run.folder):
            # The lock goes last: a training that starts meanwhile finds it taken and exits 75.
            for path in sorted(run.folder.iterdir()):
                if path.name != "lock":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            shutil.rmtree(run.folder)
    except AlreadyRunning:
        return False
    return True


@click.group()
def command() -> None:
    """List what trainings left behind, or remove it.

    Trainings keep their checkpoints in .cache/train, a folder for each run. A run that is under way is never touched.
    """


@command.command("list")
def list_runs() -> None:
    """List every run with its size, age and steps."""
    root = cache_folder("train")
    runs = find_runs(root, now=time.time())
    for run in runs:
        click.echo(described(run))
    click.echo(f"{len(runs)} runs, {size_text(sum(run.size_bytes for run in runs))} in {root}")


@command.command("remove")
@click.argument("names", nargs=-1, metavar="[RUN]...")
@click.option("--older-than-days", type=click.FloatRange(min=0), metavar="N", help="All runs that were not written to for N days.")
@click.option("--all", "every", is_flag=True, help="All runs that are not running.")
def remove_runs(names: tuple[str, ...], older_than_days: float | None, every: bool) -> None:
    """Delete runs. The same training would then start from its first step.

    RUN is a name that `plumbline checkpoints list` shows. Give names, --older-than-days or --all.

    Exit 1 if something that was asked for was not removed.
    """
    if bool(names) + (older_than_days is not None) + every != 1:
        raise click.UsageError("give names of runs, or --older-than-days N, or --all.")
    root = cache_folder("train")
    runs = find_runs(root, now=time.time())
    unknown = sorted(set(names) - {run.folder.name for run in runs})
    if unknown:
        click.echo(f"{root} holds no run {', '.join(unknown)}. `plumbline checkpoints list` names the runs that exist.", err=True)
        sys.exit(1)
    chosen = [
        run
        for run in runs
        if run.folder.name in names
        or (every and not run.running)
        or (older_than_days is not None and run.age_days >= older_than_days and not run.running)
    ]
    kept = 0
    for run in chosen:
        removed = remove(run)
        kept += not removed
        click.echo(f"{'removed' if removed else 'kept, a training is using it:'} {described(run)}")
    click.echo(f"{len(chosen) - kept} of {len(runs)} runs removed")
    sys.exit(1 if kept else 0)
