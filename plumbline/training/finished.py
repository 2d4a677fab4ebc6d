"""What a training that came to its end leaves behind: the adapter with the record of its run, and its metrics."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.model.adapter import save_adapter
from plumbline.rows.manifest import Manifest
from plumbline.rows.training_record import TrainingRecord
from plumbline.training.run_identity import RunIdentity
from plumbline.training.schedule import Schedule

if TYPE_CHECKING:
    from plumbline.training.fitting import Fitted
    from plumbline.training.forgetting import Forgetting


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A training that came to its end, on the rank that writes it down."""

    identity: RunIdentity
    schedule: Schedule
    fitted: "Fitted"
    forgetting: "Forgetting"
    update_norm_ratio: float
    num_examples: int
    num_replay_examples: int
    num_tokens_per_epoch: int

    @property
    def complete(self) -> bool:
        return self.fitted.stop_reason != "max_steps"


def record_of(finished: Finished) -> TrainingRecord:
    """What the adapter folder says of its run, and what `report` reads without the adapter."""
    identity, fitted = finished.identity, finished.fitted
    return TrainingRecord(
        complete=finished.complete,
        stop_reason=fitted.stop_reason,
        num_planned_steps=finished.schedule.num_planned_steps,
        num_done_steps=fitted.num_done_steps,
        best_step=fitted.best_step,
        base_fingerprint=identity.base_fingerprint,
        template_sha256=identity.template_sha256,
        train_sha256=identity.train_sha256,
        validation_sha256=identity.validation_sha256,
        replay_sha256=identity.replay_sha256,
        lora=identity.lora,
        train=identity.params,
    )


def save(finished: Finished, adapter: Path, *, base: Manifest) -> None:
    """Write the adapter folder with the record of its run. `base`: what it was trained on."""
    fitted = finished.fitted
    save_adapter(adapter, model=fitted.model, weights=fitted.weights, record=record_of(finished), base=base)


def metrics_of(finished: Finished) -> dict[str, object]:
    """What metrics/train.json holds."""
    fitted = finished.fitted
    curve = {point.step: point for point in fitted.losses}
    shown = {"base": curve[0], "best": curve[fitted.best_step], "final": curve[max(curve)]}
    return {
        "complete": finished.complete,
        "stop_reason": fitted.stop_reason,
        "num_planned_steps": finished.schedule.num_planned_steps,
        "num_done_steps": fitted.num_done_steps,
        "best_step": fitted.best_step,
        "num_examples": finished.num_examples,
        "num_replay_examples": finished.num_replay_examples,
        "num_tokens_per_epoch": finished.num_tokens_per_epoch,
        "num_epochs_done": round(fitted.num_done_steps / finished.schedule.num_steps_per_epoch, 4),
        "scale": finished.identity.lora.scale,
        "update_norm_ratio": round(finished.update_norm_ratio, 4),
        "validation_loss": {name: round(point.validation_loss or float("nan"), 4) for name, point in shown.items()},
        "forgetting": finished.forgetting.model_dump(),
    }
