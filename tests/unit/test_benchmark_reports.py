"""What benchmarks of other people have shown: no choice is lost, no gold answer guessed, no right question refused, no traceback."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question
from plumbline.splitting.benchmark import Benchmark, guarded, read_benchmark
from plumbline.splitting.benchmark_columns import BenchmarkColumns
from plumbline.splitting.row_values import Row, letters_in

GASES = ["Nitrogen", "Argon"]
MANY = [f"gas {number}" for number in range(30)]
CHOICES = BenchmarkColumns(question="q", choices="opts", target="ans")
CORRECT = BenchmarkColumns(question="q", correct="right", distractors="wrong")


def read(folder: Path, *rows: Any, columns: BenchmarkColumns | None = None) -> Benchmark:
    (folder / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_benchmark(folder / "b.jsonl", format_name="auto", columns=columns)


def refusal(folder: Path, *rows: Any, columns: BenchmarkColumns | None = None) -> str:
    with pytest.raises(Refused) as refused:
        read(folder, *rows, columns=columns)
    assert "b.jsonl" in str(refused.value)
    return str(refused.value)


def inspect(target: Any, choices: list[str], asked: str = "Which gas?") -> dict[str, Any]:
    return {"input": asked, "choices": choices, "target": target}


def arc(choices: Any, **more: Any) -> dict[str, Any]:
    return {"id": "1", "question": "Which?", "choices": choices, "answerKey": "A", **more}


@pytest.mark.parametrize(
    ("target", "choices", "expected"),
    [
        ("Argon", GASES, "B"),
        ("B", GASES, "B"),
        ("(B)", GASES, "B"),
        (["Argon", "Nitrogen"], GASES, "A,B"),
        (["A", "B"], GASES, "A,B"),
        ("A, B", GASES, "A,B"),
        ("A and B", GASES, "A,B"),
        ("AC", ["DC", "AC"], "B"),
        ("A", ["B", "A"], "A"),
    ],
)
def test_an_inspect_target_is_letters_or_the_text_of_a_choice(target: Any, choices: list[str], expected: str, tmp_path: Path) -> None:
    [question] = read(tmp_path, inspect(target, choices)).questions
    assert question.target == expected


@pytest.mark.parametrize(
    ("target", "choices", "words"),
    [
        ("Helium", GASES, "neither a letter nor the text of one choice"),
        ("argon", GASES, "from A, B"),
        ("C", GASES, "neither a letter nor the text of one choice"),
        ("AB", ["CD", "AB"], "both letters and the text of a choice"),
    ],
)
def test_an_inspect_target_that_is_neither_or_both_is_refused(target: str, choices: list[str], words: str, tmp_path: Path) -> None:
    assert words in refusal(tmp_path, inspect(target, choices))


@pytest.mark.parametrize("text", ["Argon", "None of These", "", "a", "A or so"])
def test_a_text_holds_no_letters_of_choices(text: str) -> None:
    assert letters_in(text) == []


def test_a_text_in_place_of_letters_leaves_a_question_out(tmp_path: Path) -> None:
    row = {"index": 1, "problem": "Which? (A) ice (B) fire", "answers": "Neither Argon", "answer_type": "MC"}
    assert [one.reason for one in read(tmp_path, row, row | {"index": 2, "answers": "A"}).left_out] == ["target_not_read"]


def test_a_harness_target_that_is_a_place_and_another_choice_is_refused(tmp_path: Path) -> None:
    row = {"doc_id": 1, "doc": {}, "target": "1", "arguments": [["How many?", " 1"], ["How many?", " 2"]]}
    assert "a place and the text of another choice" in refusal(tmp_path, row)
    [question] = read(tmp_path, row | {"target": 1}).questions
    assert question.target == "B"


STATEMENT = "Which statement is true?"


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ([inspect("A", ["ice floats", "ice sinks"], STATEMENT), inspect("B", ["the sun is cold", "it is hot"], STATEMENT)], None),
        ([{"q": STATEMENT, "opts": ["a", "b"], "ans": "A"}, {"q": STATEMENT, "opts": ["c", "d"], "ans": "B"}], CHOICES),
        ([{"q": STATEMENT, "opts": '["a", "b"]', "ans": "A"}, {"q": STATEMENT, "opts": '["c", "d"]', "ans": "B"}], CHOICES),
        ([{"q": STATEMENT, "opts": {"A": "a", "B": "b"}, "ans": "A"}, {"q": STATEMENT, "opts": {"A": "c", "B": "d"}, "ans": "A"}], CHOICES),
        ([{"q": STATEMENT, "right": "a", "wrong": ["b"]}, {"q": STATEMENT, "right": "a", "wrong": ["c"]}], CORRECT),
    ],
)
def test_questions_with_one_stem_and_other_choices_are_two(rows: list[Any], columns: BenchmarkColumns | None, tmp_path: Path) -> None:
    found = read(tmp_path, *rows, columns=columns)
    assert len({question.id for question in found.questions}) == 2 and not found.left_out


def test_an_id_that_is_written_stays_the_id(tmp_path: Path) -> None:
    given = CHOICES.model_copy(update={"id": "nr"})
    [mapped] = read(tmp_path, {"q": "Which?", "opts": ["a", "b"], "ans": "A", "nr": "7"}, columns=given).questions
    [sample] = read(tmp_path, inspect("A", GASES) | {"id": "s1"}).questions
    assert (mapped.id, sample.id) == ("7", "s1")


@pytest.mark.parametrize(
    ("row", "columns", "words"),
    [
        (arc({"text": ["a", "b", "c"], "label": ["A", "B"]}), None, "3 choices with the labels ['A', 'B']"),
        (arc({"text": ["a", "b"], "label": ["A", "A"]}), None, "Give each choice its own label"),
        ({"question": "Which?", "choices": MANY, "answer": 2}, None, "30 choices. Give at most 26"),
        ({"question": "Which?", "choices": MANY, "answer": 28}, None, "30 choices. Give at most 26"),
        ({"question_id": 1, "question": "Which?", "options": MANY, "answer": "A"}, None, "30 choices. Give at most 26"),
        (inspect("A", MANY), None, "30 choices. Give at most 26"),
        ({"doc_id": 1, "doc": {}, "target": 2, "arguments": [["Which?", text] for text in MANY]}, None, "30 choices. Give at most 26"),
        ({"q": "Which?", "opts": MANY, "ans": "A"}, CHOICES, "30 choices. Give at most 26"),
        ({"q": "Which?", "right": "helium", "wrong": MANY}, CORRECT, "31 choices. Give at most 26"),
        ({"q": "Which?", "right": "3", "wrong": ["3", "2"]}, CORRECT, "both say '3'"),
        ({"q": "Which?", "opts": ["ice", " ice ", "fire"], "ans": "C"}, CHOICES, "choices A and B both say 'ice'"),
    ],
)
def test_no_choice_is_lost_and_no_two_say_the_same(row: Any, columns: BenchmarkColumns | None, words: str, tmp_path: Path) -> None:
    assert words in refusal(tmp_path, row, columns=columns)


def test_a_published_question_with_two_equal_choices_is_left_out(tmp_path: Path) -> None:
    row = {"question": "How many?", "correct_answer": "3", "distractor1": "3", "distractor2": "2", "distractor3": "1"}
    found = read(tmp_path, row, row | {"distractor1": "4"})
    assert [one.reason for one in found.left_out] == ["equal_choices"] and len(found.questions) == 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (arc({"text": None, "label": None}), "label is None. Give a list"),
        (arc({"text": "ab", "label": "AB"}), "label is 'AB'. Give a list"),
        ({"id": "1", "question": {"stem": "Which?", "choices": ["a", "b"]}, "answerKey": "A"}, "not text"),
        ({"id": "1", "question": {"stem": "Which?", "choices": None}, "answerKey": "A"}, "found 0 choices"),
        ({"question": "Which?", "correct_answer": "\ud800", "distractor1": "a", "distractor2": "b", "distractor3": "c"}, "cannot be read"),
        ({"problem_text": "How many?", "answer_number": 10**400, "unit": {"a": 1}}, "Give text or a number"),
        ({"id": "1", "type": ["mcq"], "question": "Which?", "answer": "A"}, "Types are"),
    ],
)
def test_a_value_of_another_form_is_refused_by_place(row: Any, words: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, row)
    assert words in message and "line 1" in message


def test_what_no_reader_foresaw_is_refused_by_place() -> None:
    def broken(_: Any) -> Question:
        raise KeyError("label")

    fault = guarded(Row("b.jsonl, line 4", {}), broken)
    assert str(fault).startswith("b.jsonl, line 4: cannot be read as a question (KeyError: 'label')")


@pytest.mark.parametrize("deep", ['{"a": ' * 100_000, "[" * 100_000 + "]" * 100_000, '{"a": ' + "1" * 5000 + "}"])
@pytest.mark.parametrize("listed", [False, True])
def test_json_that_python_cannot_read_is_refused(deep: str, listed: bool, tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(f"[{deep}]" if listed else f'{{"x": {deep}}}\n', encoding="utf-8")
    with pytest.raises(Refused, match=r"b.jsonl.*(nested too deep|too many digits)"):
        read_benchmark(tmp_path / "b.jsonl", format_name="auto")


def test_a_cell_that_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    assert "begins as a list and is not JSON" in refusal(tmp_path, {"q": "Which?", "opts": "[" * 100_000, "ans": "A"}, columns=CHOICES)
