"""Open the engine that params.yaml names, for base or for base plus adapter."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from plumbline.answering.engine import Engine
from plumbline.answering.generation import TransformersEngine
from plumbline.answering.vllm_engine import VllmEngine
from plumbline.answering.vllm_server import Served, running_server, shown
from plumbline.model.adapter import adapter_sha256, check_adapter, load_adapter
from plumbline.model.base_files import base_fingerprint, read_manifest, weights_folder
from plumbline.model.runtime import device, warn_of_emulation
from plumbline.model.tokenization import stop_ids, template_sha256
from plumbline.model.weights import load_model, stops_of_files
from plumbline.rows.answer_params import AnswerParams

NAMED_DIGITS = 16


def served(base: Path, adapter: Path | None, *, template: str) -> Served:
    """What a vLLM server needs to serve these models. ValueError for a quantised base: vLLM would quantise in another way than training."""
    manifest = read_manifest(base)
    if manifest.quantization != "none":
        raise ValueError(
            f"answer.engine is vllm and base.quantization is {manifest.quantization}, but vLLM quantises in another way than training. "
            "Set answer.engine to transformers, or base.quantization to none."
        )
    fingerprint = base_fingerprint(base)
    rank = check_adapter(adapter, base_fingerprint=fingerprint, template_sha256=template).lora.r if adapter is not None else 0
    name = None if adapter is None else f"tuned-{fingerprint[:NAMED_DIGITS]}-{adapter_sha256(adapter)[:NAMED_DIGITS]}"
    return Served(
        weights=weights_folder(base),
        tokenizer=base,
        dtype=manifest.dtype,
        base_name=f"base-{fingerprint[:NAMED_DIGITS]}",
        adapter=adapter,
        tuned_name=name,
        rank=rank,
    )


@contextmanager
def open_engine(params: AnswerParams, tokenizer: PreTrainedTokenizerBase, *, base: Path, adapter: Path | None) -> Iterator[Engine]:
    """The engine with its model, loaded or served while the block runs. If `adapter` is None, it answers as base."""
    template = template_sha256(tokenizer)
    if params.engine == "vllm":
        wanted = served(base, adapter, template=template)
        with running_server(wanted) as server:
            stops = stop_ids(tokenizer, stops_of_files(base))
            yield VllmEngine(server, tokenizer, model=wanted.tuned_name or wanted.base_name, command=shown(wanted), stops=stops)
        return
    warn_of_emulation(read_manifest(base).dtype, device())
    model = load_model(base, device=device())
    if adapter is not None:
        # A PeftModel can be called and moved like the model that it wraps.
        model = load_adapter(model, adapter, base_fingerprint=base_fingerprint(base), template_sha256=template)
    yield TransformersEngine(model, tokenizer, batch_size=params.batch_size)  # type: ignore[arg-type]
