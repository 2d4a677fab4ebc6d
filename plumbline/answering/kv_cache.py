"""Keys and values of a batch that is being written, with room to grow: the cache of transformers copies all of them at every token."""

import inspect
from collections.abc import Iterable, Iterator, Sequence

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

ROOM_TOKENS = 32
"""Columns added at a time: one copy per this many tokens, and never more unused columns than this."""
STATE_ALONE = "cache_params"
"""The name for the state from token to token in models with only state-space layers (Mamba)."""


def state_name(model: PreTrainedModel) -> str:
    """The name under which the model takes and returns its state from token to token."""
    inner: torch.nn.Module = getattr(model, "get_base_model", lambda: model)()  # of a PeftModel itself, forward takes any name
    return STATE_ALONE if STATE_ALONE in inspect.signature(inner.forward).parameters else "past_key_values"


def can_drop_rows(cache: object) -> bool:
    """Whether rows can leave the batch: every layer has `reorder_cache`, which keeps the rows that it is given."""
    return isinstance(cache, Cache) and all(
        callable(getattr(layer, "reorder_cache", None)) and type(layer).__module__ in WITH_ROWS for layer in cache.layers
    )


def is_plain(cache: object) -> bool:
    """Whether the cache holds only keys and values of all columns, layer by layer. Then rows can be removed and tokens added freely."""
    return isinstance(cache, DynamicCache) and all(type(layer) is DynamicLayer and layer.is_initialized for layer in cache.layers)


def rows_of(cache: DynamicCache, rows: torch.Tensor) -> DynamicCache:
    """A plain cache with these rows of another cache; the other one does not change."""
    return _plain_cache((keys.index_select(0, rows), values.index_select(0, rows)) for keys, values in _states(cache))


def joined_caches(caches: Sequence[DynamicCache], *, num_before: int, width: int) -> DynamicCache:
    """One plain cache with the rows of all, `width` columns wide. Zeros after the first `num_before` columns fill it up."""
    layers = zip(*(_states(cache) for cache in caches), strict=True)
    return _plain_cache(
        tuple(
            torch.cat([widened(states, num_before=num_before, width=width, dim=2) for states in both]) for both in zip(*layer, strict=True)
        )
        for layer in layers
    )


def widened(states: torch.Tensor, *, num_before: int, width: int, dim: int) -> torch.Tensor:
    """Insert zeros after the first `num_before` places of a dimension, so that it is `width` wide."""
    missing = width - states.shape[dim]
    if missing == 0:
        return states
    before, after = states.split([num_before, states.shape[dim] - num_before], dim=dim)
    zeros = states.new_zeros((*states.shape[:dim], missing, *states.shape[dim + 1 :]))
    return torch.cat([before, zeros, after], dim=dim)


def _states(cache: DynamicCache) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for layer in cache.layers:
        assert isinstance(layer, DynamicLayer) and layer.keys is not None and layer.values is not None, "a plain cache is filled"
        yield layer.keys, layer.values


def _plain_cache(states: Iterable[tuple[torch.Tensor, ...]]) -> DynamicCache:
    cache = DynamicCache()
    for keys, values in states:
        layer = DynamicLayer()
        layer.lazy_initialization(keys, values)
        layer.keys, layer.values = keys, values
        cache.layers.append(layer)
    return cache


WITH_ROWS = frozenset({"transformers.cache_utils", __name__})
"""Files with layers that are known to keep all of a row. An architecture's own kind of layer may hold more than `reorder_cache` keeps."""


class RoomyLayer(DynamicLayer):
    """A full-attention layer with keys and values that are views into larger buffers. Shapes (B, H, T, D)."""

    def __init__(self, filled: DynamicLayer) -> None:
        super().__init__()
        self.dtype, self.device, self.is_initialized = filled.dtype, filled.device, True
        assert filled.keys is not None and filled.values is not None, "only a filled layer gets room"
        self.keys: torch.Tensor = filled.keys
        self.values: torch.Tensor = filled.values
        self._buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the new columns and return all of them, as DynamicLayer does."""
        before = self.keys.shape[-2]
        after = before + key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[-2] < after:
            self._buffers = (self._enlarged(self.keys, after + ROOM_TOKENS), self._enlarged(self.values, after + ROOM_TOKENS))
        keys, values = self._buffers
        keys[..., before:after, :] = key_states
        values[..., before:after, :] = value_states
        self.keys, self.values = keys[..., :after, :], values[..., :after, :]
        return self.keys, self.values

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """Keep these rows; the buffers are made again at the next token."""
        super().reorder_cache(beam_idx)
        self._buffers = None

    @staticmethod
    def _enlarged(states: torch.Tensor, width: int) -> torch.Tensor:
        larger = states.new_empty((*states.shape[:-2], width, states.shape[-1]))
        larger[..., : states.shape[-2], :] = states
        return larger


def give_room(cache: object) -> None:
    """Let the full-attention layers of a filled cache grow in place. Layers of other kinds stay as they are."""
    if isinstance(cache, DynamicCache):
        cache.layers = [RoomyLayer(layer) if type(layer) is DynamicLayer and layer.is_initialized else layer for layer in cache.layers]
