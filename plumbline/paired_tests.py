"""Exact two-sided tests of "the arms are alike", for pairs of scores. Pure."""

import math
from collections.abc import Sequence

import numpy as np

SMALLEST_P = 1e-300
"""A probability that underflows is not zero."""
GRIDS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 24, 32, 100)
"""Scores of a menu, and means of up to ten 0/1 samples or of eight on five steps, lie on one of these grids; on a grid the permutation
distribution is exact."""
MAX_UNITS_ENUMERATED = 16


def mcnemar_exact(num_first_only: int, num_second_only: int) -> float:
    """Two-sided exact McNemar test: the binomial probability of a split at least this uneven among pairs that disagree."""
    discordant, fewer = num_first_only + num_second_only, min(num_first_only, num_second_only)
    if discordant == 0:
        return 1.0
    ways, tail = 1, 1
    for k in range(fewer):
        ways = ways * (discordant - k) // (k + 1)
        tail += ways
    # Whole numbers all the way: a float sum would overflow beyond a thousand pairs.
    numerator, denominator = 2 * tail, 1 << discordant
    return 1.0 if numerator >= denominator else max(numerator / denominator, SMALLEST_P)


def grid_of(values: Sequence[float]) -> int | None:
    """The coarsest of GRIDS on which all values lie, in steps to 1; None if there is no such grid."""
    for grid in GRIDS:
        if all(abs(round(value * grid) - value * grid) < 1e-9 for value in values):
            return grid
    return None


def sign_flip_p_value(sums: Sequence[float], *, seed: int, num_resamples: int = 10_000) -> float:
    """Two-sided permutation test of "each unit's sum is as likely with the other sign"; exact on a grid or for few units."""
    moving = [float(value) for value in sums if abs(value) > 1e-12]
    if not moving:
        return 1.0
    grid = grid_of(moving)
    if grid is not None:
        return exact_sign_flip([round(value * grid) for value in moving])
    observed = abs(math.fsum(moving)) - 1e-12
    moving_U = np.array(moving)
    if len(moving) <= MAX_UNITS_ENUMERATED:
        bits = (np.arange(1 << len(moving))[:, None] >> np.arange(len(moving))) & 1
        return float((np.abs((1 - 2 * bits) @ moving_U) >= observed).mean())
    generator = np.random.default_rng(seed)
    extreme = 0
    for _ in range(num_resamples):
        signs_U = 1 - 2 * generator.integers(0, 2, size=len(moving))
        extreme += abs(float(signs_U @ moving_U)) >= observed
    return (1 + extreme) / (1 + num_resamples)  # the observed assignment is one of them, so never 0


def exact_sign_flip(steps: Sequence[int]) -> float:
    """Probability that a sum of randomly signed whole numbers is at least as far from 0 as the sum given."""
    reach = sum(map(abs, steps))
    shares = np.zeros(2 * reach + 1)
    shares[reach] = 1.0
    for step in map(abs, steps):
        shares = (np.roll(shares, step) + np.roll(shares, -step)) / 2  # nothing wraps: reach covers every sum
    distance = abs(sum(steps))
    extreme = shares[: reach - distance + 1].sum() + shares[reach + distance :].sum() if distance else 1.0
    return min(1.0, max(float(extreme), SMALLEST_P))
