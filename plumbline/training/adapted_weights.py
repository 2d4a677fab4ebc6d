"""How many of the base's weights the adapter adapts: PEFT counts them on the whole architecture, which takes no memory here."""

import re
from pathlib import Path
from typing import NamedTuple

import torch
from peft import get_peft_model
from peft.tuners.lora import LoraLayer
from peft.tuners.lora.layer import ParamWrapper
from transformers import AutoConfig, PretrainedConfig

from plumbline.model.on_meta import on_meta, quietly, weights_beside_vocabulary
from plumbline.rows.training_params import LoraParams
from plumbline.training.lora import fitted_to, lora_config, towers


class AdaptedWeights(NamedTuple):
    """Numbers of weights in the text model, without its vocabulary."""

    num_weights: int
    num_adapted: int
    """In the matrices that the adapter adapts."""
    num_trained: int
    """In the adapter itself."""
    experts_left_out: dict[str, int]
    """End of the name of a fused tensor of experts that is not adapted -> its weights in all layers."""
    towers: list[str]
    """Modules next to the text model: never adapted."""


def adapted_weights(base: Path, lora: LoraParams) -> AdaptedWeights:
    """Put the adapter on the base's architecture, at its full size. PEFT raises ValueError if it cannot adapt this architecture."""
    return adapted_weights_of(AutoConfig.from_pretrained(str(base)), lora)


def adapted_weights_of(config: PretrainedConfig, lora: LoraParams) -> AdaptedWeights:
    """The same for a configuration."""
    model = on_meta(config, dtype=torch.bfloat16)
    found = towers(model)
    text, head = (model.get_decoder() if found else model), model.get_output_embeddings()
    assert isinstance(text, torch.nn.Module)
    num_weights, experts = weights_beside_vocabulary(text, head), _fused_tensors(text)
    with quietly(), torch.device("meta"):
        tuned = get_peft_model(model, fitted_to(lora_config(lora), model))
    layers = [module for module in tuned.modules() if isinstance(module, LoraLayer)]
    adapted = {_adapted(layer) for layer in layers}
    left_out: dict[str, int] = {}
    for name, weights in experts.items():
        if weights not in adapted:
            end = re.sub(r"^.*?\d+\.", "", name)
            left_out[end] = left_out.get(end, 0) + weights.numel()
    return AdaptedWeights(
        num_weights=num_weights,
        num_adapted=sum(weights.numel() for weights in adapted),
        num_trained=sum(weights.numel() for weights in tuned.parameters() if weights.requires_grad),
        experts_left_out=left_out,
        towers=found,
    )


def _adapted(layer: LoraLayer) -> torch.nn.Parameter:
    """The tensor of the base that a PEFT layer adapts."""
    weights = layer.get_param() if isinstance(layer, ParamWrapper) else layer.get_base_layer().weight
    assert isinstance(weights, torch.nn.Parameter)
    return weights


def _fused_tensors(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """Name -> tensor of three dimensions that is not inside a torch module: the matrices of all experts of a layer."""
    return {
        f"{name}.{part}" if name else part: weights
        for name, module in model.named_modules()
        if not type(module).__module__.startswith("torch.")
        for part, weights in module.named_parameters(recurse=False)
        if weights.dim() == 3 and min(weights.shape) > 1
    }
