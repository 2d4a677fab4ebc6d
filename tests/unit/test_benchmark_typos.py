"""A column with a typo is named with what was meant, and the advice that is printed works as it stands."""

import csv
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from plumbline.commands.check_benchmark import command
from plumbline.commands.known_questions import known_questions
from plumbline.pipeline.refused import Refused
from plumbline.splitting.benchmark import read_benchmark
from plumbline.splitting.benchmark_columns import BenchmarkColumns

HEADER = ("id", "kind", "question", "choices", "target", "unit", "key_points", "cluster")
ROWS = (
    ("a", "numeric", "How far is it?", "", "2", "m", "", "c"),
    ("b", "mcq", "Which one?", '{"A": "x", "B": "y"}', "A", "", "", "c"),
    ("c", "explanation", "Why is it blue?", "", "Blue light is scattered.", "", "blue light", "d"),
)


def check(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def table(folder: Path, renamed: dict[str, str], **more: str) -> Path:
    """A file of our own shape with other names of columns, and with more columns that hold one value each."""
    path = folder / "my questions.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*(renamed.get(name, name) for name in HEADER), *more])
        writer.writerows([*row, *more.values()] for row in ROWS)
    return path


def rows_file(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "b.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def printed_options(text: str) -> list[str]:
    """The options that an error prints, as a shell would read them."""
    found = re.search(r"`(?:plumbline check-benchmark )?(--column .*?)`", text)
    assert found is not None, text
    return shlex.split(found[1])


def settings_in(message: str) -> BenchmarkColumns:
    """The line that an error of the stage says to write."""
    found = re.search(r"write `(benchmark_columns: \{.*?\})`", message)
    assert found is not None, message
    return BenchmarkColumns.model_validate(YAML(typ="safe", pure=True).load(found[1])["benchmark_columns"])


@pytest.mark.parametrize(
    "renamed",
    [
        {"question": "qestion"},
        {"question": "Question"},
        {"kind": "kinds"},
        {"id": "idd", "cluster": "clusters"},
        {"question": "quest ion", "target": "tagret"},
        {"question": "qestion", "key_points": "keypoints"},
        {"id": "ID", "kind": "Kind", "question": "Question", "choices": "Choices", "target": "Target"},
    ],
    ids=lambda renamed: ",".join(renamed.values()),
)
def test_a_typo_in_a_column_of_our_own_shape_is_named_and_both_remedies_work(renamed: dict[str, str], tmp_path: Path) -> None:
    path = table(tmp_path, renamed)
    told = check(str(path))
    assert told.exit_code == 1 and "the columns are nearly those of plumbline:" in told.output and "split" not in told.output
    for name, typo in renamed.items():
        assert f"{typo!r}, did you mean {name!r}?" in told.output
    assert f"Rename the column{'s' * (len(renamed) > 1)}, or name every column: `--column " in told.output
    pasted = check(str(path), *printed_options(told.output), "--out", str(tmp_path / "out.jsonl"))
    assert pasted.exit_code == 0, pasted.output
    with pytest.raises(Refused) as refused:
        read_benchmark(path, format_name="auto")
    assert "or set split.benchmark_format to mapped, and in place of `benchmark_columns: null` write" in str(refused.value)
    by_columns = read_benchmark(path, format_name="mapped", columns=settings_in(str(refused.value))).questions
    renamed_back = read_benchmark(table(tmp_path, {}), format_name="auto").questions
    told_apart = [(one.id, one.kind, one.choices, one.target, one.key_points, one.cluster) for one in renamed_back]
    assert [(one.id, one.kind, one.choices, one.target, one.key_points, one.cluster) for one in by_columns] == told_apart


def test_what_named_columns_would_lose_is_only_renamed(tmp_path: Path) -> None:
    told = check(str(table(tmp_path, {"question": "qestion"}, tags="topic: optics")))
    assert told.output.rstrip().endswith("'qestion', did you mean 'question'? Rename the column.")


def test_a_column_that_is_missing_besides_a_typo_is_named_too(tmp_path: Path) -> None:
    row = dict(zip(HEADER, ROWS[0], strict=True)) | {"choices": {}, "key_points": []}
    row["qestion"] = row.pop("question")
    del row["unit"]
    told = check(str(rows_file(tmp_path, row)))
    assert "did you mean 'question'? 'unit' is missing, too. Rename the column and add what is missing, or name" in told.output
    assert check(str(tmp_path / "b.jsonl"), *printed_options(told.output)).exit_code == 0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"question": "?", "A": "1", "B": "2", "C": "3", "D": "4", "anwser": "A"}, "of mmlu: 'anwser', did you mean 'answer'? Rename the"),
        ({"question": "?", "choises": ["1", "2"], "answer": 0}, "of mmlu: 'choises', did you mean 'choices'?"),
        ({"id": 1, "typ": "numeric", "question": "?", "answer": "1"}, "of study: 'typ', did you mean 'type'?"),
        ({"question": "?", "answer": "1", "answer_type": "float"}, "of theoremqa: 'question', did you mean 'Question'?"),
        (
            {"id": "1", "question": "?", "choices": {"text": ["1", "2"], "label": ["A", "B"]}, "answerkey": "A"},
            "of arc: 'answerkey', did you mean 'answerKey'?",
        ),
        ({"inputs": "?", "target": "1"}, "of inspect: 'inputs', did you mean 'input'?"),
    ],
    ids=lambda one: one if isinstance(one, str) else "row",
)
def test_a_typo_in_a_column_of_another_shape_is_named(row: dict[str, Any], words: str, tmp_path: Path) -> None:
    told = check(str(rows_file(tmp_path, row)))
    assert told.exit_code == 1 and f"the columns are nearly those {words}" in told.output


def test_columns_of_no_shape_are_not_called_typos(tmp_path: Path) -> None:
    for row in ({"Aufgabe": "?", "Loesung": "1"}, {"id": 1, "text": "?", "label": "1"}, {"kind": "numeric", "qestion": "?"}):
        assert "did you mean" not in check(str(rows_file(tmp_path, row))).output


def test_a_typo_in_one_row_or_under_a_named_shape_is_named(tmp_path: Path) -> None:
    good = dict(zip(HEADER, ROWS[0], strict=True)) | {"choices": {}, "key_points": []}
    odd = {("qestion" if name == "question" else name): value for name, value in good.items()}
    path = rows_file(tmp_path, good, {**good, "id": "b"}, {**odd, "id": "c"})
    assert "lacks question, which 2 of 3 rows have as plumbline." in check(str(path)).output
    assert "'qestion', did you mean 'question'?" in check(str(path)).output
    named = check(str(rows_file(tmp_path, odd)), "--format", "plumbline")
    assert "nearly those of plumbline: 'qestion', did you mean 'question'? Rename the column, or name every column" in named.output


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"Question": "How far?", "Answer": "12"}, "numeric"),
        ({"problem": "How far?", "solution": "It is far.\n#### 1,200"}, "numeric"),
        ({"qestion": "Why?", "target": "Because it is blue."}, "explanation"),
        ({"prompt": "Which?", "options": ["red", "blue"], "anwser": "blue"}, "mcq"),
        ({"question": "Which?", "A": "red", "B": "blue", "answer": "B"}, "mcq"),
    ],
    ids=lambda one: one if isinstance(one, str) else "row",
)
def test_columns_whose_names_say_what_they_hold_are_proposed(row: dict[str, Any], kind: str, tmp_path: Path) -> None:
    path = rows_file(tmp_path, row)
    told = check(str(path))
    assert told.exit_code == 1 and "match no known shape" in told.output
    pasted = check(str(path), *printed_options(told.output))
    assert pasted.exit_code == 0 and f"1 {kind}" in pasted.output, pasted.output
    with pytest.raises(Refused) as refused:
        read_benchmark(path, format_name="auto")
    assert len(read_benchmark(path, format_name="mapped", columns=settings_in(str(refused.value))).questions) == 1


def test_a_command_without_column_prints_the_command_that_writes_our_own_shape(tmp_path: Path) -> None:
    path = table(tmp_path, {"question": "quest ion"})
    with pytest.raises(Refused) as refused:
        known_questions(path)
    found = re.search(
        r"write it in Plumbline's own shape with `plumbline check-benchmark (.*)`, and give mine\.jsonl here\.", str(refused.value)
    )
    assert found is not None, str(refused.value)
    words = [str(tmp_path / word) if word == "mine.jsonl" else word for word in shlex.split(found[1])]
    assert check(*words).exit_code == 0
    assert [*known_questions(tmp_path / "mine.jsonl")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "given",
    [
        ("question=qestion", "target=target"),
        ("question=qestion", "target=target", "kind=kind"),
        ("question=qestion",),
        ("target=target",),
        ("kind=kind",),
        ("kind=kind", "question=qestion"),
        ("choices=choices", "question=qestion"),
    ],
    ids=" ".join,
)
def test_columns_that_are_named_in_part_are_answered_with_those_that_the_file_needs(given: tuple[str, ...], tmp_path: Path) -> None:
    path = table(tmp_path, {"question": "qestion"})
    told = check(str(path), *(word for one in given for word in ("--column", one)))
    assert told.exit_code == 1
    options = printed_options(told.output)
    assert {*options} - {"--column"} == {f"{name}={name}" for name in HEADER if name != "question"} | {"question=qestion"}
    pasted = check(str(path), *options)
    assert pasted.exit_code == 0 and "1 numeric" in pasted.output and "1 mcq" in pasted.output, pasted.output


def test_without_the_column_of_the_question_the_error_says_that_every_part_is_named(tmp_path: Path) -> None:
    path = table(tmp_path, {"target": "tagret"}, tags="topic: optics")
    told = check(str(path), "--column", "target=tagret")
    assert (
        "--column: question is missing. With --column name every part, also one whose column has its name: `--column question"
        in told.output
    )
    assert "This leaves out tags: to keep that, rename the columns in the file." in told.output
    assert check(str(path), *printed_options(told.output)).exit_code == 0
    odd = rows_file(tmp_path, {"Aufgabe": "?", "Loesung": "1"})
    told = check(str(odd), "--column", "target=Loesung")
    assert "line 1 has the columns ['Aufgabe', 'Loesung']. Name the columns of your file, such as --column question=COLUMN" in told.output


def test_the_answer_is_asked_for_together_with_the_kind(tmp_path: Path) -> None:
    path = rows_file(tmp_path, {"Question": "How far?", "Loesung": "12"}, {"Question": "How much?", "Loesung": "2"})
    told = check(str(path), "--column", "question=Question")
    assert "Add --column target=COLUMN and --column kind=numeric or --column kind=explanation, or --column kind=COLUMN" in told.output
    path = rows_file(tmp_path, {"Question": "How far?", "My answer": "12"}, {"Question": "How much?", "My answer": "2"})
    told = check(str(path), "--column", "question=Question")
    assert "Add --column 'target=My answer' and --column kind=numeric or" in told.output
    assert check(str(path), "--column", "question=Question", "--column", "target=My answer", "--column", "kind=numeric").exit_code == 0


def test_a_column_or_a_part_that_is_not_there_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    path = table(tmp_path, {})
    told = check(str(path), "--column", "question=question", "--column", "target=tagret")
    assert "the column 'tagret' is not there. Did you mean 'target'? The rows have" in told.output
    told = check(str(path), "--column", "qestion=question")
    assert "'qestion' is not a part of a question. Did you mean question? The parts are" in told.output


def test_the_line_for_split_names_all_columns_too(tmp_path: Path) -> None:
    path = table(tmp_path, {"question": "qestion"})
    with pytest.raises(Refused, match=r"nothing says what is asked for\. Name all that the file holds") as refused:
        read_benchmark(path, format_name="mapped", columns=BenchmarkColumns(question="qestion", target="target"))
    found = re.search(r"`benchmark_columns: (\{.*?\})`", str(refused.value))
    assert found is not None
    assert len(read_benchmark(path, format_name="mapped", columns=BenchmarkColumns.model_validate_json(found[1])).questions) == 3


def test_a_key_with_a_typo_is_named_in_a_full_sentence(tmp_path: Path) -> None:
    told = check(str(table(tmp_path, {"target": "tagret"})))
    assert "tagret is not a known key; did you mean target? Give all of" in told.output
    told = check(str(table(tmp_path, {"target": "TARGET"})))
    assert "TARGET is not a known key; did you mean target? Give all of" in told.output


def test_single_words_that_may_be_letters_of_choices_are_not_proposed_as_explanations(tmp_path: Path) -> None:
    told = check(str(rows_file(tmp_path, {"question": "Which?", "answer": "B"}, {"question": "Which one?", "answer": "A"})))
    assert "Name the columns of your file, such as" in told.output and "kind=explanation`" not in told.output
