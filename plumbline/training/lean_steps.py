"""The same training step with less overhead: a small model on a processor waits for memory and Python, a large one on a GPU for casts."""

from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
from peft.tuners.lora import LoraLayer

from plumbline.training.fused_blocks import are_on_cpu_in

HALF = (torch.bfloat16, torch.float16)


def _shaped(rows: torch.Tensor, *, like: torch.Tensor) -> torch.Tensor:
    """The rows (n, N) in the shape (..., N) of x. Gemma 3n changes a product in place, and a plain view from a node does not allow that."""
    return torch.ops.aten._unsafe_view(rows, [*like.shape[:-1], rows.shape[-1]])


class _AdaptedProduct(torch.autograd.Function):
    """x (W + scale B A)' as one node and one wide product: the adapter is merged into the weight for a moment.

    Shapes: x (..., K), weight (N, K), down (r, K), up (N, r). Merging costs r / (number of x's rows) of the product. A separate
    adapter would cost one more pass over the output and over the input's gradient, and neither fits a cache.
    The merged weight is made again for the gradient, not kept: all of them are as large as the model.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, down: torch.Tensor, up: torch.Tensor, scale: float) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1])
        ctx.save_for_backward(rows, weight, down, up)
        ctx.scale = scale
        return _shaped(rows @ torch.addmm(weight, up, down, alpha=scale).T, like=x)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        rows, weight, down, up = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, weight.shape[0])
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = (gradient @ torch.addmm(weight, up, down, alpha=ctx.scale)).view(*gradients[0].shape[:-1], weight.shape[1])
        narrow, of_narrow = (rows @ down.T).mul_(ctx.scale), (gradient @ up).mul_(ctx.scale)
        # The narrow factor first: (narrow' gradient)' takes half the time of gradient' narrow.
        return of_x, None, of_narrow.T @ rows, (narrow.T @ gradient).T, None


class _HalfAdaptedProduct(torch.autograd.Function):
    """The same for a base in half precision with an fp32 adapter: no tensor of the input's size is cast to fp32 and back, scaled, or added.

    PEFT does all of this for every layer: a fifth of a training step of a 7B model on one GPU. Here the adapter is not merged into
    the weight: rounded to the base's dtype, the sum would lose most of a small update. `weight` is None if
    the base layer makes its product itself (four-bit weights). Otherwise `product` is None.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor | None,
        product: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1])
        half_down, half_up = down.to(x.dtype), up.to(x.dtype)
        narrow = (rows @ half_down.T).mul_(scale)
        ctx.save_for_backward(rows, narrow, weight, half_down, half_up)
        ctx.scale, ctx.dtype = scale, down.dtype
        if product is None:
            assert weight is not None, "either the weight or the product of the base layer"
            result = (rows @ weight.T).addmm_(narrow, half_up.T)
        else:
            result = torch.addmm(product.reshape(len(rows), -1), narrow, half_up.T)
        return _shaped(result, like=x)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        rows, narrow, weight, half_down, half_up = ctx.saved_tensors
        gradient = gradients[0].reshape(len(rows), -1)
        of_narrow = (gradient @ half_up).mul_(ctx.scale)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = of_narrow @ half_down if weight is None else (gradient @ weight).addmm_(of_narrow, half_down)
            of_x = of_x.view(*gradients[0].shape[:-1], -1)
        of_product = gradients[0] if ctx.needs_input_grad[2] else None
        return of_x, None, of_product, (of_narrow.T @ rows).to(ctx.dtype), (gradient.T @ narrow).to(ctx.dtype), None


def fuse_adapted_products(model: torch.nn.Module) -> None:
    """Let LoRA layers compute as one node if the base is in half precision, in fp32 on a CPU, or in four bits on a GPU.

    Layers with dropout, a bias, several adapters or a variant of LoRA keep PEFT's forward. So do all other devices and dtypes.
    """
    for module in model.modules():
        if not isinstance(module, LoraLayer) or module.lora_variant or set(module.lora_A) != {"default"}:
            continue
        base = module.get_base_layer()
        if not isinstance(module.lora_dropout["default"], torch.nn.Identity) or getattr(base, "bias", None) is not None:
            continue
        fused = _fused_forward(base)
        if fused is not None:
            # torch.compile reads a bound method like a method of the class, so one compilation serves all layers.
            module.forward = MethodType(fused, module)  # type: ignore[method-assign]


def _fused_forward(base: torch.nn.Module) -> Callable[[Any, torch.Tensor], torch.Tensor] | None:
    if type(base) is torch.nn.Linear:
        if are_on_cpu_in(torch.float32, base.weight):
            return _forward_in_fp32
        return _forward_in_half if base.weight.device.type in ("cpu", "cuda") and base.weight.dtype in HALF else None
    is_four_bit = type(base).__name__ == "Linear4bit"  # by name: bitsandbytes is not installed on every system
    return _forward_in_half if is_four_bit and next(base.parameters()).is_cuda else None


def _forward_in_fp32(module: Any, x: torch.Tensor) -> torch.Tensor:
    weight, down, up = module.get_base_layer().weight, module.lora_A["default"].weight, module.lora_B["default"].weight
    if _is_switched_off(module) or not are_on_cpu_in(torch.float32, x, down, up) or torch.is_autocast_enabled("cpu"):
        return type(module).forward(module, x)  # PEFT's own
    result: Any = _AdaptedProduct.apply(x, weight, down, up, module.scaling["default"])
    return result


def _forward_in_half(module: Any, x: torch.Tensor) -> torch.Tensor:
    base, down, up = module.get_base_layer(), module.lora_A["default"].weight, module.lora_B["default"].weight
    weight = base.weight if type(base) is torch.nn.Linear else None
    if _is_switched_off(module) or x.dtype not in HALF or (weight is not None and weight.dtype != x.dtype):
        return type(module).forward(module, x)  # PEFT's own
    product = base(x).to(x.dtype) if weight is None else None
    result: Any = _HalfAdaptedProduct.apply(x, weight, product, down, up, module.scaling["default"])
    return result


def _is_switched_off(module: Any) -> bool:
    return module.disable_adapters or module.merged


def skip_idle_walks(model: torch.nn.Module) -> None:
    """Keep a step from walking over a thousand modules to check training modes and gradients that have not changed.

    Call it when the adapter is in place: gradients of parameters that become trainable later would never be cleared.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    switch = model.train

    def train(mode: bool = True) -> torch.nn.Module:
        return model if model.training == mode else switch(mode)

    def zero_grad(set_to_none: bool = True) -> None:
        assert set_to_none, "gradients are set to None here, never to zero"
        for parameter in trained:
            parameter.grad = None

    model.train = train  # type: ignore[method-assign]
    model.zero_grad = zero_grad  # type: ignore[method-assign]
