"""What `plumbline real` runs and `plumbline plan` plans: the profile, or the profile with the user's own files. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

PROFILE = "smollm2_135m_local"
SMALL_PROFILE = "smollm2_135m_small"
EMBEDDED_DATA = "data/raw/embedded/"
OWN_ARMS = (
    "~arms",
    "++arms.base={weights:models/base,context:data/context/none.jsonl}",
    "++arms.tuned={weights:models/adapter,context:data/context/none.jsonl}",
    "noise_floor.weights=models/base",
    "noise_floor.context=data/context/none.jsonl",
)
"""The arms of params.yaml go, because an override only adds to them: `dvc exp apply real` leaves five there. The profile adds the others."""
EMBEDDED_READING = (
    "clean.format=auto",
    "clean.columns=null",
    "split.benchmark_format=auto",
    "split.benchmark_columns=null",
    f"retrieve.corpus={EMBEDDED_DATA}corpus.jsonl",
)
"""How the embedded files are read, whatever params.yaml says about the user's own."""
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


def real_overrides(profile: Sequence[str], files: Mapping[str, str]) -> list[str]:
    """All overrides of `plumbline real`, which replace the arms and comparisons of params.yaml. `files`: the user's own, as parameter -> path.

    The form of the user's rows is recognised. Without a corpus among the files, no arm has passages.
    """
    if not files:
        return [*OWN_ARMS, *profile, *EMBEDDED_READING]
    kept = without_synthesis(profile)
    kept = kept if "retrieve.corpus" in files else without_passages(kept)
    return [*OWN_ARMS, *kept, *(f"{key}={path}" for key, path in files.items()), "clean.format=auto"]
