"""TRL's trainer, with what it leaves to the caller: whole checkpoints, fp32 adapters, per-document attention."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback, Trainer

from plumbline.model.padding import held_pad
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.attention import PER_DOCUMENT
from plumbline.training.checkpoint_choice import NUM_QUESTIONS, SCORE, TaskScorer, is_planned, known_score
from plumbline.training.checkpoints import keep_newest, seal
from plumbline.training.fused_blocks import Rotation, fuse_norms_and_gates, fused_rotations, in_place_of_theirs
from plumbline.training.labelled_positions import last_mlp, only_at
from plumbline.training.lean_steps import fuse_adapted_products, skip_idle_walks
from plumbline.training.lora import fitted_to, keep_adapter_in_fp32, keep_gradients_through_nf4, lora_config
from plumbline.training.ranked_trainer import RankedTrainer
from plumbline.training.ranks import from_rank_0
from plumbline.training.schedule import Schedule
from plumbline.training.trackers import tracker_callbacks
from plumbline.training.training_arguments import recomputes_activations, training_arguments
from plumbline.training.which_rank import is_sharded, rank

NUM_KEPT_CHECKPOINTS = 2


class AdapterTrainer(RankedTrainer):
    """SFTTrainer with checkpoints that are whole or absent. Its schedule follows the planned steps, not a lowered max_steps."""

    num_planned_steps: int
    run_folder: Path
    rotations: dict[str, Rotation]
    last_mlp: torch.nn.Module | None
    has_backbone: bool
    task: TaskScorer | None = None
    """Scores the model at each planned evaluation if questions choose the checkpoint."""
    say: Callable[[str], None] = staticmethod(lambda _: None)

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        with in_place_of_theirs(self.rotations):
            return super().training_step(*args, **kwargs)

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> Any:
        return super().create_scheduler(self.num_planned_steps, optimizer)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Sum of the label tokens' losses divided by their number in the whole step, as in TRL.

        On a CPU, TRL's fused head also scores masked positions. Here only positions with a label reach the last MLP and
        the head. This works for packed rows only: their batch is one row, and `logits_to_keep` can index that.
        """
        labels = inputs["labels"]
        if not self.has_backbone:
            loss = self._loss_of_logits(model, inputs, num_items_in_batch)
            return (loss, {"loss": loss}) if return_outputs else loss
        if return_outputs or labels.device.type != "cpu" or labels.shape[0] != 1 or "cu_seq_lens_q" not in inputs:
            return super().compute_loss(model, inputs, return_outputs=return_outputs, num_items_in_batch=num_items_in_batch)
        targets = labels[0, 1:]
        labelled = (targets != -100).nonzero().flatten()
        rest = {name: value for name, value in inputs.items() if name != "labels"}
        with only_at(self.last_mlp, labelled):
            logits_1TV = model(**rest, use_cache=False, logits_to_keep=labelled).logits
        logits_TV = logits_1TV.squeeze(0)  # the gradient of squeeze is a view, the gradient of [0] a copy
        total = torch.nn.functional.cross_entropy(logits_TV.float(), targets[labelled], reduction="sum")
        loss = total / torch.as_tensor(len(labelled) if num_items_in_batch is None else num_items_in_batch).clamp(min=1)
        return loss if num_items_in_batch is None else loss * self.accelerator.num_processes

    def _loss_of_logits(
        self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        """The same for models in which TRL does not find the part below the head (Llama 4)."""
        rest = {name: value for name, value in inputs.items() if name != "labels"}
        logits_BTV, targets_BT = model(**rest, use_cache=False).logits[:, :-1], inputs["labels"][:, 1:]
        total = torch.nn.functional.cross_entropy(logits_BTV.flatten(0, 1).float(), targets_BT.flatten(), reduction="sum")
        num = (targets_BT != -100).sum() if num_items_in_batch is None else num_items_in_batch
        loss = total / torch.as_tensor(num).clamp(min=1)
        return loss if num_items_in_batch is None else loss * self.accelerator.num_processes

    def evaluation_loop(self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> Any:
        """Put the validation loss and the score on the questions that choose into the history that a checkpoint holds."""
        output = super().evaluation_loop(*args, metric_key_prefix=metric_key_prefix, **kwargs)
        step = self.state.global_step
        if self.task is not None and is_planned(
            step, num_steps_per_evaluation=int(self.args.eval_steps or 1), num_steps=self.args.max_steps
        ):
            found = known_score(self.state.log_history, step)
            if found is None:  # the same on all ranks, and they wait for rank 0
                found = from_rank_0(self.task(self.model, say=self.say) if rank() == 0 else None)
            assert found is not None and output.metrics is not None
            output.metrics.update({SCORE: found.score, NUM_QUESTIONS: found.num_questions})
        return output

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """0: no one reads the Trainer's count, and counting walks over all modules at every step."""
        return 0

    def _clip_grad_norm(self, model: torch.nn.Module) -> Any:
        if self.accelerator.num_processes > 1:
            return super()._clip_grad_norm(model)
        assert isinstance(self.optimizer, torch.optim.Optimizer), "the Trainer makes the optimiser before the first step"
        trained = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        return self.accelerator.clip_grad_norm_(trained, self.args.max_grad_norm)

    def _send_telemetry(self) -> None:
        """Do nothing: TRL would report every training to the Hub, and nothing leaves this machine unasked."""

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        writing = self.run_folder / "writing"
        if rank() == 0:
            shutil.rmtree(writing, ignore_errors=True)
        Trainer._save_checkpoint(self, model, trial)  # TRL's own would add a model card
        if rank() == 0:
            name = f"checkpoint-{self.state.global_step}"
            seal(writing / name, self.run_folder / name)
            keep_newest(self.run_folder, NUM_KEPT_CHECKPOINTS)


def build_trainer(
    *,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train: Dataset,
    validation: Dataset,
    lora: LoraParams,
    params: TrainParams,
    schedule: Schedule,
    folder: Path,
) -> AdapterTrainer:
    """Build the trainer: labels as given, on completions only; fp32 adapters; attention that fits the packing."""
    if params.packing:
        model.set_attn_implementation(PER_DOCUMENT)
    trainer = AdapterTrainer(
        model=model,
        args=training_arguments(model, params=params, schedule=schedule, folder=folder),
        train_dataset=train,
        eval_dataset=validation,
        processing_class=tokenizer,
        peft_config=fitted_to(lora_config(lora), model),
    )
    trainer.remove_callback(PrinterCallback)
    for callback in tracker_callbacks(folder.name):
        trainer.add_callback(callback)
    collator: Any = trainer.data_collator
    collator.pad_token_id = held_pad(collator.pad_token_id, model.get_input_embeddings())
    trainer.num_planned_steps = schedule.num_planned_steps
    trainer.run_folder = folder
    trainer.num_rows_per_step = schedule.num_rows_per_step
    trainer.has_backbone = model.base_model is not model
    assert isinstance(trainer.model, PeftModel)
    keep_adapter_in_fp32(trainer.model)
    keep_gradients_through_nf4(trainer.model)
    trainer.rotations, trainer.last_mlp = {}, None
    if not is_sharded():  # FSDP replaces the parameters, and these would keep the old ones
        if params.packing and not recomputes_activations():
            trainer.last_mlp = last_mlp(trainer.model)
        fuse_adapted_products(trainer.model)
        fuse_norms_and_gates(trainer.model)
        trainer.rotations = fused_rotations(trainer.model)
        skip_idle_walks(trainer.model)
    return trainer
