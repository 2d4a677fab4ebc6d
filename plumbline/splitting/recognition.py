"""Say which shape a benchmark file has: by the columns of every row, never by the first alone. Pure."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.cleaning.json_remedy import columns_as_rows, holds_columns
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question
from plumbline.splitting.column_advice import near_names, near_words
from plumbline.splitting.columns_remedy import columns_remedy
from plumbline.splitting.fault import Fault
from plumbline.splitting.known_shapes import NAMES, SHAPES, Content, Shape
from plumbline.splitting.near_shapes import nearly_words
from plumbline.splitting.row_values import Row

AUTO, MAPPED = "auto", "mapped"


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """The shape of a file, the rows of that shape, and the others."""

    shape: Shape
    rows: list[Row]
    faults: list[Fault]


def knows(names: Sequence[str]) -> bool:
    """Whether the columns of a table are those of a shape."""
    return any(shape.fits(dict.fromkeys(names, "")) for shape in SHAPES)


def recognise(rows: Sequence[Row], format_name: str) -> Recognised:
    """The shape of a file, by its name or by the columns of all rows. Refused if none fits most rows, or if two fit equally well."""
    if format_name != AUTO:
        return named(rows, format_name)
    counts = {shape.name: sum(shape.fits(row.content) for row in rows) for shape in SHAPES}
    whole = [shape for shape in SHAPES if counts[shape.name] == len(rows)]
    if len(whole) == 1:
        return Recognised(shape=whole[0], rows=[*rows], faults=[])
    if whole:
        lines = " or ".join(f"`benchmark_format: {shape.name}`" for shape in whole)
        raise Refused(f"{rows[0].where}: the rows fit {len(whole)} shapes alike. Set {lines} under split in params.yaml.")
    nearest = max(SHAPES, key=lambda shape: counts[shape.name])
    count = counts[nearest.name]
    if 2 * count > len(rows) and [*counts.values()].count(count) == 1:
        return parted(rows, nearest, nearest.fits)
    if count:
        odd = next(row for row in rows if not nearest.fits(row.content))
        raise Refused(
            f"{odd.where}: this row has the columns {columns_of(odd)} and lacks what {count} of {len(rows)} rows have as "
            f"{nearest.name} ({nearest.sign}).{meant(odd, nearest.lacks(odd.content))} Correct the row. If the file has another shape: {columns_remedy(rows, {})}"
        )
    if (nearly := nearly_words(rows, SHAPES)) is not None:
        raise Refused(nearly)
    if len(rows) == 1 and (key := key_of_rows(rows[0].content)) is not None:
        command = f"jq {shlex.quote(f'.[{json.dumps(key)}]')}"
        raise Refused(f"{rows[0].where}: the rows stand under the key {key!r}. Write that list alone, as `{command}` does.")
    if len(rows) == 1 and holds_columns(rows[0].content):
        raise Refused(columns_as_rows(Path(rows[0].where.rpartition(", ")[0])))
    if len(rows) == 1 and len(rows[0].content) > 1 and all(isinstance(value, Mapping) for value in rows[0].content.values()):
        raise Refused(f"{rows[0].where}: a row stands under each key. Write a list of them alone, as `jq '[.[]]'` does.")
    raise Refused(
        f"{rows[0].where}: the columns {columns_of(rows[0])} match no known shape ({', '.join(NAMES)}). {columns_remedy(rows, {})}"
    )


def key_of_rows(content: Content) -> str | None:
    """The key under which a file that is one object holds its rows; None if it holds no rows."""
    listed = {key: value for key, value in content.items() if isinstance(value, list) and value and isinstance(value[0], dict)}
    return max(listed, key=lambda key: len(listed[key]), default=None)


def named(rows: Sequence[Row], name: str) -> Recognised:
    """The rows of the shape that was named. Refused if no row has what it needs."""
    shape = next(shape for shape in SHAPES if shape.name == name)
    if any(not shape.lacks(row.content) for row in rows):
        return parted(rows, shape, lambda content: not shape.lacks(content))
    alike = [other.name for other in SHAPES if all(other.fits(row.content) for row in rows)]
    remedy = f"They look like {' or '.join(alike)}: set split.benchmark_format to {AUTO}" if alike else columns_remedy(rows, {}).rstrip(".")
    if (nearly := nearly_words(rows, [shape])) is not None and not alike:
        raise Refused(nearly)
    raise Refused(
        f"{rows[0].where}: the columns {columns_of(rows[0])} lack {', '.join(shape.lacks(rows[0].content))}, and no row of the file has all "
        f"that {name} needs. {remedy}."
    )


def parted(rows: Sequence[Row], shape: Shape, fits: Callable[[Content], bool]) -> Recognised:
    """The rows that fit, and each of the others with what it lacks."""
    mine = [row for row in rows if fits(row.content)]
    faults = [
        row.refused(
            f"lacks {', '.join(lacks)}, which {len(mine)} of {len(rows)} rows have as {shape.name}. It has the columns {columns_of(row)}.{meant(row, lacks)}"
            if (lacks := shape.lacks(row.content))
            else f"is of another shape than the {len(mine)} of {len(rows)} rows that are {shape.name}. It has the columns {columns_of(row)}."
        ).fault
        for row in rows
        if not fits(row.content)
    ]
    return Recognised(shape=shape, rows=mine, faults=faults)


def columns_of(row: Row) -> list[str]:
    """The columns of a row, as an error shows them."""
    return sorted(str(name) for name in row.content)[:20]


def meant(row: Row, lacks: Sequence[str]) -> str:
    """The columns of a row that look like typos of those that it lacks, after a space; no text if there are none."""
    near = near_names(lacks, [str(name) for name in row.content if name not in Question.model_fields])
    return f" {near_words(near)}" if near else ""
