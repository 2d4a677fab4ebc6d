"""Count a model exactly, from its config.json alone: it is built on the meta device, without a weight. Touches files and the hub."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import torch
from huggingface_hub import constants
from peft import get_peft_model
from transformers import AutoConfig, PretrainedConfig, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from plumbline.model.base_files import BaseRefused, hub_folder
from plumbline.model.on_meta import on_meta, quietly
from plumbline.model.usable_base import refuse_config
from plumbline.pipeline.cache import cache_folder
from plumbline.planning.planning import ModelSize
from plumbline.rows.training_params import LoraParams
from plumbline.training.lora import fitted_to, linear_layers, lora_config

CONFIG = "config.json"
HUB_TIMEOUT_SECONDS = 4.0
EXPERT_COUNTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
EXPERTS_OF_A_TOKEN = ("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_k")


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A model and its adapter, counted."""

    size: ModelSize
    num_lora_weights: int
    """As PEFT makes them."""


def config_folder(repo: str, revision: str) -> tuple[Path, str]:
    """A folder with the config.json of a hub model, and where it is from: a local snapshot, else the hub's cache or the hub itself.

    A few kilobytes are fetched, no weights. BaseRefused if it is not on this machine and the hub does not give it.
    """
    given = os.environ.get("PLUMBLINE_HUB_DIR")
    hubs = [*([Path(given)] if given else []), cache_folder("train").parent / "hub"]
    for hub in hubs:
        if (folder := hub / repo / revision) and (folder / CONFIG).is_file():
            return folder, str(folder)
    # The library would try five times, with a warning each, for half a minute, before it says that there is no network.
    where = f"{repo} on the hub"
    if hub_answers():
        return hub_folder(repo, revision, patterns=[CONFIG], offline=False), where
    try:
        return hub_folder(repo, revision, patterns=[CONFIG], offline=True), where
    except BaseRefused as error:
        raise BaseRefused(f"the hub does not answer, and {error}") from None


def hub_answers() -> bool:
    """Whether the hub is reached within a few seconds."""
    try:
        httpx2.head(constants.ENDPOINT, timeout=HUB_TIMEOUT_SECONDS)
    except httpx2.HTTPError as error:
        # Any other error is an answer, though not to this question.
        return not isinstance(error, httpx2.ConnectError | httpx2.TimeoutException)
    return True


def counted(folder: Path, lora: LoraParams, *, name: str) -> Counted:
    """Count the model of a config.json. BaseUnusable for one that cannot be loaded here."""
    content = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    refuse_config(name, content, known_types=CONFIG_MAPPING_NAMES, causal=MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    return counted_model(AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False), lora)


def counted_config(content: dict[str, Any], lora: LoraParams, *, name: str) -> Counted:
    """Count the model of a config.json's content, as `counted` does of a folder."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / CONFIG).write_text(json.dumps(content), encoding="utf-8")
        return counted(Path(folder), lora, name=name)


def counted_model(config: PretrainedConfig, lora: LoraParams) -> Counted:
    """Count the weights of a model of this configuration, and of its adapter."""
    model = on_meta(config, dtype=torch.bfloat16)
    size = size_of(model)
    with quietly(), torch.device("meta"):
        tuned = get_peft_model(model, fitted_to(lora_config(lora), model))
    return Counted(size=size, num_lora_weights=sum(weights.numel() for weights in tuned.parameters() if weights.requires_grad))


def size_of(model: PreTrainedModel) -> ModelSize:
    """The size of a model, whatever its architecture."""
    text = model.config.get_text_config()
    linear = linear_layers(model)
    num_linear = sum(layer.weight.numel() for layer in linear.values())
    # Experts that are one tensor each layer: (experts, outputs, inputs).
    stacked = [weights for weights in model.parameters() if weights.ndim == 3 and weights.shape[0] == (_first(text, EXPERT_COUNTS) or 0)]
    num_experts, num_chosen = _first(text, EXPERT_COUNTS) or 1, _first(text, EXPERTS_OF_A_TOKEN) or 1
    used = num_linear + sum(weights.numel() for weights in stacked) * num_chosen // num_experts
    hidden, layers = int(text.hidden_size), int(text.num_hidden_layers)
    # The inner width of a block is that of the inputs of its layers that lead back to the hidden size, without those of the attention.
    leading_back = [layer.in_features for layer in linear.values() if layer.out_features == hidden and layer.in_features > hidden]
    inner = max(leading_back, default=hidden)
    if stacked:
        inner = max(inner, num_chosen * int(getattr(text, "moe_intermediate_size", None) or getattr(text, "intermediate_size", 0) or 0))
    heads = int(getattr(text, "num_attention_heads", 0) or 0)
    return ModelSize(
        num_weights=sum(weights.numel() for weights in model.parameters()),
        num_linear_weights=num_linear,
        num_used_weights=used,
        hidden_size=hidden,
        inner_size=inner,
        num_layers=layers,
        attention_width=heads * int(getattr(text, "head_dim", None) or hidden // max(1, heads)),
        vocab_size=int(text.vocab_size),
    )


def _first(config: Any, names: tuple[str, ...]) -> int | None:
    """The first of these fields that a configuration has."""
    return next((int(value) for name in names if isinstance(value := getattr(config, name, None), int)), None)
