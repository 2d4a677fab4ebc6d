"""Simulated scores with a known truth: of one arm, of differences, and of two arms with a true effect."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

STEPS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
SHARED = 0.6
"""The part of a score that the questions of a cluster share (correlation of the normal numbers: its square)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A distribution of scores, or of differences of scores."""

    name: str
    values: tuple[float, ...]
    shares: tuple[float, ...]
    paired: bool
    """Whether these are differences."""

    @property
    def truth(self) -> float:
        return float(np.dot(self.values, self.shares))

    def draw(self, num_units: int, size: int, generator: np.random.Generator) -> Floats:
        """Values of clusters of one size, cluster after cluster; independent if the size is 1."""
        shared = SHARED if size > 1 else 0.0
        latent = shared * generator.standard_normal((num_units, 1)) + np.sqrt(1 - shared**2) * generator.standard_normal((num_units, size))
        bounds = ndtri(np.cumsum(self.shares)[:-1])
        return np.array(self.values)[np.searchsorted(bounds, latent.ravel())]


SHAPES = (
    Shape("arm: mostly right", tuple(STEPS), (0.02, 0.03, 0.05, 0.15, 0.75), False),
    Shape("arm: mostly wrong", tuple(STEPS), (0.7, 0.15, 0.08, 0.05, 0.02), False),
    Shape("arm: in the middle", tuple(STEPS), (0.1, 0.2, 0.4, 0.2, 0.1), False),
    Shape("difference: some gain", (-0.25, 0, 0.25, 0.5, 1), (0.02, 0.78, 0.1, 0.06, 0.04), True),
    Shape("difference: rare, large", (-1, -0.25, 0, 0.25, 1), (0.02, 0.05, 0.78, 0.1, 0.05), True),
    Shape("difference: even", (-0.5, -0.25, 0, 0.25, 0.5), (0.1, 0.2, 0.4, 0.2, 0.1), True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoArms:
    """Two arms: each has a normal number per question and its own noise, and a true effect moves the number of the second arm.

    It takes nothing from plumbline/power.py: the noise makes pairs differ, and more of them with an effect.
    """

    n: int
    num_clusters: int | None
    binary: bool
    noise: float
    """Noise of each arm, in standard deviations of the questions: with little noise the arms rarely differ."""

    def clusters(self) -> list[str] | None:
        return None if self.num_clusters is None else [str(index % self.num_clusters) for index in range(self.n)]

    def draw(self, shift: float, num_sets: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
        """Scores of the two arms, a row for each data set."""
        questions = generator.standard_normal((num_sets, self.n))
        moved = np.full((num_sets, self.n), shift)
        if self.num_clusters is not None:  # the gain of the second arm differs between clusters
            moved = moved + 0.3 * generator.standard_normal((num_sets, self.num_clusters))[:, np.arange(self.n) % self.num_clusters]
        return (
            self.scored(questions + self.noise * generator.standard_normal(questions.shape)),
            self.scored(questions + self.noise * generator.standard_normal(questions.shape) + moved),
        )

    def scored(self, known: Floats) -> Floats:
        """Right for the quarter with the highest values; or in five steps."""
        shares = np.array([0.75]) if self.binary else np.array([0.2, 0.45, 0.7, 0.85])
        bounds = ndtri(shares) * np.sqrt(1 + self.noise**2)
        return (np.array([0.0, 1.0]) if self.binary else STEPS)[np.searchsorted(bounds, known)]

    def effects(self, generator: np.random.Generator) -> tuple[Floats, Floats]:
        """Shifts, and the true mean difference of each."""
        shifts = np.linspace(0, 6, 61)
        per_set = 40_000 // self.n
        found = np.array([float(np.subtract(*reversed(self.draw(shift, per_set, generator))).mean()) for shift in shifts])
        return shifts, np.maximum.accumulate(found - found[0])
