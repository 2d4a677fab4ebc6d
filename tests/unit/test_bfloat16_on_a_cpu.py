"""Training in bfloat16 on a processor: fused as in float32 where that helps, with an error no larger than PEFT's under autocast."""

import copy
from typing import Any

import pytest
import torch
from peft import PeftModel, get_peft_model
from torch.nn.functional import cross_entropy

from plumbline.rows.training_params import LoraParams
from plumbline.training.attention import PER_DOCUMENT, attend_per_document
from plumbline.training.fused_blocks import fuse_norms_and_gates, fused_rotations, in_place_of_theirs
from plumbline.training.labelled_positions import last_mlp, only_at
from plumbline.training.lean_steps import fuse_adapted_products
from plumbline.training.lora import keep_adapter_in_fp32, lora_config
from tests.unit.test_fused_blocks import _graph, model_of

LENGTHS = [7, 12, 5]
BOUNDARIES = torch.tensor([0, 7, 19, 24], dtype=torch.int32)
IDS = torch.arange(24).mul(7).remainder(50)
LABELLED = torch.tensor([4, 5, 12, 13, 14, 15, 16, 21, 22])
"""Positions that predict a label; the label is the next token of the same document."""


def adapted(kind: str) -> PeftModel:
    """Random bfloat16 weights, all frozen, and a float32 adapter that moves them."""
    model = model_of(kind).bfloat16().requires_grad_(False)
    params = LoraParams(r=4, alpha=8, dropout=0.0, target_modules="all-linear", use_rslora=False)
    tuned: Any = get_peft_model(model, lora_config(params))
    keep_adapter_in_fp32(tuned)
    torch.manual_seed(3)
    for name, parameter in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return tuned


def loss_and_gradients(model: PeftModel, logits_TV: torch.Tensor) -> list[torch.Tensor]:
    loss = cross_entropy(logits_TV.to(torch.promote_types(logits_TV.dtype, torch.float32)), IDS[LABELLED + 1])
    loss.backward()
    return [loss.detach(), *(parameter.grad for parameter in model.parameters() if parameter.grad is not None)]


def document_by_document(model: Any) -> list[torch.Tensor]:
    """What PEFT and transformers compute themselves, each document alone."""
    logits = [model(input_ids=ids[None], use_cache=False).logits[0] for ids in IDS.split(LENGTHS)]
    return loss_and_gradients(model, torch.cat(logits)[LABELLED])


def ours(model: Any) -> list[torch.Tensor]:
    """One packed row with everything that the trainer fuses."""
    model.get_base_model().set_attn_implementation(PER_DOCUMENT)
    mlp = last_mlp(model)
    assert mlp is not None
    fuse_adapted_products(model)
    assert fuse_norms_and_gates(model) >= 5
    rotations = fused_rotations(model)
    assert rotations
    packed = {"cu_seq_lens_q": BOUNDARIES, "cu_seq_lens_k": BOUNDARIES, "max_length_q": 12, "max_length_k": 12}
    positions = torch.cat([torch.arange(length) for length in LENGTHS])[None]
    with in_place_of_theirs(rotations), only_at(mlp, LABELLED):
        output = model(input_ids=IDS[None], position_ids=positions, use_cache=False, logits_to_keep=LABELLED, **packed)
    names = {type(node).__name__ for node in _graph(output.logits.grad_fn)}
    assert {"_HalfAdaptedProductBackward", "_RMSNormBackward", "_RotationBackward"} <= names, names
    return loss_and_gradients(model, output.logits[0])


def errors(found: list[torch.Tensor], truth: list[torch.Tensor]) -> list[float]:
    return [float(torch.linalg.norm(one.double() - other) / torch.linalg.norm(other)) for one, other in zip(found, truth, strict=True)]


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen3"])
def test_gradients_are_as_near_to_the_truth_as_those_of_peft_under_autocast(kind: str) -> None:
    mine = adapted(kind)
    theirs, exact = copy.deepcopy(mine), copy.deepcopy(mine).double()
    truth = document_by_document(exact)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        by_peft = document_by_document(theirs)
    by_us = ours(mine)
    assert len(by_us) == 1 + 2 * 2 * 7 and {tensor.dtype for tensor in by_us[1:]} == {torch.float32}
    off, allowed = errors(by_us, truth), errors(by_peft, truth)
    assert 0 < sum(off) < 1.1 * sum(allowed), (sum(off), sum(allowed))
    assert max(off[1:]) < 1.5 * max(allowed[1:]), (max(off), max(allowed))


def test_attention_in_half_precision_is_computed_in_full() -> None:
    """It takes half the time, and its one rounding is the last."""
    torch.manual_seed(0)
    states = [torch.randn(1, heads, 24, 8).bfloat16() for heads in (4, 2, 2)]
    found, expected = (
        attend_per_document(torch.nn.Identity(), *(state.to(dtype) for state in states), None, cu_seq_lens_q=BOUNDARIES)[0]  # type: ignore[misc]
        for dtype in (torch.bfloat16, torch.float32)
    )
    assert found.dtype == torch.bfloat16 and torch.equal(found, expected.bfloat16())


def test_a_gate_in_bfloat16_stays_that_of_the_model() -> None:
    """One node is not faster there."""
    model = model_of("llama").bfloat16().requires_grad_(False)
    assert fuse_norms_and_gates(model) == 5
    assert not any("forward" in vars(layer.mlp) for layer in model.model.layers)
