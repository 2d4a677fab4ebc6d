"""Read a benchmark of any other shape by the names of its columns, as params.yaml or a command gives them. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from plumbline.pipeline.record import Params
from plumbline.rows.question import KIND_OF, AnswerKind, Kind, PartialCredit, Question, QuestionTolerance
from plumbline.separators import with_point
from plumbline.splitting.row_values import Row, digest_id, hashed_order, yes_no_question
from plumbline.twin_keys import TwinKey, object_without_twins

YES, NO = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})


class BenchmarkColumns(Params):
    """Section `split.benchmark_columns`: what each column of the file is. All but `question` may be left out, hence the defaults."""

    question: str
    target: str | None = None
    """The answer: a letter, a text among the choices, a number, a text."""
    choices: str | list[str] | None = None
    """One column with a list or an object of choices, or a column per choice."""
    first_index: Literal[0, 1] | None = None
    """The target is the place of the right choice, counted from 0 or from 1."""
    correct: str | None = None
    """The right answer as text, where the wrong ones stand in columns of their own: their order is drawn by hash."""
    distractors: str | list[str] | None = None
    """One column with a list of wrong answers, or a column for each."""
    unit: str | None = None
    id: str | None = None
    cluster: str | None = None
    key_points: str | None = None
    """A column with a list of what an explanation must say."""
    gold_passage: str | None = None
    tolerance: str | None = None
    """A column with the fraction of the target that is tolerated."""
    tags: list[str] = Field(default_factory=list)
    """Columns that say what a question is about: `chapter` makes the tag `chapter: optics`."""
    kind: Kind | None = None
    """Of all questions; with choices it is mcq."""
    answer_kind: AnswerKind | None = None
    """Of all questions."""
    partial_credit: PartialCredit | None = None


def read_mapped(row: Row, columns: BenchmarkColumns) -> Question:
    """One question by its columns. Refused where a column that is named is missing."""
    for name in named_columns(columns):
        if name not in row.content:
            raise row.refused(f"the column {name!r} of split.benchmark_columns is not there; the row has {sorted(row.content)}.")
    question = row.text(columns.question)
    name = row.text(columns.id) if columns.id else digest_id("question", question, *shown(row, columns))
    kind = kind_of(row, columns)
    if columns.answer_kind == "yes_no":
        return with_rest(yes_no_question(id=name, question=question, is_yes=is_yes(row, columns)), row, columns)
    choices, target = choices_of(row, columns, name) if kind == "mcq" else ({}, row.text(columns.target or ""))
    if kind == "numeric":
        # GSM8K writes the number behind its reasoning.
        target = target.split("####")[-1].strip()
    made = Question(
        id=name,
        kind=kind,
        question=question,
        choices=choices,
        target=target,
        unit=row.optional(columns.unit) if columns.unit else None,
        key_points=tuple(listed(row, columns.key_points)) if columns.key_points and row.content[columns.key_points] else (),
        cluster=name,
        answer_kind=columns.answer_kind,
        partial_credit=columns.partial_credit,
    )
    return with_rest(made, row, columns)


def named_columns(columns: BenchmarkColumns) -> list[str]:
    """Every column that is named."""
    single = (
        columns.question, columns.target, columns.correct, columns.unit, columns.id, columns.cluster, columns.key_points, columns.gold_passage,
        columns.tolerance,
    )  # fmt: skip
    several = [*as_list(columns.choices), *as_list(columns.distractors), *columns.tags]
    return [name for name in (*single, *several) if name is not None]


def shown(row: Row, columns: BenchmarkColumns) -> list[str]:
    """The texts of the choices, which make two questions with the same words two."""
    names = [columns.correct, *as_list(columns.distractors)] if columns.correct is not None else as_list(columns.choices)
    return [text for name in names for text in listed(row, name)]


def as_list(names: str | Sequence[str] | None) -> list[str]:
    """One name or several as a list."""
    return [] if names is None else [names] if isinstance(names, str) else list(names)


def kind_of(row: Row, columns: BenchmarkColumns) -> Kind:
    """The kind of the questions: said, or shown by choices or the answer kind."""
    if columns.answer_kind is not None:
        return KIND_OF[columns.answer_kind]
    if columns.choices is not None or columns.correct is not None:
        return "mcq"
    if columns.kind is None:
        raise row.refused("nothing says what is asked for; add `kind: numeric` or `kind: explanation` to split.benchmark_columns.")
    if columns.target is None:
        raise row.refused("no column holds the answer; add `target: COLUMN` to split.benchmark_columns.")
    return columns.kind


def with_rest(question: Question, row: Row, columns: BenchmarkColumns) -> Question:
    """A question with its cluster, tags, tolerance and passage."""
    changes: dict[str, object] = {"tags": tuple(f"{name}: {value}" for name in columns.tags if (value := row.optional(name)) is not None)}
    if columns.cluster and (cluster := row.optional(columns.cluster)):
        changes["cluster"] = cluster
    if columns.gold_passage and (passage := row.optional(columns.gold_passage)):
        changes["gold_passage"] = passage
    if columns.tolerance and (tolerance := row.optional(columns.tolerance)):
        try:
            changes["tolerance"] = QuestionTolerance(relative=float(with_point(tolerance, row.separator)))
        except ValueError:
            raise row.refused(f"{columns.tolerance} is {tolerance!r}; a fraction from 0 and below 1 is read, such as 0.02.") from None
    return question.model_copy(update=changes)


def is_yes(row: Row, columns: BenchmarkColumns) -> bool:
    """Whether the answer to a yes_no question is yes."""
    value = row.content.get(columns.target or "")
    said = str(value).strip().lower()
    if said not in YES | NO:
        raise row.refused(f"{columns.target or 'target'} is {value!r}; yes, no, true or false is read.")
    return said in YES


def choices_of(row: Row, columns: BenchmarkColumns, name: str) -> tuple[dict[str, str], str]:
    """The choices by letter, and the letter of the right one, or the letters."""
    if columns.correct is not None:
        wrong = [text for column in as_list(columns.distractors) for text in listed(row, column)]
        right = row.text(columns.correct)
        row.lettered([right, *wrong])
        return hashed_order(name, right, wrong)
    if columns.choices is None or columns.target is None:
        raise row.refused(
            "the choices or the right one are not named; give choices and target, or correct and distractors, in split.benchmark_columns."
        )
    texts = [text for column in as_list(columns.choices) for text in listed(row, column)]
    value: Any = value_of(row, columns.choices) if isinstance(columns.choices, str) else None
    choices = {str(label): str(text) for label, text in value.items()} if isinstance(value, Mapping) else row.lettered(texts)
    target = row.text(columns.target)
    if columns.answer_kind == "letters":
        return choices, ",".join(sorted(set(target.replace(",", "").replace(" ", ""))))
    if columns.first_index is not None:
        place = int(target) - columns.first_index if target.isdigit() else -1
        if not 0 <= place < len(choices):
            raise row.refused(
                f"{columns.target} is {target!r}; the place of one of {len(choices)} choices is read, from {columns.first_index}."
            )
        return choices, list(choices)[place]
    if target not in choices and list(choices.values()).count(target) == 1:
        return choices, next(label for label, text in choices.items() if text == target)
    if target not in choices and target.isdigit():
        raise row.refused(
            f"{columns.target} is {target!r}, no label of a choice; add `first_index: 0` or `first_index: 1` to split.benchmark_columns."
        )
    return choices, target


def value_of(row: Row, column: str) -> object:
    """A value; text that is JSON, as a cell of a CSV file may hold it, is read as such."""
    value = row.content[column]
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value, object_pairs_hook=object_without_twins)
        except TwinKey as twins:
            raise row.refused(f"{column}: {twins}.") from None
        except (ValueError, RecursionError):
            raise row.refused(f"{column} begins as a list and is no JSON; write it with double quotes, or a column per choice.") from None
    return value


def listed(row: Row, column: str) -> list[str]:
    """The texts of a column: a list, the values of an object, or the one text that it is."""
    value = value_of(row, column)
    if isinstance(value, Mapping):
        return [row.as_text(one, column) for one in value.values()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [row.as_text(one, column) for one in value]
    return [row.text(column)]
