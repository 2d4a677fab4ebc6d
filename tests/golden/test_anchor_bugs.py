"""Bugs of established graders, each a case that this one must not share (docs/decisions.md names the sources)."""

import ast
from pathlib import Path

import pytest

from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric
from plumbline.rows.outcome import Outcome

GRADING = Path(__file__).resolve().parents[2] / "plumbline" / "grading"
CORRECT, INCORRECT, UNPARSED = Outcome.CORRECT, Outcome.INCORRECT, Outcome.UNPARSED


@pytest.mark.parametrize(("response", "target"), [("4.39e3", "439"), ("1.5e-3", "1.5e3"), ("200", "2"), ("0.2", "2")])
def test_ugphysics_any_power_of_ten_error_is_wrong_and_counted(response: str, target: str) -> None:
    grade = grade_numeric(response, target, None)
    assert grade.outcome == INCORRECT
    assert "power_of_ten" in grade.flags


def test_ugphysics_a_unit_in_latex_never_blocks_the_number() -> None:
    assert grade_numeric(r"2 \text{m/s}", "2", None).outcome == CORRECT


@pytest.mark.parametrize("response", [r"5 \hbar", r"5 k_B T", "The answer is 5G", r"5 \epsilon_0", "2GM/r"])
def test_ugphysics_a_number_times_a_symbol_is_not_that_number(response: str) -> None:
    assert grade_numeric(response, response.split("answer is ")[-1][0], None).outcome == UNPARSED


def test_ugphysics_the_tolerance_in_the_code_is_the_one_in_the_parameters() -> None:
    assert grade_numeric("9.9", "9.81", None, relative_tolerance=0.005).outcome == INCORRECT
    assert grade_numeric("9.9", "9.81", None, relative_tolerance=0.01).outcome == CORRECT


@pytest.mark.parametrize(
    ("response", "target"),
    [
        (r"1 \times 10^{-20}", r"5 \times 10^{-20}"),
        (r"1 \times 10^{-34}", r"6.63 \times 10^{-34}"),
        (r"1.7 \times 10^{-19}", r"1.6 \times 10^{-19}"),
        ("2.2e30", "2.0e30"),
    ],
)
def test_math_verify_the_tolerance_is_relative_at_every_scale(response: str, target: str) -> None:
    assert grade_numeric(response, target, None).outcome == INCORRECT
    assert grade_numeric(target, target, None).outcome == CORRECT


@pytest.mark.parametrize("response", ["1.6e-19", r"\boxed{1.6e-19}", "1.6E-19 C", "It is 1.6e-19."])
def test_math_verify_e_notation_is_read_whole(response: str) -> None:
    assert grade_numeric(response, "1.6e-19", "C").outcome == CORRECT
    assert grade_numeric(response, "1.6e-25", "C").outcome == INCORRECT


def test_math_verify_dimensions_are_checked_and_units_converted() -> None:
    assert grade_numeric("5 m", "5", "kg").flags >= {"unit_mismatch"}
    assert grade_numeric("1500 m", "1.5", "km").outcome == CORRECT


@pytest.mark.parametrize("glyph", ["-", "−", "–", "‐", "‑", "﹣", "－"])
@pytest.mark.parametrize("gap", ["", " "])
def test_math_verify_every_minus_sign_is_a_minus_sign(glyph: str, gap: str) -> None:
    response = f"The charge is {glyph}{gap}1.6 × 10^-19 C."
    assert grade_numeric(response, "-1.6e-19", "C").outcome == CORRECT
    assert grade_numeric(response, "1.6e-19", "C").outcome == INCORRECT


def test_math_verify_superscript_exponents_are_read() -> None:
    assert grade_numeric("1.6 × 10⁻¹⁹", "1.6e-19", None).outcome == CORRECT


@pytest.mark.parametrize("response", ["2{,}000", "$2{,}000$", r"\boxed{2{,}000}", "2,000", r"2\,000"])
def test_math_verify_latex_thousands_are_read_inside_and_outside_math(response: str) -> None:
    assert grade_numeric(response, "2000", None).outcome == CORRECT


def test_math_verify_json_wrapped_values_are_read() -> None:
    grade = grade_numeric('{"average": "25 m/s"}', "25", "m/s")
    assert grade.outcome == CORRECT
    assert "json_wrapped" in grade.flags


def test_math_verify_a_root_equals_its_decimal() -> None:
    assert grade_numeric(r"\sqrt{2}", "1.414", None).outcome == CORRECT


def test_physics_an_answer_without_a_box_is_read() -> None:
    assert grade_numeric("So the force is 12 N.", "12", "N").outcome == CORRECT


def test_physics_a_subscript_is_part_of_the_name() -> None:
    assert grade_numeric("a_1", "1", None).outcome == UNPARSED


def test_physics_latex_text_is_no_tab() -> None:
    assert grade_numeric("12 \\text{N}", "12", "N").outcome == CORRECT


@pytest.mark.parametrize(("response", "target"), [("0.012", "0.003"), ("1000.5", "1000"), ("3e-36", "3e-35")])
def test_jeebench_the_tolerance_scales_with_the_target(response: str, target: str) -> None:
    expected = CORRECT if response == "1000.5" else INCORRECT
    assert grade_numeric(response, target, None).outcome == expected


def test_scibench_a_missing_box_changes_the_tier_and_not_the_verdict() -> None:
    boxed, plain = grade_numeric(r"\boxed{12}", "12", None), grade_numeric("The answer is 12.", "12", None)
    assert boxed.outcome == plain.outcome == CORRECT
    assert (boxed.tier, plain.tier) == ("boxed", "declared")


@pytest.mark.parametrize("response", ["__import__('os').system('true')", "sum([2, 3])", "len('abcde')", "9**9**9**9"])
def test_theoremqa_model_text_is_never_evaluated(response: str) -> None:
    assert grade_numeric(response, "5", None).outcome != CORRECT


def test_theoremqa_no_grader_module_can_evaluate() -> None:
    for path in sorted(GRADING.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not called & {"eval", "exec", "compile", "sympify", "parse_expr"}, path
        # The child that compares formulas gets trees, and calls constructors alone.
        assert "sympy" not in imported or path.name == "formula_child.py", path


def test_theoremqa_words_are_whole_words() -> None:
    assert grade_numeric("I know nothing", "0", None, absolute_tolerance=0.1).outcome == UNPARSED


def test_theoremqa_percent_has_a_policy() -> None:
    assert grade_numeric("25%", "25", "%").outcome == CORRECT
    assert grade_numeric("25%", "0.25", "").outcome == CORRECT
    assert grade_numeric("0.25%", "0.25", "").outcome == INCORRECT
    assert grade_numeric("25", "0.25", "").outcome == INCORRECT


def test_simple_evals_negative_answers_keep_their_sign() -> None:
    assert grade_numeric("The answer is -5.", "5", None).outcome == INCORRECT
    assert grade_numeric("The answer is -5.", "-5", None).outcome == CORRECT


def test_lm_eval_exponents_count() -> None:
    assert grade_numeric("3.2 x 10^5", "3.2", None).outcome == INCORRECT


@pytest.mark.parametrize("response", ["The answer is , therefore.", ",", ".", "-", "$,$"])
def test_helm_a_lone_comma_is_no_number(response: str) -> None:
    assert grade_numeric(response, "5", None).outcome == UNPARSED


def test_inspect_ai_an_operand_is_not_the_final_answer() -> None:
    assert grade_numeric("3 + 4 = 7", "4", None).outcome == INCORRECT
    assert grade_numeric("3 + 4 = 7", "7", None).outcome == CORRECT


def test_camel_a_failed_conversion_is_a_mismatch_and_not_a_comparison() -> None:
    grade = grade_numeric("12 J", "12", "N")
    assert (grade.outcome, grade.extracted) == (INCORRECT, None)
    assert "unit_mismatch" in grade.flags


def test_study_the_first_capital_letter_is_not_the_answer() -> None:
    choices = {"A": "Displacement", "B": "Acceleration", "C": "Force", "D": "Momentum"}
    assert grade_mcq("A velocity-time graph has a slope: the answer is B.", choices, "B").outcome == CORRECT
    assert grade_mcq("A velocity-time graph has a slope.", choices, "A").outcome == UNPARSED
