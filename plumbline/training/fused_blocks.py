"""The steps between the products of a transformer block, each as one autograd node: a small model on a processor waits for memory.

RMS norm, the rotation of queries and keys, and silu(gate) x up each make half a dozen passes over tensors that fit no cache. Backward
makes as many again. The values equal those of transformers up to rounding. If a model's functions give other values, it stays as it is.
In bfloat16 the norm (0.3 times the time) and the rotation (0.6 times) are one node each. The gate is not: one node was no faster there.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any, NamedTuple

import torch
from torch.nn.functional import silu

from plumbline.model.on_meta import TRIAL_ERRORS

ROTATION = "apply_rotary_pos_emb"
"""Its name in every transformers model that has one: a function in the model's file, not a module."""


TOLERANCE = {torch.float32: (1e-5, 1e-6), torch.bfloat16: (2e-2, 1e-2)}
"""dtype -> how far the values of a node may be from the module's, relative and absolute. Other dtypes have no node."""


def are_on_cpu_in(dtype: torch.dtype, *tensors: torch.Tensor) -> bool:
    """Whether the nodes written for a processor and this dtype may take these tensors."""
    return all(tensor.dtype == dtype and tensor.device.type == "cpu" for tensor in tensors)


def is_on_cpu(model: torch.nn.Module) -> bool:
    """Whether all of a model is on a processor."""
    return all(parameter.device.type == "cpu" for parameter in model.parameters())


class _RMSNorm(torch.autograd.Function):
    """weight x / sqrt(mean(x^2) + epsilon), the weight frozen. Shapes: x (..., K), weight (K,).

    In bfloat16 it computes in float32 and rounds once, where transformers rounds twice.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        full = x.to(torch.promote_types(x.dtype, torch.float32))
        mean_square = torch.linalg.vector_norm(full, dim=-1, keepdim=True).square_().div_(x.shape[-1])
        inverse = mean_square.add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        return (full * inverse).mul_(weight).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        x, weight, inverse = ctx.saved_tensors
        full = x.to(inverse.dtype)
        weighted = gradients[0] * weight.to(inverse.dtype)
        along_x = torch.linalg.vecdot(weighted, full).unsqueeze(-1).mul_(inverse.pow(3)).div_(-x.shape[-1])
        return weighted.mul_(inverse).addcmul_(full, along_x).to(x.dtype), None, None


class _Rotation(torch.autograd.Function):
    """Rotary embedding of one tensor; its gradient is rotated back. Shapes: x (B, H, T, D), cos and sin (B, 1, T, D)."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(cos, sin)
        half = x.shape[-1] // 2
        rotated = x * cos
        rotated[..., :half].addcmul_(x[..., half:], sin[..., :half], value=-1)
        rotated[..., half:].addcmul_(x[..., :half], sin[..., half:])
        return rotated

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        cos, sin = ctx.saved_tensors
        gradient = gradients[0]
        half = gradient.shape[-1] // 2
        back = gradient * cos
        back[..., :half].addcmul_(gradient[..., half:], sin[..., half:])
        back[..., half:].addcmul_(gradient[..., :half], sin[..., :half], value=-1)
        return back, None, None


class _GatedProduct(torch.autograd.Function):
    """silu(gate) x up, in the same shape. silu(gate) is computed again for the gradient, not kept."""

    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate, up)
        return silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        gate, up = ctx.saved_tensors
        of_gate = torch.ops.aten.silu_backward(gradients[0] * up, gate)
        return of_gate, silu(gate).mul_(gradients[0])


def fuse_norms_and_gates(model: torch.nn.Module) -> int:
    """Let frozen RMS norms, and gated MLPs in fp32, compute as one node on a processor if a gradient is needed. Returns how many do.

    They are recognised by the name of their class and their parts, then tried. If the node gives other values, the module stays.
    """
    num_fused = 0
    for module in model.modules():
        fused = _fused_forward(module)
        if fused is not None and _gives_the_same(module, fused):
            module.forward = MethodType(fused[0], module)  # type: ignore[method-assign]
            num_fused += 1
    return num_fused


class _Fused(NamedTuple):
    """What can replace a module's forward."""

    forward: Callable[[Any, torch.Tensor], torch.Tensor]
    width: int
    """Size of the input's last dimension."""
    dtype: torch.dtype


def _fused_forward(module: Any) -> _Fused | None:
    """None for a module that is unknown, is not on a processor, or has a dtype without nodes."""
    if list(inspect.signature(type(module).forward).parameters)[2:]:
        return None  # more than one argument: it was tried with one only
    if type(module).__name__.endswith("RMSNorm"):
        weight = getattr(module, "weight", None)
        is_known = isinstance(weight, torch.nn.Parameter) and not weight.requires_grad and hasattr(module, "variance_epsilon")
        if not is_known or weight.dtype not in TOLERANCE or weight.device.type != "cpu":  # type: ignore[union-attr]
            return None
        in_fp32 = weight.dtype == torch.float32  # type: ignore[union-attr]
        return _Fused(_norm_in_fp32 if in_fp32 else _norm_in_bf16, weight.shape[-1], weight.dtype)  # type: ignore[union-attr]
    if is_gated_mlp(module) and are_on_cpu_in(torch.float32, *module.parameters()):
        width = getattr(module.gate_proj, "in_features", None)
        return None if width is None else _Fused(_gated_forward, width, torch.float32)
    return None


def is_gated_mlp(module: torch.nn.Module) -> bool:
    """Whether it has the parts of down(act(gate(x)) x up(x)) under the names of transformers."""
    parts = (getattr(module, name, None) for name in ("gate_proj", "up_proj", "down_proj"))
    return hasattr(module, "act_fn") and all(isinstance(part, torch.nn.Module) for part in parts)


def _norm_in_fp32(module: Any, x: torch.Tensor) -> torch.Tensor:
    return _norm_forward(module, x, torch.float32)


def _norm_in_bf16(module: Any, x: torch.Tensor) -> torch.Tensor:
    return _norm_forward(module, x, torch.bfloat16)


def _norm_forward(module: Any, x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    if not (x.requires_grad and are_on_cpu_in(dtype, x, module.weight)):
        return type(module).forward(module, x)
    return _RMSNorm.apply(x, module.weight, module.variance_epsilon)  # type: ignore[return-value]


def _gated_forward(module: Any, x: torch.Tensor) -> torch.Tensor:
    gate, up = module.gate_proj(x), module.up_proj(x)
    if not (gate.requires_grad and are_on_cpu_in(torch.float32, gate, up)):
        return module.down_proj(module.act_fn(gate) * up)
    return module.down_proj(_GatedProduct.apply(gate, up))


def _gives_the_same(module: torch.nn.Module, fused: _Fused) -> bool:
    x = torch.randn(2, 3, fused.width, generator=torch.Generator().manual_seed(0)).to(fused.dtype).requires_grad_()
    try:
        with torch.random.fork_rng(devices=[]):  # an adapter with dropout draws random numbers
            theirs, ours = module(x), fused.forward(module, x)
    except TRIAL_ERRORS:
        return False
    return isinstance(theirs, torch.Tensor) and _are_close(ours, theirs)


def _are_close(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return False
    relative, absolute = TOLERANCE[theirs.dtype]
    return torch.allclose(ours, theirs, rtol=relative, atol=absolute)


Rotation = Callable[..., tuple[torch.Tensor, torch.Tensor]]


def fused_rotations(model: torch.nn.Module) -> dict[str, Rotation]:
    """Name of a file of the model -> function that rotates queries and keys as one node each, if that is allowed.

    Only for a model on a processor, and for functions with the usual arguments and values of transformers.
    """
    found: dict[str, Rotation] = {}
    dtype = getattr(model, "dtype", torch.float32)
    if not is_on_cpu(model) or dtype not in TOLERANCE:
        return found
    for name in {type(module).__module__ for module in model.modules()}:
        theirs = getattr(sys.modules.get(name), ROTATION, None)
        if theirs is not None and list(inspect.signature(theirs).parameters) == ["q", "k", "cos", "sin", "unsqueeze_dim"]:
            ours = _rotation_beside(theirs, dtype)
            if _rotates_alike(ours, theirs, dtype):
                found[name] = ours
    return found


def _rotation_beside(theirs: Rotation, dtype: torch.dtype) -> Rotation:
    def rotate(q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, unsqueeze_dim: int = 1) -> Any:
        if not are_on_cpu_in(dtype, q, k, cos, sin) or cos.shape[-1] != q.shape[-1]:
            return theirs(q, k, cos, sin, unsqueeze_dim)
        cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
        return _Rotation.apply(q, cos, sin), _Rotation.apply(k, cos, sin)

    return rotate


def _rotates_alike(ours: Rotation, theirs: Rotation, dtype: torch.dtype) -> bool:
    generator = torch.Generator().manual_seed(0)
    q, k, angle = (torch.randn(shape, generator=generator) for shape in ((1, 2, 3, 8), (1, 1, 3, 8), (1, 3, 4)))
    cos, sin = (torch.cat([half, half], dim=-1).to(dtype) for half in (angle.cos(), angle.sin()))
    q, k = q.to(dtype), k.to(dtype)
    try:
        found = list(zip(ours(q, k, cos, sin), theirs(q, k, cos, sin), strict=True))
    except TRIAL_ERRORS:  # gpt-oss takes half of each angle
        return False
    return all(_are_close(mine, other) for mine, other in found)


@contextmanager
def in_place_of_theirs(rotations: dict[str, Rotation]) -> Iterator[None]:
    """Replace the functions of the files for a while. They are global, and other models of the same kind must keep theirs."""
    theirs = {name: getattr(sys.modules[name], ROTATION) for name in rotations}
    for name, rotation in rotations.items():
        setattr(sys.modules[name], ROTATION, rotation)
    try:
        yield
    finally:
        for name, rotation in theirs.items():
            setattr(sys.modules[name], ROTATION, rotation)
