"""A hub repository in the shape of Mistral-7B-Instruct-v0.3: its files, tokenizer family and template, and random weights of two thin layers."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, MistralConfig, set_seed

REPO = "mistralai/Mistral-7B-Instruct-v0.3"
CONTROL = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
"""As in the original: no padding token, and control tokens for the turns."""
TEMPLATE = """{%- if messages[0]['role'] == 'system' -%}
    {%- set system = messages[0]['content'] -%}
    {%- set turns = messages[1:] -%}
{%- else -%}
    {%- set turns = messages -%}
{%- endif -%}
{{- bos_token -}}
{%- for message in turns -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{- raise_exception('roles must alternate: user, assistant, user, ...') -}}
    {%- endif -%}
    {%- if message['role'] == 'user' -%}
        {%- if loop.last and system is defined -%}
            {{- '[INST] ' + system + '\\n\\n' + message['content'] + '[/INST]' -}}
        {%- else -%}
            {{- '[INST] ' + message['content'] + '[/INST]' -}}
        {%- endif -%}
    {%- else -%}
        {{- ' ' + message['content'] + eos_token -}}
    {%- endif -%}
{%- endfor -%}
"""
TEXT = ["What force gives 4 kg an acceleration of 3 m/s^2? Explanation: F = m a = 4 x 3 = 12 N", "energy momentum 0123456789 Answer: B"]


def save_tokenizer(folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json: BPE over metaspaces with byte fallback, which adds a BOS if asked to."""
    bytes_256 = [f"<0x{value:02X}>" for value in range(256)]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=[*CONTROL, *bytes_256], show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", CONTROL.index("<s>"))]
    )
    content = json.loads(tokenizer.to_str())
    # The 256 bytes are trained as tokens of the vocabulary, so they are not control tokens.
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in CONTROL]
    (folder / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    config = {
        "add_bos_token": True,
        "add_eos_token": False,
        "add_prefix_space": None,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": None,
        "legacy": False,
        "added_tokens_decoder": {
            str(index): {"content": token, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
            for index, token in enumerate(CONTROL)
        },
        "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1000000000000000019884624838656,
        "tokenizer_class": "LlamaTokenizer",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")


def save_snapshot(hub: Path, *, repo: str, revision: str) -> Path:
    """Write <hub>/<organisation>/<name>/<revision>/ with sharded bf16 weights, and the second copy of them that the original ships."""
    folder = hub / repo / revision
    folder.mkdir(parents=True)
    save_tokenizer(folder)
    set_seed(0)
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    config = MistralConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=32768,
        rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
        sliding_window=None,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=False,
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder, max_shard_size="100KB")
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 1
    (folder / "consolidated.safetensors").write_bytes(b"the same weights in the layout of another library")
    return folder
