"""Whether rows that share a batch, packed or padded, leave each other's gradients unchanged. Measured on a tiny model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig, PreTrainedModel

from plumbline.model.on_meta import TRIAL_ERRORS
from plumbline.model.padding import held_pad
from plumbline.preflight.shrunk import shrunk_model
from plumbline.training.attention import PER_DOCUMENT, attend_to_padding
from plumbline.training.dialogues import Trainable


class Gradients(NamedTuple):
    """How far the gradients of a batch are from the gradients of its rows."""

    packed: bool
    """True: packed against padded. False: padded against each row alone."""
    difference: float
    """||one - other|| / ||other|| over all weights; infinite if the batch could not be computed."""
    problem: str
    """The error of the architecture; empty if the batch was computed."""


def padded(examples: Sequence[Trainable], pad: int) -> dict[str, torch.Tensor]:
    """One example per row, filled up at the end."""
    width = max(len(example.ids) for example in examples)
    return {
        "input_ids": torch.tensor([example.ids + [pad] * (width - len(example.ids)) for example in examples]),
        "attention_mask": torch.tensor([[1] * len(example.ids) + [0] * (width - len(example.ids)) for example in examples]),
        "labels": torch.tensor([example.labels + [-100] * (width - len(example.ids)) for example in examples]),
    }


def _packed(examples: Sequence[Trainable]) -> dict[str, torch.Tensor | int]:
    lengths = torch.tensor([len(example.ids) for example in examples])
    boundaries = torch.cat([torch.tensor([0]), lengths.cumsum(0)]).to(torch.int32)
    return {
        "input_ids": torch.tensor([[token for example in examples for token in example.ids]]),
        "labels": torch.tensor([[-100 if i == 0 else label for example in examples for i, label in enumerate(example.labels)]]),
        "position_ids": torch.cat([torch.arange(int(length)) for length in lengths])[None],
        "cu_seq_lens_q": boundaries,
        "cu_seq_lens_k": boundaries,
        "max_length_q": int(lengths.max()),
        "max_length_k": int(lengths.max()),
    }


def _gradients(model: PreTrainedModel, batch: Mapping[str, Any]) -> torch.Tensor:
    model.zero_grad()
    model(**batch, use_cache=False).loss.backward()
    return _collected(model)


def _collected(model: PreTrainedModel) -> torch.Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


def _alone(model: PreTrainedModel, examples: Sequence[Trainable]) -> torch.Tensor:
    """Gradients of the mean loss over all labels, one row at a time."""
    counts = [sum(label != -100 for label in example.labels[1:]) for example in examples]
    model.zero_grad()
    for example, count in zip(examples, counts, strict=True):
        row = {name: torch.tensor([values]) for name, values in (("input_ids", example.ids), ("labels", example.labels))}
        (model(**row, use_cache=False).loss * (count / sum(counts))).backward()
    return _collected(model)


def gradient_difference(base: Path, examples: Sequence[Trainable], *, pad: int, packing: bool) -> Gradients:
    """Compare the tiny model's gradients for the same examples: packed and padded, or padded and alone. Never raises for an architecture.

    Windows and chunks of attention are shorter than the examples, so that packing must respect them.
    """
    window = max(2, min(len(example.ids) for example in examples) // 2)
    model = shrunk_model(AutoConfig.from_pretrained(str(base)), seed=0, window=window).train()
    filled = padded(examples, held_pad(pad, model.get_input_embeddings()))
    try:
        attend_to_padding(model)
        if packing:
            other = _gradients(model, filled)
            model.set_attn_implementation(PER_DOCUMENT)
            one = _gradients(model, _packed(examples))
        else:
            one, other = _gradients(model, filled), _alone(model, examples)
    except TRIAL_ERRORS as error:
        return Gradients(packing, float("inf"), f"{type(error).__name__}: {str(error)[:200]}")
    return Gradients(packing, float(torch.linalg.norm(one - other) / torch.linalg.norm(other)), "")
