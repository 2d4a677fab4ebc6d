"""What happened to one answer: four outcomes, never a number that hides which; and how a rule read it."""

from enum import StrEnum


class Outcome(StrEnum):
    """correct + incorrect + unparsed + unjudged = n, for every kind and arm."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNPARSED = "unparsed"
    """The candidate committed to no readable answer, or to several: wrong in the headline, reported as its own rate."""
    UNJUDGED = "unjudged"
    """Our judge gave no verdict: excluded from the mean, counted, bounded."""


class Reading(StrEnum):
    """How many answers a rule read in one response."""

    VALUE = "value"
    """Exactly one."""
    NONE = "none"
    MULTIPLE = "multiple"
    """Several that the response does not decide between, or a range wider than the tolerance."""
    CONFLICT = "conflict"
    """Statements that contradict each other."""


def score_of(outcome: Outcome, partial: float | None) -> float:
    """A rule's verdict as a score: its partial credit if it gives any, else 1 for right, and 0 for wrong and unreadable."""
    if outcome is Outcome.UNJUDGED:
        raise ValueError("unjudged is not a score: rules leave nothing unjudged.")
    if partial is not None:
        return partial
    return 1.0 if outcome is Outcome.CORRECT else 0.0
