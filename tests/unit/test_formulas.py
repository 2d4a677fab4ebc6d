"""Formulas are read by a grammar, compared in a child process, and can neither run code nor hold up a run."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plumbline.grading.answer_targets import parse_formula
from plumbline.grading.formula_judge import KEPT, FormulaJudge, Verdict, formula_judge
from plumbline.grading.formula_trees import MAX_NODES, Tree, read_formula
from plumbline.grading.formulas import grade_formula
from plumbline.rows.outcome import Outcome

ATOMS = st.sampled_from(["x", "y", "v_0", "2", "3", "\\pi", "\\omega"])
FORMULAS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} + {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} * {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"\\frac{{{pair[0]}}}{{{pair[1]}}}"),
        inner.map(lambda one: f"\\sqrt{{{one}}}"),
        inner.map(lambda one: f"\\sin({one})"),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "open('/etc/passwd')",
        "lambda x: x",
        "x.y",
        "x; y",
        "a <= b",
        "a != b",
        "\\int x dx",
        "\\sum_{i} x_i",
        "x^",
        "(x",
        "x)",
        "\\frac{1}",
        "velocity",
        "",
        "5 \\%",
        "{" * 500,
        "x+" * 299 + "x",
        "((" * 60 + "x" + "))" * 60,
        "x" * 601,
    ],
)
def test_what_is_no_formula_is_never_read(text: str) -> None:
    with pytest.raises(ValueError):
        parse_formula(text)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1/2 m", ["*", ["/", ["num", "1"], ["num", "2"]], ["sym", "m"]]),
        ("L/2g", ["/", ["sym", "L"], ["*", ["num", "2"], ["sym", "g"]]]),
        ("-x^2", ["*", ["num", "-1"], ["^", ["sym", "x"], ["num", "2"]]]),
        ("e^x", ["fn", "exp", ["sym", "x"]]),
        ("e x", ["*", ["sym", "e"], ["sym", "x"]]),
        ("T_max", ["sym", "T_max"]),
        ("\\sin 2x", ["fn", "sin", ["*", ["num", "2"], ["sym", "x"]]]),
        ("1{,}200", ["num", "1200"]),
    ],
)
def test_a_formula_becomes_the_tree_that_a_person_sees(text: str, tree: Tree) -> None:
    assert read_formula(text) == tree


@settings(max_examples=60, deadline=None)
@example("\\frac{x}{\\sin(\\pi)}", "x")
@given(FORMULAS, FORMULAS)
def test_a_formula_equals_itself_in_other_words_and_not_itself_plus_one(one: str, other: str) -> None:
    first = read_formula(one)
    for same in (f"({one})", f"{one} + 0", f"2 ({one}) / 2", f"({one}) + {other} - {other}"):
        assert formula_judge().compare(first, read_formula(same), 0.0) in (Verdict.EQUAL, Verdict.UNDECIDED)
    assert formula_judge().compare(first, read_formula(f"{one} + 1"), 0.0) in (Verdict.DIFFERENT, Verdict.UNDECIDED)


def test_a_comparison_that_takes_too_long_is_stopped_and_the_next_one_works() -> None:
    judge = FormulaJudge(seconds=0.01)
    deep = read_formula("+".join(f"\\sin(x^{number}+\\cos({number}x))" for number in range(2, 28)))
    begin = time.monotonic()
    assert judge.compare(read_formula("x"), deep, 0.0) is Verdict.UNDECIDED
    assert time.monotonic() - begin < 60
    judge.seconds = 60.0
    assert judge.compare(read_formula("x"), read_formula("x"), 0.0) is Verdict.EQUAL
    judge.stop()


def test_the_memory_of_the_child_is_limited_by_the_system() -> None:
    judge = FormulaJudge(memory_bytes=700 * 1024**2)
    judge.start()
    assert judge.child is not None
    limits = Path(f"/proc/{judge.child.pid}/limits")
    if limits.exists():
        line = next(line for line in limits.read_text().splitlines() if line.startswith("Max address space"))
        assert line.split()[3:5] == [str(700 * 1024**2)] * 2
    judge.stop()


def test_names_of_code_are_symbols_like_any_other() -> None:
    assert read_formula("exec(x)") == read_formula("e x e c (x)")


@pytest.mark.parametrize("text", ["9^(9^(9^9))", "9**9**9**9", "x^(x^(x^(x^(x^x))))", "((10!)!)!", "10^(-10^9)", "2^(10^6) x"])
def test_a_formula_that_grows_without_end_is_unparsed_and_says_why(text: str) -> None:
    grade = grade_formula(text, "x")
    assert grade.outcome in (Outcome.UNPARSED, Outcome.INCORRECT)
    assert grade.outcome is Outcome.INCORRECT or "comparison_stopped" in grade.flags


def test_a_child_that_is_gone_is_started_again() -> None:
    judge = FormulaJudge()
    assert judge.compare(read_formula("x"), read_formula("x"), 0.0) is Verdict.EQUAL
    assert judge.child is not None
    judge.child.kill()
    judge.child.wait()
    assert judge.compare(read_formula("x"), read_formula("y"), 0.0) is Verdict.DIFFERENT
    judge.stop()


def test_the_child_sees_no_key_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    judge = FormulaJudge()
    judge.start()
    assert judge.child is not None
    environment = Path(f"/proc/{judge.child.pid}/environ")
    if environment.exists():
        names = {entry.split("=")[0] for entry in environment.read_text().split("\0") if entry}
        assert names <= {*KEPT, "LC_CTYPE"} and "ANTHROPIC_API_KEY" in os.environ
    judge.stop()


def test_the_size_of_a_tree_is_bounded() -> None:
    with pytest.raises(ValueError, match="the formula is too large"):
        read_formula("+".join(["x"] * MAX_NODES))


def test_what_has_no_value_equals_nothing() -> None:
    nothing = read_formula("x/(1-1)")
    assert formula_judge().compare(nothing, nothing, 0.0) is Verdict.UNDECIDED


def test_decimals_are_compared_within_the_tolerance_and_whole_numbers_exactly() -> None:
    assert grade_formula("6.28 r", "2\\pi r", relative_tolerance=0.01).outcome is Outcome.CORRECT
    assert grade_formula("6.4 r", "2\\pi r", relative_tolerance=0.01).outcome is Outcome.INCORRECT
    assert grade_formula("\\frac{22}{7} r", "\\pi r", relative_tolerance=0.05).outcome is Outcome.INCORRECT
