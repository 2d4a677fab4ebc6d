"""A fresh clone of the project, and the environment of a command that runs in it. Touches git and the environment."""

import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path


def clone_environment(*, without: Collection[str] = ()) -> dict[str, str]:
    """Our environment, with this Python first on the path: stages are started as `python -m ...`.

    `without`: variables that the command must not see. DVC_ROOT is left out too, since it would name the current project.
    """
    kept = {name: value for name, value in os.environ.items() if name not in {"DVC_ROOT", *without}}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


class NotCloned(ValueError):
    """Git could not clone the project; the text says why and what to do."""


def cloned_project(root: Path, folder: Path) -> Path:
    """Clone HEAD into `folder`, and return where the project lies in the clone: a project may be a folder of a larger repository."""
    clone = folder.resolve() / "clone"
    found = subprocess.run(["git", "rev-parse", "--show-toplevel", "--show-prefix"], cwd=root, capture_output=True, text=True)
    if found.returncode:
        raise NotCloned(f"{root} is not in a git repository, or git refuses to read it: {last_line(found.stderr)}")
    top, prefix = found.stdout.splitlines()[:2]
    done = subprocess.run(["git", "clone", "-q", top, str(clone)], capture_output=True, text=True)
    if done.returncode:
        raise NotCloned(
            f"git could not clone {top} into {folder}: {last_line(done.stderr)}. If the disk is full, set TMPDIR to a larger folder."
        )
    return clone / prefix


def last_line(text: str) -> str:
    """The last line that a program printed."""
    return (text.strip().splitlines() or ["it said nothing"])[-1]
