"""Load the base model as its manifest describes it."""

import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedModel, PreTrainedTokenizerBase

from plumbline.model.base_files import read_manifest, verify_files, weights_folder
from plumbline.rows.manifest import Manifest


def load_tokenizer(base: Path) -> PreTrainedTokenizerBase:
    """The tokenizer with its chat template; it stands in models/base whatever the source."""
    verify_files(base, read_manifest(base).files)
    return AutoTokenizer.from_pretrained(str(base), local_files_only=True, trust_remote_code=False)


def load_model(base: Path, *, device: str) -> PreTrainedModel:
    """The base model in evaluation mode on `device`, dtype and quantisation as the manifest says.

    Raises BaseRefused where a file is missing or differs from the manifest.
    """
    manifest = read_manifest(base)
    return load_weights(weights_folder(base), manifest, device=device)


def load_weights(folder: Path, manifest: Manifest, *, device: str) -> PreTrainedModel:
    """Load the safetensors of a folder in the dtype and quantisation of the manifest, in evaluation mode."""
    quantization: dict[str, Any] = {}
    dtype = getattr(torch, manifest.dtype)
    if manifest.quantization == "nf4":
        quantization["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
    model = AutoModelForCausalLM.from_pretrained(
        str(folder),
        dtype=dtype,
        device_map={"": device},
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        **quantization,
    )
    return model.eval()


def save_tokenizer_of(source: Path, folder: Path) -> None:
    """Copy tokenizer, config and chat template of a hub snapshot into models/base."""
    for name in ("config.json", "generation_config.json"):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    AutoTokenizer.from_pretrained(str(source), local_files_only=True, trust_remote_code=False).save_pretrained(str(folder))
