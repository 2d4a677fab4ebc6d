"""Announced ends of judge models, as the pinned SDK lists them. Touches anthropic's tables; asks nobody."""

import re
from datetime import UTC, datetime

from anthropic.resources.messages.messages import DEPRECATED_MODELS


def end_of_life(model: str) -> str | None:
    """ISO date on which a model stops answering; None where no end has been announced (notice is at least 60 days).

    No clock here: the date is a fact about the judge, and the same on every machine.
    """
    announced = DEPRECATED_MODELS.get(model)
    if announced is None:
        return None
    plain = re.sub(r"(?<=\d)(st|nd|rd|th)", "", announced)  # "November 30th, 2026"
    return datetime.strptime(plain, "%B %d, %Y").replace(tzinfo=UTC).date().isoformat()
