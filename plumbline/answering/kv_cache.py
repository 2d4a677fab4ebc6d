"""Keys and values of a batch that is being written, with room to grow: transformers' own cache copies all of them at every token."""

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

ROOM_TOKENS = 32
"""Columns added at a time: one copy in so many tokens, and never more memory than that beside what is filled."""


class RoomyLayer(DynamicLayer):
    """A full-attention layer whose keys and values are views into larger buffers. Shapes (B, H, T, D)."""

    def __init__(self, filled: DynamicLayer) -> None:
        super().__init__()
        self.dtype, self.device, self.is_initialized = filled.dtype, filled.device, True
        assert filled.keys is not None and filled.values is not None, "only a filled layer is given room"
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

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows; the buffers are made anew at the next token."""
        super().batch_select_indices(indices)
        self._buffers = None

    @staticmethod
    def _enlarged(states: torch.Tensor, width: int) -> torch.Tensor:
        larger = states.new_empty((*states.shape[:-2], width, states.shape[-1]))
        larger[..., : states.shape[-2], :] = states
        return larger


def give_room(cache: object) -> None:
    """Let the full-attention layers of a filled cache grow in place; layers of other sorts stay as they are."""
    if isinstance(cache, DynamicCache):
        cache.layers = [RoomyLayer(layer) if type(layer) is DynamicLayer else layer for layer in cache.layers]
