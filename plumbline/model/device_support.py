"""Check that a device supports a form of weights: before a download, and again before a training. Touches torch."""

import torch
from transformers.integrations import validate_bnb_backend_availability
from transformers.utils import is_bitsandbytes_available

from plumbline.pipeline.refused import Refused


class DeviceUnfit(Refused):
    """This device cannot do what was asked for."""


def has_bfloat16(device: str) -> bool:
    """Whether the device computes in bfloat16 itself; every CPU does, GPUs from Ampere on."""
    return not device.startswith("cuda") or torch.cuda.is_bf16_supported(including_emulation=False)


def refuse_unfit_dtype(dtype: str, device: str) -> None:
    """DeviceUnfit for float16, which overflows, if the device has bfloat16, and for bfloat16 if the device would emulate it.

    On a CPU float16 does not help either: its matrix products took 14 times as long as those of float32 (docs/decisions.md).
    """
    if dtype == "float16" and has_bfloat16(device):
        raise DeviceUnfit(
            f"base.dtype is float16, which overflows above 65504, and {device} supports bfloat16. Set base.dtype to bfloat16."
        )
    if dtype == "bfloat16" and not has_bfloat16(device):
        raise DeviceUnfit(f"base.dtype is bfloat16, which {device} does not support. Set base.dtype to float16, or use another device.")


def refuse_unfit_quantization(quantization: str, device: str) -> None:
    """DeviceUnfit if nf4 is asked for and bitsandbytes is missing, or does not run on the device."""
    if quantization != "nf4":
        return
    if not is_bitsandbytes_available():
        raise DeviceUnfit(
            "base.quantization is nf4, but bitsandbytes is not installed (its wheels are for Linux). Set base.quantization to none."
        )
    if not validate_bnb_backend_availability():
        raise DeviceUnfit(f"base.quantization is nf4, but bitsandbytes does not run on {device}. Set base.quantization to none.")


def refuse_unfit_form(dtype: str, quantization: str, device: str) -> None:
    """Both of the above. Nothing is refused if PLUMBLINE_DEVICE names a GPU of another machine: this one cannot tell."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        return
    refuse_unfit_dtype(dtype, device)
    refuse_unfit_quantization(quantization, device)
