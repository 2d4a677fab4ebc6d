"""Fit the adapter to the end, or resume the run where it stopped, and return the best weights."""

import logging
import shutil
from typing import Literal, NamedTuple

import torch
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import TrainerState

from plumbline.rows.training_params import TrainParams
from plumbline.training.checkpoint_choice import TaskScorer
from plumbline.training.checkpoints import Interrupted
from plumbline.training.loss_curve import LossPoint, loss_curve
from plumbline.training.ranks import any_rank, as_held, checkpoint_to_go_on_from, wait_for_all
from plumbline.training.trainer import AdapterTrainer
from plumbline.training.watch import NonFiniteLoss, Watch, signals_to
from plumbline.training.which_rank import rank

log = logging.getLogger("train")


class Fitted(NamedTuple):
    """What a finished run gives."""

    model: PeftModel
    weights: dict[str, torch.Tensor]
    """Adapter tensors of the best step, fp32."""
    best_step: int
    num_done_steps: int
    stop_reason: Literal["planned_end", "early_stop", "max_steps"]
    losses: list[LossPoint]


def fit(trainer: AdapterTrainer, *, params: TrainParams, num_steps: int, num_planned_steps: int, task: TaskScorer | None = None) -> Fitted:
    """Train to the end, from the newest whole checkpoint if there is one. `task` chooses the best step, instead of the validation loss.

    Raises Interrupted after a signal (a checkpoint is written first) and NonFiniteLoss.
    """
    folder = trainer.run_folder
    watch = Watch(
        folder,
        patience=params.early_stop_patience,
        num_steps=num_steps,
        num_planned_steps=num_planned_steps,
        tokens_per_step=params.tokens_per_step,
    )
    trainer.add_callback(watch)
    trainer.task, trainer.say = task, watch.progress.say
    checkpoint = checkpoint_to_go_on_from(folder)
    if checkpoint is not None:
        log.info("resuming from %s", checkpoint.name)
        trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    elif rank() == 0:
        shutil.rmtree(folder / "best", ignore_errors=True)
    # A finished run is not resumed: if max_steps ends it in the middle of an epoch, the Trainer would do one step more.
    if trainer.state.global_step < num_steps:
        with watch.progress:
            with signals_to(watch):
                trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
            if watch.signalled and trainer.state.global_step < num_steps:
                raise Interrupted(
                    f"stopped by a signal at step {trainer.state.global_step} of {num_steps}; run the same command to resume."
                )
            if not any("eval_loss" in entry and entry["step"] == trainer.state.global_step for entry in trainer.state.log_history):
                trainer.evaluate()
            if any_rank(watch.noted) and not watch.stopped_early:  # also one that came while the last step was evaluated and saved
                raise Interrupted(f"stopped by a signal after the last of {num_steps} steps; run the same command to resume.")
    wait_for_all()  # rank 0 may still be writing the best weights
    history = trainer.state.log_history
    weights = load_file(folder / "best" / "best.safetensors")
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise NonFiniteLoss(
                f"Adapter tensor {name} holds NaN or infinity. No adapter was written. Lower train.learning_rate or lora.alpha."
            )
    assert isinstance(trainer.model, PeftModel)
    held = get_peft_model_state_dict(trainer.model, save_embedding_layers=False)
    set_peft_model_state_dict(trainer.model, {name: as_held(tensor, like=held[name]) for name, tensor in weights.items()})
    done = trainer.state.global_step
    return Fitted(
        model=trainer.model,
        weights=weights,
        best_step=watch.best().step,
        num_done_steps=done,
        stop_reason="early_stop" if watch.stopped_early else "planned_end" if done >= num_planned_steps else "max_steps",
        losses=loss_curve(history, num_steps_per_evaluation=int(trainer.args.eval_steps or 1), num_done_steps=done),
    )
