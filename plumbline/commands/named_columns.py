"""The columns of a benchmark that options name: `--column PART=COLUMN`. Reads the file if a part is missing."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from plumbline.commands.benchmark_words import options_of
from plumbline.comparing.spreadsheets import refuse_spreadsheet
from plumbline.pipeline.problems import problems_of
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import KINDS
from plumbline.splitting.benchmark_columns import BenchmarkColumns
from plumbline.splitting.benchmark_files import read_rows
from plumbline.splitting.column_advice import CUTOFF, NOT_NAMED
from plumbline.splitting.columns_remedy import proposed_columns
from plumbline.splitting.recognition import columns_of as column_names
from plumbline.splitting.recognition import knows
from plumbline.splitting.row_values import Row

REMEDY = (
    "Name the columns of your file, such as --column question=COLUMN --column target=COLUMN --column kind=numeric. In place of numeric "
    "write explanation, or the column that says the kind of each row. If there are choices, name them in place of the kind: "
    "--column choices=COLUMN for each choice; or --column correct=COLUMN in place of target, with --column distractors=COLUMN for each "
    "wrong answer (docs/formats.md)."
)
SEVERAL = ("choices", "distractors", "tags")
"""Parts of a question that may take several columns."""


def columns_of(given: Sequence[str], path: Path) -> BenchmarkColumns | None:
    """The columns that were named as PART=COLUMN; None if no column was named. ValueError if one cannot be understood.

    `path`: the file that has the columns; it is read if the column of the question is not named.
    """
    named = named_parts(given)
    if named and "question" not in named:
        raise Refused(without_question(named, path))
    try:
        return BenchmarkColumns.model_validate(named) if named else None
    except ValidationError as error:
        raise ValueError(f"--column: {problems_of(error, BenchmarkColumns)}.") from None


def without_question(named: Mapping[str, Any], path: Path) -> str:
    """The error if columns are named, and none for the question: with the options that would work for this file."""
    begin = "--column: question is missing. With --column name every part, also one whose column has its name"
    refuse_spreadsheet(path)
    rows = [row for row in read_rows(path, knows) if isinstance(row, Row)]
    if (columns := proposed_columns(rows, named)) is None:
        return f"{begin}. {rows[0].where} has the columns {column_names(rows[0])}. {REMEDY}"
    lost = [name for name in NOT_NAMED if name not in named and any(row.is_filled(name) for row in rows)]
    rename = f" This leaves out {', '.join(lost)}: to keep that, rename the columns in the file." if lost else ""
    return f"{begin}: `{options_of(columns)}`.{rename}"


def named_parts(given: Sequence[str]) -> dict[str, Any]:
    """The parts of a question with the columns that were named for them. ValueError if one cannot be understood."""
    named: dict[str, Any] = {}
    for one in given:
        name, _, column = one.partition("=")
        if not column:
            raise ValueError(f"--column {one!r} names no column. Write PART=COLUMN, such as question=problem_text. {parts_words()}")
        if name not in BenchmarkColumns.model_fields:
            near = "".join(f" Did you mean {part}?" for part in get_close_matches(name, BenchmarkColumns.model_fields, n=1, cutoff=CUTOFF))
            raise ValueError(f"--column {one!r}: {name!r} is not a part of a question.{near} {parts_words()}")
        if name == "first_index":
            named[name] = int(column) if column in ("0", "1") else column
        elif name == "kinds":
            word, _, kind = column.rpartition(":")
            if not word.strip():
                raise ValueError(
                    f"--column {one!r} has no word. Write kinds=WORD:KIND, such as kinds=Rechnen:numeric; KIND is {', '.join(KINDS)}."
                )
            named.setdefault(name, {})[word.strip()] = kind.strip()
        elif name in SEVERAL:
            named.setdefault(name, []).append(column)
        else:
            named[name] = column
    for name in ("choices", "distractors"):
        # One column may hold a list.
        if isinstance(columns := named.get(name), list) and len(columns) == 1:
            named[name] = columns[0]
    return named


def parts_words() -> str:
    """The parts of a question that a column can be."""
    several = f"{', '.join(SEVERAL[:-1])} and {SEVERAL[-1]}"
    return (
        f"The parts are {', '.join(BenchmarkColumns.model_fields)}; {several} may be repeated for several columns, kinds for several words."
    )
