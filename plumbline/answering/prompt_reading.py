"""The model reads the prompts of a batch; a beginning that all of them share is read once.

Where a prompt is shorter than others, padding stands between the shared beginning and its own tokens. That changes nothing for attention to
all columns. Windows count columns, padding included, so they must be wider than all that will be written; states get every prompt whole.
"""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from plumbline.answering.kv_cache import STATE_ALONE, is_plain, state_name
from plumbline.model.padding import held_pad

MIN_SHARED_TOKENS = 16
"""Below, a second pass costs about what it saves."""
WINDOWS = ("sliding_window", "window_size", "attention_chunk_size")
"""What configurations call a window that attention counts in columns."""
ATTENDING = (DynamicLayer, DynamicSlidingWindowLayer)
"""Layers that carry keys and values and nothing else."""
GROWING_ROPE = ("dynamic", "longrope")
"""Positions whose turn depends on how long the whole row is: a beginning that is read by itself would get others."""


class ReadPrompts(NamedTuple):
    """What the model carries from the prompts of a batch to what comes after them. B rows."""

    logits_BV: torch.Tensor
    """Of the token after each prompt."""
    cache: Any
    """Keys and values or states, in the architecture's own form."""
    mask_BT: torch.Tensor
    """1 where the cache holds a token."""
    next_B1: torch.Tensor
    """Position of the next token."""


def shared_start(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts begin with, but for the last one of the shortest: each prompt keeps a token of its own."""
    first, last = list(min(prompts)), list(max(prompts))  # in the order of a dictionary, these two share the least
    shared = next((place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), min(len(first), len(last)))
    return min(shared, min(map(len, prompts)) - 1)


def left_padded(rows: Sequence[Sequence[int]], pad: int, model: PreTrainedModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Shapes: ids and mask (B, T)."""
    width, pad = max(map(len, rows)), held_pad(pad, model.get_input_embeddings())
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    return ids, mask


def positions_of(mask_BT: torch.Tensor) -> torch.Tensor:
    """Count tokens from 0, padding aside."""
    return (mask_BT.cumsum(dim=1) - 1).clamp(min=0)


def can_share(model: PreTrainedModel, *, num_columns: int) -> bool:
    """Whether a beginning can be read apart: all layers look at all of `num_columns` columns, and positions do not depend on the length."""
    config: Any = model.config.get_text_config()
    windows = [window for name in WINDOWS if isinstance(window := getattr(config, name, None), int)]
    if state_name(model) == STATE_ALONE or any(window <= num_columns for window in windows):
        return False
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    kinds = {str(part.get("rope_type", part.get("type"))) for part in (rope, *rope.values()) if isinstance(part, dict)}
    return kinds.isdisjoint(GROWING_ROPE) and all(type(layer) in ATTENDING for layer in DynamicCache(config=config).layers)


@torch.inference_mode()
def read_prompts(model: PreTrainedModel, prompts: Sequence[Sequence[int]], *, num_after: int, pad: int) -> ReadPrompts:
    """Read each prompt; what they share once, where there is enough of it and the architecture allows. At most `num_after` tokens will follow."""
    num_shared = shared_start(prompts)
    if len(prompts) > 1 and num_shared >= MIN_SHARED_TOKENS and can_share(model, num_columns=max(map(len, prompts)) + num_after):
        start = torch.tensor([list(prompts[0][:num_shared])], device=model.device)
        positions = torch.arange(num_shared, device=model.device)[None]
        cache = DynamicCache()  # which keeps all columns of every layer
        model(
            input_ids=start,
            attention_mask=torch.ones_like(start),
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        if is_plain(cache):
            repeated = rows_of(cache, torch.zeros(len(prompts), dtype=torch.long, device=model.device))
            return _read(model, [prompt[num_shared:] for prompt in prompts], pad=pad, cache=repeated, num_before=num_shared)
    return _read(model, prompts, pad=pad, cache=None, num_before=0)


def _read(model: PreTrainedModel, rows: Sequence[Sequence[int]], *, pad: int, cache: Any, num_before: int) -> ReadPrompts:
    """Read rows that follow `num_before` tokens of the cache."""
    ids, mask = left_padded(rows, pad, model)
    mask = torch.cat([mask.new_ones(len(rows), num_before), mask], dim=1)
    positions = positions_of(mask)
    state = state_name(model)
    output = model(
        input_ids=ids, attention_mask=mask, position_ids=positions[:, num_before:], use_cache=True, logits_to_keep=1, **{state: cache}
    )
    return ReadPrompts(output.logits[:, -1], getattr(output, state), mask, positions[:, -1:] + 1)


def rows_of(cache: DynamicCache, rows: torch.Tensor) -> DynamicCache:
    """A plain cache that holds these rows of another, which stays as it is."""
    taken = copy.copy(cache)
    taken.layers = []
    for layer in cast("list[DynamicLayer]", cache.layers):
        assert layer.keys is not None and layer.values is not None, "a plain cache is filled"
        another = DynamicLayer()
        another.lazy_initialization(layer.keys, layer.values)
        another.keys, another.values = layer.keys.index_select(0, rows), layer.values.index_select(0, rows)
        taken.layers.append(another)
    return taken
