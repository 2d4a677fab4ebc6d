"""Answers from elsewhere are graded by the same graders, counted by the same outcomes."""

import json
from pathlib import Path

import pytest

from plumbline.commands.grade import GradedAnswer, main
from plumbline.pipeline.jsonl import read_jsonl

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "answers_from_elsewhere.csv"


def graded(path: Path, out: Path, **changes: float | None) -> tuple[str, list[GradedAnswer]]:
    settings: dict[str, float | None] = {"relative_tolerance": 0.05, "absolute_tolerance": None} | changes
    text = main(path, out=out, relative_tolerance=settings["relative_tolerance"] or 0.05, absolute_tolerance=settings["absolute_tolerance"])
    return text, list(read_jsonl(out, GradedAnswer))


def test_the_example_is_graded_as_a_reader_would(tmp_path: Path) -> None:
    text, rows = graded(EXAMPLE, tmp_path / "graded.jsonl")
    outcomes = {(row.id, row.arm): row.outcome.value for row in rows}
    assert outcomes == {
        ("q1", "first"): "correct",
        ("q1", "second"): "correct",
        ("q2", "first"): "incorrect",
        ("q2", "second"): "correct",
        ("q3", "first"): "correct",
        ("q3", "second"): "incorrect",
        ("q4", "first"): "correct",
        ("q4", "second"): "unparsed",
        ("q5", "first"): "incorrect",
        ("q5", "second"): "correct",
        ("q6", "first"): "unjudged",
    }
    assert "numeric      second - first: +0.000" in text
    assert "unjudged 1" in text


def test_csv_and_json_lines_of_the_same_answers_give_the_same_verdicts(tmp_path: Path) -> None:
    row = {"question": "Force?", "response": "0.012 kN", "reference": "12", "kind": "numeric", "unit": "N"}
    choice = {"question": "Which?", "response": "(B)", "reference": "B", "kind": "mcq", "choices": {"A": "mass", "B": "force"}}
    lines, table = tmp_path / "answers.jsonl", tmp_path / "answers.csv"
    lines.write_text("".join(json.dumps(fields) + "\n" for fields in (row, choice)), encoding="utf-8")
    table.write_text(
        'question,response,reference,kind,unit,choices\nForce?,0.012 kN,12,numeric,N,\nWhich?,(B),B,mcq,,"{""A"": ""mass"", ""B"": ""force""}"\n',
        encoding="utf-8",
    )
    first, second = graded(lines, tmp_path / "a.jsonl"), graded(table, tmp_path / "b.jsonl")
    assert first[0] == second[0]
    assert [row.outcome for row in first[1]] == [row.outcome for row in second[1]] == ["correct", "correct"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no rows"),
        ('{"question": "Q", "response": "R", "reference": "x", "kind": "numeric"}\n', "line 1: target 'x': not a number"),
        ('{"question": "Q", "response": "R", "reference": "1", "kind": "essay"}\n', "line 1"),
        ('{"question": "Q", "response": "R", "reference": "0", "kind": "numeric"}\n', "absolute_tolerance"),
        ('{"question": "Q", "response": "R", "reference": "1", "kind": "numeric"}\n' * 2, "line 2: a second answer"),
        ("not json\n", "not readable"),
        ("\n[1, 2]\n", r"answers\.jsonl, line 2: '\[1, 2\]' is no JSON object"),
        ("12\n", "line 1: '12' is no JSON object"),
    ],
    ids=["empty", "bad reference", "bad kind", "zero", "twice", "no JSON", "a list", "a number"],
)
def test_a_file_that_cannot_be_graded_is_refused_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        graded(path, tmp_path / "graded.jsonl")
    assert not (tmp_path / "graded.jsonl").exists()


def test_an_empty_answer_is_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("question,response,reference,kind\nForce?,,12,numeric\n", encoding="utf-8")
    assert graded(path, tmp_path / "graded.jsonl")[1][0].outcome == "unparsed"
