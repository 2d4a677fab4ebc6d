"""How much less likely the tuned model finds the answers that base gave, with an interval over prompts. Pure."""

import math
from collections.abc import Sequence

import numpy as np

from plumbline.intervals import Units, bca_interval
from plumbline.pipeline.record import Record


class Forgetting(Record):
    """Negative log-likelihood of base's own answers to general prompts, in nats per trained token, before and after.

    It is in metrics/train.json under `forgetting`; the report warns from `report.max_forgetting_nats` on.
    """

    num_prompts: int
    num_tokens: int
    """Tokens of their answers; every token counts the same."""
    num_cut: int
    """Answers among them that were cut at `general.max_new_tokens`; these are measured without an end of sequence."""
    num_empty: int
    """Empty answers among them; only their end of sequence is measured."""
    base_nll: float
    tuned_nll: float
    increase: float
    """tuned - base."""
    increase_low: float | None
    """95 % interval over prompts; None if all prompts moved alike, which says nothing about others."""
    increase_high: float | None


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
    """Put the losses of all prompts together. Every token counts the same, and the bootstrap draws whole prompts.

    Shapes: all (prompts,). Units: nats summed over a prompt's answer, and its number of tokens, at least 1.
    """
    assert len(base_nats) == len(tuned_nats) == len(num_tokens) > 0 and min(num_tokens) > 0
    total = sum(num_tokens)
    differences = [tuned - base for base, tuned in zip(base_nats, tuned_nats, strict=True)]
    # Sorted, since the bootstrap draws by place: the caller's order must not change the interval.
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
