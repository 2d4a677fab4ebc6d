"""The model reads the prompts of a batch; a beginning that all of them share is read once.

If a prompt is shorter than others, padding lies between the shared beginning and its own tokens. Attention to all columns does not change
by that. Windows count padding too, so they must be wider than all columns. Models with states read every prompt whole.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from plumbline.answering.kv_cache import STATE_ALONE, is_plain, joined_caches, rows_of, state_name, widened
from plumbline.model.padding import held_pad

MIN_SHARED_TOKENS = 16
"""With fewer tokens, a second pass costs about what it saves."""
MAX_PASS_TOKENS = 1024
"""A pass takes prompts of similar length, so that it has little padding. This many tokens keep the products of a processor or GPU busy."""
WINDOWS = ("sliding_window", "window_size", "attention_chunk_size")
"""Names in configurations for a window that attention counts in columns."""
ATTENDING = (DynamicLayer, DynamicSlidingWindowLayer)
"""Layers that hold only keys and values."""
GROWING_ROPE = ("dynamic", "longrope")
"""Kinds of positions that depend on the length of the whole row: a beginning that is read alone would get other positions."""


class ReadPrompts(NamedTuple):
    """The model's state after it has read the prompts of a batch. B rows."""

    logits_BV: torch.Tensor
    """Logits of the token after each prompt."""
    cache: Any
    """Keys and values, or states, in the form of the architecture."""
    mask_BT: torch.Tensor
    """1 where the cache holds a token, else 0."""
    next_B1: torch.Tensor
    """Position of the next token."""


def shared_start(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens the shared beginning of all prompts has. At least one token of each prompt is left out of it."""
    ordered = sorted(list(prompt) for prompt in prompts)
    first, last = ordered[0], ordered[-1]  # in sorted order, these two share the least
    shared = next((place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), min(len(first), len(last)))
    return min(shared, min(map(len, prompts)) - 1)


def left_padded(rows: Sequence[Sequence[int]], pad: int, model: PreTrainedModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask of the rows, padded on the left. Shapes: (B, T) each."""
    width, pad = max(map(len, rows)), held_pad(pad, model.get_input_embeddings())
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    return ids, mask


def positions_of(mask_BT: torch.Tensor) -> torch.Tensor:
    """Count tokens from 0, without padding."""
    return (mask_BT.cumsum(dim=1) - 1).clamp(min=0)


def can_share(model: PreTrainedModel, *, num_columns: int) -> bool:
    """Whether a beginning can be read separately: all layers see all `num_columns` columns, and positions do not depend on the length."""
    config: Any = model.config.get_text_config()
    windows = [window for name in WINDOWS if isinstance(window := getattr(config, name, None), int)]
    if state_name(model) == STATE_ALONE or any(window <= num_columns for window in windows):
        return False
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    kinds = {str(part.get("rope_type", part.get("type"))) for part in (rope, *rope.values()) if isinstance(part, dict)}
    return kinds.isdisjoint(GROWING_ROPE) and all(type(layer) in ATTENDING for layer in DynamicCache(config=config).layers)


@torch.inference_mode()
def read_prompts(model: PreTrainedModel, prompts: Sequence[Sequence[int]], *, num_after: int, pad: int) -> ReadPrompts:
    """Read all prompts; read a long shared beginning only once if the architecture allows it. At most `num_after` tokens will follow."""
    if not can_share(model, num_columns=max(map(len, prompts)) + num_after):
        return _read(model, prompts, pad=pad, cache=None)
    num_shared = shared_start(prompts) if len(prompts) > 1 else 0
    if num_shared < MIN_SHARED_TOKENS:
        num_shared = 0
    start = _read(model, [prompts[0][:num_shared]], pad=pad, cache=DynamicCache()) if num_shared else None
    if start is not None and not is_plain(start.cache):
        return _read(model, prompts, pad=pad, cache=None)
    parts = [_read_after(model, rows, pad=pad, start=start) for rows in in_slices([prompt[num_shared:] for prompt in prompts])]
    if len(parts) == 1:
        return parts[0]
    if not all(is_plain(part.cache) for part in parts):
        return _read(model, prompts, pad=pad, cache=None)
    return _joined(parts, num_before=num_shared)


def read_repeated(model: PreTrainedModel, prompts: Sequence[Sequence[int]], *, num_after: int, pad: int) -> ReadPrompts:
    """The same for prompts that repeat, as with samples. Each is read once if its row of the cache can be copied."""
    places = {prompt: place for place, prompt in enumerate(dict.fromkeys(tuple(prompt) for prompt in prompts))}
    if len(places) == len(prompts):
        return read_prompts(model, prompts, num_after=num_after, pad=pad)
    read = read_prompts(model, [list(prompt) for prompt in places], num_after=num_after, pad=pad)
    if not is_plain(read.cache):
        return read_prompts(model, prompts, num_after=num_after, pad=pad)
    rows = torch.tensor([places[tuple(prompt)] for prompt in prompts], device=model.device)
    return ReadPrompts(read.logits_BV[rows], rows_of(read.cache, rows), read.mask_BT[rows], read.next_B1[rows])


def in_slices(rows: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    """Cut rows into passes of at most MAX_PASS_TOKENS with padding. A longer row is a pass by itself."""
    slices: list[list[Sequence[int]]] = []
    for row in rows:
        last = slices[-1] if slices else []
        if last and (len(last) + 1) * max(len(row), *map(len, last)) <= MAX_PASS_TOKENS:
            last.append(row)
        else:
            slices.append([row])
    return slices


def _read_after(model: PreTrainedModel, rows: Sequence[Sequence[int]], *, pad: int, start: ReadPrompts | None) -> ReadPrompts:
    """Read rows in one pass, each after `start`, which holds one row."""
    if start is None:
        return _read(model, rows, pad=pad, cache=DynamicCache())
    repeated = rows_of(start.cache, torch.zeros(len(rows), dtype=torch.long, device=model.device))
    return _read(model, rows, pad=pad, cache=repeated, num_before=start.mask_BT.shape[1])


def _read(
    model: PreTrainedModel, rows: Sequence[Sequence[int]], *, pad: int, cache: DynamicCache | None, num_before: int = 0
) -> ReadPrompts:
    """Read rows in one pass, after the `num_before` tokens that the cache holds. If `cache` is None, the model makes one."""
    ids, mask = left_padded(rows, pad, model)
    mask = torch.cat([mask.new_ones(len(rows), num_before), mask], dim=1)
    positions = positions_of(mask)
    state = state_name(model)
    output = model(
        input_ids=ids, attention_mask=mask, position_ids=positions[:, num_before:], use_cache=True, logits_to_keep=1, **{state: cache}
    )
    return ReadPrompts(output.logits[:, -1], getattr(output, state), mask, positions[:, -1:] + 1)


def _joined(parts: Sequence[ReadPrompts], *, num_before: int) -> ReadPrompts:
    """The rows of all passes in one batch, with padding between the shared beginning and the row's own tokens."""
    width = max(part.mask_BT.shape[1] for part in parts)
    return ReadPrompts(
        torch.cat([part.logits_BV for part in parts]),
        joined_caches([part.cache for part in parts], num_before=num_before, width=width),
        torch.cat([widened(part.mask_BT, num_before=num_before, width=width, dim=1) for part in parts]),
        torch.cat([part.next_B1 for part in parts]),
    )
