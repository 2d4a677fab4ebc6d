"""Configurations of transformers' architectures at their normal size, with a vocabulary of a few hundred tokens. No weights, no download."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from transformers import AutoConfig, PretrainedConfig, PreTrainedModel

from plumbline.model.base_files import write_manifest
from plumbline.pipeline.files import sha256_of
from plumbline.rows.manifest import Manifest
from tests.fakes.tiny_base import tiny_tokenizer


class Architecture(NamedTuple):
    """What the tests must find out about an architecture."""

    kinds: int = 1
    """Of layers."""
    num_layers: int | None = None
    """Layers of the tiny model; None: two, or three if layers differ."""
    packs: bool = True
    """Whether documents that share a row leave each other alone."""
    num_linear: int = 14
    """Linear layers of the tiny model that are adapted."""
    num_fused: int = 0
    """Tensors of experts that PEFT adapts by itself."""
    settings: Mapping[str, Any] = MappingProxyType({})
    """What the configuration's defaults leave open, with the values of the published models."""


MIXED = ["full_attention" if place % 8 == 5 else "conv" for place in range(32)]
ARCHITECTURES: dict[str, Architecture] = {
    "llama": Architecture(),
    "mistral": Architecture(),
    "qwen2": Architecture(),
    "qwen3": Architecture(),
    "olmo2": Architecture(),
    "granite": Architecture(),
    "cohere": Architecture(),
    "phi3": Architecture(num_linear=8),
    "glm4": Architecture(num_linear=12),
    "gpt2": Architecture(num_linear=8),
    "gpt_neox": Architecture(num_linear=8),
    "opt": Architecture(num_linear=12),
    "bloom": Architecture(packs=False, num_linear=8),
    "gemma": Architecture(),
    "gemma2": Architecture(kinds=2, packs=False, num_linear=21),
    "gemma3": Architecture(kinds=2, num_linear=21),
    "gpt_oss": Architecture(kinds=2, packs=False, num_linear=12),
    "mixtral": Architecture(num_linear=8, num_fused=6),
    "qwen3_moe": Architecture(num_linear=8, num_fused=6),
    "deepseek_v3": Architecture(kinds=2, num_linear=15, num_fused=3),
    "lfm2": Architecture(kinds=2, packs=False, num_linear=17, settings={"layer_types": MIXED}),
    "qwen3_next": Architecture(kinds=2, packs=False, num_linear=13, num_fused=9),
    "falcon_h1": Architecture(packs=False, num_linear=16),
    "granitemoehybrid": Architecture(
        kinds=2, packs=False, num_linear=14, settings={"layer_types": ["attention" if n % 10 == 5 else "mamba" for n in range(32)]}
    ),
    "llama4_text": Architecture(kinds=2, num_layers=4, packs=False, num_linear=28),
    "gemma3n_text": Architecture(kinds=6, num_layers=6, num_linear=87),
    "nemotron_h": Architecture(kinds=4, num_layers=4, packs=False, num_linear=9),
    "mamba": Architecture(packs=False, num_linear=6),
    "mamba2": Architecture(packs=False, num_linear=2),
}


def full_config(name: str) -> PretrainedConfig:
    """At its normal size, but with the vocabulary of the tiny tokenizer."""
    tokenizer = tiny_tokenizer()
    own = {"vocab_size": len(tokenizer), **{name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}}
    config = AutoConfig.for_model(name, **ARCHITECTURES[name].settings)
    for part in (config, config.get_text_config()):
        for attribute, value in own.items():
            setattr(part, attribute, value)
    return config


def save_base(folder: Path, save_weights: Callable[[Path], object], *, pad: str | None = None) -> None:
    """models/base with its tokenizer and manifest; `save_weights` writes configuration and weights, or only the configuration.

    `pad`: a padding token that the tokenizer adds after all others.
    """
    folder.mkdir(parents=True)
    save_weights(folder)
    tokenizer = tiny_tokenizer()
    if pad is not None:
        tokenizer.add_special_tokens({"pad_token": pad})
    tokenizer.save_pretrained(folder)
    write_manifest(
        folder,
        Manifest(
            source="embedded",
            repo=None,
            revision=None,
            dtype="float32",
            quantization="none",
            files={path.name: sha256_of(path) for path in sorted(folder.iterdir())},
            hub_files={},
        ),
    )


def spread(model: PreTrainedModel, factor: float) -> PreTrainedModel:
    """With larger random weights: weights of the usual size repeat one token for every prompt."""
    import torch

    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() >= 2:
                weights.mul_(factor)
    return model
