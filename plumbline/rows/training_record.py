"""What an adapter says of itself: which run made it, on what, and whether that run came to its end."""

from typing import Literal

from plumbline.pipeline.record import Record
from plumbline.rows.training_params import LoraParams, TrainParams


class TrainingRecord(Record):
    """Travels in the adapter folder as training.json; every reader checks it before the first token."""

    complete: bool
    """True where all planned steps were done, or the run stopped early by its own rule; never for a lowered max_steps."""
    stop_reason: Literal["planned_end", "early_stop", "max_steps"]
    num_planned_steps: int
    num_done_steps: int
    best_step: int
    """Step whose weights these are: the lowest validation loss."""
    base_fingerprint: str
    """Of models/base: loading the adapter on another base, dtype or quantisation is refused."""
    template_sha256: str
    """Of the chat template: answering with another is refused."""
    train_sha256: str
    validation_sha256: str
    replay_sha256: str | None
    """Of the replay rows; None where none were added."""
    lora: LoraParams
    train: TrainParams
