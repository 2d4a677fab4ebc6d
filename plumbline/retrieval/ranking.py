"""Rank passages for a query: the k best by score, and equal scores by text. Pure."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

SCORE_DIGITS = 4


class Ranked(NamedTuple):
    """A passage by its place in the corpus."""

    place: int
    score: float


class Scorer(Protocol):
    """Gives every passage of the corpus a score for a query; 0 or less for a passage that has nothing to do with it."""

    def scores(self, query: str) -> NDArray[np.float32]:
        """Shape (passages,)."""
        ...


def best_of(scores: NDArray[np.float32], texts: Sequence[str], k: int) -> list[Ranked]:
    """The k passages with the highest scores above 0, best first; fewer if fewer have such a score.

    Equal rounded scores are ordered by text, so neither k nor the order of the corpus decides between them.
    """
    rounded = np.round(scores.astype(np.float64), SCORE_DIGITS)
    above = np.flatnonzero(rounded > 0)
    if len(above) > k > 0:
        # All that tie with the k-th stay here: their texts decide.
        limit = np.partition(rounded[above], len(above) - k)[len(above) - k]
        above = above[rounded[above] >= limit]
    ordered = sorted(above.tolist(), key=lambda place: (-rounded[place], texts[place]))
    return [Ranked(place, float(rounded[place])) for place in ordered[:k]]
