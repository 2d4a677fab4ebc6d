"""The last MLP is computed only where a label is: loss and gradients are the same. If a model looks at other positions afterwards, it is left alone."""

from types import MethodType
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from plumbline.training.attention import PER_DOCUMENT
from plumbline.training.labelled_positions import last_mlp, only_at
from tests.unit.test_fused_blocks import model_of

KEPT = torch.tensor([1, 2, 6, 10])


def loss_and_gradient(model: Any, mlp: torch.nn.Module | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Of one row of twelve tokens, at the kept positions."""
    model.zero_grad()
    with only_at(mlp, KEPT):
        logits = model(input_ids=torch.arange(12)[None], logits_to_keep=KEPT).logits
    loss = cross_entropy(logits.squeeze(0), KEPT + 1)
    loss.backward()
    return loss.detach(), model.get_input_embeddings().weight.grad.clone()


@pytest.mark.parametrize("kind", ["mistral", "llama", "qwen2", "qwen3", "gemma"])
def test_loss_and_gradient_are_those_of_the_whole(kind: str) -> None:
    model = model_of(kind)
    mlp = last_mlp(model)
    assert mlp is model.model.layers[-1].mlp
    for mine, other in zip(loss_and_gradient(model, mlp), loss_and_gradient(model, None), strict=True):
        assert float(torch.linalg.norm(mine - other) / torch.linalg.norm(other)) < 2e-6


def test_the_mlp_computes_the_kept_positions_alone() -> None:
    model = model_of("mistral")
    mlp = last_mlp(model)
    assert mlp is not None
    seen: list[torch.Size] = []
    handle = mlp.gate_proj.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape))
    loss_and_gradient(model, mlp)
    loss_and_gradient(model, None)
    handle.remove()
    assert [shape[1] for shape in seen] == [len(KEPT), 12]


def test_the_earlier_mlps_do_change_what_is_kept() -> None:
    """Else the trial could not tell."""
    model = model_of("mistral")
    earlier = model.model.layers[0].mlp
    assert not torch.allclose(loss_and_gradient(model, earlier)[0], loss_and_gradient(model, None)[0], rtol=1e-4)


def test_a_model_that_looks_at_other_positions_afterwards_is_left_alone() -> None:
    model = model_of("mistral")
    norm = model.model.norm
    norm.forward = MethodType(lambda module, x: type(module).forward(module, x.cumsum(1)), norm)
    assert last_mlp(model) is None


def test_a_model_without_such_an_mlp_and_one_elsewhere_are_left_alone() -> None:
    model = model_of("mistral")
    for layer in model.model.layers:
        del layer.mlp.act_fn
    assert last_mlp(model) is None
    assert last_mlp(model_of("mistral").to("meta")) is None


def test_a_model_that_takes_no_packed_rows_is_left_alone() -> None:
    model = model_of("gemma2")
    model.set_attn_implementation(PER_DOCUMENT)
    assert last_mlp(model) is None, "its attention has a soft cap, and says so by an error"


def test_the_trial_leaves_mode_and_random_numbers_as_they_were() -> None:
    model = model_of("mistral")
    for is_training in (True, False):
        model.train(is_training)
        before = torch.get_rng_state()
        last_mlp(model)
        assert all(module.training == is_training for module in model.modules())
        assert torch.equal(torch.get_rng_state(), before)


def test_the_mlp_is_whole_again_even_after_a_failure() -> None:
    model = model_of("mistral")
    mlp = last_mlp(model)
    assert mlp is not None
    x = torch.randn(1, 12, 32)
    whole = mlp(x)
    with pytest.raises(KeyError), only_at(mlp, KEPT):
        assert int((mlp(x) != 0).any(-1).sum()) == len(KEPT)
        raise KeyError
    assert torch.equal(mlp(x), whole)
