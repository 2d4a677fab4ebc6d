"""A table with several kinds of questions is read row by row, and the contents of a cell are never silently guessed."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plumbline.commands.check_benchmark import command
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question
from plumbline.splitting.benchmark import all_faults, read_benchmark, read_questions
from plumbline.splitting.benchmark_columns import BenchmarkColumns

HEADER = ("sort", "stem", "opt 1", "opt 2", "solution", "unit", "must mention")
ROWS = (
    ("multiple choice", "Which is larger?", "Mars", "Jupiter", "Jupiter", "", ""),
    ("Rechnen", "How far is 1 AU?", "", "", "149.6", "Gm", ""),
    ("Free_Text", "Why is dusk red?", "", "", "Blue light is scattered, so red light remains.", "", "blue light is scattered | red light remains"),
)  # fmt: skip
COLUMNS: dict[str, Any] = {
    "question": "stem",
    "choices": ["opt 1", "opt 2"],
    "target": "solution",
    "unit": "unit",
    "key_points": "must mention",
    "kind": "sort",
    "kinds": {"Rechnen": "numeric"},
}


def table(folder: Path, *rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> Path:
    path = folder / "mixed.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def mapped(path: Path, **changes: Any) -> list[Question]:
    columns = {name: value for name, value in (COLUMNS | changes).items() if value is not None}
    return read_benchmark(path, format_name="mapped", columns=BenchmarkColumns.model_validate(columns)).questions


def test_a_column_says_the_kind_of_each_row(tmp_path: Path) -> None:
    chosen, computed, explained = mapped(table(tmp_path, *ROWS))
    assert (chosen.kind, chosen.choices, chosen.target) == ("mcq", {"A": "Mars", "B": "Jupiter"}, "B")
    assert (computed.kind, computed.choices, computed.target, computed.unit) == ("numeric", {}, "149.6", "Gm")
    assert (explained.kind, explained.key_points) == ("explanation", ("blue light is scattered", "red light remains"))


def test_the_right_answer_in_a_column_of_its_own_is_the_answer_of_every_kind(tmp_path: Path) -> None:
    columns = {"choices": None, "target": None, "correct": "solution", "distractors": ["opt 1"]}
    chosen, computed, explained = mapped(table(tmp_path, *ROWS), **columns)
    assert sorted(chosen.choices.values()) == ["Jupiter", "Mars"] and chosen.choices[chosen.target] == "Jupiter"
    assert (computed.kind, computed.target, explained.kind) == ("numeric", "149.6", "explanation")


def test_rows_of_json_leave_out_what_does_not_apply_to_them(tmp_path: Path) -> None:
    rows = [{name: cell for name, cell in zip(HEADER, row, strict=True) if cell} for row in ROWS]
    path = tmp_path / "mixed.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert mapped(path) == mapped(table(tmp_path, *ROWS))


def test_without_a_kind_a_row_with_choices_is_mcq_and_the_others_are_of_the_kind_that_is_said(tmp_path: Path) -> None:
    path = table(tmp_path, *ROWS[:2])
    assert [one.kind for one in mapped(path, kind="numeric", kinds=None)] == ["mcq", "numeric"]
    with pytest.raises(Refused) as refused:
        mapped(path, kind=None, kinds=None)
    assert "record 2: opt 1, opt 2 hold no choice, and nothing says what is asked for. Add `kind: numeric`" in str(refused.value)
    assert "or `kind: COLUMN` with a column that says it for each row" in str(refused.value) and "record 1" not in str(refused.value)


def test_an_answer_kind_is_of_the_questions_of_its_kind(tmp_path: Path) -> None:
    rows = [("numeric", "Both roots?", "", "", "1; 2", "", ""), ROWS[0]]
    computed, chosen = mapped(table(tmp_path, *rows), answer_kind="number_set")
    assert (computed.answer_kind, chosen.answer_kind, chosen.kind) == ("number_set", None, "mcq")


@pytest.mark.parametrize(
    ("row", "changes", "words"),
    [
        (ROWS[1], {"kinds": None}, 'sort is \'Rechnen\', which names no kind. Say which of mcq, numeric, explanation it means: add `kinds: {"Rechnen": numeric}`'),
        (("", *ROWS[1][1:]), {}, "sort is empty, so nothing says what is asked for. Write mcq, numeric or explanation there"),
        (("numeric", *ROWS[0][1:]), {}, "sort is 'numeric', numeric, but opt 1 holds a choice. Correct one of them"),
        (("mcq", *ROWS[1][1:]), {}, "opt 1 is missing or empty"),
        (ROWS[1], {"kind": "Sort"}, "the column 'Sort' of split.benchmark_columns is not there. Did you mean 'sort'? The rows have ['must mention'"),
        (ROWS[1], {"kind": "Sort"}, "Set kind to one of mcq, numeric, explanation, or to a column"),
        (ROWS[1], {"kind": "numeric"}, "no column holds them. Add `kind: COLUMN`"),
    ],
    ids=["a word", "empty", "choices of a number", "no choices", "no column", "no kind", "no column of words"],
)  # fmt: skip
def test_a_row_of_no_kind_says_what_to_write(row: tuple[str, ...], changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        mapped(table(tmp_path, row), **changes)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("cell", "points"),
    [
        ("one thing", ("one thing",)),
        ("a thing | another\nthe |v| grows", ("a thing", "another", "the |v| grows")),
        ('["a | b", "c"]', ("a | b", "c")),
        ("[]", ()),
        ("", ()),
    ],
)
def test_a_cell_holds_several_key_points_in_one_way_in_every_shape(cell: str, points: tuple[str, ...], tmp_path: Path) -> None:
    [found] = mapped(table(tmp_path, ("explanation", "Why?", "", "", "Because.", "", cell)))
    assert found.key_points == points
    header = ("id", "kind", "question", "choices", "target", "unit", "key_points", "cluster", "tags", "tolerance", "answer_kind")
    own = table(tmp_path, ("q", "explanation", "Why?", "{}", "Because.", "", cell, "c", "", "", ""), header=header)
    [found] = read_benchmark(own, format_name="auto").questions
    assert (found.key_points, found.tags, found.tolerance, found.answer_kind) == (points, (), None, None)


def test_our_own_shape_is_read_from_cells(tmp_path: Path) -> None:
    header = ("id", "kind", "question", "choices", "target", "unit", "key_points", "cluster", "tags", "tolerance", "answer_kind")
    rows = [
        ("a", "mcq", "Which?", '{"A": "x", "B": "y"}', "A", "", "[]", "c", "topic: optics | level: 1", "", ""),
        ("b", "numeric", "How far?", "", "2", "m", "", "c", "[]", "0.1", ""),
        ("c", "numeric", "How far?", "", "2", "m", "", "c", "[]", "near", ""),
    ]
    found = read_questions(table(tmp_path, *rows, header=header), format_name="auto")
    chosen, computed = found.questions
    assert (chosen.choices, chosen.tags) == ({"A": "x", "B": "y"}, ("topic: optics", "level: 1"))
    assert computed.tolerance is not None and computed.tolerance.relative == 0.1
    [fault] = all_faults(found)
    assert "record 3" in fault.where and "tolerance is 'near'" in fault.problem


def test_the_command_names_kinds_in_its_own_words(tmp_path: Path) -> None:
    path = table(tmp_path, *ROWS)
    words = [f"{name}={column}" for name in ("question", "target", "unit", "key_points", "kind") for column in [COLUMNS[name]]]
    words += ["choices=opt 1", "choices=opt 2"]
    given = [part for word in words for part in ("--column", word)]
    told = CliRunner().invoke(command, [str(path), *given])
    assert told.exit_code == 1 and 'it means: add --column "kinds=Rechnen:numeric".' in told.output
    told = CliRunner().invoke(command, [str(path), *given, "--column", "kinds=Rechnen:numeric"])
    assert told.exit_code == 0 and '"kind": "sort"' in told.output and "key points: 2" in told.output
    line = next(line for line in told.output.splitlines() if line.startswith("  benchmark_columns:"))
    assert BenchmarkColumns.model_validate(json.loads(line.split(":", 1)[1])) == BenchmarkColumns.model_validate(COLUMNS)
    for wrong, words in (
        ("kinds=Rechnen:bla", "kinds.Rechnen is 'bla'; give 'mcq', 'numeric' or 'explanation'"),
        ("kinds=Rechnen", "Write kinds=WORD:KIND, such as kinds=Rechnen:numeric"),
        ("first_index=2", "first_index is '2'; give 0 or 1"),
        ("answer_kind=bla", "answer_kind is 'bla'; give 'letters'"),
    ):
        told = CliRunner().invoke(command, [str(path), *given, "--column", wrong])
        assert told.exit_code == 1 and words in told.output and "Input should" not in told.output and "invalid literal" not in told.output


def test_a_table_with_more_columns_of_choices_keeps_them_all(tmp_path: Path) -> None:
    head = "question,A,B,C,D,E,answer\n"
    path = tmp_path / "exam.csv"
    path.write_text(
        head + "Unit of force?,newton,joule,watt,pascal,volt,A\nUnit of voltage?,newton,joule,watt,pascal,volt,E\nWhich?,a,b,c,d,,C\n"
    )
    named = BenchmarkColumns(question="question", choices=[*"ABCDE"], target="answer")
    for format_name, columns in (("auto", None), ("mapped", named)):
        first, second, third = read_benchmark(path, format_name=format_name, columns=columns).questions
        assert [*first.choices] == [*second.choices] == [*"ABCDE"] and first.choices["E"] == "volt" and second.target == "E"
        assert [*third.choices] == [*"ABCD"] and third.target == "C"
    path.write_text("question,A,B,C,D,E,F,answer\nWhich?,a,b,c,d,,f,C\n")
    with pytest.raises(Refused, match="record 1: E is empty, but F holds a choice"):
        read_benchmark(path, format_name="auto")


def test_a_table_may_have_fewer_choices_than_four(tmp_path: Path) -> None:
    path = tmp_path / "exam.csv"
    path.write_text("question,A,B,C,D,answer\nWhich?,a,b,c,,C\nIs it?,yes,no,,,B\nWhat?,a,b,c,d,D\n")
    first, second, third = read_benchmark(path, format_name="auto").questions
    assert ("".join(first.choices), "".join(second.choices), "".join(third.choices)) == ("ABC", "AB", "ABCD")
    for cells, problem in (("Which?,a,,c,d,A", "B is missing or empty"), ("Which?,a,b,,d,A", "C is empty, but D holds a choice")):
        path.write_text(f"question,A,B,C,D,answer\n{cells}\nWhat?,a,b,c,d,D\n")
        with pytest.raises(Refused, match=problem):
            read_benchmark(path, format_name="auto")


def test_a_table_without_a_header_may_have_five_choices_if_no_cell_may_be_an_id(tmp_path: Path) -> None:
    path = tmp_path / "exam.csv"
    path.write_text("Unit of force?,newton,joule,watt,pascal,volt,A\nUnit of voltage?,newton,joule,watt,pascal,volt,E\nWhich?,a,b,c,d,,C\n")
    first, second, third = read_benchmark(path, format_name="auto").questions
    assert first.question == "Unit of force?" and second.choices[second.target] == "volt" and [*third.choices] == [*"ABCD"]
    path.write_text("1,Unit of force?,newton,joule,watt,pascal,A\n2,Unit of power?,newton,joule,watt,pascal,C\n")
    with pytest.raises(Refused):
        read_benchmark(path, format_name="auto")


def test_a_choice_in_its_own_column_may_begin_with_a_bracket(tmp_path: Path) -> None:
    path = tmp_path / "intervals.csv"
    path.write_text('question,one,two,answer\nFor which x?,"[0, 1)","[0, 1]",B\n')
    [question] = read_benchmark(
        path, format_name="mapped", columns=BenchmarkColumns(question="question", choices=["one", "two"], target="answer")
    ).questions
    assert question.choices == {"A": "[0, 1)", "B": "[0, 1]"}


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ({"right": "4", "wrong": ["5", "6"], "more": ["7"]}, {"correct": "right", "distractors": ["wrong", "more"]}),
        ({"right": "4", "wrong": {"x": 5, "y": 6}, "more": "7"}, {"correct": "right", "distractors": ["wrong", "more"]}),
        ({"right": "4", "wrong": ["5", "6", "7"]}, {"choices": ["right", "wrong"], "target": "right"}),
        ({"right": "4", "wrong": ["5", "6", "7"], "more": None}, {"choices": ["right", "wrong", "more"], "target": "right"}),
    ],
    ids=["lists", "an object and a text", "a text and a list", "an empty end"],
)
def test_lists_in_several_columns_are_read(row: dict[str, Any], columns: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "lists.jsonl"
    path.write_text(json.dumps({"q": "2 + 2?"} | row) + "\n")
    [question] = read_benchmark(path, format_name="mapped", columns=BenchmarkColumns(question="q", **columns)).questions
    assert sorted(question.choices.values()) == ["4", "5", "6", "7"] and question.choices[question.target] == "4"


def test_a_wrong_answer_may_be_missing_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text('q,right,w1,w2,w3\nWhich?,a,b,,c\nWhen?,x,,,"[0, 1)"\n')
    columns = BenchmarkColumns(question="q", correct="right", distractors=["w1", "w2", "w3"])
    first, second = read_benchmark(path, format_name="mapped", columns=columns).questions
    assert sorted(first.choices.values()) == ["a", "b", "c"] and sorted(second.choices.values()) == ["[0, 1)", "x"]
    path.write_text("q,right,w1,w2\nWhich?,a,,\nWhen?,x,y,z\n")
    with pytest.raises(Refused, match="w1, w2 hold no choice"):
        read_benchmark(path, format_name="mapped", columns=columns.model_copy(update={"distractors": ["w1", "w2"]}))
