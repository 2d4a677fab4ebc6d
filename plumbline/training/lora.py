"""The adapter as PEFT understands it."""

import torch
from peft import LoraConfig, PeftModel
from peft.tuners.lora import LoraLayer
from peft.utils.integrations import dequantize_module_weight
from transformers import PreTrainedModel

from plumbline.rows.training_params import LoraParams
from plumbline.training.ranks import whole


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


def linear_layers(model: PreTrainedModel) -> dict[str, torch.nn.Linear]:
    """Name -> layer of all linear layers but the head: what `all-linear` adapts, and what nf4 is for."""
    head = model.get_output_embeddings()
    return {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and module is not head}


def is_target(name: str, params: LoraParams) -> bool:
    """Whether the linear layer of this name is adapted."""
    return params.target_modules == "all-linear" or name.rsplit(".", 1)[-1] in params.target_modules


def keep_adapter_in_fp32(model: torch.nn.Module) -> None:
    """Undo TRL's cast of QLoRA adapters to bf16, in which Adam's second moment cannot decay and small steps are lost."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def keep_gradients_through_nf4(model: torch.nn.Module) -> None:
    """Keep bitsandbytes from repacking 4-bit weights at the first evaluation on a CPU with AVX512-BF16.

    The kernel of the packed layout has no derivative: every later training step would lose the gradient through the base
    layers, with one UserWarning and a loss that still falls (0.50.2, Linear4bit.forward).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # pyright: ignore[reportArgumentType]


def update_norm_ratio(model: PeftModel) -> float:
    """Largest ||scale x BA|| / ||W|| over the adapted layers (Frobenius norms): how far the adapter moves the base."""
    ratios = []
    for module in model.modules():
        if isinstance(module, LoraLayer) and "default" in module.lora_A:
            down, up = module.lora_A["default"].weight, module.lora_B["default"].weight
            assert isinstance(down, torch.Tensor) and isinstance(up, torch.Tensor)
            base = whole(dequantize_module_weight(module.get_base_layer()))
            with torch.no_grad():
                ratios.append(
                    float(torch.linalg.norm(whole(up) @ whole(down)) * module.scaling["default"] / torch.linalg.norm(base.float()))
                )
    return max(ratios)
