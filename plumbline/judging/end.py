"""When a judge's model stops answering, and whether that is soon. Reads the SDK's table of ends, and the clock in `today`."""

import re
from datetime import UTC, date, datetime

WARN_WITHIN_DAYS = 30


def today() -> date:
    """The present day in UTC, for messages to people. No output may depend on it."""
    return datetime.now(UTC).date()


def end_of_life(model: str) -> str | None:
    """ISO date on which a model stops answering; None if no end has been announced (notice is at least 60 days).

    It uses no clock: the date is a fact about the judge, and the same on every machine.
    """
    # Imported here: most callers do not need the SDK (0.7 s).
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    announced = DEPRECATED_MODELS.get(model)
    if announced is None:
        return None
    plain = re.sub(r"(?<=\d)(st|nd|rd|th)", "", announced)  # "November 30th, 2026"
    return datetime.strptime(plain, "%B %d, %Y").replace(tzinfo=UTC).date().isoformat()


def end_warning(model: str, *, end: str | None, today: date) -> str | None:
    """A warning from `WARN_WITHIN_DAYS` before the day on which a model stops answering. None before, and if no end is announced.

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
    return f"the judge {model} {when}: judge the same answers with its successor, and bridge the two (plumbline judge-bridge)"
