"""What a finished training leaves behind: the adapter with the record of its run, and its metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.model.adapter import save_adapter
from plumbline.rows.manifest import Manifest
from plumbline.rows.training_record import CheckpointChoice, TrainingRecord
from plumbline.training.loss_curve import LossPoint
from plumbline.training.run_identity import RunIdentity
from plumbline.training.schedule import Schedule

if TYPE_CHECKING:
    from plumbline.training.fitting import Fitted
    from plumbline.training.forgetting import Forgetting


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A finished training, on the rank that writes its files."""

    identity: RunIdentity
    schedule: Schedule
    fitted: "Fitted"
    forgetting: "Forgetting"
    update_norm_ratio: float
    num_examples: int
    num_replay_examples: int
    num_tokens_per_epoch: int
    question_ids: tuple[str, ...] = ()
    """Ids of the questions that chose the step; empty if the loss chose it."""

    @property
    def complete(self) -> bool:
        return self.fitted.stop_reason != "max_steps"


def record_of(finished: Finished) -> TrainingRecord:
    """What the adapter folder records about its run. `report` reads the copy, without the adapter."""
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
        choice=choice_of(finished),
    )


def choice_of(finished: Finished) -> CheckpointChoice | None:
    """How questions chose the step that is kept; None if the loss chose it."""
    if not finished.question_ids:
        return None
    later = {point.step: point for point in finished.fitted.losses if point.step > 0 and point.validation_loss is not None}
    lowest = min(later.values(), key=lambda point: point.validation_loss or 0.0)
    best = later[finished.fitted.best_step]
    assert best.development_score is not None and lowest.development_score is not None, "every planned evaluation has a score"
    return CheckpointChoice(
        question_ids=finished.question_ids,
        num_evaluations=len(later),
        score=best.development_score,
        lowest_loss_step=lowest.step,
        score_at_lowest_loss=lowest.development_score,
    )


def save(finished: Finished, adapter: Path, *, base: Manifest) -> None:
    """Write the adapter folder with the record of its run. `base`: the model that it was trained on."""
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
        **development_scores(finished, shown),
        "forgetting": finished.forgetting.model_dump(),
    }


def development_scores(finished: Finished, shown: Mapping[str, LossPoint]) -> dict[str, object]:
    """What metrics/train.json says about the questions that chose; empty if the loss chose."""
    choice = choice_of(finished)
    if choice is None:
        return {}
    scores = {name: round(point.development_score or 0.0, 4) for name, point in shown.items()}
    at_loss = {"lowest_loss": round(choice.score_at_lowest_loss, 4), "lowest_loss_step": choice.lowest_loss_step}
    return {
        "development_score": {**scores, **at_loss, "num_questions": len(choice.question_ids), "num_evaluations": choice.num_evaluations}
    }
