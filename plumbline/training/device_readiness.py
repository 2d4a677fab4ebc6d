"""What only the device can say, asked before the first weight is loaded: dtype, memory, and whether its attention kernel tells documents apart."""

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
"""Of the attention kernel against plain attention in fp32, on values of size 1."""


def free_bytes(device: str) -> int:
    """Memory that a new tensor could take now."""
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def least_bytes(base: Path, manifest: Manifest, lora: LoraParams) -> int:
    """Bytes that weights, adapter, gradients and optimiser take for certain; activations come on top and are not guessed at."""
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
    """DeviceUnfit for several processes on fewer GPUs, and for spread weights (FSDP) that would not be what was asked for."""
    if device == "cuda" and num_ranks_here() > torch.cuda.device_count():
        raise DeviceUnfit(f"{num_ranks_here()} processes for {torch.cuda.device_count()} GPUs: each needs one of its own; start fewer.")
    if is_sharded() and device != "cuda":
        raise DeviceUnfit(f"FSDP was asked for on {device}, where accelerate would train as DDP without a word: use launch/ddp.yaml.")
    if is_sharded() and manifest.quantization != "none":
        raise DeviceUnfit(f"FSDP of {manifest.quantization} weights was not tried: set base.quantization to none, or use launch/ddp.yaml.")


def refuse_too_little_memory(base: Path, manifest: Manifest, lora: LoraParams, device: str) -> None:
    """DeviceUnfit where not even the weights and the optimiser fit."""
    least, free = least_bytes(base, manifest, lora) // (num_ranks() if is_sharded() else 1), free_bytes(device)
    log.info("%s: %s free; weights, adapter and optimiser take %s", device, size_text(free), size_text(least))
    if least > free:
        smaller = "" if manifest.quantization == "nf4" else "base.quantization=nf4, "
        raise DeviceUnfit(
            f"{device} has {size_text(free)} free, but weights, adapter and optimiser alone take {size_text(least)}: "
            f"choose {smaller}a smaller lora.r or base model, or free memory. Activations come on top: PLUMBLINE_MICRO_BATCH_TOKENS "
            "and PLUMBLINE_GRADIENT_CHECKPOINTING=1 make those smaller."
        )


def refuse_broken_attention(manifest: Manifest, device: str) -> None:
    """Run the attention that packed training will use, on three short documents, against plain attention: DeviceUnfit where they differ."""
    dtype = getattr(torch, manifest.dtype)
    draw = torch.Generator().manual_seed(0)  # its own: training must not find the global one moved
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
            f"the attention for packed rows does not run on {device} in {manifest.dtype}: {error}. Set train.packing to false."
        ) from error
    difference = float((found.float().cpu() - expected).abs().max())
    if not difference <= MAX_DIFFERENCE[dtype]:
        raise DeviceUnfit(
            f"the attention for packed rows is off by {difference:.2g} on {device} in {manifest.dtype} (limit {MAX_DIFFERENCE[dtype]:g}): "
            "documents see each other, or the future. Set train.packing to false, and report the device."
        )


def refuse_unfit_device(base: Path, manifest: Manifest, lora: LoraParams, params: TrainParams, *, device: str) -> None:
    """Raise DeviceUnfit, with the number and the remedy, before minutes are spent on loading."""
    refuse_unfit_ranks(manifest, device)
    refuse_unfit_dtype(manifest.dtype, device)
    warn_of_emulation(manifest.dtype, device)
    refuse_too_little_memory(base, manifest, lora, device)
    if params.packing:
        refuse_broken_attention(manifest, device)


def refuse_half_precision(model: torch.nn.Module) -> None:
    """DeviceUnfit where a trainable tensor is not fp32: in bf16 Adam's second moment cannot decay."""
    dtypes = {str(parameter.dtype) for parameter in model.parameters() if parameter.requires_grad}
    if dtypes != {"torch.float32"}:
        raise DeviceUnfit(f"trainable tensors are {', '.join(sorted(dtypes)) or 'missing'}, not float32: nothing was trained. Report this.")
