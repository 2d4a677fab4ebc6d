"""What stands between the products of a transformer block, each as one autograd node: a small model on a processor waits for memory.

RMS norm, the rotation of queries and keys, and silu(gate) x up are half a dozen passes each over tensors that fit no cache, and as many
again backward. Values are those of transformers to rounding; a model whose own functions give others is left as it is.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from torch.nn.functional import silu

from plumbline.model.on_meta import TRIAL_ERRORS

ROTATION = "apply_rotary_pos_emb"
"""What transformers calls it in every model that has one: a function of the model's own file, not a module."""


def is_fp32_on_cpu(*tensors: torch.Tensor) -> bool:
    """Whether the nodes of this folder that are written for a processor may take these."""
    return all(tensor.dtype == torch.float32 and tensor.device.type == "cpu" for tensor in tensors)


def is_on_cpu(model: torch.nn.Module) -> bool:
    """Whether all of a model is on a processor."""
    return all(parameter.device.type == "cpu" for parameter in model.parameters())


class _RMSNorm(torch.autograd.Function):
    """weight x / sqrt(mean(x^2) + epsilon), the weight frozen. Shapes: x (..., K), weight (K,)."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1])
        inverse = mean_square.add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        return (x * inverse).mul_(weight)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        x, weight, inverse = ctx.saved_tensors
        weighted = gradients[0] * weight
        along_x = torch.linalg.vecdot(weighted, x).unsqueeze(-1).mul_(inverse.pow(3)).div_(-x.shape[-1])
        return weighted.mul_(inverse).addcmul_(x, along_x), None, None


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
    """silu(gate) x up, of the same shape; silu(gate) is computed again for the gradient rather than kept."""

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
    """Let frozen RMS norms and gated MLPs in fp32 on a processor compute as one node where a gradient is asked for. Returns how many do.

    They are known by their class's name and their parts, and tried: where the node gives other values than the module, it stays.
    """
    num_fused = 0
    for module in model.modules():
        fused = _fused_forward(module)
        if fused is not None and _gives_the_same(module, *fused):
            module.forward = MethodType(fused[0], module)  # type: ignore[method-assign]
            num_fused += 1
    return num_fused


def _fused_forward(module: Any) -> tuple[Callable[[Any, torch.Tensor], torch.Tensor], int] | None:
    """What could take the place of the module's forward, and how wide its input is; None for every other kind of module."""
    if not is_fp32_on_cpu(*module.parameters()) or list(inspect.signature(type(module).forward).parameters)[2:]:
        return None  # more than one argument: what is tried with one would be called with others
    if type(module).__name__.endswith("RMSNorm"):
        weight = getattr(module, "weight", None)
        is_known = isinstance(weight, torch.nn.Parameter) and not weight.requires_grad and hasattr(module, "variance_epsilon")
        return (_norm_forward, weight.shape[-1]) if is_known else None  # type: ignore[union-attr]
    width = getattr(module.gate_proj, "in_features", None) if is_gated_mlp(module) else None
    return None if width is None else (_gated_forward, width)


def is_gated_mlp(module: torch.nn.Module) -> bool:
    """Whether it has the parts of down(act(gate(x)) x up(x)) under transformers' names."""
    parts = (getattr(module, name, None) for name in ("gate_proj", "up_proj", "down_proj"))
    return hasattr(module, "act_fn") and all(isinstance(part, torch.nn.Module) for part in parts)


def _norm_forward(module: Any, x: torch.Tensor) -> torch.Tensor:
    if not (x.requires_grad and is_fp32_on_cpu(x)):
        return type(module).forward(module, x)
    return _RMSNorm.apply(x, module.weight, module.variance_epsilon)  # type: ignore[return-value]


def _gated_forward(module: Any, x: torch.Tensor) -> torch.Tensor:
    gate, up = module.gate_proj(x), module.up_proj(x)
    if not (gate.requires_grad and is_fp32_on_cpu(gate, up)):
        return module.down_proj(module.act_fn(gate) * up)
    return module.down_proj(_GatedProduct.apply(gate, up))


def _gives_the_same(module: torch.nn.Module, fused: Callable[[Any, torch.Tensor], torch.Tensor], width: int) -> bool:
    x = torch.randn(2, 3, width, generator=torch.Generator().manual_seed(0)).requires_grad_()
    try:
        with torch.random.fork_rng(devices=[]):  # an adapter with dropout draws
            theirs, ours = module(x), fused(module, x)
    except TRIAL_ERRORS:
        return False
    return isinstance(theirs, torch.Tensor) and theirs.shape == ours.shape and torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6)


Rotation = Callable[..., tuple[torch.Tensor, torch.Tensor]]


def fused_rotations(model: torch.nn.Module) -> dict[str, Rotation]:
    """By the name of each file of the model that rotates queries and keys: a function that does it as one node each, where it may.

    Only for a model on a processor, and functions of transformers' usual arguments that give the values of the usual rotation.
    """
    found: dict[str, Rotation] = {}
    if not is_on_cpu(model):
        return found
    for name in {type(module).__module__ for module in model.modules()}:
        theirs = getattr(sys.modules.get(name), ROTATION, None)
        if theirs is not None and list(inspect.signature(theirs).parameters) == ["q", "k", "cos", "sin", "unsqueeze_dim"]:
            ours = _rotation_beside(theirs)
            if _rotates_alike(ours, theirs):
                found[name] = ours
    return found


def _rotation_beside(theirs: Rotation) -> Rotation:
    def rotate(q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, unsqueeze_dim: int = 1) -> Any:
        if not is_fp32_on_cpu(q, k, cos, sin) or cos.shape[-1] != q.shape[-1]:
            return theirs(q, k, cos, sin, unsqueeze_dim)
        cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
        return _Rotation.apply(q, cos, sin), _Rotation.apply(k, cos, sin)

    return rotate


def _rotates_alike(ours: Rotation, theirs: Rotation) -> bool:
    generator = torch.Generator().manual_seed(0)
    q, k, angle = (torch.randn(shape, generator=generator) for shape in ((1, 2, 3, 8), (1, 1, 3, 8), (1, 3, 4)))
    cos, sin = (torch.cat([half, half], dim=-1) for half in (angle.cos(), angle.sin()))
    try:
        found = list(zip(ours(q, k, cos, sin), theirs(q, k, cos, sin), strict=True))
    except TRIAL_ERRORS:  # gpt-oss takes half of each angle
        return False
    return all(mine.shape == other.shape and torch.allclose(mine, other, rtol=1e-5, atol=1e-6) for mine, other in found)


@contextmanager
def in_place_of_theirs(rotations: dict[str, Rotation]) -> Iterator[None]:
    """Have the files' functions replaced by these while in here: they are global, and another model of the kind is not ours to change."""
    theirs = {name: getattr(sys.modules[name], ROTATION) for name in rotations}
    for name, rotation in rotations.items():
        setattr(sys.modules[name], ROTATION, rotation)
    try:
        yield
    finally:
        for name, rotation in theirs.items():
            setattr(sys.modules[name], ROTATION, rotation)
