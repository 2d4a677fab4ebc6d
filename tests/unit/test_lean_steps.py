"""Steps with less around them compute what PEFT and the Trainer compute, to the last bit where the scale is a power of two."""

import pytest
import torch
from peft import PeftModel, get_peft_model

from stages.io.lean_steps import fuse_adapted_products, skip_idle_walks
from stages.io.lora import lora_config
from stages.records.training_params import LoraParams


class _Two(torch.nn.Module):
    """Two products of one input, as in attention: the order in which their gradients are added shows in the last bits."""

    def __init__(self, *, bias: bool) -> None:
        super().__init__()
        self.first = torch.nn.Linear(24, 24, bias=bias)
        self.left = torch.nn.Linear(24, 40, bias=bias)
        self.right = torch.nn.Linear(24, 40, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(self.first(x))
        return torch.tanh(self.left(x)) * self.right(x)


def adapted(*, alpha: int, dropout: float = 0.0, bias: bool = False) -> PeftModel:
    torch.manual_seed(3)
    params = LoraParams(r=4, alpha=alpha, dropout=dropout, target_modules=["first", "left", "right"], use_rslora=False)
    config = lora_config(params)
    config.task_type = None
    model = get_peft_model(_Two(bias=bias), config)  # type: ignore[arg-type]
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    return model  # type: ignore[return-value]


def results(model: PeftModel) -> list[torch.Tensor]:
    """Output, and the gradients of input and adapter."""
    torch.manual_seed(5)
    x = torch.randn(1, 50, 24, requires_grad=True)
    y = model(x)
    (y * torch.randn_like(y)).sum().backward()
    assert x.grad is not None
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert len(gradients) == 6
    return [y, x.grad, *gradients]


@pytest.mark.parametrize("alpha", [2, 4, 8])
def test_every_bit_is_that_of_peft_where_the_scale_is_a_power_of_two(alpha: int) -> None:
    theirs, ours = adapted(alpha=alpha), adapted(alpha=alpha)
    fuse_adapted_products(ours)
    found = results(ours)
    assert "_AdaptedProduct" in str(ours.base_model.model.left(torch.randn(1, 2, 24)).grad_fn), "nothing was fused"
    assert all(torch.equal(mine, other) for mine, other in zip(found, results(theirs), strict=True))


def test_any_other_scale_agrees_to_rounding() -> None:
    theirs, ours = adapted(alpha=5), adapted(alpha=5)
    fuse_adapted_products(ours)
    for mine, other in zip(results(ours), results(theirs), strict=True):
        assert float(torch.linalg.norm(mine - other) / torch.linalg.norm(other)) < 1e-5


def test_gradients_are_those_of_finite_differences() -> None:
    from stages.io.lean_steps import _AdaptedProduct

    torch.manual_seed(0)
    x, weight, down, up = (torch.randn(shape, dtype=torch.float64) for shape in ((2, 3, 5), (7, 5), (2, 5), (7, 2)))
    for tensor in (x, down, up):
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(lambda x, down, up: _AdaptedProduct.apply(x, x, weight, down, up, 0.7), (x, down, up))


def test_layers_with_dropout_or_bias_stay_as_they_are() -> None:
    for model in (adapted(alpha=8, dropout=0.5), adapted(alpha=8, bias=True)):
        fuse_adapted_products(model)
        assert not any("forward" in vars(module) for module in model.modules())


def test_a_switched_off_adapter_and_half_precision_go_the_usual_way() -> None:
    theirs, ours = adapted(alpha=8), adapted(alpha=8)
    fuse_adapted_products(ours)
    x = torch.randn(1, 6, 24)
    with theirs.disable_adapter(), ours.disable_adapter():
        assert torch.equal(theirs(x), ours(x)) and not torch.equal(ours.base_model.model.left(x), theirs.base_model.model.right(x))
        off = ours(x)
    assert not torch.equal(off, ours(x))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(theirs(x), ours(x)) and ours(x).dtype == torch.bfloat16


def test_modes_still_reach_every_module_and_gradients_are_dropped() -> None:
    model = adapted(alpha=8)
    skip_idle_walks(model)
    assert model.train() is model and model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.train() is model and all(module.training for module in model.modules())
    results(model)
    model.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())
