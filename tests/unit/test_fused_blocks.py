"""Norms, rotations and gates as one node each: the numbers of transformers to rounding. Parts that compute something else are left alone."""

import sys
from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from plumbline.training.fused_blocks import (
    ROTATION,
    _GatedProduct,
    _RMSNorm,
    _Rotation,
    fuse_norms_and_gates,
    fused_rotations,
    in_place_of_theirs,
)

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}


def model_of(kind: str, **more: object) -> PreTrainedModel:
    """A random frozen model of two layers, but for its embedding, so that gradients reach every block."""
    torch.manual_seed(7)
    config = AutoConfig.for_model(kind, vocab_size=50, head_dim=8, pad_token_id=0, **SIZES, **more)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, mean=1.0, std=0.2)
    model.get_input_embeddings().weight.requires_grad_(True)
    return model


def loss_and_gradient(model: PreTrainedModel) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.arange(40).remainder(13).view(2, 20)
    model.zero_grad()
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    gradient = model.get_input_embeddings().weight.grad
    assert isinstance(gradient, torch.Tensor)
    return loss.detach(), gradient.clone()


@pytest.mark.parametrize("kind", ["mistral", "llama", "qwen2", "qwen3"])
def test_a_model_gives_the_same_loss_and_gradient(kind: str) -> None:
    model = model_of(kind)
    theirs = loss_and_gradient(model)
    per_layer = 5 if kind == "qwen3" else 3  # two norms and a gate; qwen3 norms queries and keys as well
    assert fuse_norms_and_gates(model) == 2 * per_layer + 1
    rotations = fused_rotations(model)
    assert list(rotations) == [type(model).__module__]
    with in_place_of_theirs(rotations):
        ours = loss_and_gradient(model)
    for mine, other in zip(ours, theirs, strict=True):
        assert float(torch.linalg.norm(mine - other) / torch.linalg.norm(other)) < 2e-6


def test_every_kind_of_node_is_in_the_graph_while_training_and_nowhere_else() -> None:
    model = model_of("mistral")
    fuse_norms_and_gates(model)
    ids = torch.arange(12).view(1, 12)
    with in_place_of_theirs(fused_rotations(model)):
        names = {type(node).__name__ for node in _graph(model(input_ids=ids, labels=ids).loss.grad_fn)}
    assert {"_RMSNormBackward", "_RotationBackward", "_GatedProductBackward"} <= names
    names = {type(node).__name__ for node in _graph(model(input_ids=ids, labels=ids).loss.grad_fn)}
    assert "_RotationBackward" not in names and "_RMSNormBackward" in names
    with torch.no_grad():
        fused, plain = model(input_ids=ids).logits, model_of("mistral")(input_ids=ids).logits
    assert torch.equal(fused, plain), "without a gradient every bit is that of transformers"


def test_the_function_of_transformers_is_put_back_even_after_a_failure() -> None:
    model = model_of("mistral")
    before = getattr(sys.modules[type(model).__module__], ROTATION)
    with pytest.raises(KeyError), in_place_of_theirs(fused_rotations(model)):
        assert getattr(sys.modules[type(model).__module__], ROTATION) is not before
        raise KeyError
    assert getattr(sys.modules[type(model).__module__], ROTATION) is before


def test_a_model_that_computes_something_else_stays_as_it_is() -> None:
    """Gemma's norm is (1 + weight) x and its gate is not silu: the names fit, the numbers do not."""
    model = model_of("gemma")
    theirs = loss_and_gradient(model)
    assert fuse_norms_and_gates(model) == 0
    assert not any("forward" in vars(module) for module in model.modules())
    assert all(torch.equal(mine, other) for mine, other in zip(loss_and_gradient(model), theirs, strict=True))


def test_a_rotation_of_neighbours_instead_of_halves_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def neighbours(q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, unsqueeze_dim: int = 1) -> object:
        def turn(x: torch.Tensor) -> torch.Tensor:
            turned = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).flatten(-2)
            return x * cos.unsqueeze(unsqueeze_dim) + turned * sin.unsqueeze(unsqueeze_dim)

        return turn(q), turn(k)

    model = model_of("mistral")
    assert fused_rotations(model)
    monkeypatch.setattr(sys.modules[type(model).__module__], ROTATION, neighbours)
    assert not fused_rotations(model)
    monkeypatch.setattr(sys.modules[type(model).__module__], ROTATION, lambda q, k, cos, sin, position_ids: (q, k))
    assert not fused_rotations(model), "other arguments"


def test_a_rotation_that_cannot_be_tried_stays() -> None:
    """gpt-oss takes cosines of half of the width: its function raises for the usual ones."""
    assert not fused_rotations(model_of("gpt_oss"))


def test_a_module_that_takes_more_than_one_argument_stays() -> None:
    """The trial gives it one, and its own model others."""
    model = model_of("mistral")
    kind = type("GatedRMSNorm", (type(model.model.norm),), {"forward": lambda self, x, gate=None: x if gate is None else x * gate})
    model.model.norm.__class__ = kind
    assert fuse_norms_and_gates(model) == 2 * 3
    assert "forward" not in vars(model.model.norm)


def test_a_model_elsewhere_stays() -> None:
    model = model_of("mistral").to("meta")
    assert not fused_rotations(model) and fuse_norms_and_gates(model) == 0


def test_trained_norms_float16_and_another_gate_stay() -> None:
    trained = model_of("mistral")
    for parameter in trained.parameters():
        parameter.requires_grad_(parameter.dim() == 1)
    assert fuse_norms_and_gates(trained) == 2, "the gates alone"
    assert fuse_norms_and_gates(model_of("mistral").half()) == 0
    assert fuse_norms_and_gates(model_of("mistral", hidden_act="gelu")) == 5, "the norms alone"


def test_looking_draws_no_random_number() -> None:
    model = model_of("mistral")
    before = torch.get_rng_state()
    fuse_norms_and_gates(model)
    fused_rotations(model)
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_that_comes_later_goes_the_usual_way() -> None:
    model, plain = model_of("mistral"), model_of("mistral")
    fuse_norms_and_gates(model)
    rotations = fused_rotations(model)
    found = []
    for each, around in ((model, in_place_of_theirs(rotations)), (plain, nullcontext())):
        with around, torch.autocast("cpu", dtype=torch.bfloat16):
            found.append(loss_and_gradient(each.bfloat16()))
    assert all(torch.equal(mine, other) for mine, other in zip(*found, strict=True))


@pytest.mark.parametrize(
    ("function", "shapes", "num_trained"),
    [
        (lambda x, weight: _RMSNorm.apply(x, weight, 1e-3), [(2, 3, 6), (6,)], 1),
        (lambda x, cos, sin: _Rotation.apply(x, cos, sin), [(1, 2, 3, 4), (1, 1, 3, 4), (1, 1, 3, 4)], 1),
        (lambda gate, up: _GatedProduct.apply(gate, up), [(2, 3, 5), (2, 3, 5)], 2),
    ],
    ids=["norm", "rotation", "gate"],
)
def test_gradients_are_those_of_finite_differences(
    function: Callable[..., torch.Tensor], shapes: list[tuple[int, ...]], num_trained: int
) -> None:
    torch.manual_seed(0)
    inputs = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    for tensor in inputs[:num_trained]:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(function, inputs)


def _graph(node: object) -> set[object]:
    """All nodes that follow from this one."""
    seen: set[object] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [parent for parent, _ in node.next_functions]  # type: ignore[attr-defined]
    return seen
