"""What each column of a benchmark with another shape means, as params.yaml or a command names it. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from plumbline.pipeline.record import Params
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import KINDS, AnswerKind, Kind, PartialCredit
from plumbline.splitting.column_advice import near_names
from plumbline.splitting.row_values import Row


class BenchmarkColumns(Params):
    """Section `split.benchmark_columns`: what each column of the file means. All but `question` may be left out, so they have defaults."""

    question: str
    target: str | None = None
    """The answer: a letter, a text among the choices, a number, a text."""
    choices: str | list[str] | None = None
    """One column with a list or an object of choices, or a column per choice."""
    first_index: Literal[0, 1] | None = None
    """The target is the place of the right choice, counted from 0 or from 1."""
    correct: str | None = None
    """The right answer as text, if the wrong ones have their own columns; the order of the choices is drawn by hash."""
    distractors: str | list[str] | None = None
    """One column with a list of wrong answers, or a column for each."""
    unit: str | None = None
    id: str | None = None
    cluster: str | None = None
    key_points: str | None = None
    """A column with what an explanation must say: a list, also as JSON, or texts between ` | ` or line breaks."""
    gold_passage: str | None = None
    tolerance: str | None = None
    """A column with the fraction of the target that is tolerated."""
    tags: list[str] = Field(default_factory=list)
    """Columns that say what a question is about: `chapter` makes the tag `chapter: optics`."""
    kind: str | None = None
    """mcq, numeric or explanation, for all questions without choices; or a column with the kind of each. If its cell is empty, a row with choices is mcq."""
    kinds: dict[str | int, Kind] | None = None
    """What the words in the column `kind` mean: {Rechnen: numeric}."""
    answer_kind: AnswerKind | None = None
    """The answer kind of all questions of its kind."""
    partial_credit: PartialCredit | None = None


def named_columns(columns: BenchmarkColumns) -> list[str]:
    """Every column that is named."""
    single = (
        columns.question, columns.target, columns.correct, columns.unit, columns.id, columns.cluster, columns.key_points, columns.gold_passage,
        columns.tolerance,
    )  # fmt: skip
    kind = [columns.kind] if columns.kind is not None and columns.kind not in KINDS else []
    several = [*kind, *as_list(columns.choices), *as_list(columns.distractors), *columns.tags]
    return [name for name in (*single, *several) if name is not None]


def with_absent_columns(rows: Sequence[Row], columns: BenchmarkColumns) -> list[Row]:
    """The rows, with None under each named column that they lack: rows of JSON leave out what does not apply to them.

    Refused if a named column is in no row.
    """
    if columns.kinds and columns.kind in (None, *KINDS):
        raise Refused("kinds says what words mean, but no column holds them. Add `kind: COLUMN` to split.benchmark_columns.")
    there = {name for row in rows for name in row.content}
    named = named_columns(columns)
    if absent := [name for name in named if name not in there]:
        kinds = f" Set kind to one of {', '.join(KINDS)}, or to a column." if absent[0] == columns.kind else ""
        near = "".join(f" Did you mean {name!r}?" for name in near_names([absent[0]], sorted(map(str, there - {*named}))))
        raise Refused(
            f"{rows[0].where}: the column {absent[0]!r} of split.benchmark_columns is not there.{near} "
            f"The rows have {sorted(map(str, there))}; name one of these.{kinds}"
        )
    return [replace(row, content={**dict.fromkeys(name for name in named if name not in row.content), **row.content}) for row in rows]


def choice_columns(columns: BenchmarkColumns) -> list[str]:
    """The columns that hold choices."""
    return [columns.correct, *as_list(columns.distractors)] if columns.correct is not None else as_list(columns.choices)


def as_list(names: str | Sequence[str] | None) -> list[str]:
    """One name or several as a list."""
    return [] if names is None else [names] if isinstance(names, str) else list(names)
