"""Bring the objects of a run that git holds into DVC's cache; every one is read and hashed on the way. Touches the bundled store and the cache."""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from dvc.exceptions import DvcException
from dvc.repo import Repo

from plumbline.keeping.stored_objects import cache_of, fetch_all, objects_of

BUNDLED = "bundled"
"""The remote of .dvc/config that is a folder in git; dvc.yaml names it for each small output."""


class Brought(NamedTuple):
    """What happened to the objects that were looked for."""

    num_objects: int
    size_bytes: int
    damaged: list[str]
    """Paths in the workspace: git holds other bytes for their objects than dvc.lock names."""
    missing: list[str]
    """Paths in the workspace: git does not hold their objects."""


def bring_bundled(root: Path, outs: Collection[str] | None = None) -> Brought:
    """Bring the objects of these outputs, or of all that git holds, as dvc.lock names them; objects in the cache stay as they are.

    A damaged object does not arrive, and DVC then makes its output again. ValueError if dvc.lock or the store cannot be read.
    """
    try:
        with Repo(str(root)) as repo:
            made = [out for out in repo.index.outs if out.remote == BUNDLED and out.hash_info and (outs is None or str(out) in outs)]
            wanted = {stored.oid: stored for out in made for stored in objects_of(repo, out, BUNDLED)}
            lacking = [stored for stored in wanted.values() if not Path(cache_of(repo).oid_to_path(stored.oid)).exists()]
            sizes: dict[str, int] = {}
            troubles = list(fetch_all(repo, lacking, sizes))
    except DvcException as error:
        raise ValueError(f"DVC cannot read the part of the run that git holds: {error}") from error
    damaged, missing = (sorted({one.object.path for one in troubles if one.state == state}) for state in ("corrupt", "missing"))
    return Brought(len(lacking), sum(sizes.values()), damaged, missing)


def lay_out(root: Path, outs: Collection[str]) -> None:
    """Put outputs from the cache into the workspace, if they are not there yet. ValueError if DVC cannot."""
    lacking = [out for out in outs if not (root / out).exists()]
    if not lacking:
        return
    try:
        with Repo(str(root)) as repo:
            repo.checkout(targets=lacking, allow_missing=True)
    except DvcException as error:
        raise ValueError(f"DVC cannot check out the part of the run that git holds: {error}") from error


def bundled_outs(root: Path) -> list[str]:
    """The outputs that dvc.yaml gives to the bundled store. ValueError if DVC cannot read the project."""
    try:
        with Repo(str(root)) as repo:
            return sorted(str(out) for out in repo.index.outs if out.remote == BUNDLED)
    except DvcException as error:
        raise ValueError(f"DVC cannot read this project: {error}") from error
