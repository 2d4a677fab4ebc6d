"""When the end of the judge's model is near enough to act. Pure: the day is given."""

from datetime import date

WARN_WITHIN_DAYS = 30


def end_warning(model: str, *, end: str | None, today: date) -> str | None:
    """A sentence from `WARN_WITHIN_DAYS` before the day on which a model stops answering; None before, and where no end is announced.

    `end`: ISO date.
    """
    if end is None:
        return None
    num_days = (date.fromisoformat(end) - today).days
    if num_days > WARN_WITHIN_DAYS:
        return None
    if num_days < 0:
        when = f"stopped answering on {end}, {-num_days} day{'' if num_days == -1 else 's'} ago"
    else:
        when = f"stops answering on {end}, " + ("today" if num_days == 0 else f"in {num_days} day{'' if num_days == 1 else 's'}")
    return f"the judge {model} {when}: judge the same answers with its successor and bridge the two (plumbline judge-bridge)"
