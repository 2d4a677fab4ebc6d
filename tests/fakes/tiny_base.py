"""A base model of two thin layers with its own tokenizer, in the shape of models/base; it is made in a second and knows nothing."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, MistralConfig, PreTrainedTokenizerFast, set_seed

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}[INST] {{ message['content'] }} [/INST]"
    "{% else %} {{ message['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
TEXT = ["What is the unit of force? Answer: newton", "Explanation: F = m a = 3 x 4 = 12 N", "energy momentum 0123456789"]


def tiny_tokenizer(template: str = TEMPLATE) -> PreTrainedTokenizerFast:
    """Byte-level BPE over a few sentences, with Mistral's control tokens and chat template."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<unk>", "<s>", "</s>", "<pad>", "[INST]", "[/INST]"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        extra_special_tokens=["[INST]", "[/INST]"],
    )
    wrapped.chat_template = template
    return wrapped


def token_id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    found = tokenizer.backend_tokenizer.token_to_id(token)
    assert found is not None, f"the tokenizer has no {token}"
    return found


def tiny_config(tokenizer: PreTrainedTokenizerFast) -> MistralConfig:
    """Mistral's architecture, two layers of width 32."""
    return MistralConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=token_id(tokenizer, "<s>"),
        eos_token_id=token_id(tokenizer, "</s>"),
        pad_token_id=token_id(tokenizer, "<pad>"),
        tie_word_embeddings=False,
    )


def save_tiny_model(folder: Path, *, template: str = TEMPLATE) -> None:
    """Write tokenizer, configuration and random weights; the caller writes the manifest."""
    tokenizer = tiny_tokenizer(template)
    set_seed(0)
    AutoModelForCausalLM.from_config(tiny_config(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
