"""Memory that weights take, for the plan of a run and for the check before it. Pure."""

BYTES_PER_WEIGHT = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}
BYTES_PER_NF4_WEIGHT = (4 + 8 / 64 + 32 / (64 * 256)) / 8
"""With double quantisation: four bits, a scale of 8 bits for 64 weights, and one of 32 bits for 256 of these (QLoRA, arXiv 2305.14314)."""
BYTES_PER_TRAINED_WEIGHT = 16
"""fp32: the weight, its gradient, and Adam's two moments."""


def weight_bytes(*, num_weights: int, num_linear_weights: int, dtype: str, quantization: str) -> float:
    """Memory of the base weights. nf4 applies to linear layers; the other tensors keep the dtype."""
    num_small = num_linear_weights if quantization == "nf4" else 0
    return (num_weights - num_small) * BYTES_PER_WEIGHT[dtype] + num_small * BYTES_PER_NF4_WEIGHT
