"""The loss curve of a run: what the Trainer logged, as one row per step. Pure."""

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

from plumbline.training.checkpoint_choice import NUM_QUESTIONS, SCORE


class LossPoint(NamedTuple):
    """Losses are nats per trained token; None if this loss was not measured at the step."""

    step: int
    train_loss: float | None
    validation_loss: float | None
    development_score: float | None = None
    """Mean score on the questions that choose the checkpoint, 0-1; None if the loss chooses."""
    num_questions: int | None = None
    """The score is the mean over so many."""


def loss_curve(history: Sequence[dict[str, float]], *, num_steps_per_evaluation: int, num_done_steps: int) -> list[LossPoint]:
    """Join the Trainer's log entries into one row per step.

    Validation losses at unplanned steps are left out: a run that a signal stopped took one before it ended.
    """
    train = {int(entry["step"]): entry["loss"] for entry in history if "loss" in entry}
    evaluated = {
        int(entry["step"]): entry
        for entry in history
        if "eval_loss" in entry and (entry["step"] % num_steps_per_evaluation == 0 or entry["step"] == num_done_steps)
    }
    return [_point(step, train.get(step), evaluated.get(step)) for step in sorted(train.keys() | evaluated.keys())]


def _point(step: int, train_loss: float | None, evaluation: dict[str, float] | None) -> LossPoint:
    if evaluation is None:
        return LossPoint(step, train_loss, None)
    num = evaluation.get(NUM_QUESTIONS)
    return LossPoint(step, train_loss, evaluation["eval_loss"], evaluation.get(SCORE), None if num is None else int(num))


def loss_table(losses: Sequence[LossPoint]) -> str:
    """Write the curve of at least one point as CSV. A cell is empty if the step has no such number. Scores get columns if there are any."""
    width = 5 if any(point.development_score is not None for point in losses) else 3
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(losses[0]._fields[:width])
    for point in losses:
        writer.writerow([point.step, *("" if value is None else round(value, 5) for value in point[1:width])])
    return text.getvalue()
