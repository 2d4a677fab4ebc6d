"""What only the device can show, checked before weights are loaded: dtype, memory, and an attention kernel that keeps documents apart."""

import logging
from pathlib import Path

import psutil
import torch
from transformers import AutoConfig

from plumbline.model.device_support import DeviceUnfit, refuse_unfit_dtype
from plumbline.model.on_meta import on_meta
from plumbline.model.runtime import warn_of_emulation
from plumbline.number_text import size_text
from plumbline.rows.manifest import Manifest
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.adapted_weights import adapted_weights
from plumbline.training.attention import attend_per_document
from plumbline.training.lora import linear_layers
from plumbline.training.weight_bytes import BYTES_PER_TRAINED_WEIGHT, weight_bytes
from plumbline.training.which_rank import is_sharded, num_ranks, num_ranks_here

log = logging.getLogger("train")

MAX_DIFFERENCE = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""Between the attention kernel and plain attention in fp32, on values of size 1."""


def free_bytes(device: str) -> int:
    """Memory that a new tensor can take now."""
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def least_bytes(base: Path, manifest: Manifest, lora: LoraParams) -> int:
    """Bytes that weights, adapter, gradients and optimiser need at least. Activations come on top and are not estimated."""
    model = on_meta(AutoConfig.from_pretrained(str(base)), dtype=torch.bfloat16)
    linear = linear_layers(model)
    weights = weight_bytes(
        num_weights=sum(parameter.numel() for parameter in model.parameters()),
        num_linear_weights=sum(module.weight.numel() for module in linear.values()),
        dtype=manifest.dtype,
        quantization=manifest.quantization,
    )
    num_trained = adapted_weights(base, lora).num_trained
    return int(weights + num_trained * BYTES_PER_TRAINED_WEIGHT)


def refuse_unfit_ranks(manifest: Manifest, device: str) -> None:
    """DeviceUnfit for more processes than GPUs, for FSDP without a GPU (accelerate would use DDP), and for FSDP of quantised weights."""
    if device == "cuda" and num_ranks_here() > torch.cuda.device_count():
        raise DeviceUnfit(f"{num_ranks_here()} processes for {torch.cuda.device_count()} GPUs: each needs its own. Start fewer processes.")
    if is_sharded() and device != "cuda":
        raise DeviceUnfit(f"FSDP does not work on {device}: accelerate would silently train with DDP. Use launch/ddp.yaml.")
    if is_sharded() and manifest.quantization != "none":
        raise DeviceUnfit(f"FSDP with {manifest.quantization} weights is untested. Set base.quantization to none, or use launch/ddp.yaml.")


def refuse_too_little_memory(base: Path, manifest: Manifest, lora: LoraParams, device: str) -> None:
    """DeviceUnfit if not even the weights and the optimiser fit."""
    least, free = least_bytes(base, manifest, lora) // (num_ranks() if is_sharded() else 1), free_bytes(device)
    log.info("%s: %s free; weights, adapter and optimiser need %s", device, size_text(free), size_text(least))
    if least > free:
        smaller = "" if manifest.quantization == "nf4" else "base.quantization=nf4, "
        raise DeviceUnfit(
            f"{device} has {size_text(free)} free, but weights, adapter and optimiser alone need {size_text(least)}. "
            f"Choose {smaller}a smaller lora.r or base model, or free memory. Activations come on top: a smaller "
            "PLUMBLINE_MICRO_BATCH_TOKENS and PLUMBLINE_GRADIENT_CHECKPOINTING=1 make them smaller."
        )


def refuse_broken_attention(manifest: Manifest, device: str) -> None:
    """Compare the attention that packed training will use with plain attention, on three short documents. DeviceUnfit if they differ."""
    dtype = getattr(torch, manifest.dtype)
    draw = torch.Generator().manual_seed(0)  # not the global one: training would draw other numbers
    lengths = [5, 1, 10]
    query, key, value = (torch.randn(1, heads, sum(lengths), 16, generator=draw) for heads in (4, 2, 2))
    boundaries = torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()], dtype=torch.int32)
    expected = torch.cat(
        [
            torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
            for q, k, v in zip(*(states.split(lengths, dim=2) for states in (query, key, value)), strict=True)
        ],
        dim=2,
    ).transpose(1, 2)
    try:
        q, k, v = (states.to(device, dtype) for states in (query, key, value))
        found, _ = attend_per_document(torch.nn.Identity(), q, k, v, None, cu_seq_lens_q=boundaries.to(device), max_length_q=max(lengths))
    except (RuntimeError, NotImplementedError) as error:
        raise DeviceUnfit(
            f"The attention for packed rows does not run on {device} in {manifest.dtype}: {error}. Set train.packing to false."
        ) from error
    difference = float((found.float().cpu() - expected).abs().max())
    if not difference <= MAX_DIFFERENCE[dtype]:
        raise DeviceUnfit(
            f"The attention for packed rows is off by {difference:.2g} on {device} in {manifest.dtype} (limit {MAX_DIFFERENCE[dtype]:g}): "
            "tokens see other documents or later tokens. Set train.packing to false, and report the device."
        )


def refuse_unfit_device(base: Path, manifest: Manifest, lora: LoraParams, params: TrainParams, *, device: str) -> None:
    """Raise DeviceUnfit, with the numbers and what to do, before minutes are spent on loading."""
    refuse_unfit_ranks(manifest, device)
    refuse_unfit_dtype(manifest.dtype, device)
    warn_of_emulation(manifest.dtype, device)
    refuse_too_little_memory(base, manifest, lora, device)
    if params.packing:
        refuse_broken_attention(manifest, device)


def refuse_half_precision(model: torch.nn.Module) -> None:
    """DeviceUnfit if a trainable tensor is not fp32: in bf16 Adam's second moment cannot decay."""
    dtypes = {str(parameter.dtype) for parameter in model.parameters() if parameter.requires_grad}
    if dtypes != {"torch.float32"}:
        raise DeviceUnfit(f"Trainable tensors are {', '.join(sorted(dtypes)) or 'missing'}, not float32. Nothing was trained. Report this.")
