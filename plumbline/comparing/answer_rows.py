"""Answers made elsewhere, as a file holds them: CSV or JSON lines, completed from a benchmark if one is given. Reads the file that is named."""

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from pydantic import Field, ValidationError

from plumbline.comparing.counted import counted
from plumbline.grading.choices import parse_choices
from plumbline.pipeline.problems import problems_of
from plumbline.pipeline.record import Record
from plumbline.rows.question import AnswerKind, Kind, PartialCredit, Question, QuestionTolerance
from plumbline.separators import HEAD_CHARACTERS, is_said, separator_of, two_readings
from plumbline.twin_keys import TwinKey, object_without_twins

NEEDED = ("question", "response", "reference", "kind")
NEEDED_WITH_BENCHMARK = ("id", "response")
OPTIONAL = {"answer_kind", "partial_credit", "tolerance"}
"""What a question may also say, and a row, too."""


class AnswerRow(Record):
    """One row of the file."""

    question: str
    response: str
    reference: str
    """A letter, a number as written, or a text."""
    kind: Kind
    unit: str | None = None
    choices: dict[str, str] | None = None
    """None: read from the question; empty: only letters count."""
    key_points: tuple[str, ...] = Field(default=(), strict=False)
    answer_kind: AnswerKind | None = None
    partial_credit: PartialCredit | None = None
    tolerance: QuestionTolerance | None = None
    """As in a question of the benchmark."""
    cluster: str | None = None
    """None: as in another row of the question, else the question itself."""
    arm: str = "answers"
    id: str | None = None

    def as_question(self) -> Question:
        """The question that it answers; its cluster is known only after all rows are read."""
        choices = self.choices
        if choices is None:
            choices = parse_choices(self.question, numbers=True)[1] if self.kind == "mcq" else {}
        return Question(
            id=self.id or self.question, kind=self.kind, question=self.question, choices=choices, target=self.reference,
            unit=self.unit, key_points=self.key_points, cluster=self.cluster or "", answer_kind=self.answer_kind,
            partial_credit=self.partial_credit, tolerance=self.tolerance,
        )  # fmt: skip


def read_rows(path: Path, needed: Sequence[str] = NEEDED) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line, fields) of a CSV or JSONL file; empty CSV cells are left out.

    ValueError if a column of `needed` is missing, a row has more cells than columns, or a line of JSONL is not an object.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        if path.suffix.lower() in (".csv", ".tsv"):
            yield from table_rows(path, stream, needed)
            return
        for number, line in enumerate(stream, start=1):
            if line.strip():
                try:
                    fields = json.loads(line, object_pairs_hook=object_without_twins)
                except TwinKey as twins:
                    raise ValueError(f"{path}, line {number}: {twins}.") from None
                if not isinstance(fields, dict):
                    raise ValueError(
                        f'{path}, line {number}: {line.strip()[:60]!r} is not a JSON object. Write a row as {{"question": ..., ...}}.'
                    )
                refuse_missing(f"{path}, line {number}", "keys", fields, needed)
                yield number, {name: value for name, value in fields.items() if value is not None}


def table_rows(path: Path, stream: TextIO, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a table, whatever stands between its cells."""
    head = stream.read(HEAD_CHARACTERS)
    separator = separator_of(head, lambda names: set(needed) <= set(names)) or ","
    stream.seek(0)
    reader = csv.DictReader(stream, delimiter=separator)
    header = [name.strip() for name in reader.fieldnames or []]
    if is_said(header, separator):
        header = [name.strip() for name in next(reader.reader, [])]
    reader.fieldnames = header
    if header:
        refuse_missing(str(path), "columns", header, needed)
    for fields in reader:
        where = f"{path}, line {reader.line_num}"
        if None in fields:
            extra = len(fields[None])  # pyright: ignore[reportArgumentType, reportCallIssue] A row of DictReader has this key for the rest.
            mark = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}[separator]
            raise ValueError(
                f"{where}: {len(header) + extra} cells below {counted(len(header), 'column')}. Put a cell that holds a {mark} in quotes."
            )
        present: dict[str, Any] = {name: value for name, value in fields.items() if value not in (None, "")}
        # An empty answer is an answer.
        present.setdefault("response", "")
        if problem := two_readings(str(present.get("reference", "")), separator):
            raise ValueError(f"{where}: reference {problem}")
        for name in ("choices", "key_points"):
            if name in present:
                present[name] = json_cell(where, name, str(present[name]))
        yield reader.line_num, present


def refuse_missing(where: str, noun: str, names: Collection[str], needed: Sequence[str]) -> None:
    """If a needed name is missing: ValueError, with all names that are there and all that are needed."""
    if all(name in names for name in needed):
        return
    other = "; --benchmark FILE gives question, reference and kind by id" if needed == NEEDED else ""
    raise ValueError(
        f"{where} has the {noun} {', '.join(names)}; needed are {', '.join(needed)}. Rename those that have other names{other}."
    )


def json_cell(where: str, name: str, cell: str) -> object:
    """A cell that holds JSON. ValueError if it does not."""
    shape = '{"A": "ice floats", "B": "ice sinks"}' if name == "choices" else '["less dense", "floats"]'
    try:
        return json.loads(cell, object_pairs_hook=object_without_twins)
    except TwinKey as twins:
        raise ValueError(f"{where}: {name}: {twins}.") from None
    except (ValueError, RecursionError):
        raise ValueError(f"{where}: {name} is {cell[:60]!r}, which is not JSON. Write it like {shape}.") from None


def with_benchmark(fields: dict[str, Any], benchmark: Mapping[str, Question] | None) -> dict[str, Any]:
    """A row with what the benchmark says about its question. ValueError if the benchmark lacks the question, or disagrees with the row."""
    if benchmark is None:
        return fields
    known = benchmark.get(str(fields.get("id")))
    if known is None:
        raise ValueError(
            f"id {fields.get('id')!r} is not a question of the benchmark. Its ids look like {', '.join(list(benchmark)[:3])}. "
            "Give the id that the benchmark has, or leave the row out."
        )
    stated = {
        "question": known.question, "reference": known.target, "kind": known.kind, "unit": known.unit, "choices": known.choices,
        "key_points": list(known.key_points), "cluster": known.cluster, **known.model_dump(include=OPTIONAL),
    }  # fmt: skip
    for name in stated.keys() & fields.keys():
        if fields[name] != stated[name]:
            raise ValueError(
                f"{name} is {fields[name]!r}, but {stated[name]!r} in the benchmark. Leave {name} out of the row, or correct it."
            )
    return fields | stated


def row_of(fields: Mapping[str, Any]) -> AnswerRow:
    """The fields as a row. ValueError names each field that is missing, unknown or of another type."""
    try:
        return AnswerRow.model_validate(fields)
    except ValidationError as error:
        raise ValueError(problems_of(error, AnswerRow)) from None
