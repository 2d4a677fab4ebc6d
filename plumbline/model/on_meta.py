"""Build a model without storage, to see its modules and shapes in a moment, at any size; name what a trial of an architecture's code may raise."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel
from transformers.utils.logging import get_verbosity, set_verbosity, set_verbosity_error

TRIAL_ERRORS = (ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, RuntimeError, TypeError, ValueError)
"""What the code of an architecture may raise if it cannot do what is tried: the answer is then no. Memory and signals are not among them."""


def on_meta(config: PretrainedConfig, *, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """Build a causal language model on the meta device."""
    with quietly(), torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, dtype=dtype)


@contextmanager
def quietly() -> Iterator[None]:
    """Silence what transformers says about models that no one will run."""
    before = get_verbosity()
    set_verbosity_error()
    try:
        yield
    finally:
        set_verbosity(before)


def weights_beside_vocabulary(model: torch.nn.Module, head: torch.nn.Module | None) -> int:
    """Number of weights of a model or a part of it, without its embeddings and the head."""
    vocabulary = {weights for module in model.modules() if isinstance(module, torch.nn.Embedding) for weights in module.parameters()}
    vocabulary |= set() if head is None else set(head.parameters())
    return sum(weights.numel() for weights in model.parameters() if weights not in vocabulary)
