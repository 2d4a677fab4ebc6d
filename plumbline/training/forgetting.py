"""The increase of the negative log-likelihood of base's own answers, with its interval over prompts. Pure."""

import math
from collections.abc import Sequence

import numpy as np

from plumbline.statistics import Units, bca_interval
from plumbline.training.forgetting_row import Forgetting


def forgetting_over_prompts(
    base_nats: Sequence[float],
    tuned_nats: Sequence[float],
    num_tokens: Sequence[int],
    *,
    num_cut: int,
    num_empty: int,
    seed: int,
    num_resamples: int = 10_000,
) -> Forgetting:
    """Put the losses of all prompts together, every token counting alike and whole prompts being resampled.

    Shapes: all (prompts,). Units: nats summed over a prompt's answer, and its number of tokens, at least 1.
    """
    assert len(base_nats) == len(tuned_nats) == len(num_tokens) > 0 and min(num_tokens) > 0
    total = sum(num_tokens)
    differences = [tuned - base for base, tuned in zip(base_nats, tuned_nats, strict=True)]
    # In an order that no caller can move: the bootstrap draws by place.
    ordered = sorted(zip(differences, num_tokens, strict=True))
    units = Units(np.array([difference for difference, _ in ordered]), np.array([float(size) for _, size in ordered]))
    bounds = bca_interval(units, seed=seed, num_resamples=num_resamples)
    return Forgetting(
        num_prompts=len(num_tokens),
        num_tokens=total,
        num_cut=num_cut,
        num_empty=num_empty,
        base_nll=round(math.fsum(base_nats) / total, 4),
        tuned_nll=round(math.fsum(tuned_nats) / total, 4),
        increase=round(math.fsum(differences) / total, 4),
        increase_low=None if bounds is None else round(bounds[0], 4),
        increase_high=None if bounds is None else round(bounds[1], 4),
    )
