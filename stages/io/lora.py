"""The adapter as PEFT understands it."""

import torch
from peft import LoraConfig

from stages.records.training_params import LoraParams


def lora_config(params: LoraParams) -> LoraConfig:
    """Turn our parameters into PEFT's, whose defaults would adapt q_proj and v_proj alone."""
    return LoraConfig(
        r=params.r,
        lora_alpha=params.alpha,
        lora_dropout=params.dropout,
        target_modules=params.target_modules,
        use_rslora=params.use_rslora,
        bias="none",
        task_type="CAUSAL_LM",
    )


def keep_adapter_in_fp32(model: torch.nn.Module) -> None:
    """Undo TRL's cast of QLoRA adapters to bf16, in which Adam's second moment cannot decay and small steps are lost."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
