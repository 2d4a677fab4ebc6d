"""Read answers or scores from a plain table: CSV, TSV or JSON lines with one row per answer. Reads the file that is named."""

import csv
import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from plumbline.comparing.counted import counted
from plumbline.comparing.logs.json_objects import as_written_by, json_objects
from plumbline.comparing.logs.logged_answer import (
    GRADES,
    NO_ANSWER,
    Log,
    LoggedAnswer,
    LoggedScore,
    Tool,
    lettered,
    scalars,
    score_of_value,
)
from plumbline.grading.choices import parse_choices
from plumbline.pipeline.refused import Refused
from plumbline.separators import HEAD_CHARACTERS, is_said, separator_of, two_readings, with_point
from plumbline.twin_keys import TwinKey, object_without_twins

COLUMNS = ("id", "question", "response", "reference", "kind", "unit", "choices", "key_points", "task", "arm")
"""Columns with a meaning. `score` and each name that begins with `score_` are scores; any other column says something about the question."""
REPEATS = ("epoch", "repeat")
"""Columns that tell several answers to one question apart."""
MISSING = ("", "nan", "null", "none", "n/a", "na")
"""A cell that says that there is no score: the answer is unjudged, as if the tool logged none."""
TRUTH = {"true": True, "false": False}
"""The booleans as spreadsheets and pandas write them into a cell."""
TABLES = (".csv", ".tsv")
"""Endings of a table that is not JSON lines."""


def read_table(path: Path, scores: Collection[str] = ()) -> list[Log]:
    """The answers of a table, a log for each arm in it. `scores`: columns that are scores besides those with such a name.

    Refused names the first row that is not an answer.
    """
    rows = cells(path, scores) if path.suffix.lower() in TABLES else json_objects(path)
    by_arm: dict[str, list[LoggedAnswer]] = {}
    for line, row in rows:
        where = f"{path}, line {line}"
        with as_written_by("a table", where):
            arm = text_in(row, "arm") or text_in(row, "model") or path.stem
            by_arm.setdefault(arm, []).append(answer_of(where, line, row, scores))
    if not by_arm:
        raise Refused(f"{path} has no rows. Give a header and at least one row.")
    return [Log(path=path, tool=Tool.TABLE, model=arm, answers=tuple(answers)) for arm, answers in by_arm.items()]


def is_score(name: str, scores: Collection[str]) -> bool:
    """Whether a column holds scores."""
    return name == "score" or name.startswith("score_") or name in scores


def names_answers(names: Collection[str], scores: Collection[str]) -> bool:
    """Whether columns or keys are those of a table of answers."""
    return not {"id", "question"}.isdisjoint(names) and ("response" in names or any(is_score(name, scores) for name in names))


def cells(path: Path, scores: Collection[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, cells by column), without empty cells except those of a response or a score. Refused for an open quote or a row of another width."""
    csv.field_size_limit(sys.maxsize)
    begin, header = 1, None
    try:
        separator = separator_in(path, scores)
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=separator, strict=True)
            for row in reader:
                line, begin = begin, reader.line_num + 1
                if not row or (header is None and is_said(row, separator)):
                    continue
                if header is None:
                    header = header_of(path, row)
                    continue
                yield line, named_cells(f"{path}, line {line}", header, row, separator, scores)
    except csv.Error as error:
        raise Refused(f"{path}, line {begin}: not readable as a table ({error}). Close each quote.") from None
    except UnicodeDecodeError as error:
        raise Refused(f"{path}: not UTF-8 (byte {error.start}). Save the file as UTF-8.") from None


def separator_in(path: Path, scores: Collection[str]) -> str:
    """What stands between the cells of a table, by its first lines."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        head = stream.read(HEAD_CHARACTERS)
    return separator_of(head, lambda names: names_answers(names, scores)) or ","


def header_of(path: Path, row: list[str]) -> list[str]:
    """The names of the columns. Refused if one occurs twice."""
    header = [name.strip() for name in row]
    if twice := {name for name in header if name and header.count(name) > 1}:
        raise Refused(f"{path}, line 1: the column {sorted(twice)[0]!r} is there twice. Rename one of them.")
    return header


def named_cells(where: str, header: Sequence[str], row: Sequence[str], separator: str, scores: Collection[str]) -> dict[str, Any]:
    """The cells of a row by column."""
    if len(row) != len(header):
        raise Refused(
            f"{where}: {counted(len(row), 'cell')} below {counted(len(header), 'column')}. Quote cells that hold a {separator!r}."
        )
    found: dict[str, Any] = {}
    for name, value in zip(header, row, strict=True):
        if not name:  # pandas writes its index under no name
            continue
        if is_score(name, scores):
            found[name] = with_point(value, separator)
        # An empty response is what the model said: nothing. An empty score is no score.
        elif value != "" or name == "response":
            found[name] = value
    if problem := two_readings(str(found.get("reference", "")), separator):
        raise Refused(f"{where}: reference {problem}")
    return found


def score_in(value: object) -> LoggedScore:
    """A cell as a score: a number, a boolean, a letter of Inspect, or nothing."""
    if not isinstance(value, str):
        return score_of_value(value)
    text = value.strip()
    if text.lower() in MISSING:
        return LoggedScore(value=None)
    if text in GRADES:
        return LoggedScore(value=GRADES[text], is_no_answer=text == NO_ANSWER, is_fraction=True)
    return score_of_value(TRUTH.get(text.lower(), value))


def answer_of(where: str, line: int, row: Mapping[str, Any], more_scores: Collection[str] = ()) -> LoggedAnswer:
    """One row as an answer."""
    question, given_id = text_in(row, "question"), text_in(row, "id")
    scores = {name: score_in(value) for name, value in row.items() if is_score(name, more_scores)}
    has = f"The columns are {', '.join(row)}."
    if not scores and "response" not in row:
        raise Refused(
            f"{where}: neither score nor response. {has} Rename one, or say with --score NAME which column is the score. "
            "The column id or question names what was asked."
        )
    if not given_id and not question:
        raise Refused(f"{where}: neither id nor question. {has} Rename one: it must be equal in all files that are compared.")
    choices = choices_of(where, row.get("choices"))
    if choices is None:
        choices = parse_choices(question, numbers=True)[1] if row.get("kind") == "mcq" else {}
    points = parsed(where, "key_points", row.get("key_points", []))
    known = {*COLUMNS, *REPEATS, *scores, *(() if text_in(row, "arm") else ("model",))}
    reference = str(row.get("reference", row.get("target", "")))
    return LoggedAnswer(
        where=where,
        line=line,
        task=text_in(row, "task"),
        id=given_id or question,
        question=question,
        choices=choices,
        target=reference,
        unit=None if row.get("unit") is None else str(row["unit"]),
        key_points=tuple(map(str, points)) if isinstance(points, list) else (),
        kind=None if row.get("kind") is None else str(row["kind"]),
        response=None if row.get("response") is None else str(row["response"]),
        scores=scores,
        repeat=" ".join(f"{name} {row[name]}" for name in REPEATS if row.get(name) is not None),
        fields=scalars({name: value for name, value in row.items() if name not in known}),
        fingerprint=json.dumps([question, sorted(choices.values()), choices.get(reference, reference)], ensure_ascii=False)
        if question
        else "",
    )


def text_in(row: Mapping[str, Any], name: str) -> str:
    """A value of a row as text: 0 is a value, and only a missing value is empty."""
    return "" if row.get(name) is None else str(row[name])


def choices_of(where: str, given: object) -> dict[str, str] | None:
    """Choices as an object letter -> text, or as a list; a cell of a table holds them as JSON. None: there is no such column."""
    if given is None:
        return None
    found = parsed(where, "choices", given)
    if isinstance(found, list):
        return lettered([str(text) for text in found])
    if isinstance(found, dict):
        return {str(letter): str(text) for letter, text in found.items()}
    raise Refused(f"{where}: choices is {str(given)[:60]!r}. Give an object letter -> text, or a list of texts, as JSON.")


def parsed(where: str, name: str, given: object) -> object:
    """A cell that holds JSON."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given, object_pairs_hook=object_without_twins)
    except TwinKey as twins:
        raise Refused(f"{where}: {name}: {twins}.") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{where}: {name} is not JSON ({error}). Write it as JSON, in a CSV with its quotes doubled.") from None
