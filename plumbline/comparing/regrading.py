"""Grade the answers of runs again by the present grader, if different graders or tolerances graded them. Touches nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from plumbline.comparing.compared_run import Run
from plumbline.grading.run import grade_answer
from plumbline.grading.tolerance import Tolerance
from plumbline.reporting.ledger import ledgers
from plumbline.reporting.numbers import arm_numbers
from plumbline.reporting.scored import join_verdicts
from plumbline.rows.grade import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedAlike:
    """Runs, those graded again among them."""

    runs: list[Run]
    told: list[str]
    """What was graded again, and what could not be, a sentence each; empty if one grader graded all."""


def graded_alike(runs: Sequence[Run], tolerance: Tolerance, *, seed: int, num_resamples: int) -> GradedAlike:
    """The runs with the grades of one grader: as they are if one grader graded all, else graded again by the present one.

    A run that cannot be graded again keeps its grades, and its identity says so. If the first run cannot, no other is graded again.
    """
    if len({run.identity["grader"] for run in runs}) == 1:
        return GradedAlike(runs=list(runs), told=[])
    found, changes, failures = [], [], []
    for run in runs:
        try:
            again, num_changed = graded_again(run, tolerance, seed=seed, num_resamples=num_resamples)
        except ValueError as error:
            failures.append(f"{run.name} was not graded again and keeps its grades: {str(error).rstrip('.')}")
            if run is runs[0]:
                return GradedAlike(runs=list(runs), told=failures)
            again = run
        else:
            changes.append(f"{run.name} {num_changed} of {len(again.grades)}")
        found.append(again)
    absolute = "none" if tolerance.absolute is None else f"{tolerance.absolute:g}"
    again = (
        f"graded again by the present grader (tolerances of params.yaml here: relative {tolerance.relative:g}, absolute {absolute}), "
        f"because different graders or tolerances had graded them; verdicts that changed: {', '.join(changes)}"
    )
    return GradedAlike(runs=found, told=[again, *failures])


def graded_again(run: Run, tolerance: Tolerance, *, seed: int, num_resamples: int) -> tuple[Run, int]:
    """A run with the present grader's verdicts and scores, and how many verdicts changed. ValueError if it refuses a reference."""
    questions = [question for question in run.questions if question.kind != "explanation"]
    if run.answers_gone is not None:
        raise ValueError("its answers are in neither cache nor remote")
    ruled = {question.id: question for question in questions}
    answers = [answer for answer in run.answers if answer.id in ruled]
    grades: list[Grade] = []
    for answer in answers:
        try:
            grades.append(grade_answer(answer, ruled[answer.id], tolerance))
        except ValueError as error:
            raise ValueError(f"question {answer.id}: {error}") from error
    before = {(grade.arm, grade.id, grade.sample): grade.outcome for grade in run.grades}
    num_changed = sum(before.get((grade.arm, grade.id, grade.sample)) is not grade.outcome for grade in grades)
    by_kind = ledgers(
        questions,
        join_verdicts(questions, answers, grades, ()),
        comparisons=(),
        overlapping=(),
        seed=seed,
        num_resamples=num_resamples,
    )
    # Only the scores of the arms are read from a run's ledger: their difference there stays that of its report.
    kinds = {
        kind: numbers | ({"arms": {arm: arm_numbers(counts) for arm, counts in by_kind[kind].arms.items()}} if kind in by_kind else {})
        for kind, numbers in run.evaluation["kinds"].items()
    }
    again = replace(
        run,
        grades=grades,
        evaluation={**run.evaluation, "kinds": kinds},
        identity={**run.identity, "grader": f"the present one, {tolerance}"},
    )
    return again, num_changed
