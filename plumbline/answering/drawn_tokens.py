"""Tokens drawn from a model's distribution; each row of a batch has its own generator."""

import random
from collections.abc import Sequence

import torch

from plumbline.answering.sampling import Sampling

BLOCK = 512
"""Tokens per block. First a block is found, then a token in it: so sums have few terms and the same order on every device."""


class DrawnTokens:
    """Draws a token for each row from softmax(logits / temperature). Other rows of the batch do not change a row's random numbers.

    Python's generators give the same numbers on every machine. Each token uses one number.
    """

    def __init__(self, samplings: Sequence[Sampling]) -> None:
        (self._temperature,) = {sampling.temperature for sampling in samplings}
        self._generators = [random.Random(sampling.seed) for sampling in samplings]

    def __call__(self, logits_BV: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        """`rows`: the sampling to which each row of the batch belongs. Shapes: (B, V) -> (B,)."""
        uniform = torch.tensor([self._generators[row].random() for row in rows], dtype=torch.float64)
        logits = logits_BV.float()
        probabilities = ((logits - logits.amax(dim=-1, keepdim=True)) / self._temperature).softmax(dim=-1)
        return drawn_at(probabilities, uniform)


def drawn_at(probabilities_BV: torch.Tensor, uniform_B: torch.Tensor) -> torch.Tensor:
    """The token at which the cumulative probability passes `uniform`, in 0..1. A token of probability 0 is never drawn."""
    width = min(BLOCK, probabilities_BV.shape[-1])
    padding = -probabilities_BV.shape[-1] % width
    blocks_BNW = torch.nn.functional.pad(probabilities_BV, (0, padding)).unflatten(-1, (-1, width))
    sums_BN = blocks_BNW.sum(dim=-1).cpu().double()
    aim_B = uniform_B * sums_BN.sum(dim=-1)
    block_B, before_B = passed(sums_BN, aim_B)
    rows = torch.arange(len(block_B))
    inside_BW = blocks_BNW[rows.to(blocks_BNW.device), block_B.to(blocks_BNW.device)].cpu().double()
    token_B, _ = passed(inside_BW, aim_B - before_B)
    return (block_B * width + token_B).to(probabilities_BV.device)


def passed(weights_BN: torch.Tensor, aim_B: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The place at which the running sum passes the aim, or the last one with a weight if rounding keeps it below; the sum before it."""
    sums_BN = weights_BN.cumsum(dim=-1)
    last_B = (sums_BN >= sums_BN[:, -1:]).to(torch.int64).argmax(dim=-1)
    place_B = torch.minimum((sums_BN <= aim_B[:, None]).sum(dim=-1), last_B)
    before_B = torch.where(place_B > 0, sums_BN.gather(1, (place_B - 1).clamp(min=0)[:, None])[:, 0], torch.zeros_like(aim_B))
    return place_B, before_B
