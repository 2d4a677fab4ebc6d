"""Push a run to the remotes and prove that a fresh clone of HEAD can restore it and grade it again. Touches git, DVC and the remotes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from dvc.exceptions import DvcException
from dvc.repo import Repo

from plumbline.commands.refusing import refusing, repository
from plumbline.keeping.clone_environment import clone_environment, cloned_project
from plumbline.keeping.stored_objects import StoredObject, Trouble, cache_troubles, fetch_all, mend, tracked_objects
from plumbline.keeping.temporary_room import refuse_small_temporary_folder, room_for_a_run
from plumbline.model.base_files import MANIFEST, read_manifest
from plumbline.model.local_models import is_on_the_hub
from plumbline.number_text import size_text
from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.heartbeat import working

REGRADED = ("grade", "grade_again", "report")
COMMITTED = ("dvc.lock", "dvc.yaml", "params.yaml", "metrics", ".dvc", ".dvcignore", "plumbline", "stages", "*.dvc")
"""What a clone needs of git to find and use the objects."""
NUM_SHOWN = 20


class NotBackedUp(Exception):
    """The proof failed; the text says what is wrong and what to do."""


def ran(words: Sequence[str], *, cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command and return what it printed. NotBackedUp with its last lines if it fails."""
    with working(f"backup: {' '.join(words[:3]).replace(sys.executable + ' -m ', '')}"):
        done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise NotBackedUp(f"`{' '.join(words).replace(sys.executable + ' -m ', '')}` ended with exit code {done.returncode}:\n{last}")
    return done.stdout


def dvc(*words: str) -> list[str]:
    """The command line of DVC in this environment."""
    return [sys.executable, "-m", "dvc", *words]


def fresh_clone(root: Path, folder: Path) -> Path:
    """Clone HEAD, with its own empty cache and the same remotes. For a remote inside the repository, the clone uses its own copy from git."""
    clone = cloned_project(root, folder)
    with Repo(str(root)) as repo:
        remotes = {name: dict(options) for name, options in repo.config["remote"].items() if not inside(root, str(options["url"]))}
    with Repo(str(clone)) as there, there.config.edit("local") as edited:
        local: dict[str, Any] = edited  # type: ignore[assignment]
        local["cache"] = {"dir": str(clone / ".dvc/cache")}
        local["remote"] = remotes
    return clone


def inside(root: Path, url: str) -> bool:
    """Whether a remote is a folder in the repository itself."""
    return Path(url).is_relative_to(root)


def uncommitted(root: Path) -> list[str]:
    """Changes that are not committed: without them a clone would look for other objects than those of the workspace."""
    return ran(["git", "status", "--porcelain", "--untracked-files=all", "--", *COMMITTED], cwd=root).splitlines()


def regrade(clone: Path) -> list[str]:
    """Run the last stages again in the clone, from its own files, without key or network; return the files that came out the same."""
    environment = clone_environment(without=("ANTHROPIC_API_KEY", "HF_TOKEN")) | {"HF_HUB_OFFLINE": "1"}
    with Repo(str(clone)) as repo:
        stages = {getattr(stage, "name", ""): stage for stage in repo.index.stages}
        # An older project may lack `grade_again`.
        names = [name for name in REGRADED if name in stages]
        made = sorted(str(out) for name in names for out in stages[name].outs)
    made = [os.path.relpath(clone / path, clone) for path in made]
    before = {path: sha256_of(clone / path) for path in made}
    ran(dvc("repro", "-q", "-s", "-f", "--no-run-cache", *names), cwd=clone, environment=environment)
    differing = [path for path in made if sha256_of(clone / path) != before[path]]
    if differing:
        raise NotBackedUp(
            f"re-grading in the clone gave other bytes for {', '.join(differing)}: the stages or their inputs differ from those of the commit. "
            f"Run `dvc repro -s -f {' '.join(names)}` here, look at `git diff metrics`, commit, and back up again."
        )
    return made


def told_troubles(troubles: Sequence[Trouble], urls: Mapping[str, str]) -> str:
    """List what is wrong and what to do about it."""
    lines = [f"{len(troubles)} objects are not safe:"]
    for trouble in troubles[:NUM_SHOWN]:
        lines.append(f"  {trouble.state:8} in {trouble.place:8} {trouble.object.path}  ({trouble.object.oid})")
    if len(troubles) > NUM_SHOWN:
        lines.append(f"  ... and {len(troubles) - NUM_SHOWN} more")
    both = sorted({t.object.path for t in troubles if sum(t.object.oid == other.object.oid for other in troubles) > 1})
    if len(both) < len({t.object.path for t in troubles}):
        lines.append("If one copy is good, `plumbline backup --repair` replaces the bad one with it.")
    if both:
        lines.append(
            f"There is no good copy of {', '.join(both[:5])}{' ...' if len(both) > 5 else ''}. If the file in the workspace is right, delete the "
            "bad copies and run `dvc commit -f`, then `make backup`. Otherwise delete them and run `dvc repro`."
        )
    return "\n".join([*lines, *(f"  {name} is {url}" for name, url in sorted(urls.items()))])


def told_uncommitted(missing: Sequence[str], *, pushed: bool) -> str:
    """List what git lacks, and say how far the backup got."""
    shown = [f"  {line}" for line in missing[:NUM_SHOWN]] + (
        [f"  ... and {len(missing) - NUM_SHOWN} more"] if len(missing) > NUM_SHOWN else []
    )
    so_far = "pushed, but not proven" if pushed else "nothing was pushed or proven, because the cache holds corrupt objects"
    return "\n".join(
        [
            f"{so_far}: a clone of HEAD would not find these objects, because these changes are not committed:",
            *shown,
            "Commit them (`git add -A && git commit`) and run `make backup` again.",
        ]
    )


def told_safe(objects: Sequence[StoredObject], sizes: Mapping[str, int]) -> list[str]:
    """A line per group of objects: what, how many, how large, where."""
    groups = sorted({(stored.group, stored.remote) for stored in objects})
    rows = [("what", "objects", "size", "safe in")]
    for group, remote in groups:
        of_group = [stored for stored in objects if (stored.group, stored.remote) == (group, remote)]
        rows.append((group, str(len(of_group)), size_text(sum(sizes[stored.oid] for stored in of_group)), f"cache, {remote}"))
    rows.append(("all", str(len(objects)), size_text(sum(sizes[stored.oid] for stored in objects)), ""))
    width = max(len(row[0]) for row in rows)
    return [f"{what:{width}}  {count:>7}  {size:>9}  {where}".rstrip() for what, count, size, where in rows]


def same_disk(root: Path, url: str) -> bool:
    """Whether a remote is a folder on the disk that holds the clone."""
    folder = Path(url)
    return folder.is_absolute() and folder.exists() and folder.stat().st_dev == root.stat().st_dev


def hub_weights(root: Path) -> list[str]:
    """A line about the weights of a hub model, which none of our remotes holds."""
    base = root / "models/base"
    if not (base / MANIFEST).exists():
        return []
    manifest = read_manifest(base)
    if manifest.source == "embedded":
        return []
    stay = "stay on the Hub and in its cache" if is_on_the_hub(manifest) else "can be fetched again with `plumbline fetch-model`"
    return [
        f"not in the backup: {len(manifest.hub_files)} weight files of {manifest.repo} at {manifest.revision}; "
        f"they {stay}, and are checked by the sha256 in models/base/manifest.json"
    ]


def main(root: Path, *, repair: bool = False) -> str:
    """Push, prove, and return what is safe where. NotBackedUp lists what is not; ValueError says why it could not start."""
    root = root.resolve()
    refuse_small_temporary_folder(room_for_a_run(root))
    told: list[str] = []
    with Repo(str(root)) as repo:
        urls = {name: str(options["url"]) for name, options in repo.config["remote"].items()}
        objects, elsewhere = tracked_objects(repo)
        harmed = list(cache_troubles(repo, objects))
        corrupt = [trouble for trouble in harmed if trouble.state == "corrupt"]
    if not corrupt:
        # Corrupt bytes would go to the remote under a good name.
        pushed = ran(dvc("push"), cwd=root).strip().splitlines()
        told.append(f"dvc push: {pushed[-1] if pushed else 'done'}")
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="backup-") as name:
        if missing := uncommitted(root):
            raise NotBackedUp(
                "\n".join([*([told_troubles(harmed, urls)] if harmed else []), told_uncommitted(missing, pushed=not corrupt)])
            )
        clone = fresh_clone(root, Path(name))
        with Repo(str(root)) as repo, Repo(str(clone)) as there:
            harmed += fetch_all(there, objects, sizes)
            if repair:
                mended = [trouble for trouble in harmed if mend(repo, trouble)]
                told += [f"repaired: {trouble.object.path} ({trouble.state} in {trouble.place})" for trouble in mended]
                harmed = [*cache_troubles(repo, objects), *fetch_all(there, objects, sizes)]
        if harmed:
            raise NotBackedUp("\n".join([*told, told_troubles(harmed, urls)]))
        ran(dvc("pull", "-q"), cwd=clone)
        if (status := ran(dvc("status"), cwd=clone).strip()) != "Data and pipelines are up to date.":
            raise NotBackedUp(
                f"every object is safe, but in a fresh clone `dvc status` says:\n{status}\nRun `dvc repro`, commit, and back up again."
            )
        regraded = regrade(clone)
    told += told_safe(objects, sizes)
    told += [f"not in the backup: {text}" for text in elsewhere]
    told += hub_weights(root)
    told += [f"{remote}: {urls[remote]}" for remote in sorted({stored.remote for stored in objects})]
    told.append(
        "proven: every object fetched into a fresh clone and hashed; dvc status clean; re-graded there, offline, to the same bytes "
        f"({', '.join(regraded)})"
    )
    told += [
        f"note: {remote} is on the disk that holds this clone: it survives a lost folder, not a lost disk"
        for remote in sorted({stored.remote for stored in objects})
        if not inside(root, urls[remote]) and same_disk(root, urls[remote])
    ]
    return "\n".join(told)


@click.command()
@click.option("--repair", is_flag=True, help="Replace a missing or corrupt copy with the good one, if there is one.")
def command(repair: bool) -> None:
    """Back up a run, and prove that a clone can restore it.

    Pushes to the remotes, fetches every object into a fresh clone with an empty cache, hashes each, grades again there without a network, and
    compares. DVC says "up to date" even if objects are missing or corrupt; this command does not.

    Exit 0: every object is in the cache and on its remote, unharmed, and the clone graded to the same bytes. 1: something is missing, corrupt or
    different; it is listed. 2: the backup could not start.
    """
    root = repository()
    with refusing(1, NotBackedUp, heading="NOT BACKED UP"), refusing(2, ValueError, OSError, DvcException):
        told = main(root, repair=repair)
    click.echo(told)
