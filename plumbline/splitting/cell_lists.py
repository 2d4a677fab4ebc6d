"""Read several texts, or an object, out of one cell of a table. Pure."""

import json
import re
from collections.abc import Sequence
from typing import Any

from plumbline.splitting.row_values import Row
from plumbline.twin_keys import TwinKey, object_without_twins

BETWEEN_TEXTS = re.compile(r"\s+\|\s+|\r?\n")
"""What separates the texts of a cell; a bar that touches a letter may belong to `|v|`."""


def value_of(row: Row, column: str) -> Any:
    """A value; text that holds JSON, as in a cell of a CSV file, is read as JSON."""
    value = row.content[column]
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value, object_pairs_hook=object_without_twins)
        except TwinKey as twins:
            raise row.refused(f"{column}: {twins}.") from None
        except (ValueError, RecursionError):
            raise row.refused(f"{column} begins as a list and is not JSON. Write it with double quotes, or a column per choice.") from None
    return value


def texts_of(row: Row, column: str) -> tuple[str, ...]:
    """The texts of a cell: a list, a list as JSON, or texts between ` | ` or line breaks. No texts if it is empty."""
    if row.optional_value(column) is None:
        return ()
    value = value_of(row, column) if str(row.content[column]).lstrip().startswith("[") else row.content[column]
    if isinstance(value, str):
        return tuple(part.strip() for part in BETWEEN_TEXTS.split(value) if part.strip())
    if not isinstance(value, Sequence):
        raise row.refused(f"{column} is {value!r:.80}. Give a list, as JSON or with ` | ` between its texts.")
    return tuple(row.as_text(one, column) for one in value)


def table_values(row: Row) -> dict[str, Any]:
    """The values of a row of our own shape as JSON would hold them: in a table each value is text, and a missing one is an empty cell."""
    content = dict(row.content)
    for name in ("key_points", "tags"):
        given = row.optional_value(name)
        if not row.is_of_table and isinstance(given, str) and not given.lstrip().startswith("["):
            raise row.refused(f"{name} is {given!r}. Give a list.")
        content[name] = texts_of(row, name)
    if not row.is_of_table:
        return content
    for name in ("answer_kind", "partial_credit", "tolerance", "gold_passage"):
        if row.optional_value(name) is None:
            content.pop(name, None)
    for name in ("choices", "tolerance"):
        if isinstance(content.get(name), str):
            content[name] = value_of(row, name) if content[name].strip() else {}
    if isinstance(content.get("tolerance"), str):
        content["tolerance"] = number_or_text(content["tolerance"])
    return content


def number_or_text(cell: str) -> float | str:
    """A cell as a number if it is one, else as text."""
    try:
        return float(cell)
    except ValueError:
        return cell
