"""TRL's arguments for a training, from parameters, schedule, device and ranks."""

import os
from pathlib import Path

import torch
from transformers import PreTrainedModel
from trl import SFTConfig

from plumbline.model.runtime import device
from plumbline.rows.training_params import TrainParams
from plumbline.training.rank_batches import micro_batch_rows, rows_per_rank
from plumbline.training.schedule import Schedule
from plumbline.training.trackers import PROJECT, report_to
from plumbline.training.which_rank import is_sharded, num_ranks


def recomputes_activations() -> bool:
    """With PLUMBLINE_GRADIENT_CHECKPOINTING=1, activations are computed again for the gradient, not kept."""
    return os.environ.get("PLUMBLINE_GRADIENT_CHECKPOINTING") == "1"


def training_arguments(model: PreTrainedModel, *, params: TrainParams, schedule: Schedule, folder: Path) -> SFTConfig:
    """TRL's arguments on this device, for one of the ranks."""
    num_each = rows_per_rank(schedule.num_rows_per_step, num_ranks())
    micro = micro_batch_rows(num_each, params)
    on_gpu = model.device.type == "cuda" or (is_sharded() and device() == "cuda")
    checkpointing = recomputes_activations()
    config = SFTConfig(
        output_dir=str(folder / "writing"),
        max_steps=schedule.num_steps,
        per_device_train_batch_size=micro,
        # The batch of one process, for any number of ranks: then the losses of the batches are the same to the byte.
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
        report_to=report_to(folder.name),
        run_name=folder.name,
        project=PROJECT,
        use_cpu=not on_gpu,
        bf16=on_gpu and model.dtype != torch.float16 and torch.cuda.is_bf16_supported(including_emulation=False),
        fp16=on_gpu and model.dtype == torch.float16,
        activation_checkpointing=checkpointing,
        gradient_checkpointing=checkpointing,  # TRL's default, True, would win otherwise
        dataloader_pin_memory=on_gpu,
        seed=params.seed,
        data_seed=params.seed,
        average_tokens_across_devices=True,
        router_aux_loss_coef=0.0,  # for a mixture of experts, the loss is the loss of the labels alone, packed or padded, on any device
        ddp_find_unused_parameters=False,
    )
    if params.lr_schedule == "cosine":
        config.lr_scheduler_type = "cosine_with_min_lr"  # type: ignore[assignment]
    return config
