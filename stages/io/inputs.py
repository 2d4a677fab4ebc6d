"""Fail a stage whose declared inputs changed while it ran: DVC hashes them only afterwards (treeverse/dvc#11058)."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.io.files import sha256_of
from stages.io.params import read_yaml
from stages.records.input_refused import Refused

REFERENCE = re.compile(r"\$\{([\w.]+)\}")


def resolve(text: str, params: Mapping[str, Any]) -> str:
    """Replace every `${section.key}` by its value in params.yaml, as DVC does in dvc.yaml."""

    def value(match: re.Match[str]) -> str:
        node: Any = params
        for key in match[1].split("."):
            node = node[key]
        return str(node)

    return REFERENCE.sub(value, text)


def snapshot(stage: str) -> dict[str, str]:
    """Return name -> fingerprint of every declared input. FileNotFoundError where a declared dependency is missing."""
    spec = read_yaml(Path("dvc.yaml"))["stages"][stage]
    params = read_yaml(Path("params.yaml"))
    seen = {f"params:{section}": repr(params.get(section)) for section in spec.get("params", [])}
    for declared in spec.get("deps", []):
        path = Path(resolve(declared, params))
        if not path.exists():
            raise FileNotFoundError(f"{stage}: dependency {path} (declared in dvc.yaml as {declared}) does not exist.")
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                seen[str(file)] = sha256_of(file)
    return seen


@contextmanager
def inputs_unchanged() -> Iterator[None]:
    """Run the block, then exit non-zero if an input differs from what it was at the start. What a user gave and cannot be used is told in a line.

    Compares nothing outside DVC (no DVC_STAGE): a stage run by hand writes no dvc.lock that could lie.
    """
    stage = os.environ.get("DVC_STAGE")
    before = snapshot(stage) if stage else {}
    try:
        yield
    except Refused as refused:
        sys.exit(f"{stage or 'refused'}: {refused}")
    after = snapshot(stage) if stage else {}
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if changed:
        sys.exit(f"{stage}: inputs changed while it ran: {', '.join(changed)}. Nothing was recorded; run it again.")
