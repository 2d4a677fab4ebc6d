"""What short rows are filled with: any token that the embedding holds, since padding is masked."""

import torch


def held_pad(pad: int, embedding: torch.nn.Module) -> int:
    """`pad`, or 0 where it lies outside of the embedding: some tokenizers name a padding token that their model never got."""
    weights = embedding.weight
    assert isinstance(weights, torch.Tensor)
    return pad if pad < weights.shape[0] else 0
