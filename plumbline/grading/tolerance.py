"""How far a value may be from its target: by section `grade` for all questions, or by a question for itself. Pure."""

from dataclasses import dataclass

from plumbline.grading.answer_targets import parse_numbers
from plumbline.grading.numeric_target import parse_target
from plumbline.rows.question import Question


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a value may be from a numeric target."""

    relative: float
    """Fraction of the target."""
    absolute: float | None
    """In the target's unit; needed only if the target is 0."""


def targets_of(question: Question) -> list[float]:
    """The numbers to compare an answer with; none for a formula and for the other kinds. ValueError if they cannot be read."""
    if question.kind != "numeric" or question.answer_kind == "expression":
        return []
    if question.answer_kind is None:
        return [parse_target(question.target, question.unit).value]
    return [goal.value for goal in parse_numbers(question.target, question.unit)]


def needs_absolute_tolerance(question: Question) -> bool:
    """Whether a target is 0, where a relative tolerance has no effect, and the question names no other tolerance."""
    if question.tolerance is not None and question.tolerance.absolute is not None:
        return False
    return any(target == 0 for target in targets_of(question))


def tolerance_of(question: Question, general: Tolerance) -> Tolerance:
    """The tolerance of one question: its own, if it has one, instead of both values of `general`.

    An absolute tolerance is also given as a fraction of the target: with it, the grader tells one value stated twice from two values.
    """
    own = question.tolerance
    if own is None:
        return general
    relative = own.relative or 0.0
    if own.absolute is not None and question.answer_kind is None:
        [target] = targets_of(question)
        relative = max(relative, own.absolute / abs(target)) if target else relative
    return Tolerance(relative=relative, absolute=own.absolute)
