"""Choose which keys of the rows play which part, by how many rows fit; two readings that fit alike are refused. Pure."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from plumbline.cleaning.json_remedy import jq, row_filter
from plumbline.cleaning.row_columns import SYSTEMS, Columns, name_of, possible_columns
from plumbline.cleaning.source_format import SourceFormat
from plumbline.pipeline.refused import InputRefused

MAX_NAMES = 200
ALIKE = 0.5
"""Another reading that fits at least this share of the rows of the best one fits alike."""
MIN_SHARE = 0.5
"""Of the rows: a reading that fits fewer is not taken without being asked for."""
IN_PLACE = "in place of `columns: null` in section clean of params.yaml write"
"""The key is there as the file comes, and a second one breaks it."""
PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
"""YAML reads it as it stands."""


class Choice(NamedTuple):
    """The keys that are read, and how well they fit."""

    columns: Columns
    names: list[str]
    """Keys of the rows that were looked at, the most frequent first."""
    num_fitting: int
    num_rows: int


def choose_columns(path: Path, source: SourceFormat, rows: Sequence[Mapping[str, Any]], given: Columns | None) -> Choice:
    """The reading that fits the rows. InputRefused where none does, or two do alike, with what decides it."""
    counted = Counter(name for row in rows for name in row)
    names = [name for name, _ in counted.most_common(MAX_NAMES) if name]
    if given is not None:
        missing = [name for name in sorted(given.used) if name not in counted]
        if missing:
            raise InputRefused("missing_columns", f"{path}: clean.columns names {missing[0]!r}, and the rows have {names[:12]}.")
        return Choice(given, names, sum(fits(row, given) for row in rows), len(rows))
    ranked = sorted(
        ((sum(fits(row, columns) for row in rows), columns) for columns in possible_columns(frozenset(names))), key=lambda one: -one[0]
    )
    ranked = [(number, columns) for number, columns in ranked if number]
    if not ranked:
        wrapped = {name: len(value) for row in rows[:1] for name, value in row.items() if len(rows) == 1 and holds_rows(value)}
        if wrapped:
            key = max(wrapped, key=lambda name: wrapped[name])
            raise InputRefused(
                "not_jsonl", f"{path} holds its rows under the key {key!r}; write one object a line, as {jq(row_filter(key))} does."
            )
        raise InputRefused(
            "missing_columns",
            f"{path} is {source}, and its keys {names[:12]} are those of no rows that are known. "
            f"Say which of them are read: {IN_PLACE} {example(names)}.",
        )
    best, columns = ranked[0]
    alike = [other for number, other in ranked if number >= ALIKE * best]
    if len(alike) > 1:
        lines = "; or ".join(f"`columns: {line_of(other)}` for {name_of(other)}" for other in alike[:4])
        raise InputRefused(
            "ambiguous_columns",
            f"{path}: its rows may be read in {len(alike)} ways. I{IN_PLACE[1:]} {lines}.",
        )
    if best < MIN_SHARE * len(rows):
        raise InputRefused(
            "mixed_rows",
            f"{path}: only {best} of the first {len(rows)} rows are {name_of(columns)}. To put the others aside and read these, "
            f"{IN_PLACE} `columns: {line_of(columns)}`; or give each sort of rows a file of its own.",
        )
    return Choice(columns, names, best, len(rows))


def holds_rows(value: Any) -> bool:
    """Whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def line_of(columns: Columns) -> str:
    """The value of `clean.columns` that names a reading, with every part of it: a key that is left out would put its rows aside."""
    return "{" + ", ".join(f"{part}: {quoted(name)}" for part, name in columns.parts().items()) + "}"


def quoted(name: str) -> str:
    """A key as YAML reads it back."""
    return name if PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def example(names: Sequence[str]) -> str:
    """What to set where no reading is known, with the keys that are never read as mere extras."""
    written = {name.strip().lower(): name for name in names}
    system = next((f", system: {quoted(written[name])}" for name in SYSTEMS if name in written), "")
    about = f", input: {quoted(written['context'])}" if "context" in written else ""
    history = f", history: {quoted(written['history'])}" if "history" in written else ""
    return (
        f"`columns: {{instruction: NAME, output: NAME{about}{system}{history}}}`, "
        f"or `columns: {{messages: NAME{system}}}` where turns stand under one key"
    )


def fits(row: Mapping[str, Any], columns: Columns) -> bool:
    """Whether a row has what is needed, of a type that may do."""
    if columns.messages:
        turns = row.get(columns.messages)
        if isinstance(turns, str):
            return turns.lstrip().startswith("[")
        if not isinstance(turns, list) or not turns:
            return False
        are_texts = len(turns) % 2 == 0 and all(isinstance(turn, str) for turn in turns)
        return are_texts or all(isinstance(turn, Mapping) and turn.keys() & {"role", "from"} for turn in turns)
    asked, answer = row.get(columns.instruction or ""), row.get(columns.output or "")
    return isinstance(asked, str | list) and answer is not None
