"""Read a run as it was: at a commit, at a DVC experiment, or in the workspace. Touches git, DVC and its cache, read-only."""

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dvc.api import DVCFileSystem
from dvc.repo import Repo
from dvc.scm import resolve_rev
from pydantic import ValidationError
from ruamel.yaml import YAML

from plumbline.pipeline.problems import problems_of
from plumbline.pipeline.record import Record
from plumbline.reporting.numbers import SCHEMA

WORKSPACE = "workspace"
Row = TypeVar("Row", bound=Record)


class NotThere(ValueError):
    """A revision, or a file in it, cannot be read; the text says what to do."""


class ContentGone(NotThere):
    """A file of a run has no content here."""


class Source(Protocol):
    """The place from which the files of one run are read."""

    def read(self, path: str) -> bytes:
        """The bytes of a file of this run. NotThere if it has no such file."""
        ...


class Workspace:
    """The files as they are in the folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes:
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            raise ContentGone(f"{WORKSPACE}: there is no {path}. Run `dvc repro` first.") from None


class Revision:
    """A commit or experiment: files in git from git, outs of stages from DVC's cache or remote."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        with Repo(str(root)) as repo:
            try:
                self.commit = resolve_rev(repo.scm, name)
            except Exception as error:
                hint = "; this clone is shallow: `git fetch --unshallow` brings the older commits" if is_shallow(root) else ""
                raise NotThere(
                    f"{name}: no commit, tag, branch or experiment has this name; `dvc exp list` shows experiments{hint}."
                ) from error
            top = Path(repo.scm.root_dir)
            here = absolute_places(repo)
        # A project may be a folder of a larger repository: DVC opens a revision of such a folder only from the top.
        self.prefix = root.resolve().relative_to(top.resolve())
        self.files = DVCFileSystem(
            str(top), rev=self.commit, subrepos=bool(self.prefix.parts), config=here, repo_factory=partial(Repo, config=here)
        )

    def read(self, path: str) -> bytes:
        try:
            content = self.files.read_bytes((self.prefix / path).as_posix())
        except FileNotFoundError:
            fetched = (
                "`dvc fetch`"
                if self.name == "HEAD"
                else f"`dvc fetch --all-commits`, which may take minutes (for an experiment `dvc exp pull origin {self.name}`)"
            )
            raise ContentGone(
                f"{self.name}: {path} is not in that revision, or its content is in neither cache nor remote. Run {fetched}. "
                "If the remote lacks it, run `dvc push --all-commits` where it was made, and fetch again."
            ) from None
        assert isinstance(content, bytes)
        return content


def absolute_places(repo: Repo) -> dict[str, dict[str, Any]]:
    """The cache and the remotes of a repository, for DVC's config of a revision of it.

    A revision has no folder on the disk, so DVC would read the relative path of a remote from the root of the disk.
    """
    cache = repo.cache.local_cache_dir
    remotes = {name: dict(remote) for name, remote in repo.config["remote"].items()}
    # DVC wants a default remote; without one it takes the cache itself.
    default = repo.config["core"].get("remote") or "cache"
    return {"core": {"remote": default}, "cache": {"dir": cache}, "remote": {"cache": {"url": cache}, **remotes}}


def open_run(root: Path, name: str) -> Source:
    """`workspace`, or anything that names a commit or an experiment."""
    return Workspace(root) if name == WORKSPACE else Revision(root, name)


def read_object(source: Source, path: str) -> dict[str, Any]:
    """A JSON object of a run."""
    return json.loads(source.read(path))


def read_evaluation(source: Source, name: str) -> dict[str, Any]:
    """The ledger of a run. NotThere if another version of Plumbline wrote it."""
    evaluation = read_object(source, "metrics/evaluation.json")
    if evaluation.get("schema") != SCHEMA:
        raise NotThere(
            f"{name}: its metrics/evaluation.json is of schema {evaluation.get('schema')}, not {SCHEMA}: it was written by an older Plumbline. "
            f"Check out {name}, run `dvc repro report` with the present code and commit it, or leave {name} out."
        )
    return evaluation


def read_settings(source: Source, path: str) -> dict[str, Any]:
    """A YAML file of a run, read as DVC reads it."""
    return YAML(typ="safe", pure=True).load(source.read(path).decode("utf-8"))


def read_rows(source: Source, path: str, kind: type[Row]) -> Iterator[Row]:
    """The records of a JSONL file of a run. Only LF ends a record: an answer may hold U+2028 and its like."""
    for number, line in enumerate(source.read(path).split(b"\n"), start=1):
        if line:
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                raise NotThere(
                    f"{path}, line {number}: not a {kind.__name__} of this version of Plumbline: {problems_of(error, kind)}."
                ) from None


def experiments(root: Path) -> list[str]:
    """Names of the experiments that start from HEAD, sorted."""
    with Repo(str(root)) as repo:
        found = repo.experiments.ls(rev=["HEAD"])
    return sorted(name for names in found.values() for name, _ in names)


def is_shallow(root: Path) -> bool:
    """Whether git holds only a part of the history, as after `git clone --depth 1`."""
    done = subprocess.run(["git", "rev-parse", "--is-shallow-repository"], cwd=root, capture_output=True, text=True)
    return done.stdout.strip() == "true"


def refuse_shallow(root: Path) -> None:
    """NotThere if git holds only a part of the history: uses of the final part in older commits would not be counted."""
    if is_shallow(root):
        raise NotThere(
            "This clone is shallow, so uses of the final part in older commits cannot be counted. Run `git fetch --unshallow`, then run this again."
        )


def recorded_evaluations(root: Path) -> list[dict[str, Any]]:
    """Every state of metrics/evaluation.json in any commit or experiment of this repository."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True).stdout

    path = "metrics/evaluation.json"
    # The full history: if a merge took the run of one side, git would leave out that of the other side.
    commits = git("log", "--all", "--full-history", "--format=%H", "--", path).split()
    blobs = {found[2] for commit in commits if len(found := git("ls-tree", commit, path).split()) > 2}
    return [json.loads(git("cat-file", "blob", blob)) for blob in sorted(blobs)]
