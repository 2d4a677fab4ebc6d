"""A dvc.lock that says that clean and split made data/split with the settings of params.yaml."""

import hashlib
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from plumbline.pipeline.params import read_yaml


def lock_the_split(root: Path) -> None:
    """Write dvc.lock. A raw file that is here is recorded with its hash."""
    params = read_yaml(root / "params.yaml")

    def stage(name: str, *, deps: list[str], outs: list[str]) -> dict[str, Any]:
        return {"cmd": "", "deps": hashed(root, deps), "params": {"params.yaml": {name: params[name]}}, "outs": hashed(root, outs)}

    stages = {
        "synthesize": stage("synthesize", deps=[], outs=[]),
        "clean": stage("clean", deps=[params["clean"]["source"]], outs=[]),
        "split": stage("split", deps=[params["split"]["benchmark"]], outs=["data/split/train.jsonl", "data/split/benchmark.jsonl"]),
    }
    YAML(typ="safe", pure=True).dump({"schema": "2.0", "stages": stages}, root / "dvc.lock")


def hashed(root: Path, paths: list[str]) -> list[dict[str, str]]:
    """Entries of a dvc.lock."""
    return [
        {"path": path, "md5": hashlib.md5((root / path).read_bytes(), usedforsecurity=False).hexdigest()}
        for path in paths
        if (root / path).is_file()
    ]
