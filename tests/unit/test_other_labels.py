"""Options that are called 1, 2, 3 or i, ii, iii come through `split` and are graded by their labels."""

import pytest

from plumbline.grading.choices import parse_choices
from plumbline.grading.mcq import grade_mcq
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Question
from plumbline.splitting.benchmark_shapes import split_options
from plumbline.splitting.question_faults import fault_of


def question(choices: dict[str, str], target: str) -> Question:
    return Question(id="q", kind="mcq", question="Unit of force?", choices=choices, target=target, unit=None, key_points=(), cluster="c")


@pytest.mark.parametrize("labels", ["ABCD", "1234", ("i", "ii", "iii", "iv")])
def test_letters_numbers_and_small_roman_numerals_name_choices(labels: str | tuple[str, ...]) -> None:
    choices = dict(zip(labels, ["newton", "joule", "watt", "pascal"], strict=True))
    assert fault_of(question(choices, labels[0])) is None
    assert grade_mcq(f"({labels[0]})", choices, labels[0]).outcome is Outcome.CORRECT
    assert grade_mcq(f"({labels[1]})", choices, labels[0]).outcome is Outcome.INCORRECT


@pytest.mark.parametrize("labels", [("A", "2"), ("a", "b"), ("x", "y"), ("I", "V")])
def test_other_names_are_refused_with_what_is_accepted(labels: tuple[str, str]) -> None:
    fault = fault_of(question(dict(zip(labels, ["newton", "joule"], strict=True)), labels[0]))
    assert (fault is None) == all(label.isupper() for label in labels)
    if fault is not None:
        assert "Use capital letters, or numbers from 1" in fault


@pytest.mark.parametrize("text", ["Unit of force? (1) newton (2) joule (3) watt", "Unit of force?\n1) newton\n2) joule\n3) watt"])
def test_numbered_options_are_taken_out_of_the_text(text: str) -> None:
    assert parse_choices(text, numbers=True) == ("Unit of force?", {"1": "newton", "2": "joule", "3": "watt"})
    assert split_options(text) == parse_choices(text, numbers=True)
    assert parse_choices(text)[1] == {}, "steps of an answer are numbered too"


def test_letters_come_first_and_a_number_alone_is_no_option() -> None:
    assert parse_choices("By (1) and (2), which? (A) newton (B) joule", numbers=True)[1] == {"A": "newton", "B": "joule"}
    assert parse_choices("Which follows from (2)?", numbers=True)[1] == {}
    assert parse_choices("A body (1) rests.", numbers=True)[1] == {}
