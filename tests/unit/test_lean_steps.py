"""Steps with less around them compute what PEFT and the Trainer compute, to rounding."""

from collections.abc import Callable
from types import MethodType

import pytest
import torch
from peft import PeftModel, get_peft_model
from torch.nn.functional import linear

from plumbline.rows.training_params import LoraParams
from plumbline.training.lean_steps import _forward_in_half, _HalfAdaptedProduct, fuse_adapted_products, skip_idle_walks
from plumbline.training.lora import lora_config


class _Two(torch.nn.Module):
    """Two products of one input, as in attention."""

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
    return [y.detach(), x.grad, *gradients]


@pytest.mark.parametrize("alpha", [5, 8])
def test_values_and_gradients_are_those_of_peft_to_rounding(alpha: int) -> None:
    theirs, ours = adapted(alpha=alpha), adapted(alpha=alpha)
    fuse_adapted_products(ours)
    found = results(ours)
    assert "_AdaptedProduct" in str(ours.get_submodule("base_model.model.left")(torch.randn(1, 2, 24)).grad_fn), "nothing was fused"
    for mine, other in zip(found, results(theirs), strict=True):
        assert float(torch.linalg.norm(mine - other) / torch.linalg.norm(other)) < 1e-6


def test_a_row_without_a_label_gives_gradients_of_zero() -> None:
    """If a rank has nothing to do in a step, it computes no position, but takes part."""
    ours = adapted(alpha=8)
    fuse_adapted_products(ours)
    ours(torch.zeros(1, 0, 24, requires_grad=True)).sum().backward()
    gradients = [parameter.grad for parameter in ours.parameters() if parameter.grad is not None]
    assert len(gradients) == 6 and not any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("half", [False, True])
def test_a_product_may_be_changed_in_place_as_a_linear_layers_may(half: bool) -> None:
    from plumbline.training.lean_steps import _AdaptedProduct

    torch.manual_seed(0)
    x, weight, down, up = (torch.randn(shape).requires_grad_(len(shape) == 3) for shape in ((2, 3, 5), (7, 5), (2, 5), (7, 2)))
    product = _HalfAdaptedProduct.apply(x, weight, None, down, up, 0.7) if half else _AdaptedProduct.apply(x, weight, down, up, 0.7)
    plain = linear(x, weight + 0.7 * up @ down)
    mine, theirs = (torch.autograd.grad(value.mul_(3).square().sum(), x)[0] for value in (product, plain))
    torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_gradients_are_those_of_finite_differences() -> None:
    from plumbline.training.lean_steps import _AdaptedProduct

    torch.manual_seed(0)
    x, weight, down, up = (torch.randn(shape, dtype=torch.float64) for shape in ((2, 3, 5), (7, 5), (2, 5), (7, 2)))
    for tensor in (x, down, up):
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(lambda x, down, up: _AdaptedProduct.apply(x, weight, down, up, 0.7), (x, down, up))


@pytest.mark.parametrize("own_product", [False, True])
def test_gradients_beside_a_base_of_half_precision_are_those_of_finite_differences(own_product: bool) -> None:
    """In fp64, where no cast changes anything: this compares the sums and their order, not the rounding."""
    torch.manual_seed(0)
    x, weight, down, up = (torch.randn(shape, dtype=torch.float64) for shape in ((2, 3, 5), (7, 5), (2, 5), (7, 2)))
    for tensor in (x, down, up):
        tensor.requires_grad_()

    def product(x: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        base = (None, x @ weight.T) if own_product else (weight, None)
        found: torch.Tensor = _HalfAdaptedProduct.apply(x, *base, down, up, 0.7)  # type: ignore[assignment]
        torch.testing.assert_close(found, x @ weight.T + 0.7 * (x @ down.T @ up.T))
        return found

    assert torch.autograd.gradcheck(product, (x, down, up))


@pytest.mark.parametrize("own_product", [False, True])
def test_in_bf16_the_error_is_no_larger_than_that_of_peft(own_product: bool) -> None:
    """Against fp64, both by PEFT's own forward under autocast and by ours, with the adapter in fp32."""
    torch.manual_seed(1)
    x, weight, weights = (torch.randn(shape).bfloat16() for shape in ((1, 60, 32), (48, 32), (1, 60, 48)))
    down, up = torch.randn(4, 32) / 6, torch.randn(48, 4) / 2

    def results(function: Callable[..., torch.Tensor], dtype: torch.dtype) -> list[torch.Tensor]:
        inputs = [
            x.to(dtype).requires_grad_(),
            *(tensor.detach().clone().to(dtype if dtype == torch.float64 else torch.float32).requires_grad_() for tensor in (down, up)),
        ]
        y = function(inputs[0], weight.to(dtype), *inputs[1:])
        (y * weights.to(y.dtype)).sum().backward()
        return [y.detach(), *(tensor.grad for tensor in inputs if tensor.grad is not None)]

    def exact(x: torch.Tensor, weight: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        return x @ weight.T + 0.7 * (x @ down.T @ up.T)

    def by_peft(x: torch.Tensor, weight: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return linear(x, weight) + linear(linear(x.float(), down), up) * 0.7

    def ours(x: torch.Tensor, weight: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        base = (None, linear(x, weight)) if own_product else (weight, None)
        return _HalfAdaptedProduct.apply(x, *base, down, up, 0.7)  # type: ignore[return-value]

    reference = results(exact, torch.float64)
    assert len(reference) == 4
    for mine, theirs, truth in zip(results(ours, torch.bfloat16), results(by_peft, torch.bfloat16), reference, strict=True):
        assert mine.dtype == theirs.dtype
        error, allowed = (float(torch.linalg.norm(found.double() - truth) / torch.linalg.norm(truth)) for found in (mine, theirs))
        assert error < 1.2 * allowed + 1e-4, (error, allowed)


def test_layers_with_dropout_or_bias_stay_as_they_are() -> None:
    for model in (adapted(alpha=8, dropout=0.5), adapted(alpha=8, bias=True)):
        fuse_adapted_products(model)
        assert not any("forward" in vars(module) for module in model.modules())


def test_a_switched_off_adapter_and_half_precision_go_the_usual_way() -> None:
    theirs, ours = adapted(alpha=8), adapted(alpha=8)
    fuse_adapted_products(ours)
    x = torch.randn(1, 6, 24)
    with theirs.disable_adapter(), ours.disable_adapter():
        assert torch.equal(theirs(x), ours(x)) and not torch.equal(
            ours.get_submodule("base_model.model.left")(x), theirs.get_submodule("base_model.model.right")(x)
        )
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


@pytest.mark.slow
def test_one_compilation_serves_all_layers() -> None:
    """Else a compiled model of many layers runs into the limit of recompilations, as it did on a GPU."""
    from torch._dynamo.utils import counters

    model = adapted(alpha=8)
    left, right = (model.get_submodule(f"base_model.model.{name}") for name in ("left", "right"))
    for module in (left, right):
        module.get_base_layer().weight.data = module.get_base_layer().weight.data.bfloat16()  # type: ignore[operator]
        module.forward = MethodType(_forward_in_half, module)  # type: ignore[method-assign]
        module.compile(backend="aot_eager")
    torch._dynamo.reset()
    counters.clear()
    x = torch.randn(1, 50, 24, dtype=torch.bfloat16, requires_grad=True)
    (left(x) * right(x)).sum().backward()
    assert not counters["graph_break"] and counters["stats"]["unique_graphs"] == 1
