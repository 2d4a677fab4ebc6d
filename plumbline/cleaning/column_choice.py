"""Choose which keys of the rows play which part, by how many rows fit; refuse two readings that fit about equally well. Pure."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from plumbline.cleaning.json_remedy import columns_as_rows, holds_columns, jq, row_filter
from plumbline.cleaning.row_columns import SYSTEMS, Columns, name_of, possible_columns
from plumbline.cleaning.source_format import SourceFormat
from plumbline.pipeline.refused import InputRefused

MAX_NAMES = 200
ALIKE = 0.5
"""A second reading fits about equally well if it fits at least this share of the rows that the best one fits."""
MIN_SHARE = 0.5
"""A share of the rows: a reading that fits fewer is used only if `clean.columns` asks for it."""
IN_PLACE = "in place of `columns: null` in section clean of params.yaml write"
"""The file already has this key, and a second one would make it invalid."""
PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
"""YAML reads such a name without quotes."""


class Choice(NamedTuple):
    """The keys that are read, and how well they fit."""

    columns: Columns
    names: list[str]
    """Keys of the rows that were looked at, the most frequent first."""
    num_fitting: int
    num_rows: int


def choose_columns(path: Path, source: SourceFormat, rows: Sequence[Mapping[str, Any]], given: Columns | None) -> Choice:
    """The reading that fits the rows. InputRefused if none fits, or two fit about equally well; it says how to decide."""
    counted = Counter(name for row in rows for name in row)
    names = [name for name, _ in counted.most_common(MAX_NAMES) if name]
    if given is not None:
        missing = [name for name in sorted(given.used) if name not in counted]
        if missing:
            raise InputRefused(
                "missing_columns", f"{path}: clean.columns names {missing[0]!r}, but the rows have {names[:12]}. Name keys that they have."
            )
        return Choice(given, names, sum(fits(row, given) for row in rows), len(rows))
    if len(rows) == 1 and holds_columns(rows[0]):
        raise InputRefused("not_jsonl", columns_as_rows(path))
    ranked = sorted(
        ((sum(fits(row, columns) for row in rows), columns) for columns in possible_columns(frozenset(names))), key=lambda one: -one[0]
    )
    ranked = [(number, columns) for number, columns in ranked if number]
    if not ranked:
        wrapped = {name: len(value) for row in rows[:1] for name, value in row.items() if len(rows) == 1 and holds_rows(value)}
        if wrapped:
            key = max(wrapped, key=lambda name: wrapped[name])
            raise InputRefused(
                "not_jsonl", f"{path} holds its rows under the key {key!r}. Write one object per line, as {jq(row_filter(key))} does."
            )
        if len(rows) == 1 and len(rows[0]) > 1 and all(isinstance(value, Mapping) for value in rows[0].values()):
            raise InputRefused("not_jsonl", f"{path} holds a row under each key. Write one object per line, as {jq('.[]')} does.")
        raise InputRefused(
            "missing_columns",
            f"{path} is {source}, and no known kind of row has its keys {names[:12]}. "
            f"Say which of them to read: {IN_PLACE} {example(names)}.",
        )
    best, columns = ranked[0]
    alike = [other for number, other in ranked if number >= ALIKE * best]
    if len(alike) > 1:
        lines = "; or ".join(f"`columns: {line_of(other)}` for {name_of(other)}" for other in alike[:4])
        raise InputRefused(
            "ambiguous_columns",
            f"{path}: its rows can be read in {len(alike)} ways. I{IN_PLACE[1:]} {lines}.",
        )
    if best < MIN_SHARE * len(rows):
        raise InputRefused(
            "mixed_rows",
            f"{path}: only {best} of the first {len(rows)} rows are {name_of(columns)}. To read these and put the others aside, "
            f"{IN_PLACE} `columns: {line_of(columns)}`; or give each sort of rows its own file.",
        )
    return Choice(columns, names, best, len(rows))


def holds_rows(value: Any) -> bool:
    """Whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def line_of(columns: Columns) -> str:
    """The value of `clean.columns` for a reading, with all its parts: `clean` puts rows aside if they have a key that is left out."""
    return "{" + ", ".join(f"{part}: {quoted(name)}" for part, name in columns.parts().items()) + "}"


def quoted(name: str) -> str:
    """A key, in quotes if YAML needs them."""
    return name if PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def example(names: Sequence[str]) -> str:
    """What to set if no reading fits, with the keys that must not be left out."""
    written = {name.strip().lower(): name for name in names}
    system = next((f", system: {quoted(written[name])}" for name in SYSTEMS if name in written), "")
    about = f", input: {quoted(written['context'])}" if "context" in written else ""
    history = f", history: {quoted(written['history'])}" if "history" in written else ""
    return (
        f"`columns: {{instruction: NAME, output: NAME{about}{system}{history}}}`, "
        f"or `columns: {{messages: NAME{system}}}` if one key holds the turns"
    )


def fits(row: Mapping[str, Any], columns: Columns) -> bool:
    """Whether a row has the needed keys, with values of a possible type."""
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
