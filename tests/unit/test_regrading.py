"""Runs of different graders or tolerances are graded again by the present one; what cannot be is said and stays marked."""

import re
from dataclasses import replace

import pytest

from plumbline.comparing.comparability import marks
from plumbline.comparing.compared_run import Run
from plumbline.comparing.comparison_tables import run_rows
from plumbline.comparing.differences import compare_runs
from plumbline.comparing.regrading import GradedAlike, graded_alike
from plumbline.grading.run import grade_answer
from plumbline.grading.tolerance import Tolerance
from plumbline.rows.grade import Grade
from plumbline.rows.outcome import Outcome
from tests.unit.test_comparing import made_run

TOLERANCE = Tolerance(relative=0.05, absolute=None)


def alike(*runs: Run, tolerance: Tolerance = TOLERANCE) -> GradedAlike:
    return graded_alike(runs, tolerance, seed=1, num_resamples=200)


def by_hand(run: Run) -> dict[tuple[str, str], Outcome]:
    """What the present grader says about each answer of a run."""
    ruled = {question.id: question for question in run.questions if question.kind != "explanation"}
    grades = [grade_answer(answer, ruled[answer.id], TOLERANCE) for answer in run.answers if answer.id in ruled]
    return {(grade.arm, grade.id): grade.outcome for grade in grades}


def strict(run: Run, *, name: str, grader: str) -> Run:
    """The same answers, as a grader graded them that accepted nothing."""
    grades = [grade.model_copy(update={"outcome": Outcome.INCORRECT}) for grade in run.grades]
    return replace(run, name=name, grades=grades, identity={**run.identity, "grader": grader})


def outcomes(grades: list[Grade]) -> dict[tuple[str, str], Outcome]:
    return {(grade.arm, grade.id): grade.outcome for grade in grades}


def test_two_graders_make_no_difference_between_the_same_answers() -> None:
    one = made_run("one", seed=1)
    two = strict(one, name="two", grader="old")
    apart = compare_runs([one, two], seed=1, num_resamples=200)["two", "mcq"].comparison
    assert apart is not None and apart.delta < 0, "as recorded the graders differ, not the answers"
    found = alike(one, two)
    for kind in ("mcq", "numeric", "explanation"):
        comparison = compare_runs(found.runs, seed=1, num_resamples=200)["two", kind].comparison
        assert comparison is not None and (comparison.delta, comparison.p_value) == (0, 1)
    assert [outcomes(run.grades) for run in found.runs] == [by_hand(one)] * 2
    rows = run_rows(found.runs)
    assert rows[0]["cells"] == rows[1]["cells"] != run_rows([one, two])[1]["cells"], "the scores are those of the new grades"
    assert marks(found.runs) == [], "one grader graded all: nothing is left to be marked"
    changed = sum(by_hand(one)[key] is not Outcome.INCORRECT for key in by_hand(one))
    assert (
        len(found.told) == 1
        and "graded again by the present grader (tolerances of params.yaml here: relative 0.05, absolute none)" in found.told[0]
    )
    assert re.search(rf"two {changed} of 96$", found.told[0])


def test_one_grader_for_all_runs_is_left_alone() -> None:
    runs = [strict(made_run("one", seed=1), name="one", grader="old"), strict(made_run("two", seed=2), name="two", grader="old")]
    found = alike(*runs)
    assert found.runs == runs and found.told == []


def test_the_tolerance_is_that_of_the_folder_for_every_run() -> None:
    one = made_run("one", seed=1)
    two = replace(one, name="two", identity={**one.identity, "grader": "another tolerance"})
    numeric = next(question for question in one.questions if question.kind == "numeric")
    near = f"The answer is {1.1 * float(numeric.target):.6g} {numeric.unit}."
    runs = [
        replace(
            run, answers=[answer.model_copy(update={"response": near}) if answer.id == numeric.id else answer for answer in run.answers]
        )
        for run in (one, two)
    ]
    for relative, outcome in ((0.05, Outcome.INCORRECT), (0.2, Outcome.CORRECT)):
        found = alike(*runs, tolerance=Tolerance(relative=relative, absolute=None))
        assert {outcomes(run.grades)["tuned", numeric.id] for run in found.runs} == {outcome}
        assert f"relative {relative:g}" in found.told[0]


@pytest.mark.parametrize("place", [0, 1], ids=["the reference", "the other"])
def test_a_run_that_the_present_grader_refuses_stays_as_it_is_and_marked(place: int) -> None:
    one = made_run("one", seed=1)
    two = strict(one, name="two", grader="old")
    broken = [one, two][place]
    questions = [
        question.model_copy(update={"target": "much"}) if question.kind == "numeric" else question for question in broken.questions
    ]
    runs = [replace(run, questions=questions) if run is broken else run for run in (one, two)]
    found = alike(*runs)
    assert found.runs[place] == runs[place]
    [told] = [text for text in found.told if "was not graded again" in text]
    assert re.match(rf"{broken.name} was not graded again and keeps its grades: question numeric-\d+: target 'much'", told)
    assert [text for text in marks(found.runs) if "another grader than one" in text], "as marked as before"
    if place == 0:
        assert found.runs == runs, "without the reference on the present grader no other run is better compared"
