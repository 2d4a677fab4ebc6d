"""Run the committed pipeline from nothing in a fresh clone and compare what comes out, or compare dvc.lock with the folder. Touches git and DVC."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from ruamel.yaml import YAML

from plumbline.commands.refusing import refusing, repository
from plumbline.keeping.clone_environment import clone_environment, cloned_project
from plumbline.keeping.clone_sources import bring_sources
from plumbline.keeping.committed_results import LOCK, SCORES, headline, locked_outs
from plumbline.keeping.temporary_room import refuse_small_temporary_folder, room_for_a_run
from plumbline.pipeline.expanded_stages import expanded_stages, value_at
from plumbline.pipeline.files import md5_of
from plumbline.pipeline.inputs import files_of
from plumbline.pipeline.params import read_yaml

TOLERANCE = 0.15
"""Of each headline score, a fraction of 1. Measured: between two kinds of processor numeric moved by 0.08, the largest of the three.
In training from scratch, other last digits act like another seed."""


class Verdict(NamedTuple):
    """What the comparison found."""

    reproduced: bool
    told: str


def compare(
    committed: bytes, made: bytes, committed_scores: Mapping[str, Any], made_scores: Mapping[str, Any], *, tolerance: float
) -> Verdict:
    """Compare two states of dvc.lock, and their scores if the locks differ."""
    if committed == made:
        return Verdict(True, f"reproduced to the byte: {LOCK} of the fresh clone is the committed one.\n")
    yaml = YAML(typ="safe", pure=True)
    before, after = (locked_outs(yaml.load(text.decode())) for text in (committed, made))
    differing = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    lines = [f"{len(differing)} of {len(before.keys() | after.keys())} outputs differ: {', '.join(differing)}"]
    old, new = headline(committed_scores), headline(made_scores)
    far = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        near = was == now or (was is not None and now is not None and abs(was - now) <= tolerance)
        far += [] if near else [name]
        lines.append(f"  {name:20} {was} -> {now}{'' if near else '   beyond the tolerance'}")
    told = "\n".join(lines)
    if far:
        return Verdict(
            False,
            f"{told}\nnot reproduced: {', '.join(far)} moved by more than {tolerance}. "
            "Run `plumbline verify --lock` to see whether dvc.lock belongs to the commit.\n",
        )
    same = "reproduced within the tolerance" if differing else "reproduced; only the text of dvc.lock differs"
    return Verdict(True, f"{told}\n{same} ({tolerance} of each score): expected on another kind of processor, not on the same one.\n")


def stale(root: Path) -> list[str]:
    """Where the lock and the folder differ, a line each. Needs no data: it looks only at what git holds.

    DVC's own `repro --dry --allow-missing` returns 0 even if a stage changed.
    """
    lock, pipeline, params = (read_yaml(root / name) for name in (LOCK, "dvc.yaml", "params.yaml"))
    stages = expanded_stages(pipeline, params)
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")
    made = locked_outs(lock)
    found = [f"{name}: not in {LOCK}" for name in stages.keys() - lock["stages"].keys()]
    found += [f"{name}: not a stage any more{cleared_by(name)}" for name in lock["stages"].keys() - stages.keys()]
    for name in stages.keys() & lock["stages"].keys():
        stage, locked = stages[name], lock["stages"][name]
        if stage["cmd"] != locked["cmd"]:
            found.append(f"{name}: its command is {stage['cmd']!r}, {LOCK} has {locked['cmd']!r}")
        deps = {dep["path"]: dep["md5"] for dep in locked.get("deps", [])}
        declared = set(stage.get("deps", []))
        found += [f"{name}: {path} is a dependency in only one of dvc.yaml and {LOCK}" for path in declared ^ deps.keys()]
        for path, md5 in deps.items():
            if path in made and made[path] != md5:
                found.append(f"{name}: it ran on another {path} than {LOCK} says was made")
            elif path not in made and is_tracked(path, tracked) and hash_of(root / path, root=root) != md5:
                found.append(f"{name}: {path} is not the one it was run with{untracked_in(root, path, tracked)}")
        for section in stage.get("params", []):
            if locked.get("params", {}).get("params.yaml", {}).get(section) != value_at(params, section):
                found.append(f"{name}: params.yaml, {section} is not what it was run with")
    # Metrics and tables are in git next to the lock.
    found += [f"{path}: not the one that {LOCK} says was made" for path in made if path in tracked and md5_of(root / path) != made[path]]
    return sorted(found)


def cleared_by(name: str) -> str:
    """How to remove a stage from the lock if it is that of a removed arm."""
    return "; `plumbline clear-arms` removes it" if name.startswith("answer@") else ""


def is_tracked(path: str, tracked: Collection[str]) -> bool:
    """Whether git holds the file, or a file of the folder: git lists no folders."""
    return path in tracked or any(file.startswith(f"{path}/") for file in tracked)


def untracked_in(root: Path, folder: str, tracked: Collection[str]) -> str:
    """Name the files of a dependency that git does not track: they may be the difference."""
    files = {file.relative_to(root).as_posix() for file in files_of(root / folder, root=root)} if (root / folder).is_dir() else set()
    strays = sorted(files - set(tracked))
    return f" (not in git: {', '.join(strays)})" if strays else ""


def hash_of(path: Path, *, root: Path) -> str | None:
    """The hash of a file or of a folder as dvc.lock has it; None if neither exists."""
    if path.is_file():
        return md5_of(path)
    if not path.is_dir():
        return None
    tree = Tree()
    for file in files_of(path, root=root):
        tree.add(file.relative_to(path).parts, None, HashInfo("md5", md5_of(file)))
    tree.digest()
    assert tree.hash_info is not None
    return tree.hash_info.value


def verify(root: Path, *, tolerance: float) -> Verdict:
    """Clone HEAD of `root`, run the pipeline there from its sources alone, and compare."""
    root = root.resolve()
    refuse_small_temporary_folder(room_for_a_run(root))
    with tempfile.TemporaryDirectory(prefix="verify-") as name:
        clone = cloned_project(root, Path(name))
        committed, scores = (clone / LOCK).read_bytes(), json.loads((clone / SCORES).read_text(encoding="utf-8"))
        if lacking := bring_sources(root, clone):
            return Verdict(
                False,
                f"not run: the commit reads {', '.join(lacking)}, and neither this folder nor its DVC cache holds the bytes that it names. "
                "`dvc pull` brings them from a remote; or `dvc add` those that you have, run and commit.\n",
            )
        # Without the dvc.lock of the commit, DVC has nothing to skip.
        (clone / LOCK).unlink()
        ran = subprocess.run([sys.executable, "-m", "dvc", "repro"], cwd=clone, env=clone_environment())
        if ran.returncode:
            return Verdict(
                False, f"not reproduced: `dvc repro` in a fresh clone ended with exit code {ran.returncode}; its last lines say why.\n"
            )
        made_scores = json.loads((clone / SCORES).read_text(encoding="utf-8"))
        return compare(committed, (clone / LOCK).read_bytes(), scores, made_scores, tolerance=tolerance)


@click.command()
@click.option(
    "--tolerance", type=click.FloatRange(0, 1), default=TOLERANCE, show_default=True, help="How far each headline score may move."
)
@click.option("--lock", is_flag=True, help="Run nothing; check whether dvc.lock belongs to the code and the parameters.")
def command(tolerance: float, lock: bool) -> None:
    """Run the commit from nothing in a clone, and compare.

    The clone has its own cache. From here it gets only what `dvc add` and `dvc import` keep: your rows and questions, as the commit names them.
    With --lock nothing is run: the command only checks whether dvc.lock belongs to the code, parameters and commands next to it.

    Exit 0: dvc.lock is identical to the byte, or (on another kind of processor, where sums differ in their last digits) every headline score is
    within the tolerance. Exit 1: it is not reproduced, or could not be run.
    """
    root = repository()
    with refusing(1, ValueError, OSError, subprocess.CalledProcessError):
        if lock:
            differing = stale(root)
            told = "\n".join(
                [f"{LOCK} does not belong to this state. Run `dvc repro`, then commit it:", *(f"  {line}" for line in differing)]
            )
            click.echo(told if differing else f"{LOCK} belongs to this code, these parameters and these metrics")
            sys.exit(1 if differing else 0)
        found = verify(root, tolerance=tolerance)
    click.echo(found.told, nl=False)
    sys.exit(0 if found.reproduced else 1)
