"""What a run will take, computed from its parameters and the shape of its model. Pure.

Source of the formulas: 4N convention for LoRA (forward 2N, backward to the activations 2N, no gradient of the base weights),
docs/benchmarks.md; memory of activations from the runs on one GPU that are written down there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from plumbline.training.weight_bytes import BYTES_PER_WEIGHT, weight_bytes

KEPT_OF_HIDDEN, KEPT_OF_INNER = 9, 4
"""Values per token and layer, in units of hidden and of inner size, without checkpointing. With 3.5 x the hidden size inside, as Mistral has,
46 bytes a hidden unit: 6 MB a token of a 7B model (measured on one H200, in bf16 and on nf4)."""
CHECKPOINTED_VALUES = 3
"""With full gradient checkpointing: 0.8 MB a token of a 7B model (measured on one H200, TRL's defaults)."""
LOGIT_BYTES = 12
"""fp32 logits, their probabilities and their gradient, of a token that has a label."""
NUM_CHECKPOINTS = 2
SECONDS_PER_DECODING_STEP_ON_GPU = 0.03
"""Eager transformers on a large GPU, a 7B model (assumed)."""


@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """What the numbers of a plan rest on, for a causal language model of any architecture."""

    num_weights: int
    """All weights, each counted once: embeddings, norms and head too."""
    num_linear_weights: int
    """Of the linear layers without the head: what nf4 quantises."""
    num_used_weights: int
    """Of the linear layers without the head, and of the experts that a token is sent to: what a token is multiplied with."""
    hidden_size: int
    inner_size: int
    """Widest part of a block that a token goes through, of all its experts together."""
    num_layers: int
    attention_width: int
    """Heads x width of one."""
    vocab_size: int


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
        """Weights of the blocks' linear layers: what a token is multiplied with, without the head."""
        return self.num_layers * sum(inputs * outputs for inputs, outputs in self.linear_layers.values())

    @property
    def num_weights(self) -> int:
        """All weights: embeddings, head and norms too."""
        tables = self.vocab_size * self.hidden_size * (1 if self.tied_embeddings else 2)
        return self.num_linear_weights + tables + (2 * self.num_layers + 1) * self.hidden_size

    @property
    def size(self) -> ModelSize:
        """The same in the terms of any architecture."""
        return ModelSize(
            num_weights=self.num_weights,
            num_linear_weights=self.num_linear_weights,
            num_used_weights=self.num_linear_weights,
            hidden_size=self.hidden_size,
            inner_size=self.intermediate_size,
            num_layers=self.num_layers,
            attention_width=self.num_heads * self.head_dim,
            vocab_size=self.vocab_size,
        )

    def num_lora_weights(self, r: int, target_modules: str | Sequence[str]) -> int:
        """Trained weights of an adapter of rank r on all linear layers, or on those named."""
        chosen = [sizes for name, sizes in self.linear_layers.items() if target_modules == "all-linear" or name in target_modules]
        return self.num_layers * sum(r * (inputs + outputs) for inputs, outputs in chosen)


MISTRAL_7B = Shape(
    hidden_size=4096, intermediate_size=14336, num_layers=32, num_heads=32, num_key_value_heads=8, head_dim=128, vocab_size=32768
)


def training_flops_per_token(size: ModelSize, *, num_lora_weights: int, labelled_fraction: float, attended_tokens: float) -> float:
    """Floating-point operations of one training step for each token.

    `attended_tokens`: sum of squared lengths over sum of lengths of the documents.
    """
    head = labelled_fraction * size.vocab_size * size.hidden_size
    attention = 6 * size.num_layers * size.attention_width * attended_tokens
    return 4 * (size.num_used_weights + head) + 6 * num_lora_weights + attention


def decoding_flops_per_token(size: ModelSize) -> float:
    """Floating-point operations for each token of an answer, without attention to the tokens before it."""
    return 2.0 * (size.num_used_weights + size.vocab_size * size.hidden_size)


def base_bytes(size: ModelSize, *, dtype: str, quantization: str) -> float:
    """Memory of the base weights of a model of this size."""
    return weight_bytes(num_weights=size.num_weights, num_linear_weights=size.num_linear_weights, dtype=dtype, quantization=quantization)


def activation_bytes(size: ModelSize, *, num_tokens: int, dtype: str, checkpointing: bool, labelled_fraction: float = 0.0) -> float:
    """Memory that a micro-batch holds between forward and backward, including the logits of its labelled tokens: an estimate."""
    width = CHECKPOINTED_VALUES * size.hidden_size if checkpointing else KEPT_OF_HIDDEN * size.hidden_size + KEPT_OF_INNER * size.inner_size
    logits = LOGIT_BYTES * size.vocab_size * labelled_fraction
    return float(num_tokens * (BYTES_PER_WEIGHT[dtype] * width * size.num_layers + logits))
