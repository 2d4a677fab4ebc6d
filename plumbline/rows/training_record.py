"""What an adapter records about itself: which run made it, from what, and whether that run reached its end."""

from typing import Literal

from pydantic import Field

from plumbline.pipeline.record import Record
from plumbline.rows.training_params import LoraParams, TrainParams


class CheckpointChoice(Record):
    """How questions of the benchmark chose the step to keep."""

    question_ids: tuple[str, ...]
    """All of the development part. A score on them is too high: the best of `num_evaluations` was taken."""
    num_evaluations: int
    """Evaluations after the first step."""
    score: float
    """Mean score of the kept weights on these questions, 0-1."""
    lowest_loss_step: int
    """The step that the validation loss would have chosen."""
    score_at_lowest_loss: float


class TrainingRecord(Record):
    """Travels in the adapter folder as training.json; every reader checks it before the first token."""

    complete: bool
    """True if all planned steps were done, or the run stopped early by its own rule; never for a lowered max_steps."""
    stop_reason: Literal["planned_end", "early_stop", "max_steps"]
    num_planned_steps: int
    num_done_steps: int
    best_step: int
    """The step that these weights are from: the best evaluation, by `train.select_by`."""
    base_fingerprint: str
    """Of models/base: loading the adapter on another base, dtype or quantisation is refused."""
    template_sha256: str
    """Of the chat template: answering with another is refused."""
    train_sha256: str
    validation_sha256: str
    replay_sha256: str | None
    """Of the replay rows; None if none were added."""
    lora: LoraParams
    train: TrainParams
    choice: CheckpointChoice | None = Field(default=None, exclude_if=lambda choice: choice is None)
    """None: the validation loss chose."""
