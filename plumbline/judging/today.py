"""The day. For what is said to people; what goes into an output must not depend on it."""

from datetime import UTC, date, datetime


def today() -> date:
    """The present day in UTC."""
    return datetime.now(UTC).date()
