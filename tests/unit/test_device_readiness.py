"""A device that cannot do the training says so before anything is loaded, with the number and the remedy."""

from pathlib import Path
from typing import Any

import pytest
import torch

from plumbline.model import device_support, runtime
from plumbline.model.device_support import DeviceUnfit, refuse_unfit_dtype, refuse_unfit_form
from plumbline.rows.manifest import Manifest
from plumbline.training import device_readiness as d
from plumbline.training.attention import attend_per_document
from tests.fakes.tiny_training import LORA, TRAIN, save_tiny_base


def manifest(dtype: str, quantization: str = "none") -> Manifest:
    return Manifest.model_validate(
        {
            "source": "embedded",
            "repo": None,
            "revision": None,
            "dtype": dtype,
            "quantization": quantization,
            "files": {},
            "hub_files": {},
        }
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("device") / "base"
    save_tiny_base(folder)
    return folder


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_cpu_is_fit_and_the_check_moves_no_random_state(base: Path, dtype: str) -> None:
    before = torch.get_rng_state()
    d.refuse_unfit_device(base, manifest(dtype), LORA, TRAIN, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_float16_is_refused_where_bfloat16_is_there(base: Path) -> None:
    with pytest.raises(DeviceUnfit, match=r"float16, which overflows above 65504, and cpu .* Set base\.dtype to bfloat16"):
        d.refuse_unfit_device(base, manifest("float16"), LORA, TRAIN, device="cpu")


def test_an_older_gpu_takes_float16_and_no_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    refuse_unfit_dtype("float16", "cuda")
    with pytest.raises(DeviceUnfit, match=r"bfloat16, which cuda does not support\. Set base\.dtype to float16"):
        refuse_unfit_dtype("bfloat16", "cuda")


def test_what_cannot_fit_is_refused_with_both_sizes(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = d.least_bytes(base, manifest("float32"), LORA)
    # By hand: a vocabulary of about 400 x 32, twice, and two layers; 4 bytes each; LoRA of rank 4 on 14 layers, 16 bytes each.
    linear = 2 * (32 * 32 + 2 * 16 * 32 + 32 * 32 + 3 * 32 * 64)
    trained = 2 * 4 * ((32 + 32) + 2 * (32 + 16) + (32 + 32) + 3 * (32 + 64))
    num_embeddings = 2 * 32 * int((weights - 16 * trained - 4 * (linear + 5 * 32)) / 4 / 64)
    assert weights == 4 * (linear + 5 * 32 + num_embeddings) + 16 * trained and 2 * 32 * 256 < num_embeddings <= 2 * 32 * 410
    assert d.least_bytes(base, manifest("float32", "nf4"), LORA) < weights
    monkeypatch.setattr(d, "free_bytes", lambda device: weights)
    d.refuse_too_little_memory(base, manifest("float32"), LORA, "cpu")
    monkeypatch.setattr(d, "free_bytes", lambda device: weights - 1)
    with pytest.raises(DeviceUnfit, match=r"cpu has [\d.]+ kB free, but .* alone need [\d.]+ kB\. Choose base\.quantization=nf4"):
        d.refuse_too_little_memory(base, manifest("float32"), LORA, "cpu")


@pytest.mark.parametrize(
    ("device", "quantization", "environment", "said"),
    [
        ("cuda", "none", {"WORLD_SIZE": "4", "RANK": "0"}, r"4 processes for 2 GPUs: each needs its own"),
        ("cuda", "none", {"WORLD_SIZE": "8", "RANK": "0", "LOCAL_WORLD_SIZE": "4"}, r"4 processes for 2 GPUs"),
        ("cpu", "none", {"WORLD_SIZE": "2", "RANK": "0", "ACCELERATE_USE_FSDP": "true"}, r"FSDP does not work on cpu.*launch/ddp\.yaml"),
        ("cuda", "nf4", {"WORLD_SIZE": "2", "RANK": "0", "ACCELERATE_USE_FSDP": "true"}, r"FSDP with nf4 weights is untested"),
        ("cuda", "nf4", {"WORLD_SIZE": "2", "RANK": "0"}, None),
        ("cuda", "none", {"WORLD_SIZE": "2", "RANK": "0", "ACCELERATE_USE_FSDP": "true"}, None),
        ("cpu", "nf4", {"WORLD_SIZE": "4", "RANK": "0"}, None),
    ],
)
def test_processes_that_the_machine_or_the_weights_do_not_allow_are_refused(
    monkeypatch: pytest.MonkeyPatch, device: str, quantization: str, environment: dict[str, str], said: str | None
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for name in ("WORLD_SIZE", "RANK", "LOCAL_WORLD_SIZE", "ACCELERATE_USE_FSDP"):
        monkeypatch.delenv(name, raising=False)
    d.refuse_unfit_ranks(manifest("float32", quantization), device)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if said is None:
        d.refuse_unfit_ranks(manifest("float32", quantization), device)
    else:
        with pytest.raises(DeviceUnfit, match=said):
            d.refuse_unfit_ranks(manifest("float32", quantization), device)


def test_free_memory_is_measured() -> None:
    assert 2**20 < d.free_bytes("cpu") < 2**50


def leaking(*args: Any, cu_seq_lens_q: torch.Tensor, **named: Any) -> Any:
    return attend_per_document(*args, cu_seq_lens_q=cu_seq_lens_q[[0, -1]], **named)


def looking_ahead(module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **named: Any) -> Any:
    flipped, _ = attend_per_document(module, query.flip(2), key.flip(2), value.flip(2), None, cu_seq_lens_q=torch.tensor([0, 10, 11, 16]))
    return flipped.flip(1), None


def missing(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("no such kernel")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("kernel", "said"), [(leaking, "is off by"), (looking_ahead, "is off by"), (missing, "does not run.*no such kernel")]
)
def test_a_kernel_that_leaks_looks_ahead_or_is_missing_is_refused(
    monkeypatch: pytest.MonkeyPatch, base: Path, dtype: str, kernel: Any, said: str
) -> None:
    monkeypatch.setattr(d, "attend_per_document", kernel)
    with pytest.raises(DeviceUnfit, match=f"{said}.*[Ss]et train.packing to false"):
        d.refuse_unfit_device(base, manifest(dtype), LORA, TRAIN, device="cpu")
    d.refuse_unfit_device(base, manifest(dtype), LORA, TRAIN.model_copy(update={"packing": False}), device="cpu")


def test_a_trainable_tensor_in_half_precision_is_refused() -> None:
    model = torch.nn.Linear(2, 2)
    d.refuse_half_precision(model)
    with pytest.raises(DeviceUnfit, match=r"torch\.bfloat16"):
        d.refuse_half_precision(model.bfloat16())


def test_nf4_is_refused_without_bitsandbytes_and_where_it_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_unfit_form("float32", "nf4", "cpu")
    monkeypatch.setattr(device_support, "validate_bnb_backend_availability", lambda: False)
    with pytest.raises(DeviceUnfit, match=r"does not run on cpu\. Set base\.quantization to none"):
        refuse_unfit_form("float32", "nf4", "cpu")
    monkeypatch.setattr(device_support, "is_bitsandbytes_available", lambda: False)
    with pytest.raises(DeviceUnfit, match=r"is not installed .*\. Set base\.quantization to none"):
        refuse_unfit_form("float32", "nf4", "cpu")
    refuse_unfit_form("float32", "none", "cpu")  # as the message says


@pytest.mark.skipif(torch.cuda.is_available(), reason="the machine has the GPU")
def test_a_form_for_the_gpu_of_another_machine_is_left_to_that_machine() -> None:
    with pytest.raises(DeviceUnfit):
        refuse_unfit_form("float16", "none", "cpu")
    refuse_unfit_form("float16", "none", "cuda")


@pytest.mark.parametrize(
    ("instructions", "dtype", "device", "is_said"),
    [
        ({"avx512_f": True, "avx512_bf16": False}, "bfloat16", "cpu", True),
        ({"avx512_f": True, "avx512_bf16": True}, "bfloat16", "cpu", False),
        ({"amx_bf16": True}, "bfloat16", "cpu", False),
        ({"neon": True}, "bfloat16", "cpu", True),
        ({"neon": True, "bf16": True}, "bfloat16", "cpu", False),
        ({}, "float32", "cpu", False),
        ({}, "bfloat16", "cuda", False),
    ],
)
def test_emulated_products_are_said_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    instructions: dict[str, bool],
    dtype: str,
    device: str,
    is_said: bool,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    runtime.warn_of_emulation(dtype, device)
    assert ("Set base.dtype to float32." in caplog.text) is is_said
