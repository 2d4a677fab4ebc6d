"""A benchmark comes in whole and gradable, or with an error that names the question."""

from typing import Any

import pytest

from stages.logic.benchmark_shapes import asked_unit, from_plumbline, from_study, number_of, split_options
from stages.records.input_refused import Refused

MCQ = {
    "id": "m1",
    "kind": "mcq",
    "question": "Which?",
    "choices": {"A": "x", "B": "y"},
    "target": "B",
    "unit": None,
    "key_points": [],
    "cluster": "c",
}


def test_options_inside_the_text_become_choices() -> None:
    assert split_options("Which is a unit? (A) Newton (B) Joule, or so (C) m/s (D) A.B.") == (
        "Which is a unit?",
        {"A": "Newton", "B": "Joule, or so", "C": "m/s", "D": "A.B."},
    )
    assert split_options("Charge of (A) and of B?") == ("Charge of (A) and of B?", {})
    assert split_options("Point (C) lies low. Which? (A) one (B) two") == ("Point (C) lies low. Which?", {"A": "one", "B": "two"})


@pytest.mark.parametrize(
    ("question", "unit"),
    [
        ("what is its average speed in m/s?", "m/s"),
        ("What is the acceleration along the incline in m/s^2?", "m/s^2"),
        ("calculate the work done (in Joules) by a 10 N force.", "Joules"),
        ("Convert 72 km/h to m/s.", "m/s"),
        ("What is its angular velocity in rad/s? (Use pi=3.14)", "rad/s"),
        ("What is its power output in Watts?", "Watts"),
        ("How far does it go in 5 seconds?", None),
        ("An engine does 1000 J of work in 2 seconds. What is its power?", None),
        ("Find the kinetic energy of a 2 kg object moving at 3 m/s.", None),
        ("How many nodes are there in total?", None),
    ],
)
def test_the_unit_asked_for_is_found(question: str, unit: str | None) -> None:
    assert asked_unit(question) == unit


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("25", 25),
        ("-4.9", -4.9),
        ("1,200.5", 1200.5),
        ("6.02e23", 6.02e23),
        (r"$3.0 \times 10^{8}$", 3e8),
        ("10^-5", 1e-5),
        (r"\frac{1}{2}", 0.5),
        ("3/4", 0.75),
        ("−2", -2),
        ("about 5", None),
        ("5 m", None),
        ("", None),
    ],
)
def test_a_target_is_read_as_written(written: str, value: float | None) -> None:
    assert number_of(written) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": "C"}, "not among the choices"),
        ({"choices": {"A": "x"}}, "at least two"),
        ({"choices": {"A": "x", "B": " "}}, "a choice is empty"),
        ({"kind": "numeric"}, "only mcq"),
        ({"kind": "numeric", "choices": {}}, "no number"),
        ({"kind": "numeric", "choices": {}, "target": "0.0"}, "target 0"),
        ({"kind": "explanation", "choices": {}, "target": " "}, "reference answer is empty"),
        ({"question": ""}, "question is empty"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_question_nobody_could_grade_is_an_error_that_names_it(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r"line 7 \(id 'm1'\)") as error:
        from_plumbline([("b.jsonl, line 7", MCQ | change)])
    assert words in str(error.value)


def test_two_questions_with_one_id_are_an_error() -> None:
    with pytest.raises(ValueError, match="stands at"):
        from_plumbline([("line 1", MCQ), ("line 2", MCQ)])


def test_a_study_question_without_options_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"question 1 \(id 'study-01'\).*choices"):
        from_study([("b.json, question 1", {"id": 1, "type": "mcq", "question": "Which?", "answer": "A"})])


def test_a_question_that_lacks_fields_names_them_and_quotes_no_library() -> None:
    with pytest.raises(Refused) as refused:
        from_plumbline([("mine.jsonl, line 3", {"id": "q", "kind": "mcq", "question": "Unit?", "choices": {"A": "N"}, "target": "A"})])
    told = str(refused.value)
    assert "mine.jsonl, line 3 (id 'q'): not a question: unit: Field required; cluster: Field required" in told
    assert "pydantic" not in told and "\n" not in told
