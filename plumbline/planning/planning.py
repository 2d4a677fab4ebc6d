"""What a run will take, computed from its parameters and the shape of its model. Pure.

Source of the formulas: 4N convention for LoRA (forward 2N, backward to the activations 2N, no gradient of the base weights),
docs/benchmarks.md; memory of activations from the runs on one GPU that are written down there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.training.weight_bytes import weight_bytes

ACTIVATION_BYTES = 46
"""Per token, layer and hidden unit, without checkpointing: 6 MB a token of a 7B model (measured on one H200: 46, in bf16 and on nf4)."""
CHECKPOINTED_ACTIVATION_BYTES = 6
"""With full gradient checkpointing: 0.8 MB a token of a 7B model (measured on one H200, TRL's defaults)."""
NUM_CHECKPOINTS = 2
SECONDS_PER_DECODING_STEP_ON_GPU = 0.03
"""Eager transformers on a large GPU, a 7B model (assumed)."""


@dataclass(frozen=True)
class Shape:
    """A decoder of the Llama family."""

    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int
    tied_embeddings: bool = False

    @classmethod
    def of_config(cls, config: dict[str, Any]) -> "Shape":
        """From a config.json of transformers. KeyError for an architecture that names its sizes otherwise."""
        heads = config["num_attention_heads"]
        return cls(
            hidden_size=config["hidden_size"],
            intermediate_size=config["intermediate_size"],
            num_layers=config["num_hidden_layers"],
            num_heads=heads,
            num_key_value_heads=config.get("num_key_value_heads") or heads,
            head_dim=config.get("head_dim") or config["hidden_size"] // heads,
            vocab_size=config["vocab_size"],
            tied_embeddings=bool(config.get("tie_word_embeddings")),
        )

    @property
    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """Name -> (inputs, outputs) of the seven linear layers of a block."""
        queries, keys = self.num_heads * self.head_dim, self.num_key_value_heads * self.head_dim
        hidden, inner = self.hidden_size, self.intermediate_size
        return {
            "q_proj": (hidden, queries),
            "k_proj": (hidden, keys),
            "v_proj": (hidden, keys),
            "o_proj": (queries, hidden),
            "gate_proj": (hidden, inner),
            "up_proj": (hidden, inner),
            "down_proj": (inner, hidden),
        }

    @property
    def num_linear_weights(self) -> int:
        """Weights of the blocks' linear layers: what a token is multiplied with, the head aside."""
        return self.num_layers * sum(inputs * outputs for inputs, outputs in self.linear_layers.values())

    @property
    def num_weights(self) -> int:
        """All weights: embeddings, head and norms too."""
        tables = self.vocab_size * self.hidden_size * (1 if self.tied_embeddings else 2)
        return self.num_linear_weights + tables + (2 * self.num_layers + 1) * self.hidden_size

    def num_lora_weights(self, r: int, target_modules: str | Sequence[str]) -> int:
        """Trained weights of an adapter of rank r on all linear layers, or on those named."""
        chosen = [sizes for name, sizes in self.linear_layers.items() if target_modules == "all-linear" or name in target_modules]
        return self.num_layers * sum(r * (inputs + outputs) for inputs, outputs in chosen)


MISTRAL_7B = Shape(
    hidden_size=4096, intermediate_size=14336, num_layers=32, num_heads=32, num_key_value_heads=8, head_dim=128, vocab_size=32768
)


def training_flops_per_token(shape: Shape, *, num_lora_weights: int, labelled_fraction: float, attended_tokens: float) -> float:
    """Floating-point operations of one training step for each token.

    `attended_tokens`: sum of squared lengths over sum of lengths of the documents.
    """
    head = labelled_fraction * shape.vocab_size * shape.hidden_size
    attention = 6 * shape.num_layers * shape.num_heads * shape.head_dim * attended_tokens
    return 4 * (shape.num_linear_weights + head) + 6 * num_lora_weights + attention


def base_bytes(shape: Shape, *, dtype: str, quantization: str) -> float:
    """Memory of the base weights of a model of this shape."""
    return weight_bytes(num_weights=shape.num_weights, num_linear_weights=shape.num_linear_weights, dtype=dtype, quantization=quantization)


def activation_bytes(shape: Shape, *, num_tokens: int, checkpointing: bool) -> float:
    """Memory that a micro-batch holds between forward and backward: an estimate."""
    each = CHECKPOINTED_ACTIVATION_BYTES if checkpointing else ACTIVATION_BYTES
    return float(each * shape.num_layers * shape.hidden_size * num_tokens)


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
