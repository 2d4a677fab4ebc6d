"""Targets as people write them, units behind the whitelist, and what the graders refuse."""

import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric
from plumbline.grading.numeric_target import parse_target
from plumbline.grading.unit_notation import parse_unit
from plumbline.grading.units import convert
from plumbline.rows.outcome import Outcome

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("12", 12.0),
        ("-0.5", -0.5),
        ("6.63e-34", 6.63e-34),
        (r"6.63 \times 10^{-34}", 6.63e-34),
        (r"$6.63\times10^{-34}$", 6.63e-34),
        ("1{,}000", 1000.0),
        ("1,000", 1000.0),
        (r"\frac{1}{3}", 1 / 3),
        ("1/3", 1 / 3),
        ("−3", -3.0),
        ("1.6 × 10⁻¹⁹", 1.6e-19),
        ("  7.0 ", 7.0),
    ],
)
def test_a_target_is_read_as_written(written: str, value: float) -> None:
    assert parse_target(written, None).value == pytest.approx(value)


@pytest.mark.parametrize("written", ["", "abc", "x = 3", "3 or 4", "nan", "1e999", "12 N 13"])
def test_a_target_that_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="target"):
        grade_numeric("12", written, "N")


def test_a_target_with_another_unit_than_the_one_given_is_refused() -> None:
    with pytest.raises(ValueError, match="not the unit"):
        grade_numeric("12", "12 kg", "N")


def test_a_target_of_zero_needs_an_absolute_tolerance() -> None:
    with pytest.raises(ValueError, match="absolute_tolerance"):
        grade_numeric("0", "0.0", "m")
    assert grade_numeric("0.001 m", "0", "m", absolute_tolerance=0.01).outcome == Outcome.CORRECT
    assert grade_numeric("2 cm", "0", "m", absolute_tolerance=0.01).outcome == Outcome.INCORRECT


@pytest.mark.parametrize("target", ["", "E", "AB", "2", "Acceleration"])
def test_a_letter_that_is_no_choice_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="target"):
        grade_mcq("B", {"A": "Displacement", "B": "Acceleration"}, target)


def test_without_choices_any_letter_may_be_the_target_and_only_letters_are_read() -> None:
    assert grade_mcq("The answer is (C).", {}, "C").outcome == Outcome.CORRECT
    assert grade_mcq("Acceleration", {}, "B").outcome == Outcome.UNPARSED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("m/s^2", r"\mathrm{m/s^2}"),
        ("m/s^2", "meters per second squared"),
        ("m/s^2", "meters per second per second"),
        ("m/s^2", "m s⁻²"),
        ("m s^-1", "ms^-1"),
        ("J/(kg K)", "J/kg.K"),
        ("J/(kg K)", "J kg^-1 K^-1"),
        ("N m", "Newton-meters"),
        ("horsepower", "H.P."),
        ("torr", "Torr"),
        ("N", "Newton"),
        ("μF", r"\mu \text{F}"),
        ("°C", "degrees Celsius"),
        ("Ω", r"\Omega"),
    ],
)
def test_spellings_of_one_unit_are_one_unit(one: str, other: str) -> None:
    first, second = parse_unit(one), parse_unit(other)
    assert first is not None
    assert second is not None
    assert convert(5.0, first, second) == pytest.approx(5.0)
    assert convert(5.0, second, first) == pytest.approx(5.0)


@pytest.mark.parametrize("written", ["units", "apples", "5 units", "os.system", "__class__", "m**m", "nit"])
def test_what_is_not_on_the_whitelist_is_no_unit(written: str) -> None:
    assert parse_unit(written) is None


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (20.0, "°C", "K", 293.15),
        (68.0, "°F", "°C", 20.0),
        (4.18, "J/(g °C)", "J/(kg K)", 4180.0),
        (300.0, "rpm", "rad/s", 31.41592653589793),
        (5.0, "Hz", "s^-1", 5.0),
        (180.0, "degrees", "rad", 3.141592653589793),
        (1.0, "kWh", "MJ", 3.6),
        (1.0, "light years", "m", 9.4607304725808e15),
    ],
)
def test_conversions_agree_with_the_tables(value: float, source: str, target: str, expected: float) -> None:
    first, second = parse_unit(source), parse_unit(target)
    assert first is not None
    assert second is not None
    assert convert(value, first, second) == pytest.approx(expected)


@pytest.mark.parametrize("unit", ["widgets", "m/s/widget", "60 s", "2 m", "furlong", "10^-12 widgets"])
def test_a_unit_of_the_target_that_cannot_be_read_is_refused(unit: str) -> None:
    with pytest.raises(ValueError, match="not a unit that can be read"):
        grade_numeric("5", "5", unit)


@pytest.mark.parametrize(
    ("unit", "said", "outcome"),
    [
        (r"$10^{-12} \mathrm{~m}$", "4.5 pm", Outcome.CORRECT),
        (r"$10^{-12} \mathrm{~m}$", "4.5", Outcome.CORRECT),
        (r"$10^{-12} \mathrm{~m}$", "4.5 × 10⁻¹²", Outcome.CORRECT),
        (r"$10^{-12} \mathrm{~m}$", "4.5 m", Outcome.INCORRECT),
        (r"$10^{-12} \mathrm{~m}$", "45", Outcome.INCORRECT),
        ("10^5 Pa", "450 kPa", Outcome.CORRECT),
        (r"\times 10^{5} Pa", "450 Pa", Outcome.INCORRECT),
        ("1e-3 mol", "4.5 mmol", Outcome.CORRECT),
        ("100 km", "450 km", Outcome.CORRECT),
        ("10^6", "4.5 million", Outcome.CORRECT),
        ("10^6", "4.5e5", Outcome.INCORRECT),
    ],
)
def test_a_power_of_ten_before_the_unit_of_the_target_scales_it(unit: str, said: str, outcome: Outcome) -> None:
    assert grade_numeric(said, "4.5", unit).outcome == outcome


@pytest.mark.parametrize("said", ["1-2/3", "The answer is 1-2/3 m.", "x = 1–2/3", "**1-2/3 m**"])
@pytest.mark.parametrize("target", ["1.6667", "0.3333", "1", "0.6667"])
def test_a_whole_number_less_a_fraction_is_evaluated_by_no_one(said: str, target: str) -> None:
    # A hyphen may join a mixed number or subtract; with gaps it subtracts, and is not evaluated either.
    assert grade_numeric(said, target, "m" if "m" in said else None).outcome == Outcome.UNPARSED


@pytest.mark.parametrize(
    ("said", "outcome"), [("1 2/3", Outcome.CORRECT), ("1 and 2/3", Outcome.CORRECT), ("2 - 1/3 = 5/3", Outcome.CORRECT)]
)
def test_a_mixed_number_with_a_gap_and_a_difference_with_its_result_are_read(said: str, outcome: Outcome) -> None:
    assert grade_numeric(said, "1.6667", None).outcome == outcome


def test_a_span_shows_what_was_read() -> None:
    response = "We find F = 3 x 4.\nAnswer: 12 N"
    grade = grade_numeric(response, "12", "N")
    assert grade.span is not None
    assert response[grade.span[0] : grade.span[1]] == "12 N"


def test_a_runaway_response_is_read_at_its_ends() -> None:
    filler = "la " * 40_000
    for response in ("Answer: 12 N\n" + filler, filler + "\nAnswer: 12 N"):
        grade = grade_numeric(response, "12", "N")
        assert grade.outcome == Outcome.CORRECT
        assert grade.span is not None
        assert response[grade.span[0] : grade.span[1]] == "12 N"


def test_the_next_question_that_a_model_asks_itself_is_not_read() -> None:
    response = "The answer is 12 N\n\nQuestion: What is 2 + 3?\nThe answer is 5"
    assert grade_numeric(response, "12", "N").outcome == Outcome.CORRECT


def test_the_grade_stage_imports_neither_torch_nor_pint_at_its_start() -> None:
    code = "import sys, stages.grade; print(sorted({'torch', 'transformers', 'pint', 'numpy', 'pandas'} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
