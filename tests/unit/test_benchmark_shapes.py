"""A benchmark comes in whole and gradable, or with an error that names the question."""

from typing import Any

import pytest

from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question
from plumbline.splitting.benchmark_shapes import asked_unit, read_plumbline, read_study, split_options
from plumbline.splitting.question_faults import checked, later_needs
from plumbline.splitting.row_values import Row

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
NUMERIC = {
    "id": "m1",
    "kind": "numeric",
    "question": "How far?",
    "choices": {},
    "target": "5",
    "unit": None,
    "key_points": [],
    "cluster": "c",
}
EXPLANATION = NUMERIC | {"kind": "explanation", "target": "Because a force acts."}


def from_plumbline(located: list[tuple[str, dict[str, Any]]]) -> list[Question]:
    return checked([read_plumbline(Row(where, content)) for where, content in located], [where for where, _ in located])


def from_study(located: list[tuple[str, dict[str, Any]]]) -> list[Question]:
    return checked([read_study(Row(where, content)) for where, content in located], [where for where, _ in located])


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
    "written",
    ["25", "-4.9", "1,200.5", "1 200", "6.02e23", r"$3.0 \times 10^{8}$", "10^-5", r"\frac{1}{2}", "3/4", "−2", "1{,}000", ".5", "0"],
)
def test_a_target_that_the_grader_reads_whole_is_accepted(written: str) -> None:
    assert from_plumbline([("line 1", NUMERIC | {"target": written})])[0].target == written


@pytest.mark.parametrize("unit", ["m/s", "$10^{-12} \\mathrm{~m}$", "", "W/mK", "°C"])
def test_a_unit_that_the_grader_reads_is_accepted_as_written(unit: str) -> None:
    assert from_plumbline([("line 1", NUMERIC | {"unit": unit})])[0].unit == unit


@pytest.mark.parametrize("unit", ["furlong", "60 s", "10^-12 widgets"])
def test_a_unit_that_the_grader_cannot_read_is_refused_with_what_to_write(unit: str) -> None:
    with pytest.raises(Refused, match=r"not a unit that can be read\. Write it in symbols"):
        from_plumbline([("line 1", NUMERIC | {"unit": unit})])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": "C"}, "not among the choices"),
        ({"choices": {"A": "x"}}, "at least two"),
        ({"choices": {"A": "x", "B": " "}}, "a choice is empty"),
        ({"choices": {"A": "x", "1": "y"}, "target": "1"}, "called '1'. Use capital letters"),
        ({"choices": {"A": "x", "AB": "y"}, "target": "A"}, "called 'AB'. Use capital letters"),
        ({"choices": {"a": "x", "b": "y"}, "target": "b"}, "called 'a'. Use capital letters"),
        ({"kind": "numeric"}, "Only mcq"),
        ({"kind": "numeric", "choices": {}}, "not a number"),
        (NUMERIC | {"target": "1e400"}, "not a number"),
        (NUMERIC | {"target": "about 5"}, "not a number"),
        (NUMERIC | {"target": ""}, "not a number"),
        (NUMERIC | {"target": "12 34"}, "target '12 34': more than a number"),
        (NUMERIC | {"target": "5 m"}, "target '5 m': more than a number"),
        (NUMERIC | {"target": "5 m", "unit": "m"}, "target '5 m': more than a number"),
        (EXPLANATION | {"target": " "}, "reference answer is empty"),
        (EXPLANATION | {"key_points": ["a force acts", "it is the"]}, "key point 'it is the' holds no content word"),
        (EXPLANATION | {"key_points": ["…"]}, "key point '…' holds no content word"),
        ({"question": ""}, "question is empty"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_question_nobody_could_grade_is_an_error_that_names_it(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r"line 7 \(id 'm1'\)") as error:
        from_plumbline([("b.jsonl, line 7", MCQ | change)])
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"target": "0.0", "unit": "m"},
            "question m1 has target 0, for which a relative tolerance allows nothing. Set grade.absolute_tolerance, in m",
        ),
        (
            EXPLANATION | {"key_points": ["a force acts", "力"]},
            "question m1 has key point '力', in which judge.backend key_points finds no word",
        ),
    ],
)
def test_what_a_question_needs_of_a_later_stage_is_said_before_anything_is_answered(change: dict[str, Any], words: str) -> None:
    (need,) = later_needs(from_plumbline([("line 1", NUMERIC | {"id": "fine"}), ("line 2", NUMERIC | change)]))
    assert need.startswith(words)


def test_two_questions_with_one_id_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"the id .* is also at"):
        from_plumbline([("line 1", MCQ), ("line 2", MCQ)])


def test_a_study_question_without_options_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"question 1 \(id 'study-01'\).*choices"):
        from_study([("b.json, question 1", {"id": 1, "type": "mcq", "question": "Which?", "answer": "A"})])


def test_a_question_that_lacks_fields_names_them_and_quotes_no_library() -> None:
    with pytest.raises(Refused) as refused:
        from_plumbline([("mine.jsonl, line 3", {"id": "q", "kind": "mcq", "question": "Unit?", "choices": {"A": "N"}, "target": "A"})])
    told = str(refused.value)
    assert "mine.jsonl, line 3 (id 'q'): not a question: unit is missing; cluster is missing" in told
    assert "pydantic" not in told and "\n" not in told
