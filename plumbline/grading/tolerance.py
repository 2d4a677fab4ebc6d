"""How far a value may be from its target: what `grade` says for all questions, and what one question says for itself. Pure."""

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
    """In the target's unit; needed only where the target is 0."""


def targets_of(question: Question) -> list[float]:
    """The numbers that an answer is compared with; none for a formula and for the other kinds. ValueError where they cannot be read."""
    if question.kind != "numeric" or question.answer_kind == "expression":
        return []
    if question.answer_kind is None:
        return [parse_target(question.target, question.unit).value]
    return [goal.value for goal in parse_numbers(question.target, question.unit)]


def needs_absolute_tolerance(question: Question) -> bool:
    """Whether a target is 0, which no fraction of it bounds, and the question itself names no other tolerance."""
    if question.tolerance is not None and question.tolerance.absolute is not None:
        return False
    return any(target == 0 for target in targets_of(question))


def tolerance_of(question: Question, general: Tolerance) -> Tolerance:
    """The tolerance of one question: its own in place of both of `general`, if it has one.

    An absolute one is given as the fraction of the target that it is, too: by it the grader tells one value stated twice from two.
    """
    own = question.tolerance
    if own is None:
        return general
    relative = own.relative or 0.0
    if own.absolute is not None and question.answer_kind is None:
        [target] = targets_of(question)
        relative = max(relative, own.absolute / abs(target)) if target else relative
    return Tolerance(relative=relative, absolute=own.absolute)
