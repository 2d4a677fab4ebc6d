"""Grade a response by the rule of its question's kind, into one shape. A formula is compared in a child process."""

from dataclasses import dataclass

from plumbline.grading.formulas import grade_formula
from plumbline.grading.letter_sets import LettersGrade, grade_letters
from plumbline.grading.mcq import McqGrade, grade_mcq
from plumbline.grading.number_lists import grade_numbers
from plumbline.grading.numeric import NumericGrade, grade_numeric
from plumbline.grading.read_grade import ReadGrade
from plumbline.grading.tolerance import Tolerance, tolerance_of
from plumbline.grading.yes_no import grade_yes_no
from plumbline.rows.outcome import Outcome, Reading
from plumbline.rows.question import Question


@dataclass(frozen=True, kw_only=True)
class RuleGrade:
    """The verdict of a rule on one response, for all kinds."""

    outcome: Outcome
    score: float | None = None
    """Partial credit; None means 1 for `correct`, else 0."""
    extracted: str | None
    reading: Reading
    span: tuple[int, int] | None
    tier: str | None
    flags: tuple[str, ...]
    """Sorted."""


def graded_by_rule(response: str, question: Question, tolerance: Tolerance) -> RuleGrade:
    """Grade a response to an mcq or numeric question. ValueError if the question's target cannot be a target.

    `tolerance` is for all questions; a question's own tolerance replaces it.
    """
    assert question.kind != "explanation"
    due = tolerance_of(question, tolerance)
    match question.answer_kind:
        case "letters":
            letters = grade_letters(response, question.choices, question.target, question.partial_credit)
            return rule_grade(letters, letters.extracted, score=letters.score)
        case "yes_no":
            found = grade_yes_no(response, question.choices, question.target)
        case "numbers" | "number_set":
            found = grade_numbers(
                response,
                question.target,
                question.unit,
                in_order=question.answer_kind == "numbers",
                relative_tolerance=due.relative,
                absolute_tolerance=due.absolute,
            )
        case "expression":
            found = grade_formula(response, question.target, relative_tolerance=due.relative)
        case None if question.kind == "mcq":
            found = grade_mcq(response, question.choices, question.target)
        case None:
            number = grade_numeric(
                response, question.target, question.unit, relative_tolerance=due.relative, absolute_tolerance=due.absolute
            )
            return rule_grade(number, number.extracted_text)
    return rule_grade(found, found.extracted)


def rule_grade(
    found: ReadGrade | McqGrade | LettersGrade | NumericGrade, extracted: str | None, *, score: float | None = None
) -> RuleGrade:
    """The verdict of any rule, with the answer that it read, as text."""
    return RuleGrade(
        outcome=found.outcome,
        score=score,
        extracted=extracted,
        reading=found.reading,
        span=found.span,
        tier=found.tier,
        flags=tuple(sorted(found.flags)),
    )
