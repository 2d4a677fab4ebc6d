"""Settings of grading by rule. Pure."""

from plumbline.grading.tolerance import Tolerance
from plumbline.pipeline.record import Params


class GradeParams(Params):
    """How near a number must be to its target."""

    relative_tolerance: float
    """Fraction of a numeric target within which a value is right."""
    absolute_tolerance: float | None
    """In the target's unit; needed only if a numeric target is 0."""

    @property
    def tolerance(self) -> Tolerance:
        return Tolerance(relative=self.relative_tolerance, absolute=self.absolute_tolerance)
