"""A model is counted exactly from the few kilobytes of its config.json, whatever its architecture."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig

from plumbline.model.usable_base import BaseUnusable
from plumbline.planning.model_size import counted, size_of
from plumbline.rows.training_params import LoraParams
from plumbline.training.lora import linear_layers

LORA = LoraParams(r=16, alpha=32, dropout=0.0, target_modules="all-linear", use_rslora=False)
SMOLLM2 = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}
MISTRAL = {
    "architectures": ["MistralForCausalLM"],
    "model_type": "mistral",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 32768,
    "tie_word_embeddings": False,
}
QWEN = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
}
MIXTRAL = {
    "architectures": ["MixtralForCausalLM"],
    "model_type": "mixtral",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "vocab_size": 32000,
    "tie_word_embeddings": False,
}
VISION = {
    "architectures": ["Gemma3ForConditionalGeneration"],
    "model_type": "gemma3",
    "text_config": {"model_type": "gemma3_text", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "vocab_size": 100}
    | {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32},
    "vision_config": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2},
}


def write_config(folder: Path, content: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("config", "num_weights", "inner", "attention", "hidden"),
    [
        (SMOLLM2, 134_515_008, 1536, 576, 576),
        (MISTRAL, 7_248_023_552, 14336, 4096, 4096),
        (QWEN, 494_032_768, 4864, 896, 896),
        (MIXTRAL, 46_702_792_704, 2 * 14336, 4096, 4096),
    ],
    ids=["SmolLM2-135M", "Mistral-7B", "Qwen2.5-0.5B", "Mixtral-8x7B"],
)
def test_the_weights_are_those_of_the_model_card(
    tmp_path: Path, config: dict[str, Any], num_weights: int, inner: int, attention: int, hidden: int
) -> None:
    size = counted(write_config(tmp_path, config), LORA, name="x").size
    assert size.num_weights == num_weights
    assert (size.inner_size, size.attention_width, size.hidden_size) == (inner, attention, hidden)


def test_a_token_of_a_mixture_uses_the_experts_that_it_is_sent_to(tmp_path: Path) -> None:
    """Mixtral's makers count 12.9e9 of 46.7e9 weights for a token, its embeddings and head included."""
    size = counted(write_config(tmp_path, MIXTRAL), LORA, name="x").size
    assert size.num_used_weights + 2 * size.vocab_size * size.hidden_size == pytest.approx(12.9e9, rel=0.01)
    dense = counted(write_config(tmp_path, MISTRAL), LORA, name="x").size
    assert dense.num_used_weights == dense.num_linear_weights


def test_the_adapter_is_counted_as_peft_makes_it(tmp_path: Path) -> None:
    # By hand, for each of 30 layers: q, k, v, o, gate, up and down.
    each = (576 + 576) + 2 * (576 + 192) + (576 + 576) + 2 * (576 + 1536) + (1536 + 576)
    assert counted(write_config(tmp_path, SMOLLM2), LORA, name="x").num_lora_weights == 30 * 16 * each
    named = LORA.model_copy(update={"r": 4, "target_modules": ["q_proj", "v_proj"]})
    assert counted(tmp_path, named, name="x").num_lora_weights == 30 * 4 * ((576 + 576) + (576 + 192))


def test_a_config_in_parts_is_read_by_its_text(tmp_path: Path) -> None:
    size = counted(write_config(tmp_path, VISION), LORA, name="x").size
    assert (size.hidden_size, size.num_layers, size.vocab_size, size.attention_width) == (64, 3, 100, 128)


def test_a_model_that_cannot_be_loaded_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BaseUnusable, match=r"acme/t5 is not a causal language model"):
        counted(write_config(tmp_path, {"model_type": "t5", "is_encoder_decoder": True}), LORA, name="acme/t5")


def test_the_count_is_that_of_a_model_with_weights(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    small = SMOLLM2 | {"num_hidden_layers": 2, "vocab_size": 500}
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(str(write_config(tmp_path, small))))
    size = counted(tmp_path, LORA, name="x").size
    assert size.num_weights == model.num_parameters() and size == size_of(model)
    assert size.num_linear_weights == sum(layer.weight.numel() for layer in linear_layers(model).values())
