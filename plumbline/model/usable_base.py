"""Decide from a repository's list of files and its config.json whether its model can be trained and asked. Pure."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatch
from typing import Any

from plumbline.pipeline.refused import Refused

WEIGHT_PATTERNS = ["model*.safetensors", "model*.safetensors.index.json"]
"""As transformers names them: repositories of Mistral also hold `consolidated.safetensors`, the same 14.5 GB in another layout."""
OTHER_WEIGHTS = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.gguf", "*.h5", "*.msgpack", "*.onnx", "*.safetensors")
EMBEDDING_FILES = ("modules.json", "config_sentence_transformers.json")
"""Written by sentence-transformers: the model gives vectors, whatever its architecture is called."""
NUM_NAMED = 3


class BaseUnusable(Refused):
    """The base model that was named cannot be trained or asked here: known from its small files, before its weights are fetched."""


def refuse_files(repo: str, names: Collection[str]) -> None:
    """BaseUnusable if the files in the repository are not a model that can be loaded here: pickles, GGUF, an adapter, an embedding model."""
    top = sorted(name for name in names if "/" not in name)
    if "adapter_config.json" in top and "config.json" not in top:
        raise BaseUnusable(
            f"{repo} holds an adapter, not a model. Set base.repo to the model that its adapter_config.json names as its base."
        )
    if "config.json" not in top:
        raise BaseUnusable(
            f"{repo} has no config.json, so transformers cannot load it{_there(top)}. Set base.repo to the repository that holds the model "
            "as safetensors with config.json."
        )
    if not any(fnmatch(name, pattern) for name in top for pattern in WEIGHT_PATTERNS):
        raise BaseUnusable(
            f"{repo} holds no safetensors named {' or '.join(WEIGHT_PATTERNS)}{_there(top)}; pickled weights are not loaded. "
            "Set base.repo to a repository that has them, or base.revision to a commit that added them."
        )
    if found := [name for name in EMBEDDING_FILES if name in top]:
        raise BaseUnusable(
            f"{repo} is an embedding model ({', '.join(found)}): it gives vectors and writes no answers. Set base.repo to an instruct model."
        )


def _there(names: Collection[str]) -> str:
    """The weights that are there in another form, for the message."""
    found = [name for name in names if any(fnmatch(name, pattern) for pattern in OTHER_WEIGHTS)]
    return f" (it holds {', '.join(found[:NUM_NAMED])}{' ...' if len(found) > NUM_NAMED else ''})" if found else ""


def refuse_config(repo: str, config: Mapping[str, Any], *, known_types: Collection[str], causal: Mapping[str, Any]) -> None:
    """BaseUnusable if config.json names a model that cannot be loaded here: custom code, quantised weights, no causal language model.

    `known_types`: model types that transformers has; `causal`: model type -> name or names of its causal language models, of transformers too.
    """
    kind = str(config.get("model_type"))
    if kind not in known_types:
        if config.get("auto_map"):
            raise BaseUnusable(
                f"{repo} (model_type {kind!r}) needs Python code that comes with its weights, and code from a repository is never run here. "
                "Set base.repo to a model with an architecture that transformers has; many makers publish such a version under a name that ends in -hf."
            )
        raise BaseUnusable(
            f"{repo}: config.json names model_type {kind!r}, which the pinned transformers does not have. Set base.repo to another model."
        )
    if (method := quantization_method(config)) is not None:
        raise BaseUnusable(
            f"the weights of {repo} are quantised already ({method}), but adapters are trained here on weights as their maker trained them. "
            "Set base.repo to the model that this one was made from; base.quantization=nf4 quantises it on loading."
        )
    classes = config.get("architectures") or []
    named = causal.get(kind)
    answering = {name for value in causal.values() for name in ([value] if isinstance(value, str) else value)}
    if config.get("is_encoder_decoder") or named is None or (classes and not answering.intersection(classes)):
        raise BaseUnusable(
            f"{repo} is not a causal language model (model_type {kind}, {', '.join(classes) or 'no architecture named'}): it cannot continue a "
            "text token by token. Set base.repo to an instruct model of one of the usual kinds, such as llama, mistral, qwen2, gemma2 or phi3."
        )


def quantization_method(config: Mapping[str, Any]) -> str | None:
    """How the weights of a repository are quantised (gptq, awq, fp8, mxfp4, ...); None for plain weights."""
    text = config.get("text_config")
    nested = text.get("quantization_config") if isinstance(text, Mapping) else None
    found = config.get("quantization_config") or config.get("compression_config") or nested
    if not isinstance(found, Mapping):
        return None
    four = "bitsandbytes" if found.get("load_in_4bit") or found.get("load_in_8bit") else "a method without a name"
    return str(found.get("quant_method") or four)


def refuse_tokenizer(repo: str, config: Mapping[str, Any], *, is_known: bool) -> None:
    """BaseUnusable if the tokenizer needs code of the repository. `is_known`: transformers has the class that the file names."""
    if "AutoTokenizer" in (config.get("auto_map") or {}) and not is_known:
        raise BaseUnusable(
            f"the tokenizer of {repo} ({config.get('tokenizer_class')}) needs Python code that comes with it, and code from a repository is "
            "never run here. Set base.repo to a model with a tokenizer that transformers has."
        )
