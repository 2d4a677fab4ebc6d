"""The model reads the prompts of a batch; a beginning that all of them share is read once.

Where a prompt is shorter than others, padding stands between the shared beginning and its own tokens. That changes nothing for attention to
all columns. Windows count columns, padding included, so they must be wider than all that will be written; states get every prompt whole.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from plumbline.answering.kv_cache import STATE_ALONE, is_plain, joined_caches, rows_of, state_name, widened
from plumbline.model.padding import held_pad

MIN_SHARED_TOKENS = 16
"""Below, a second pass costs about what it saves."""
MAX_PASS_TOKENS = 1024
"""Neighbours in length make a pass, so that little of it is padding; so many tokens keep a processor's and a GPU's products busy."""
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
    ordered = sorted(list(prompt) for prompt in prompts)
    first, last = ordered[0], ordered[-1]  # in the order of a dictionary, these two share the least
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
    """The same where prompts repeat, as those of samples do: each is read once if its row of the cache can be copied."""
    places = {prompt: place for place, prompt in enumerate(dict.fromkeys(tuple(prompt) for prompt in prompts))}
    if len(places) == len(prompts):
        return read_prompts(model, prompts, num_after=num_after, pad=pad)
    read = read_prompts(model, [list(prompt) for prompt in places], num_after=num_after, pad=pad)
    if not is_plain(read.cache):
        return read_prompts(model, prompts, num_after=num_after, pad=pad)
    rows = torch.tensor([places[tuple(prompt)] for prompt in prompts], device=model.device)
    return ReadPrompts(read.logits_BV[rows], rows_of(read.cache, rows), read.mask_BT[rows], read.next_B1[rows])


def in_slices(rows: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    """Cut rows into passes of at most MAX_PASS_TOKENS, padding included; a longer row is a pass by itself."""
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
    """Read rows in one pass, after the `num_before` tokens that the cache holds. None: the model chooses its form."""
    ids, mask = left_padded(rows, pad, model)
    mask = torch.cat([mask.new_ones(len(rows), num_before), mask], dim=1)
    positions = positions_of(mask)
    state = state_name(model)
    output = model(
        input_ids=ids, attention_mask=mask, position_ids=positions[:, num_before:], use_cache=True, logits_to_keep=1, **{state: cache}
    )
    return ReadPrompts(output.logits[:, -1], getattr(output, state), mask, positions[:, -1:] + 1)


def _joined(parts: Sequence[ReadPrompts], *, num_before: int) -> ReadPrompts:
    """The rows of all passes in one batch, padding between the shared beginning and what is a row's own."""
    width = max(part.mask_BT.shape[1] for part in parts)
    return ReadPrompts(
        torch.cat([part.logits_BV for part in parts]),
        joined_caches([part.cache for part in parts], num_before=num_before, width=width),
        torch.cat([widened(part.mask_BT, num_before=num_before, width=width, dim=1) for part in parts]),
        torch.cat([part.next_B1 for part in parts]),
    )
