"""Say what the columns of a file mean by their own names, so that the advice of an error can be used as it stands. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from string import ascii_uppercase
from typing import Any

from plumbline.splitting.row_values import Row

CUTOFF = 0.75
"""How alike two names are if one may be a typo of the other."""
NAMES_OF: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "problem", "prompt", "stem"),
    "target": ("target", "answer", "solution"),
    "choices": ("choices", "options"),
    "kind": ("kind",),
    "unit": ("unit",),
    "key_points": ("key_points",),
    "id": ("id",),
    "cluster": ("cluster",),
    "gold_passage": ("gold_passage",),
}
"""Names of columns that say which part of a question they hold."""
NOT_NAMED = ("answer_kind", "partial_credit", "tags", "tolerance")
"""Columns of our own shape that a named column cannot stand for: they hold other values there."""


def near_names(lacking: Sequence[str], columns: Iterable[str]) -> dict[str, str]:
    """Which column was probably meant as which lacking one: column -> name. Upper and lower case do not matter."""
    free = {column.casefold(): column for column in columns}
    found: dict[str, str] = {}
    for name in lacking:
        if near := get_close_matches(name.casefold(), free, n=1, cutoff=CUTOFF):
            found[free.pop(near[0])] = name
    return found


def near_words(near: Mapping[str, str]) -> str:
    """The columns that look like typos, each with what was probably meant."""
    return " ".join(f"{column!r}, did you mean {name!r}?" for column, name in near.items())


def completed(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The parts that were named, and those that the names of other columns say; a typo is allowed in question and target."""
    taken = {column for part in given.values() for column in (part if isinstance(part, list) else [part]) if isinstance(column, str)}
    free = [name for name in names if name not in taken]
    by_name = {name.casefold(): name for name in reversed(free)}
    needed = {part: known for part, known in NAMES_OF.items() if part not in given}
    if "correct" in given:
        needed = {part: known for part, known in needed.items() if part not in ("target", "choices")}
    found: dict[str, Any] = {part: by_name[name] for part, known in needed.items() for name in reversed(known) if name in by_name}
    unknown = [name for name in free if name not in found.values() and name not in NOT_NAMED]
    for part in ("question", "target"):
        if part in needed and part not in found and (near := near_names(needed[part], unknown)):
            found[part] = next(iter(near))
    letters = [letter for letter in ascii_uppercase if letter in free]
    if "choices" in needed and "choices" not in found and letters[:2] == ["A", "B"]:
        found["choices"] = letters
    every = {**given, **found}
    return {part: every[part] for part in (*NAMES_OF, *given) if part in every}


def in_params(columns: Mapping[str, Any]) -> str:
    """The columns as they stand in params.yaml; JSON is YAML as well."""
    return f"`benchmark_columns: {json.dumps(dict(columns), ensure_ascii=False)}`"


def unnamed_columns(row: Row, given: Mapping[str, Any], *parts: str) -> str | None:
    """The advice to name all columns, if a column that was not named holds one of these parts in this row; else None."""
    columns = completed(given, [str(name) for name in row.content])
    new = [columns[part] for part in parts if part in columns and part not in given]
    holds = any(row.is_filled(column) for named in new for column in (named if isinstance(named, list) else [named]))
    return f"Name all that the file holds: {in_params(columns)}." if holds else None
