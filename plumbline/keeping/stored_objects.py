"""Find the objects of a run, and check that a store really holds them: every one is read and hashed. Touches DVC's cache and remotes.

DVC itself only checks that a file of that name exists: it pushes, pulls and accepts a file with other bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from dvc.repo import Repo

from plumbline.pipeline.heartbeat import watched

CHUNK_BYTES = 1 << 20


class StoredObject(NamedTuple):
    """One file in a content-addressed store."""

    oid: str
    """MD5 of its bytes; with the ending .dir for the listing of a folder."""
    path: str
    """Its path in the workspace, relative to the root."""
    group: str
    """The first two parts of the out it belongs to, such as data/answers."""
    remote: str


class Trouble(NamedTuple):
    """A store does not hold what it should."""

    object: StoredObject
    place: str
    """`cache`, or the name of a remote."""
    state: Literal["missing", "corrupt"]


def read_hashed(store: Any, oid: str, into: Path | None = None) -> tuple[str | None, int]:
    """MD5 and size of an object in a store, (None, 0) if it is missing; if the hash is right, a copy is left at `into`."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    partial = None
    if into is not None:
        into.parent.mkdir(parents=True, exist_ok=True)
        partial = into.with_name(into.name + ".partial")
    try:
        with store.fs.open(store.oid_to_path(oid), "rb") as stream:
            copy = partial.open("wb") if partial else None
            try:
                while chunk := stream.read(CHUNK_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
                    if copy:
                        copy.write(chunk)
            finally:
                if copy:
                    copy.close()
    except FileNotFoundError:
        return None, 0
    if into is not None and partial is not None:
        if digest.hexdigest() == oid.removesuffix(".dir"):
            partial.replace(into)
        partial.unlink(missing_ok=True)
    return digest.hexdigest(), size


def state_of(found: str | None, oid: str) -> Literal["missing", "corrupt"] | None:
    """What is wrong with an object, by its MD5 `found`; None if it is right."""
    return "missing" if found is None else "corrupt" if found != oid.removesuffix(".dir") else None


def good_bytes(oid: str, stores: Iterable[Any]) -> bytes | None:
    """The bytes of a small object from the first store that holds them undamaged."""
    for store in stores:
        if read_hashed(store, oid)[0] == oid.removesuffix(".dir"):
            return store.fs.cat_file(store.oid_to_path(oid))
    return None


def cache_of(repo: Repo) -> Any:
    """The local cache of a repository."""
    return repo.cache.local


def remote_of(repo: Repo, name: str) -> Any:
    """A remote of a repository, as the store that DVC uses."""
    return repo.cloud.get_remote_odb(name)


def tracked_objects(repo: Repo) -> tuple[list[StoredObject], list[str]]:
    """Every object that dvc.lock and the .dvc files of a workspace name, sorted, and what is kept elsewhere on purpose, in words.

    ValueError if there is no default remote, or if an out was never made. If every copy of a folder's listing is damaged, only
    the listing can be named.
    """
    objects: dict[tuple[str, str], StoredObject] = {}
    elsewhere = []
    default = repo.config["core"].get("remote")
    for out in sorted(repo.index.outs, key=str):
        path = str(out)
        if not out.use_cache:
            continue
        if out.stage.is_repo_import:
            elsewhere.append(f"{path} is imported: it stays at its source")
            continue
        if not out.can_push:
            elsewhere.append(f"{path} is declared push: false")
            continue
        remote = out.remote or default
        if remote is None:
            raise ValueError("There is no default remote. Name one with `dvc remote add -d backup <folder or URL>`.")
        if not out.hash_info or out.hash_info.value is None:
            raise ValueError(f"{path} was never made. Run `make` first.")
        if out.hash_info.name != "md5":
            raise ValueError(f"{path} was hashed by DVC 2 ({out.hash_info.name}). Run `dvc cache migrate` and commit.")
        for stored in objects_of(repo, out, remote):
            objects.setdefault((stored.oid, remote), stored)
    return sorted(objects.values(), key=lambda stored: (stored.path, stored.oid)), elsewhere


def objects_of(repo: Repo, out: Any, remote: str) -> Iterator[StoredObject]:
    """The object of an out that was made; for a folder the listing, then each file in it."""
    path, oid = str(out), out.hash_info.value
    group = "/".join(Path(path).parts[:2])
    yield StoredObject(oid, path, group, remote)
    if oid.endswith(".dir"):
        listing = good_bytes(oid, (cache_of(repo), remote_of(repo, remote)))
        for entry in json.loads(listing) if listing else []:
            yield StoredObject(entry["md5"], f"{path}/{entry['relpath']}", group, remote)


def cache_troubles(repo: Repo, objects: Sequence[StoredObject]) -> Iterator[Trouble]:
    """Hash every object in the cache."""
    for stored in watched(objects, "cache", unit="object", total=len(objects)):
        if state := state_of(read_hashed(cache_of(repo), stored.oid)[0], stored.oid):
            yield Trouble(stored, "cache", state)


def fetch_all(clone: Repo, objects: Sequence[StoredObject], sizes: dict[str, int]) -> Iterator[Trouble]:
    """Bring every object from its remote into the cache of a clone, hashing it on the way; only what is right arrives.

    `sizes` is filled: oid -> bytes.
    """
    for stored in watched(objects, "remote", unit="object", total=len(objects)):
        into = Path(cache_of(clone).oid_to_path(stored.oid))
        found, sizes[stored.oid] = read_hashed(remote_of(clone, stored.remote), stored.oid, into)
        if state := state_of(found, stored.oid):
            yield Trouble(stored, stored.remote, state)


def mend(repo: Repo, trouble: Trouble) -> bool:
    """Replace a bad copy by a good one from the other store; False if neither is good."""
    cache, remote = cache_of(repo), remote_of(repo, trouble.object.remote)
    source, target = (remote, cache) if trouble.place == "cache" else (cache, remote)
    oid = trouble.object.oid
    if read_hashed(source, oid)[0] != oid.removesuffix(".dir"):
        return False
    if trouble.state == "corrupt":
        target.delete(oid)
    # Not `dvc push`: if a remote has the listing of a folder, DVC assumes that it has the files too.
    target.add(source.oid_to_path(oid), source.fs, oid, check_exists=False)
    return True
