"""What became of one answer: four outcomes, never a float that hides which."""

from enum import StrEnum


class Outcome(StrEnum):
    """correct + incorrect + unparsed + unjudged = n, for every kind and arm."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNPARSED = "unparsed"
    """The candidate committed to no readable answer, or to several: wrong in the headline, reported as its own rate."""
    UNJUDGED = "unjudged"
    """Our judge gave no verdict: excluded from the mean, counted, bounded."""
