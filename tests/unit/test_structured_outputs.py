"""Structured outputs are recognised, read in the one way they can be read, and written as text that carries all of them."""

import json
import time

import pytest

from plumbline.cleaning.classification import classify
from plumbline.cleaning.cleaned_row import Cleaned
from plumbline.cleaning.codes import Action, BrokenCause, OutputClass, Rule
from plumbline.cleaning.json_reading import read_json
from plumbline.cleaning.plain_text import label, lost, to_plain_text, unwrap
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.python_reading import read_python
from plumbline.cleaning.row_cleaning import clean_line
from plumbline.cleaning.structured_value import Members, Written


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("Force is mass times acceleration.", OutputClass.PLAIN),
        ('"Inertia," he said, is lazy.', OutputClass.PLAIN),
        ("The set {1, 2} is finite.", OutputClass.PLAIN),
        ("110", OutputClass.JSON_SCALAR),
        ("-3.5e4", OutputClass.JSON_SCALAR),
        ("true", OutputClass.JSON_SCALAR),
        ("12 m/s", OutputClass.PLAIN),
        ('{"a": 1}', OutputClass.JSON_OBJECT),
        ('["a", "b"]', OutputClass.JSON_LIST),
        ('```json\n{"a": 1}\n```', OutputClass.JSON_OBJECT),
        ('"{\\"a\\": 1}"', OutputClass.ENCODED_TWICE),
        ("{'a': 1, 'b': None}", OutputClass.PYTHON_LITERAL),
        ("['a', 'b']", OutputClass.PYTHON_LITERAL),
        ('{"a_x(t)", "a_y(t)"}', OutputClass.PYTHON_LITERAL),
        ('{"a": "$2\\pi r$"}', OutputClass.PYTHON_LITERAL),
        ('{"a": "first\nsecond"}', OutputClass.BROKEN_JSON),
        ('{"a": $16.78$, "b": 20*pi/180}', OutputClass.BROKEN_JSON),
        ('{"a": "cut', OutputClass.BROKEN_JSON),
        ("{10}^{2}", OutputClass.LOOKS_LIKE_JSON),
        ("{1, 2}", OutputClass.LOOKS_LIKE_JSON),
        ("{x : x > 0}", OutputClass.LOOKS_LIKE_JSON),
        ('{"Ffriction"} must be larger than {"Fdrag"}.', OutputClass.LOOKS_LIKE_JSON),
        ("[L T^-2]", OutputClass.LOOKS_LIKE_JSON),
        ("[1] shows that it falls.", OutputClass.LOOKS_LIKE_JSON),
        (" \n", OutputClass.EMPTY),
    ],
)
def test_an_output_is_what_it_is_read_as(output: str, kind: OutputClass) -> None:
    assert classify(output).kind == kind


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ('{"explanation": "Work is force times displacement."}', "Work is force times displacement."),
        ('{"explanation": "Free fall.", "answer": "9.8 m/s^2"}', "Explanation: Free fall.\nAnswer: 9.8 m/s^2"),
        ('{"answer": "9.8 m/s^2", "explanation": "Free fall."}', "Explanation: Free fall.\nAnswer: 9.8 m/s^2"),
        ('{"Explanation": "E", "formula": "F = ma", "Answer": 5}', "Explanation: E\nFormula: F = ma\nAnswer: 5"),
        ('{"explanation": "Because of v.", "answer": 5, "unit": "m/s"}', "Explanation: Because of v.\nAnswer: 5 m/s"),
        ('{"unit": "N", "answer": {"x": 1, "y": [2, 3]}, "explanation": "E"}', "Explanation: E\nAnswer: x: 1 N; y: 2 N; 3 N"),
        ('{"explanation": "E", "mass": 2, "answer": "about 5", "unit": "kg"}', "Explanation: E\nMass: 2 kg\nAnswer: about 5"),
        ('{"explanation": "E", "answer": "5 m", "unit": "m"}', "Explanation: E\nUnit: m\nAnswer: 5 m"),
        ('{"explanation": "E", "answer": ["a", "b"], "formula": "F"}', "Explanation: E\nFormula: F\nAnswer: a; b"),
        ('{"explanation": "E", "answer": ["a", null]}', "Explanation: E\nAnswer: a; none"),
        ('{"time_to_stop": 43.64, "units": "s"}', "Time to stop: 43.64 s"),
        ('{"x": 18, "y": -15.0, "unit": "N"}', "x: 18 N\ny: -15.0 N"),
        ('{"acceleration": {"i": $24.0$, "j": -$18.0$}, "units": "m/s^2"}', "Acceleration: i: $24.0$ m/s^2; j: -$18.0$ m/s^2"),
        ('{"v_y": 21.2 - 4.9 * 3.79, "unit": "m/s"}', "v_y: 21.2 - 4.9 * 3.79 m/s"),
        ('{"result": [-$44.0$, -$6.0$]}', "Result:\n- -$44.0$\n- -$6.0$"),
        ('{"unit": "newton"}', "Unit: newton"),
        ('{"coefficient": 0.3, "unit": "none"}', "Coefficient: 0.3\nUnit: none"),
        ('{"option": $B$, "unit": "m"}', "Option: $B$\nUnit: m"),
        ('{"theta_A": -55, "mu_k": null}', "theta_A: -55\nmu_k: none"),
        ('["1. First", "2. Second"]', "1. First\n2. Second"),
        ('["length", "mass"]', "- length\n- mass"),
        ('{"forces": [{"x": 18, "y": 0}, {"x": 0, "y": 6}]}', "Forces:\n- x: 18; y: 0\n- x: 0; y: 6"),
        ("{'a': True, 'b': 2.50}", "a: true\nb: 2.50"),
        ('{"step": "one", "step": "two"}', "Step: one\nStep: two"),
        ('"{\\"explanation\\": \\"Deep.\\"}"', "Deep."),
        ('{"answer": "{\\"F\\": 5}"}', "Answer: F: 5"),
        ('{"a": "x",}', "a: x"),
    ],
)
def test_a_structured_output_becomes_text_that_carries_all_of_it(output: str, text: str) -> None:
    classified = classify(output).value
    assert classified is not None
    value = unwrap(classified)
    assert to_plain_text(value) == text
    assert lost(value, text) is None


def test_numbers_keep_the_digits_they_were_written_with() -> None:
    reading = read_json('{"a": 5.0, "b": 2.2e-07, "c": 123456789012345678901234567890}')
    assert reading.value == Members([("a", Written("5.0")), ("b", Written("2.2e-07")), ("c", Written("123456789012345678901234567890"))])
    assert not reading.faults


def test_a_python_literal_keeps_the_source_of_its_numbers_across_lines_and_letters_of_several_bytes() -> None:
    literal = "{'é': 1.50, 'ü': [-\r\n2e-07,\n 'ß', 0x1F]}"
    assert read_python(literal) == Members([("é", Written("1.50")), ("ü", [Written("-\r\n2e-07"), "ß", Written("0x1F")])])


def test_the_time_of_a_python_literal_grows_with_its_length_alone() -> None:
    def seconds(num_numbers: int) -> float:
        text = "{'a': [" + "1, " * num_numbers + "]}"
        times = []
        for _ in range(3):
            start = time.process_time()
            assert read_python(text) is not None
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(16_000) < 60 * seconds(1_000), "16 times the numbers took more than 60 times as long"


def test_fences_around_fences_are_opened_so_many_times() -> None:
    assert classify("```\n" * 3 + '{"a": 1}' + "\n```" * 3).kind == OutputClass.JSON_OBJECT
    assert classify("```\n" * 30 + '{"a": 1}' + "\n```" * 30).kind == OutputClass.PLAIN


def test_faults_with_one_reading_are_named() -> None:
    assert read_json('{"a": "x\\pi\ty", "b": -g, "c": 1,}').faults == {
        BrokenCause.INVALID_ESCAPE,
        BrokenCause.CONTROL_CHARACTER,
        BrokenCause.BARE_VALUE,
        BrokenCause.TRAILING_COMMA,
    }


@pytest.mark.parametrize(
    ("value", "text", "missing"),
    [
        (Members([("a", "x"), ("b", "y")]), "a: x", "value 'y'"),
        (Members([("a", "x"), ("b", "y")]), "b: y\na: x", "value 'y'"),
        (Members([("speed", Written("5"))]), "15 m/s is the speed", "value '5'"),
        (Members([("speed", Written("5"))]), "5", "key 'speed'"),
        (Members([("word", "art")]), "word: party", "value 'art'"),
        (Members([("explanation", "E"), ("answer", "A")]), "Explanation: E", "value 'A'"),
        (Members([("explanation", "E"), ("answer", "A")]), "Explanation: E\nAnswer: A\nand more", "answer 'A'"),
        (Members([("t", Written("5")), ("unit", "s")]), "t: 5", "value '5 s'"),
        (Members([("t", Written("5")), ("unit", "s")]), "t: 5\nunit: s", "value '5 s'"),
        (Members([("time", Written("7")), ("unit", "s")]), "Times: 7", "value '7 s'"),
        (Members([("time", Written("7")), ("unit", "s")]), "Time: 7 seconds", "value '7 s'"),
        (Members([("option", "B"), ("unit", "m")]), "Option: B, metre", "value 'm'"),
        (Members([("explanation", "E"), ("answer", Written("5")), ("unit", "m")]), "Explanation: E\nUnit: m\nAnswer: 5", "value '5 m'"),
        (Members([("v", Members([("x", Written("1")), ("y", Written("2"))])), ("unit", "N")]), "v: x: 1; y: 2 N", "value '1 N'"),
    ],
)
def test_a_lost_value_or_key_is_named(value: Members, text: str, missing: str) -> None:
    assert lost(value, text) == missing


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("time_to_stop", "Time to stop"),
        ("distanceFallenBeforeParachuteOpens", "Distance fallen before parachute opens"),
        ("force", "Force"),
        ("v_0", "v_0"),
        ("theta_A", "theta_A"),
        ("\\theta_S", "\\theta_S"),
        ("1. Strategy", "1. Strategy"),
        ("x", "x"),
    ],
)
def test_keys_become_words_and_symbols_stay(key: str, words: str) -> None:
    assert label(key) == words


def test_a_command_swallowed_in_a_key_or_an_answer_comes_back_before_lines_are_set() -> None:
    policy = Policy("alpaca", dict.fromkeys(Rule, Action.OFF), min_output_characters=1, max_output_characters=4000)
    output = json.dumps({"angle_$\theta$": "5", "explanation": "E", "answer": "$x \to 0$,\nthen $\theta$"}).replace("\\\\t", "\\t")
    row = clean_line(json.dumps({"instruction": "Why?", "output": output}).encode(), policy, policy.active)
    assert isinstance(row, Cleaned)
    assert row.output == "angle_$\\theta$: 5\nExplanation: E\nAnswer: $x \\to 0$, then $\\theta$"
    assert "latex_escape_swallowed" in row.repairs
