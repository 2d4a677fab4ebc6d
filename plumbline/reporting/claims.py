"""What may be claimed about a difference: it must be shown, and be larger than the change when the same model is asked again. Pure."""

from plumbline.statistics import Comparison, Direction, Verdict, shown_direction, verdict_at


def is_below_floor(comparison: Comparison | None, p_value: float | None, floor: float) -> bool:
    """Whether the test shows a difference that the floor forbids to claim. `p_value`: adjusted; `floor`: in 0..1, 0 without a floor."""
    if comparison is None or p_value is None or shown_direction(comparison.ci95, p_value) is Direction.NONE:
        return False
    return abs(comparison.delta) <= floor


def claimed_direction(comparison: Comparison | None, p_value: float | None, floor: float) -> Direction:
    """What may be said about the second arm."""
    if comparison is None or p_value is None:
        return Direction.UNSCORED
    return Direction.NONE if is_below_floor(comparison, p_value, floor) else shown_direction(comparison.ci95, p_value)


def verdict_above(floor: float, value: float, ci95: tuple[float, float], p_value: float, margin: float | None) -> Verdict:
    """The verdict at a margin. A value within the floor is neither `better` nor `worse`; `not worse` depends on the interval alone."""
    verdict = verdict_at(ci95, p_value, margin)
    if verdict in (Verdict.NOT_WORSE, Verdict.NOT_ENOUGH) or abs(value) > floor:
        return verdict
    return Verdict.NOT_WORSE if margin is not None and ci95[0] > -margin else Verdict.NOT_ENOUGH
