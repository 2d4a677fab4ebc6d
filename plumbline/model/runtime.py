"""The machine a stage runs on: device and threads. Never part of a result's identity."""

import logging
import os
from typing import Literal

import torch
from transformers.utils.logging import disable_progress_bar

from plumbline.model.threads import num_threads


def device() -> str:
    """`cuda` or `cpu`, whichever is there; PLUMBLINE_DEVICE overrides."""
    return os.environ.get("PLUMBLINE_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")


log = logging.getLogger("device")

BFLOAT16_PRODUCTS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""Instructions of x86 and ARM, as torch calls them. `torch.ops.mkldnn._is_mkldnn_bf16_supported` also says yes to AVX512 without them."""


def multiplies_bfloat16() -> bool:
    """Whether this processor has products of bfloat16, twice as fast as those of float32; otherwise they are emulated."""
    return any(torch.cpu.get_capabilities().get(name, False) for name in BFLOAT16_PRODUCTS)


def warn_of_emulation(dtype: str, device: str) -> None:
    """Warn if the weights' dtype, as the manifest names it, is slow on this device."""
    if dtype == "bfloat16" and device == "cpu" and not multiplies_bfloat16():
        log.warning(
            "this processor has no products of bfloat16 (AVX512-BF16, AMX): torch emulates them, 2 to 4 times as slow as float32. "
            "Set base.dtype to float32."
        )


def summing_threads(device: str) -> int | None:
    """Threads that can change the last digits of a result on this device; None if the processor does not compute its sums."""
    return torch.get_num_threads() if device == "cpu" else None


def prepare_torch(source: Literal["embedded", "hub"] = "embedded") -> None:
    """Make runs repeatable to the byte on one kind of processor: threads fixed, deterministic kernels. `source`: where the base is from."""
    disable_progress_bar()
    torch.set_num_threads(num_threads(os.environ, source=source))
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # asked for by cuBLAS, before its first product on a GPU
    torch.use_deterministic_algorithms(True, warn_only=True)
    # It would also fill every new tensor, to guard against reads of unwritten memory: 39 % of a training step here.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
