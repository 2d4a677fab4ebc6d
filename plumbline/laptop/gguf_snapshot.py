"""Turn a GGUF into a snapshot in the form of the Hub: safetensors, configuration, tokenizer. Writes files; loads torch."""

import contextlib
import importlib.util
import io
import sys
from pathlib import Path
from typing import Any

from plumbline.laptop.smollm2_files import SHA256, small_files
from plumbline.laptop.wheel import NotFetched
from plumbline.model.local_models import LocalModel
from plumbline.pipeline.files import sha256_of, write_json

WEIGHTS = "model.safetensors"
PROVENANCE = "source.json"


def check_gguf_is_installed() -> None:
    """NotFetched if the package `gguf` is missing, which transformers needs to read such files."""
    if importlib.util.find_spec("gguf") is None:
        raise NotFetched("the package gguf, which reads the weights, is not installed. Run: pip install -r requirements.txt")


def read_vocabulary(gguf: Path) -> dict[str, Any]:
    """Tokens, merges and chat template as the GGUF holds them."""
    from gguf import GGUFReader

    fields = GGUFReader(str(gguf)).fields
    names = {"tokens": "tokenizer.ggml.tokens", "merges": "tokenizer.ggml.merges", "template": "tokenizer.chat_template"}
    return {name: fields[field].contents() for name, field in names.items()}


def write_weights(gguf: Path, path: Path) -> None:
    """Read the weights through transformers, and write them as bfloat16, the type in which the authors published them.

    4-bit blocks are scale x digit + minimum: exact in float32, then rounded once. A tied output layer is not written twice.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, GgufConfig

    # Its progress bar, a line for each tensor, belongs only on a terminal.
    with contextlib.nullcontext() if sys.stderr.isatty() else contextlib.redirect_stderr(io.StringIO()):
        model = AutoModelForCausalLM.from_pretrained(
            str(gguf.parent),
            gguf_file=gguf.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
        )
    tied = set(model.all_tied_weights_keys)
    weights = {name: weight.to(torch.bfloat16).contiguous() for name, weight in model.state_dict().items() if name not in tied}
    save_file(weights, path, metadata={"format": "pt"})
    # safetensors makes its files readable only by the owner; a snapshot is as readable as any other file.
    path.chmod(path.with_name("config.json").stat().st_mode)


def is_whole(model: LocalModel, folder: Path) -> bool:
    """Whether a folder holds the snapshot, every byte of it."""
    expected = {**SHA256, WEIGHTS: model.weights_sha256}
    return all((folder / name).is_file() and sha256_of(folder / name) == digest for name, digest in expected.items())


def write_snapshot(model: LocalModel, gguf: Path, folder: Path) -> None:
    """Fill a folder; NotFetched if the bytes of the weights are not the pinned ones."""
    for name, content in small_files(**read_vocabulary(gguf)).items():
        (folder / name).write_bytes(content)
    write_weights(gguf, folder / WEIGHTS)
    found = sha256_of(folder / WEIGHTS)
    if found != model.weights_sha256:
        raise NotFetched(
            f"the weights of {gguf.name} came out with sha256 {found[:12]}, not {model.weights_sha256[:12]}: the installed transformers or gguf "
            "reads them differently. Install the pinned packages (make setup) and run it again."
        )
    source = {
        "made_from": f"{model.package} {model.version} of the package index",
        "wheel_sha256": model.wheel_sha256,
        "gguf": gguf.name,
        "gguf_sha256": model.member_sha256,
        "changes": f"{model.quantization} turned back into bfloat16; the small files are those of {model.upstream}, byte for byte",
        "upstream": model.upstream,
        "upstream_revision": model.upstream_revision,
        "licence": model.licence,
    }
    write_json(folder / PROVENANCE, source)
