"""A tiny random model of any architecture: a narrow configuration with as few layers as still show each kind of layer."""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from plumbline.model.on_meta import TRIAL_ERRORS, on_meta, quietly, weights_beside_vocabulary
from plumbline.preflight.narrow import narrowed

MAX_WEIGHTS = 60_000_000
"""Limit of a tiny model without its vocabulary: it is built in seconds, and a full-size model is never built by accident."""
NUM_LAYERS_ALIKE = 2
NUM_LAYERS_UNLIKE = 3
THRESHOLD = re.compile(r"first_k_dense_replace|num_dense_layers|moe_layer_start_index|max_window_layers")
"""Names of a number of layers after which another kind begins."""
LAST = re.compile(r"num_kv_shared_layers")
"""Names of the number of last layers that are of another kind."""
PLACES = re.compile(r"\w*(?:layers|idxs|indices|layer_ids|layer_idx)")
"""Names of lists that hold places of layers."""


class CannotShrink(ValueError):
    """No tiny model of this architecture can be made, so preflight cannot check it."""


def text_config(config: PretrainedConfig) -> PretrainedConfig:
    """The part that reads and writes text. In a model with a vision tower, only the text model is trained."""
    return config.get_text_config(decoder=True)


def shrunk_config(config: PretrainedConfig, *, window: int | None = None) -> PretrainedConfig:
    """Make the text part narrow and shallow, without dropout and quantisation. The vocabulary stays.

    `window`: length of sliding windows and attention chunks, if there are any; None leaves them. CannotShrink says what went wrong.
    """
    full = text_config(config)
    thin = narrowed(full.to_dict(), names=full.attribute_map, window=window)
    depth = full.attribute_map.get("num_hidden_layers", "num_hidden_layers")
    num_layers = int(full.num_hidden_layers)
    try:
        whole = _built_from(type(full), thin)
        wanted = layer_kinds(on_meta(whole), num_layers=num_layers)
    except TRIAL_ERRORS as error:
        raise CannotShrink(
            f"No tiny model of the architecture {full.model_type} could be made ({type(error).__name__}: {str(error)[:200]}). "
            "Without one, preflight cannot check the training. Name another base model, and report the architecture."
        ) from error
    for places in _choices(wanted):
        found = _cut_config(type(full), thin, places, depth=depth, num_layers=num_layers)
        if found is not None and set(layer_kinds(on_meta(found), num_layers=len(places))) == set(wanted):
            return found
    return whole


def shrunk_model(config: PretrainedConfig, *, seed: int, window: int | None = None) -> PreTrainedModel:
    """Build the tiny model in fp32 with random weights; the same seed gives the same weights. CannotShrink if it is still too large."""
    small = shrunk_config(config, window=window)
    shapes = on_meta(small)
    num_weights = weights_beside_vocabulary(shapes, shapes.get_output_embeddings())
    if num_weights > MAX_WEIGHTS:
        raise CannotShrink(
            f"The smallest possible model of the architecture {small.model_type} has {num_weights:,} weights without its vocabulary "
            f"(limit {MAX_WEIGHTS:,}). Name another base model, and report the architecture."
        )
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(small, dtype=torch.float32)
    _try(model)
    return model


def _try(model: PreTrainedModel) -> None:
    """CannotShrink if not even a few tokens pass through it: its parts do not fit each other."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            model(input_ids=torch.arange(4)[None], use_cache=False)
    except TRIAL_ERRORS as error:
        raise CannotShrink(
            f"The tiny model of the architecture {model.config.model_type} does not run ({type(error).__name__}: {str(error)[:200]}). "
            "Name another base model, and report the architecture."
        ) from error
    model.train(was_training)


def layer_kinds(model: torch.nn.Module, *, num_layers: int) -> list[Hashable]:
    """The kind of each layer: its modules, their shapes, and their attention. Layers that differ only in their weights are equal."""
    lists = [module for module in model.modules() if isinstance(module, torch.nn.ModuleList) and len(module) == num_layers]
    if not lists:
        return [None] * num_layers
    layers = max(lists, key=lambda found: sum(1 for _ in found.modules()))
    return [tuple(_signature(layer)) for layer in layers]


def _signature(layer: torch.nn.Module) -> Iterator[Hashable]:
    for name, module in layer.named_modules():
        yield name, type(module).__name__, tuple((part, tuple(weights.shape)) for part, weights in module.named_parameters(recurse=False))
        for attribute, value in sorted(vars(module).items()):
            is_attention = "window" in attribute or "chunk" in attribute
            if not attribute.startswith("_") and (isinstance(value, str | bool) or (is_attention and isinstance(value, int | None))):
                yield attribute, value


def _choices(kinds: Sequence[Hashable]) -> Iterator[list[int]]:
    """Places of layers to keep. First one layer of each kind, with as few others as possible; then longer and longer beginnings."""
    first = sorted({kinds.index(kind) for kind in kinds})
    least = min(len(kinds), NUM_LAYERS_ALIKE if len(first) == 1 else NUM_LAYERS_UNLIKE)
    others = [place for place in range(len(kinds)) if place not in first]
    yield sorted(first + others[: max(0, least - len(first))])
    yield from (list(range(num)) for num in range(max(least, len(first)), len(kinds)))


def _cut_config(
    of: type[PretrainedConfig], content: Mapping[str, Any], places: Sequence[int], *, depth: str, num_layers: int
) -> PretrainedConfig | None:
    """The configuration with only these layers; None if its own rules refuse that."""
    cut = deepcopy(dict(content))
    cut[depth] = len(places)
    for name, value in content.items():
        if isinstance(value, list) and len(value) == num_layers > 0:
            cut[name] = [value[place] for place in places]
        elif isinstance(value, list) and PLACES.fullmatch(name) and all(isinstance(place, int) for place in value):
            cut[name] = [new for new, old in enumerate(places) if old in value]
        elif isinstance(value, int) and THRESHOLD.fullmatch(name):
            cut[name] = sum(place < value for place in places)
        elif isinstance(value, int) and LAST.fullmatch(name):
            cut[name] = sum(place >= num_layers - value for place in places)
    try:
        return _built_from(of, cut)
    except TRIAL_ERRORS:
        return None


def _built_from(of: type[PretrainedConfig], content: Mapping[str, Any]) -> PretrainedConfig:
    """Built by the constructor of the class, which derives values and checks them."""
    with quietly():
        return of.from_dict(deepcopy(dict(content)))
