"""List what trainings left in .cache/train, and remove it: sizes, steps, age; a run that is under way is never touched."""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

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
    return f"{run.folder.name}  {run.size_bytes / 2**20:9.1f} MiB  {run.age_days:6.1f} days  checkpoints at steps: {steps}{state}"


def remove(run: Run) -> bool:
    """Delete a run's folder while holding its lock; False, and nothing deleted, where a training holds it."""
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


def say(line: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(line + "\n")


def main(arguments: list[str]) -> int:
    """Exit 1 where something that was asked for was not removed."""
    parser = argparse.ArgumentParser(prog="python -m plumbline.commands.checkpoints", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="every run with its size, age and steps")
    removing = verbs.add_parser("remove", help="delete runs; one that is removed would start again from its first step")
    which = removing.add_mutually_exclusive_group(required=True)
    which.add_argument("runs", nargs="*", default=[], metavar="RUN", help="as list names them")
    which.add_argument("--older-than-days", type=float, metavar="N", help="all that were not written to for so long")
    which.add_argument("--all", action="store_true", help="all that are not running")
    options = parser.parse_args(arguments)
    root = cache_folder("train")
    runs = find_runs(root, now=time.time())
    if options.verb == "list":
        for run in runs:
            say(described(run))
        say(f"{len(runs)} runs, {sum(run.size_bytes for run in runs) / 2**20:.1f} MiB in {root}")
        return 0
    unknown = sorted(set(options.runs) - {run.folder.name for run in runs})
    if unknown:
        sys.stderr.write(f"{root} holds no run {', '.join(unknown)}; `list` names those that are there.\n")
        return 1
    chosen = [
        run
        for run in runs
        if run.folder.name in options.runs
        or (options.all and not run.running)
        or (options.older_than_days is not None and run.age_days >= options.older_than_days and not run.running)
    ]
    kept = 0
    for run in chosen:
        removed = remove(run)
        kept += not removed
        say(f"{'removed' if removed else 'kept, a training holds it:'} {described(run)}")
    say(f"{len(chosen) - kept} of {len(runs)} runs removed")
    return int(kept > 0)


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[2])
    sys.exit(main(sys.argv[1:]))
