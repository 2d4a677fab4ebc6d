"""The same training step with less around it: on a processor a small model waits for memory and for Python, not for sums."""

from functools import partial
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear


class _AdaptedProduct(torch.autograd.Function):
    """x W' + scale (x A') B' as one node, which writes the adapter's share into the base's product instead of beside it.

    Shapes: x (..., K), weight (N, K), down (r, K), up (N, r). The scale is put on the narrow (..., r) product; where it is a power of
    two, all bits are those of PEFT's own forward. `x` comes twice, so that autograd adds the two gradients in PEFT's order.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, same_x: torch.Tensor, weight: torch.Tensor, down: torch.Tensor, up: torch.Tensor, scale: float
    ) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1])
        narrow = (rows @ down.T).mul_(scale)
        ctx.save_for_backward(rows, narrow, weight, down, up)
        ctx.scale = scale
        return (rows @ weight.T).addmm_(narrow, up.T).view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        rows, narrow, weight, down, up = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, weight.shape[0])
        of_narrow = (gradient @ up).mul_(ctx.scale)
        of_x = of_same_x = None
        if ctx.needs_input_grad[0]:
            shape = (*gradients[0].shape[:-1], weight.shape[1])
            of_x, of_same_x = (of_narrow @ down).view(shape), (gradient @ weight).view(shape)
        return of_x, of_same_x, None, of_narrow.T @ rows, gradient.T @ narrow, None


def fuse_adapted_products(model: torch.nn.Module) -> None:
    """Let every plain LoRA layer compute as one node where the base is fp32 on the CPU; other layers stay PEFT's."""
    for module in model.modules():
        if isinstance(module, LoraLinear) and not module.lora_variant and set(module.lora_A) == {"default"}:
            base = module.get_base_layer()
            is_plain = type(base) is torch.nn.Linear and base.bias is None and _is_fp32_on_cpu(base.weight)
            if is_plain and isinstance(module.lora_dropout["default"], torch.nn.Identity):
                module.forward = partial(_forward, module, base.weight)  # type: ignore[method-assign]


def _is_fp32_on_cpu(*tensors: torch.Tensor) -> bool:
    return all(tensor.dtype == torch.float32 and tensor.device.type == "cpu" for tensor in tensors)


def _forward(module: LoraLinear, weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    down, up = module.lora_A["default"].weight, module.lora_B["default"].weight
    assert isinstance(down, torch.Tensor) and isinstance(up, torch.Tensor)
    if not _is_fp32_on_cpu(x, down, up) or module.disable_adapters or module.merged or torch.is_autocast_enabled("cpu"):
        return LoraLinear.forward(module, x)
    result: Any = _AdaptedProduct.apply(x, x, weight, down, up, module.scaling["default"])
    return result


def skip_idle_walks(model: torch.nn.Module) -> None:
    """Keep a step from walking over a thousand modules to find what has not changed: who is in training mode, who holds a gradient.

    Call it when the adapter is in place: parameters that begin to be trained later would keep their gradients.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    switch = model.train

    def train(mode: bool = True) -> torch.nn.Module:
        return model if model.training == mode else switch(mode)

    def zero_grad(set_to_none: bool = True) -> None:
        assert set_to_none, "nothing here asks for gradients of zero instead of none"
        for parameter in trained:
            parameter.grad = None

    model.train = train  # type: ignore[method-assign]
    model.zero_grad = zero_grad  # type: ignore[method-assign]
