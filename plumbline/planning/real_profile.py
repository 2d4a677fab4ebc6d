"""What `plumbline real` runs and `plumbline plan` plans: the profile, or the profile with the user's own files. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

PROFILE = "smollm2_135m_local"
SMALL_PROFILE = "smollm2_135m_small"
EMBEDDED_DATA = "data/raw/embedded/"
ANOTHER = re.compile(r"\s+(?=\+{0,2}[A-Za-z_][\w.]*=)")
"""The gap between two overrides in one string: a value may hold spaces."""


def without_passages(profile: Sequence[str]) -> list[str]:
    """A profile without the arms that look things up: the embedded corpus knows nothing about other questions."""
    kept = [line for line in profile if not (line.startswith("++arms.") and "passages" in line) and not line.startswith("comparisons=")]
    return [*kept, "comparisons=[[base,tuned],[base_examples,tuned],[base,base_examples]]"]


def without_synthesis(profile: Sequence[str]) -> list[str]:
    """A profile that leaves the embedded data set as in params.yaml, so that it is not made again."""
    return [line for line in profile if not line.startswith("synthesize.")]


def one_by_one(given: Sequence[str]) -> list[str]:
    """The overrides of -S: each may hold several, as SET of make does."""
    return [one for text in given for one in ANOTHER.split(text.strip()) if one]


def own_in_params(params: Mapping[str, Any]) -> dict[str, str]:
    """Parameter -> file that params.yaml names for the user's own rows and questions; empty if either is the embedded one."""
    named = {"clean.source": str(params["clean"]["source"]), "split.benchmark": str(params["split"]["benchmark"])}
    return {} if any(path.startswith(EMBEDDED_DATA) for path in named.values()) else named


def with_own_files(profile: Sequence[str], files: Mapping[str, str]) -> list[str]:
    """The profile of `plumbline real` with the user's own files, as parameter -> path. Without a corpus among them, no arm has passages."""
    kept = list(profile) if "retrieve.corpus" in files else without_passages(profile)
    return [*kept, *(f"{key}={path}" for key, path in files.items())]
