"""The user's own rows and questions for one experiment: named by a path in the repository, never by their path on this machine. Touches real/ and git."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plumbline.pipeline.files import md5_of, replacing_folder
from plumbline.pipeline.params import read_yaml

INPUTS = Path("real/inputs")
"""Ignored by git, and copied into the folder of the experiment."""
NAMES = {"clean.source": "rows", "split.benchmark": "questions", "retrieve.corpus": "corpus"}
"""Parameter -> name of the copy of its file."""
PLAIN_PATH = re.compile(r"[\w][\w./-]*", re.ASCII)
PLAIN_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
PACKED = (".gz", ".zst", ".zstd")
"""Of questions.csv.gz the readers look at both endings."""


class FilesRefused(ValueError):
    """A file cannot be used; the text says which one and why."""


@dataclass(frozen=True)
class OwnFiles:
    """What an experiment needs to read the files."""

    paths: dict[str, str]
    """Parameter -> path in the repository."""
    copied: Path | None
    """The folder of the copies, for --copy-paths; None if git or DVC holds all files."""


def own_files(root: Path, given: Mapping[str, Path]) -> OwnFiles:
    """Make files readable by an experiment; `given`: parameter -> file, such as clean.source -> ../mine.jsonl.

    A file that git or DVC holds is read where it is. Any other one is copied under a plain name, so that no path of this machine gets into
    params.yaml or dvc.lock. FilesRefused if a file is missing or empty.
    """
    refuse_no_files(given)
    kept = {key: path.resolve().relative_to(root.resolve()) for key, path in given.items() if is_kept(root, path)}
    others = {key: path for key, path in given.items() if key not in kept}
    paths = {key: path.as_posix() for key, path in kept.items()}
    if not others:
        return OwnFiles(paths, None)
    with replacing_folder(root / INPUTS) as folder:
        for key, path in others.items():
            name = f"{NAMES[key]}{ending(path)}"
            shutil.copyfile(path, folder / name)
            paths[key] = (INPUTS / name).as_posix()
    return OwnFiles(paths, INPUTS)


def refuse_no_files(given: Mapping[str, Path]) -> None:
    """FilesRefused if a file is missing or empty."""
    for key, path in given.items():
        if not path.is_file():
            raise FilesRefused(f"{path} is not a file. Give the file for {key}.")
        if path.stat().st_size == 0:
            raise FilesRefused(f"{path} is empty. Give a file with at least one row for {key}.")


def ending(path: Path) -> str:
    """The end of a name, by which a reader knows a table."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-2:] if suffixes[-1:] and suffixes[-1] in PACKED else suffixes[-1:]
    plain = last and all(PLAIN_SUFFIX.fullmatch(suffix) for suffix in last)
    return "".join(last) if plain else ".jsonl"


def is_kept(root: Path, path: Path) -> bool:
    """Whether the last commit holds the file, or the .dvc file of just these bytes, under a path that DVC's command line takes as it is."""
    inside = path.resolve()
    if not inside.is_relative_to(root.resolve()):
        return False
    name = inside.relative_to(root.resolve()).as_posix()
    if not PLAIN_PATH.fullmatch(name):
        return False
    if is_committed(root, name):
        return True
    pointer = root / f"{name}.dvc"
    if not pointer.is_file() or not is_committed(root, f"{name}.dvc"):
        return False
    outs = read_yaml(pointer).get("outs", [])
    # An experiment gets the bytes that the .dvc file names: after an edit without `dvc add` these are the old ones.
    return any(out.get("md5") == md5_of(inside) for out in outs)


def is_committed(root: Path, name: str) -> bool:
    """Whether HEAD has a file of this path."""
    return subprocess.run(["git", "cat-file", "-e", f"HEAD:./{name}"], cwd=root, capture_output=True).returncode == 0
