"""The loss curve of a run: what the Trainer logged, as one row per step. Pure."""

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple


class LossPoint(NamedTuple):
    """Losses are nats per trained token; None where that step took no such loss."""

    step: int
    train_loss: float | None
    validation_loss: float | None


def loss_curve(history: Sequence[dict[str, float]], *, num_steps_per_evaluation: int, num_done_steps: int) -> list[LossPoint]:
    """Join the Trainer's log entries into one row per step.

    Validation losses of other steps than the planned ones are left out: a run that was stopped by a signal took one on its way out.
    """
    train = {int(entry["step"]): entry["loss"] for entry in history if "loss" in entry}
    validation = {
        int(entry["step"]): entry["eval_loss"]
        for entry in history
        if "eval_loss" in entry and (entry["step"] % num_steps_per_evaluation == 0 or entry["step"] == num_done_steps)
    }
    return [LossPoint(step, train.get(step), validation.get(step)) for step in sorted(train.keys() | validation.keys())]


def loss_table(losses: Sequence[LossPoint]) -> str:
    """Write the loss curve, of one point or more, as CSV; an empty cell where a step took no such loss."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(losses[0]._fields)
    for point in losses:
        writer.writerow([point.step, *("" if loss is None else round(loss, 5) for loss in point[1:])])
    return text.getvalue()
