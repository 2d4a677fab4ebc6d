"""A model in training computes, for a while, as it would when its adapter is saved and loaded again: the text it writes is then the text it will write."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from plumbline.training.attention import attend_to_padding


@contextmanager
def as_loaded(model: PeftModel) -> Iterator[PreTrainedModel]:
    """The base model with the adapter in its layers: in evaluation mode, attention for padded rows, no node and no autocast of the training's.

    All of it is put back afterwards. The autocast stands around the outer model's forward, which is not called.
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
    """Whether the training put a forward of its own in the place of the module's."""
    forward = module.__dict__.get("forward")
    return isinstance(forward, MethodType) and forward.__func__.__module__.startswith("plumbline.training.")
