"""How many steps a training takes, and when it looks at the validation rows. Pure."""

import math
from typing import NamedTuple

from plumbline.rows.training_params import TrainParams


class Schedule(NamedTuple):
    """Steps are optimiser steps."""

    num_rows_per_step: int
    """Packed rows, or examples when not packing."""
    num_steps_per_epoch: int
    num_planned_steps: int
    """The steps of all epochs."""
    num_steps: int
    """The steps of this run: the planned ones, or max_steps if that is lower."""
    num_steps_per_evaluation: int
    num_warmup_steps: int

    @property
    def num_evaluations(self) -> int:
        """In an uninterrupted run: before the first step, as often as planned, and after the last step."""
        return 1 + math.ceil(self.num_steps / self.num_steps_per_evaluation)

    @classmethod
    def of_steps(cls, num_steps: int, *, num_rows_per_step: int) -> "Schedule":
        """A number of steps without warm-up, with one evaluation at the end. For small trial runs and benchmarks."""
        return cls(
            num_rows_per_step=num_rows_per_step,
            num_steps_per_epoch=num_steps,
            num_planned_steps=num_steps,
            num_steps=num_steps,
            num_steps_per_evaluation=num_steps,
            num_warmup_steps=0,
        )


def plan_schedule(
    *,
    num_rows: int,
    num_rows_per_step: int,
    epochs: float,
    max_steps: int | None,
    evaluations_per_epoch: int,
    warmup_fraction: float,
) -> Schedule:
    """Count steps. Warm-up follows the planned steps, so that a dry run starts exactly as the full run would.

    A single step has no warm-up: the first step of a warm-up has a rate of 0, and after that step alone, tuned would equal base.
    Raises ValueError if there are no rows or max_steps is below 1.
    """
    if num_rows < 1:
        raise ValueError("There are no training rows. Look at what `clean` and `split` kept.")
    if max_steps is not None and max_steps < 1:
        raise ValueError(f"train.max_steps is {max_steps}. Set it to 1 or more, or to null for the steps of all epochs.")
    num_steps_per_epoch = math.ceil(num_rows / num_rows_per_step)
    num_planned_steps = max(1, math.ceil(num_steps_per_epoch * epochs))
    num_steps = num_planned_steps if max_steps is None else min(max_steps, num_planned_steps)
    return Schedule(
        num_rows_per_step=num_rows_per_step,
        num_steps_per_epoch=num_steps_per_epoch,
        num_planned_steps=num_planned_steps,
        num_steps=num_steps,
        num_steps_per_evaluation=max(1, num_steps_per_epoch // evaluations_per_epoch),
        num_warmup_steps=math.ceil(num_planned_steps * warmup_fraction) if num_steps > 1 else 0,
    )


def fewest_packed_rows(num_tokens: int, max_length: int) -> int:
    """Rows that would hold all tokens without a gap: an estimate before packing, which comes close to it."""
    return max(1, math.ceil(num_tokens / max_length))


def rows_per_step(*, num_rows: int, num_tokens: int, params: TrainParams) -> int:
    """Rows that together hold about `tokens_per_step` tokens."""
    if params.packing:
        return max(1, params.tokens_per_step // params.max_length)
    return max(1, round(params.tokens_per_step * num_rows / num_tokens))


def plan_training(*, num_rows: int, num_tokens: int, params: TrainParams) -> Schedule:
    """The plan of a training, with replay rows. Preflight and train make it from the same rows, packed the same way.

    `num_rows`: packed rows, or examples when not packing. ValueError as in `plan_schedule`.
    """
    return plan_schedule(
        num_rows=num_rows,
        num_rows_per_step=rows_per_step(num_rows=num_rows, num_tokens=num_tokens, params=params),
        epochs=params.epochs,
        max_steps=params.max_steps,
        evaluations_per_epoch=params.evaluations_per_epoch,
        warmup_fraction=params.warmup_fraction,
    )
