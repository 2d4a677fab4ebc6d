"""Fit a LoRA adapter with TRL, with what TRL leaves to the caller: exact resume, fp32 adapters, per-document attention, the best weights."""

import logging
import os
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from datasets import Dataset
from datasets.utils.logging import disable_progress_bar
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerState,
)
from trl import SFTConfig, pack_dataset

from plumbline.model.padding import held_pad
from plumbline.model.runtime import device
from plumbline.model.tokenization import Example
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.attention import PER_DOCUMENT
from plumbline.training.checkpoints import Interrupted, keep_newest, seal
from plumbline.training.fused_blocks import Rotation, fuse_norms_and_gates, fused_rotations, in_place_of_theirs
from plumbline.training.labelled_positions import last_mlp, only_at
from plumbline.training.lean_steps import fuse_adapted_products, skip_idle_walks
from plumbline.training.lora import fitted_to, keep_adapter_in_fp32, keep_gradients_through_nf4, lora_config
from plumbline.training.loss_curve import LossPoint, loss_curve
from plumbline.training.rank_batches import micro_batch_rows, rows_per_rank
from plumbline.training.ranked_trainer import RankedTrainer
from plumbline.training.ranks import as_held, checkpoint_to_go_on_from, wait_for_all
from plumbline.training.schedule import Schedule
from plumbline.training.watch import NonFiniteLoss, Watch, signals_to
from plumbline.training.which_rank import is_sharded, num_ranks, rank

log = logging.getLogger("train")
disable_progress_bar()

NUM_KEPT_CHECKPOINTS = 2


class Fitted(NamedTuple):
    """What a finished run gives."""

    model: PeftModel
    weights: dict[str, torch.Tensor]
    """Adapter tensors of the step with the lowest validation loss, fp32."""
    best_step: int
    num_done_steps: int
    stop_reason: Literal["planned_end", "early_stop", "max_steps"]
    losses: list[LossPoint]


def pack(examples: Sequence[Example], *, max_length: int, packing: bool, seed: int) -> Dataset:
    """Lay examples out as rows of `input_ids` and `labels`; packed rows hold whole examples and their `seq_lengths`.

    The order is shuffled first, since best-fit packing looks at a thousand examples at a time.
    """
    order = list(examples)
    random.Random(seed).shuffle(order)
    rows = Dataset.from_dict({"input_ids": [example.ids for example in order], "labels": [example.labels for example in order]})
    return pack_dataset(rows, seq_length=max_length, strategy="bfd") if packing else rows


class _Trainer(RankedTrainer):
    """SFTTrainer whose checkpoints are whole or absent and whose schedule follows the planned steps, not a lowered max_steps."""

    num_planned_steps: int
    run_folder: Path
    rotations: dict[str, Rotation]
    last_mlp: torch.nn.Module | None
    has_backbone: bool

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
        """Sum of the label tokens' losses over their number in the whole step, as TRL has it.

        On a CPU TRL's fused head scores masked positions as well; here only the positions that have a label reach the
        last MLP and the head. Packed rows only: there the batch is one row, which `logits_to_keep` can index.
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
        logits_TV = logits_1TV.squeeze(0)  # its gradient is a view, that of [0] a copy
        total = torch.nn.functional.cross_entropy(logits_TV.float(), targets[labelled], reduction="sum")
        loss = total / torch.as_tensor(len(labelled) if num_items_in_batch is None else num_items_in_batch).clamp(min=1)
        return loss if num_items_in_batch is None else loss * self.accelerator.num_processes

    def _loss_of_logits(
        self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        """The same for a model whose part below the head TRL does not find (Llama 4)."""
        rest = {name: value for name, value in inputs.items() if name != "labels"}
        logits_BTV, targets_BT = model(**rest, use_cache=False).logits[:, :-1], inputs["labels"][:, 1:]
        total = torch.nn.functional.cross_entropy(logits_BTV.flatten(0, 1).float(), targets_BT.flatten(), reduction="sum")
        num = (targets_BT != -100).sum() if num_items_in_batch is None else num_items_in_batch
        loss = total / torch.as_tensor(num).clamp(min=1)
        return loss if num_items_in_batch is None else loss * self.accelerator.num_processes

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """No one reads the Trainer's count, and it walks over all modules at every step."""
        return 0

    def _clip_grad_norm(self, model: torch.nn.Module) -> Any:
        if self.accelerator.num_processes > 1:
            return super()._clip_grad_norm(model)
        assert isinstance(self.optimizer, torch.optim.Optimizer), "the Trainer makes it before the first step"
        trained = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        return self.accelerator.clip_grad_norm_(trained, self.args.max_grad_norm)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        writing = self.run_folder / "writing"
        if rank() == 0:
            shutil.rmtree(writing, ignore_errors=True)
        Trainer._save_checkpoint(self, model, trial)  # TRL's own would add a model card
        if rank() == 0:
            name = f"checkpoint-{self.state.global_step}"
            seal(writing / name, self.run_folder / name)
            keep_newest(self.run_folder, NUM_KEPT_CHECKPOINTS)


def recomputes_activations() -> bool:
    """PLUMBLINE_GRADIENT_CHECKPOINTING=1: activations are computed again for the gradient, not kept."""
    return os.environ.get("PLUMBLINE_GRADIENT_CHECKPOINTING") == "1"


def training_arguments(model: PreTrainedModel, *, params: TrainParams, schedule: Schedule, folder: Path) -> SFTConfig:
    """What TRL is to do on this device, as one of so many ranks."""
    num_each = rows_per_rank(schedule.num_rows_per_step, num_ranks())
    micro = micro_batch_rows(num_each, params)
    on_gpu = model.device.type == "cuda" or (is_sharded() and device() == "cuda")
    checkpointing = recomputes_activations()
    config = SFTConfig(
        output_dir=str(folder / "writing"),
        max_steps=schedule.num_steps,
        per_device_train_batch_size=micro,
        # Of one process, however many there are: then the losses of the batches are the same to the byte.
        per_device_eval_batch_size=micro_batch_rows(schedule.num_rows_per_step, params),
        gradient_accumulation_steps=num_each // micro,
        learning_rate=params.learning_rate,
        lr_scheduler_type=params.lr_schedule,
        lr_scheduler_kwargs={"min_lr_rate": 0.1} if params.lr_schedule == "cosine" else {},
        warmup_steps=schedule.num_warmup_steps,
        weight_decay=0.0,
        max_grad_norm=params.max_grad_norm,
        max_length=params.max_length,
        packing=params.packing,
        dataset_kwargs={"skip_prepare_dataset": True},
        eval_strategy="steps",
        eval_steps=schedule.num_steps_per_evaluation,
        eval_on_start=True,
        save_strategy="steps",
        save_steps=schedule.num_steps_per_evaluation,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        use_cpu=not on_gpu,
        bf16=on_gpu and model.dtype != torch.float16 and torch.cuda.is_bf16_supported(including_emulation=False),
        fp16=on_gpu and model.dtype == torch.float16,
        activation_checkpointing=checkpointing,
        gradient_checkpointing=checkpointing,  # TRL's default, True, would win otherwise
        dataloader_pin_memory=on_gpu,
        seed=params.seed,
        data_seed=params.seed,
        average_tokens_across_devices=True,
        router_aux_loss_coef=0.0,  # of a mixture of experts: the loss is that of the labels, packed or padded, on any device
        ddp_find_unused_parameters=False,
    )
    if params.lr_schedule == "cosine":
        config.lr_scheduler_type = "cosine_with_min_lr"  # type: ignore[assignment]
    return config


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
) -> _Trainer:
    """Wire the trainer: completion-only labels as given, fp32 adapters, and attention that fits the packing."""
    if params.packing:
        model.set_attn_implementation(PER_DOCUMENT)
    trainer = _Trainer(
        model=model,
        args=training_arguments(model, params=params, schedule=schedule, folder=folder),
        train_dataset=train,
        eval_dataset=validation,
        processing_class=tokenizer,
        peft_config=fitted_to(lora_config(lora), model),
    )
    trainer.remove_callback(PrinterCallback)
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
    if not is_sharded():  # FSDP puts other parameters in the place of those that these would hold on to
        if params.packing and not recomputes_activations():
            trainer.last_mlp = last_mlp(trainer.model)
        fuse_adapted_products(trainer.model)
        fuse_norms_and_gates(trainer.model)
        trainer.rotations = fused_rotations(trainer.model)
        skip_idle_walks(trainer.model)
    return trainer


def fit(trainer: _Trainer, *, params: TrainParams, num_steps: int, num_planned_steps: int) -> Fitted:
    """Train to the end, from the newest whole checkpoint if there is one.

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
    checkpoint = checkpoint_to_go_on_from(folder)
    if checkpoint is not None:
        log.info("resuming from %s", checkpoint.name)
        trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    elif rank() == 0:
        shutil.rmtree(folder / "best", ignore_errors=True)
    # A finished run is not resumed: bounded by max_steps in mid-epoch, the Trainer would do one step more.
    if trainer.state.global_step < num_steps:
        with signals_to(watch):
            trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        if watch.signalled and trainer.state.global_step < num_steps:
            raise Interrupted(f"stopped by a signal at step {trainer.state.global_step} of {num_steps}; run the same command to resume.")
        if not any("eval_loss" in entry and entry["step"] == trainer.state.global_step for entry in trainer.state.log_history):
            trainer.evaluate()
    watch.bar.close()
    wait_for_all()  # rank 0 may still be writing the best weights
    history = trainer.state.log_history
    best_step, _ = watch.best()
    weights = load_file(folder / "best" / "best.safetensors")
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise NonFiniteLoss(f"adapter tensor {name} holds NaN or infinity: nothing was published.")
    assert isinstance(trainer.model, PeftModel)
    held = get_peft_model_state_dict(trainer.model, save_embedding_layers=False)
    set_peft_model_state_dict(trainer.model, {name: as_held(tensor, like=held[name]) for name, tensor in weights.items()})
    done = trainer.state.global_step
    return Fitted(
        model=trainer.model,
        weights=weights,
        best_step=best_step,
        num_done_steps=done,
        stop_reason="early_stop" if watch.stopped_early else "planned_end" if done >= num_planned_steps else "max_steps",
        losses=loss_curve(history, num_steps_per_evaluation=int(trainer.args.eval_steps or 1), num_done_steps=done),
    )
