"""Grade an answer that is a formula. It is read here and compared in a child process, which this module starts."""

from collections.abc import Sequence

from plumbline.grading.answer_targets import parse_formula
from plumbline.grading.answer_zones import cleaned
from plumbline.grading.formula_judge import Verdict, formula_judge
from plumbline.grading.formula_reading import find_formula
from plumbline.grading.formula_readings import has_decimal, rounding
from plumbline.grading.formula_trees import Tree
from plumbline.grading.read_grade import ReadGrade
from plumbline.rows.outcome import Outcome, Reading


def grade_formula(response: str, target: str, *, relative_tolerance: float = 0.05) -> ReadGrade:
    """Grade a response against a formula. ValueError for a target that cannot be read.

    Two formulas are the same if they depend on the same symbols and have the same value at points chosen by hash, all symbols positive.
    If the target has numbers with decimals, values within relative_tolerance are the same. If only the answer has them, its own rounding
    is the tolerance.
    """
    goals = parse_formula(target)
    read = cleaned(response)
    if read.own.is_cut:
        return ReadGrade(Outcome.UNPARSED, None, Reading.NONE, None, None, frozenset({"cut_while_thinking"}))
    found = find_formula(read)
    if found is None:
        return ReadGrade(Outcome.UNPARSED, None, Reading.NONE, None, None)
    start = found.zone.start
    span = None if start is None else read.span(start, start + len(found.zone.text))
    verdict = best_verdict(goals, found.trees, relative_tolerance)
    if verdict is Verdict.UNDECIDED:
        return ReadGrade(Outcome.UNPARSED, found.written, Reading.NONE, span, found.zone.tier, frozenset({"comparison_stopped"}))
    outcome = Outcome.CORRECT if verdict is Verdict.EQUAL else Outcome.INCORRECT
    return ReadGrade(outcome, found.written, Reading.VALUE, span, found.zone.tier)


def best_verdict(goals: Sequence[Tree], answers: Sequence[Tree], relative_tolerance: float) -> Verdict:
    """Equal if any way to read the answer equals any way to read the target. Undecided if no pair is equal and one is undecided."""
    verdict = Verdict.DIFFERENT
    for goal in goals:
        for answer in answers:
            tolerance = relative_tolerance if has_decimal(goal) else min(relative_tolerance, rounding(answer))
            found = formula_judge().compare(goal, answer, tolerance)
            if found is Verdict.EQUAL:
                return found
            verdict = found if found is Verdict.UNDECIDED else verdict
    return verdict
