"""Load the base model as its manifest describes it."""

import logging
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from plumbline.model.assistant_turn import assistant_turn
from plumbline.model.base_files import BaseRefused, read_manifest, verify_files, weights_folder
from plumbline.model.chat_params import ChatParams
from plumbline.model.pinned_template import chosen_template, pin_template
from plumbline.model.tokenization import named_stops
from plumbline.pipeline.heartbeat import working
from plumbline.rows.manifest import Manifest

log = logging.getLogger("base")


def load_tokenizer(base: Path) -> PreTrainedTokenizerBase:
    """The tokenizer with its chat template; it lies in models/base for every source."""
    verify_files(base, read_manifest(base).files)
    return AutoTokenizer.from_pretrained(str(base), local_files_only=True, trust_remote_code=False)


def stops_of_files(base: Path) -> list[int]:
    """Ids of models/base/generation_config.json that stop generation: the same that a loaded model names."""
    path = base / "generation_config.json"
    return named_stops(GenerationConfig.from_pretrained(str(base))) if path.is_file() else []


def load_model(base: Path, *, device: str) -> PreTrainedModel:
    """The base model in evaluation mode on `device`, dtype and quantisation as the manifest says.

    BaseRefused if a file is missing or differs from the manifest.
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
    with working("loading the weights"):
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


def save_tokenizer_of(source: Path, folder: Path, chat: ChatParams, *, templates: Path) -> dict[str, str]:
    """Write tokenizer, config and chat template of a hub snapshot into models/base. Returns what was pinned in the template.

    TemplateRefused if there is no usable template, NoEndOfTurn if nothing can end an answer.
    """
    for name in ("config.json", "generation_config.json"):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(source), local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError, ImportError, KeyError) as error:  # what transformers raises, by the file that is missing or odd
        raise BaseRefused(
            f"the tokenizer of the base model cannot be loaded ({str(error).splitlines()[0]}). "
            "Set base.repo to a model with a tokenizer.json, or with another tokenizer that transformers reads."
        ) from error
    tokenizer.chat_template = chosen_template(tokenizer.chat_template, chat.chat_template, folder=templates)
    pinned = pin_template(tokenizer, today=date.fromisoformat(chat.template_date), thinking=chat.thinking)
    assistant_turn(tokenizer)  # refused here, and not after the answers of base
    num_embedded = AutoConfig.from_pretrained(str(source), local_files_only=True, trust_remote_code=False).get_text_config().vocab_size
    if isinstance(tokenizer.pad_token_id, int) and tokenizer.pad_token_id >= num_embedded:
        log.info(
            "the padding token has id %d, and the model knows %d: %s pads instead",
            tokenizer.pad_token_id,
            num_embedded,
            tokenizer.eos_token,
        )
        tokenizer.pad_token = tokenizer.eos_token  # rows are masked by place, so any id that the model knows will do
    tokenizer.save_pretrained(str(folder))
    return pinned
