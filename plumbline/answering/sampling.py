"""How the tokens of an answer are drawn: at which temperature, and with which seed. Pure."""

import hashlib
from typing import NamedTuple

SEED_BITS = 31
"""Every engine accepts a seed of this many bits."""


class Sampling(NamedTuple):
    """How the tokens of one answer are drawn."""

    temperature: float
    seed: int


def sample_seed(seed: int, id: str, sample: int) -> int:
    """The seed of one sample of one question. It depends on neither arm nor batch, so base and tuned use the same random numbers."""
    digest = hashlib.sha256(f"{seed}:{id}:{sample}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)


def sampling_words(num_samples: int, temperature: float) -> str:
    """The words for the decoding if tokens are drawn."""
    if num_samples > 1:
        return f"{num_samples} samples of each question at temperature {temperature:g}; its score is their mean"
    return (
        f"one answer to each question, drawn at temperature {temperature:g}: how far another draw would move the score is not measured; "
        "answer.num_samples of 2 or more measures it"
    )
