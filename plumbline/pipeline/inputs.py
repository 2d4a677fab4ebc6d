"""Fail a stage if its declared inputs changed while it ran: DVC hashes them only afterwards (treeverse/dvc#11058)."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pathspec import GitIgnoreSpec

from plumbline.pipeline.expanded_stages import expanded_stages, value_at
from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused


def snapshot(stage: str) -> dict[str, str]:
    """Return name -> fingerprint of every declared input. FileNotFoundError if a declared dependency is missing."""
    params = read_yaml(Path("params.yaml"))
    spec = expanded_stages(read_yaml(Path("dvc.yaml")), params)[stage]
    seen = {f"params:{section}": repr(value_at(params, section)) for section in spec.get("params", [])}
    for declared in spec.get("deps", []):
        path = Path(declared)
        if not path.exists():
            raise FileNotFoundError(f"{stage}: dependency {path} (declared in dvc.yaml) does not exist.")
        for file in files_of(path):
            seen[str(file)] = sha256_of(file)
    return seen


def files_of(path: Path, *, root: Path = Path()) -> list[Path]:
    """Return the files that DVC hashes for a dependency: the file itself, or those of a folder without what .dvcignore excludes.

    `path` lies under `root`, the repository, and both are absolute or both relative.
    """
    if not path.is_dir():
        return [path]
    ignored = ignore_rules(root / ".dvcignore")
    files = (file for file in sorted(path.rglob("*")) if file.is_file())
    return [file for file in files if not ignored.match_file(file.relative_to(root))]


def ignore_rules(path: Path) -> GitIgnoreSpec:
    """The rules of an ignore file; none if there is no file."""
    return GitIgnoreSpec.from_lines(path.read_text(encoding="utf-8").splitlines() if path.exists() else ())


@contextmanager
def inputs_unchanged() -> Iterator[None]:
    """Run the block, then exit non-zero if an input changed since the start. If a file or setting of the user is refused, exit with one line.

    Compares nothing outside DVC (no DVC_STAGE): a stage that is run by hand writes no dvc.lock that could be wrong.
    """
    stage = os.environ.get("DVC_STAGE")
    try:
        before = snapshot(stage) if stage else {}
        yield
    except Refused as refused:
        sys.exit(f"{stage or 'refused'}: {refused}")
    after = snapshot(stage) if stage else {}
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if changed:
        sys.exit(f"{stage}: inputs changed while it ran: {', '.join(changed)}. Nothing was recorded; run it again.")
