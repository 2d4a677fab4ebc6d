"""The token that fills short rows: any token that the embedding holds, since padding is masked."""

import torch


def held_pad(pad: int, embedding: torch.nn.Module) -> int:
    """`pad`, or 0 if it lies outside the embedding: some tokenizers name a padding token that their model does not have."""
    weights = embedding.weight
    assert isinstance(weights, torch.Tensor)
    return pad if pad < weights.shape[0] else 0
