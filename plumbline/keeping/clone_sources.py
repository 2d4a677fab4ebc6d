"""Bring the files that `dvc add` and `dvc import` track into a fresh clone: what a run reads, and nothing that a run made."""

import shutil
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo

CACHE = "cache-at-hand"


def bring_sources(root: Path, clone: Path) -> list[str]:
    """Put every source of the commit into the clone, and return the missing ones, as paths relative to the clone.

    A source comes from `root` if it holds the bytes that the commit names, else from the DVC cache of `root`. Only sources are fetched:
    with outputs in its cache, the clone would prove nothing.
    """
    with Repo(str(root)) as repo:
        cache = str(repo.cache.local_cache_dir)
    with Repo(str(clone), config={"remote": {CACHE: {"url": cache}}}) as there:
        lacking: list[str] = []
        for stage in there.index.stages:
            if not stage.is_data_source:
                continue
            for out in stage.outs:
                path = Path(str(out.fs_path))
                copied(root / path.relative_to(clone), path)
                if out.workspace_status() and not fetched(there, stage):
                    lacking.append(str(path.relative_to(clone)))
        return sorted(lacking)


def copied(source: Path, path: Path) -> None:
    """Copy a file or folder, if it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, path)
    elif source.is_file():
        shutil.copyfile(source, path)


def fetched(there: Repo, stage: Any) -> bool:
    """Whether the cache of the project had a source; if so, it now lies in the clone."""
    target = str(stage.path)
    try:
        there.fetch(targets=[target], remote=CACHE)
        there.checkout(targets=[target], force=True)
    except (DvcException, OSError):
        return False
    return not any(out.workspace_status() for out in stage.outs)
