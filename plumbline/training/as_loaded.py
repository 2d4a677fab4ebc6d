"""Let a model in training compute for a while as it will after its adapter is saved and loaded: it then writes the same text."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from plumbline.training.attention import attend_to_padding


@contextmanager
def as_loaded(model: PeftModel) -> Iterator[PreTrainedModel]:
    """The base model with the adapter in its layers, in evaluation mode, with attention for padded rows.

    It has neither the autograd nodes of the training nor its autocast, which is around the outer model's forward; that one is not called.
    Everything is put back afterwards.
    """
    inner = model.get_base_model()
    assert isinstance(inner, PreTrainedModel)
    was_training, attention = model.training, inner.config._attn_implementation or "eager"
    nodes = {module: module.__dict__.pop("forward") for module in inner.modules() if has_own_node(module)}
    model.eval()
    attend_to_padding(inner)
    try:
        yield inner
    finally:
        inner.set_attn_implementation(attention)
        for module, node in nodes.items():
            module.forward = node
        model.train(was_training)


def has_own_node(module: torch.nn.Module) -> bool:
    """Whether the training replaced the module's forward."""
    forward = module.__dict__.get("forward")
    return isinstance(forward, MethodType) and forward.__func__.__module__.startswith("plumbline.training.")
