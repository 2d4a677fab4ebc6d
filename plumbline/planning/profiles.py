"""Profiles: files of overrides of params.yaml, one a line, for another world than the embedded one. Reads profiles/ and params.yaml."""

import re
from collections.abc import Sequence
from pathlib import Path

from plumbline.pipeline.params import read_yaml
from plumbline.planning.real_profile import EMBEDDED_DATA

OVERRIDE = re.compile(r"\+{0,2}[A-Za-z_][\w.]*=.+")


class ProfileRefused(ValueError):
    """A profile is missing, or has a line that is not an override; the text says what to do."""


def profile_overrides(root: Path, name: str) -> list[str]:
    """The lines of a profile, without comments. If no profile has this name, ProfileRefused names those that exist."""
    path = root / "profiles" / name
    if not path.is_file():
        there = ", ".join(sorted(one.name for one in path.parent.iterdir())) if path.parent.is_dir() else "none"
        raise ProfileRefused(f"there is no profiles/{name}. Give one of these names: {there}.")
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    overrides = [line for line in lines if line and not line.startswith("#")]
    for line in overrides:
        if not OVERRIDE.fullmatch(line):
            raise ProfileRefused(
                f"profiles/{name} has the line {line!r}. Write each line as name=value, or +name=value for a new key, without -S."
            )
    return overrides


def merged(*overrides: Sequence[str]) -> list[str]:
    """Several lists of overrides as one: a later value of a name replaces an earlier one."""
    values = {line.partition("=")[0].lstrip("+"): line for lines in overrides for line in lines}
    return list(values.values())


def check_has_data(root: Path, name: str, overrides: Sequence[str]) -> None:
    """ProfileRefused if a large model would be trained on the small embedded world, because no one named other rows."""
    values = {name: value for name, _, value in (line.partition("=") for line in overrides)}
    source = values.get("clean.source") or str(read_yaml(root / "params.yaml")["clean"]["source"])
    if values.get("base.source") == "hub" and "clean.source" not in values and source.startswith(EMBEDDED_DATA):
        raise ProfileRefused(
            f"profiles/{name} uses a model of the Hub, but clean.source is still the small embedded world.\n"
            "Copy the profile to profiles/local_mine and add two lines: clean.source=data/raw/mine.jsonl and split.benchmark=data/raw/my_benchmark.jsonl"
        )
