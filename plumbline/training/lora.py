"""The adapter as PEFT understands it."""

import re

import torch
from peft import LoraConfig, PeftModel
from peft.tuners.lora import LoraLayer
from peft.tuners.lora.layer import ParamWrapper
from peft.utils.integrations import dequantize_module_weight
from transformers import PreTrainedModel

from plumbline.model.on_meta import TRIAL_ERRORS
from plumbline.rows.training_params import LoraParams
from plumbline.training.ranks import whole

REFUSED_BY_PEFT = frozenset({"falcon_h1", "falcon_mamba", "mamba", "mamba2", "nemotron_h"})
"""Architectures, by model_type, with layers that PEFT does not adapt."""


def lora_config(params: LoraParams) -> LoraConfig:
    """Turn our parameters into PEFT's. PEFT's defaults would adapt only q_proj and v_proj."""
    return LoraConfig(
        r=params.r,
        lora_alpha=params.alpha,
        lora_dropout=params.dropout,
        target_modules=params.target_modules,
        target_parameters=params.target_parameters,
        use_rslora=params.use_rslora,
        bias="none",
        task_type="CAUSAL_LM",
    )


def linear_layers(model: PreTrainedModel) -> dict[str, torch.nn.Linear]:
    """Name -> layer, for all linear layers but the head: `all-linear` adapts these, and nf4 quantises them."""
    head = model.get_output_embeddings()
    return {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and module is not head}


def fitted_to(config: LoraConfig, model: PreTrainedModel) -> LoraConfig:
    """Keep the adapter in the model that reads and writes text: no row has an image or a sound from which a tower could learn.

    `all-linear` also leaves out what PEFT refuses in state-space layers: their kernels read these weights without the adapter
    (0.21.2, tuners_utils.py, _check_lora_target_modules_mamba). It leaves out layers that return more than a product: routers of Llama 4.
    """
    left_out = [rf"{re.escape(name)}(\..*)?" for name in towers(model)] + _no_products(model)
    if config.target_modules == "all-linear" and model.config.model_type in REFUSED_BY_PEFT:
        left_out.append(r".*\.out_proj")
    if left_out:
        config.exclude_modules = "|".join(left_out)
    return config


def _no_products(model: PreTrainedModel) -> list[str]:
    """Patterns for the names of linear layers that return something else in this architecture. Each is tried; no random number is drawn."""
    found = set()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and type(module).__module__.startswith("transformers.models."):
            try:
                with torch.no_grad():
                    is_product = isinstance(module(module.weight.new_zeros(1, module.in_features)), torch.Tensor)
            except TRIAL_ERRORS:
                is_product = False
            if not is_product:
                inside_layer = re.sub(r"^.*[.]\d+[.]", "", name)
                found.add(rf".*\.{re.escape(inside_layer)}")
    return sorted(found)


def towers(model: PreTrainedModel) -> list[str]:
    """Names of the modules next to the text model, without the head: vision towers and the layers that project their output."""
    names = {id(module): name for name, module in model.named_modules()}
    text, head = names.get(id(model.get_decoder())), names.get(id(model.get_output_embeddings()))
    if not text:
        return []
    path = text.split(".")
    return [
        name
        for depth in range(len(path))
        for child, module in model.get_submodule(".".join(path[:depth])).named_children()
        if (name := ".".join([*path[:depth], child])) not in (".".join(path[: depth + 1]), head) and any(True for _ in module.parameters())
    ]


def keep_adapter_in_fp32(model: torch.nn.Module) -> None:
    """Undo TRL's cast of QLoRA adapters to bf16: there, Adam's second moment cannot decay and small steps are lost."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def keep_gradients_through_nf4(model: torch.nn.Module) -> None:
    """Keep bitsandbytes from repacking 4-bit weights at the first evaluation on a CPU with AVX512-BF16.

    The kernel of the packed layout has no derivative, so every later training step would lose the gradient through the base
    layers. The only sign is one UserWarning: the loss still falls (0.50.2, Linear4bit.forward).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # pyright: ignore[reportArgumentType]


def update_norm_ratio(model: PeftModel) -> float:
    """Largest ||scale x BA|| / ||W|| over the adapted layers (Frobenius norms): how far the adapter moves the base."""
    ratios = []
    for module in model.modules():
        if isinstance(module, ParamWrapper):
            ratios.append(_ratio_of_experts(module))
        elif isinstance(module, LoraLayer) and "default" in module.lora_A:
            down, up = module.lora_A["default"].weight, module.lora_B["default"].weight
            assert isinstance(down, torch.Tensor) and isinstance(up, torch.Tensor)
            base = whole(dequantize_module_weight(module.get_base_layer()))
            with torch.no_grad():
                ratios.append(
                    float(torch.linalg.norm(whole(up) @ whole(down)) * module.scaling["default"] / torch.linalg.norm(base.float()))
                )
    return max(ratios)


@torch.no_grad()
def _ratio_of_experts(module: ParamWrapper) -> float:
    """The same over one tensor of all experts, by r x r products: BA as a whole would be as large as the experts."""
    left, right, scale = module.get_delta_factors("default")
    left, right = whole(left).float(), whole(right).float()
    square = ((left.mT @ left) * (right @ right.mT)).sum().clamp(min=0)
    return float(square.sqrt() * scale / torch.linalg.norm(whole(module.get_param()).float()))
