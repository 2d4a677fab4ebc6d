"""A model of Mistral's architecture with random weights, made on the device, and rows of realistic lengths for it: no file, no network.

The speed of a step depends on shapes, lengths and label masks, not on what the weights or the ids say.
"""

import random
from typing import NamedTuple

import torch
from bitsandbytes.nn import Linear4bit, Params4bit
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, MistralConfig, PreTrainedModel, PreTrainedTokenizerFast

from plumbline.model.tokenization import Example
from plumbline.planning.planning import MISTRAL_7B, Shape

TINY = Shape(hidden_size=32, intermediate_size=64, num_layers=2, num_heads=4, num_key_value_heads=2, head_dim=8, vocab_size=256)
SHAPES = {"mistral-7b": MISTRAL_7B, "tiny": TINY}
NUM_CONTROL_IDS = 4
"""<unk>, <s>, </s>, <pad>: no row holds them, so every counted token is a real one."""

PROMPT_AND_COMPLETION_TOKENS = (
    (25, 8), (29, 15), (32, 19), (33, 25), (33, 33), (36, 39), (35, 47), (36, 55), (36, 63), (36, 68),
    (35, 79), (37, 84), (36, 93), (37, 101), (36, 112), (39, 120), (40, 133), (41, 152), (45, 177), (53, 252),
)  # fmt: skip
"""Twentieths of 4,397 short physics questions with answers, each by its mean lengths: 120 tokens a row (3 characters count as one), 70 % of them answer."""


class Lengths(NamedTuple):
    """What else the number of operations depends on, besides the shape of the model."""

    labelled_fraction: float
    attended_tokens: float
    """Sum of squared lengths over sum of lengths."""


def random_examples(num: int, shape: Shape, *, seed: int = 0) -> list[Example]:
    """Rows of random ids, `num` of them, in random order; their lengths and label masks take each entry of the histogram in equal shares."""
    generator = random.Random(seed)
    sizes = [PROMPT_AND_COMPLETION_TOKENS[index % len(PROMPT_AND_COMPLETION_TOKENS)] for index in range(num)]
    generator.shuffle(sizes)
    return [
        Example(
            ids=[generator.randrange(NUM_CONTROL_IDS, shape.vocab_size) for _ in range(prompt + completion)],
            num_prompt_tokens=prompt,
        )
        for prompt, completion in sizes
    ]


def lengths_of(examples: list[Example]) -> Lengths:
    """Sum the rows up."""
    sizes = [len(example.ids) for example in examples]
    labelled = sum(len(example.ids) - example.num_prompt_tokens for example in examples)
    return Lengths(labelled / sum(sizes), sum(size**2 for size in sizes) / sum(sizes))


def plain_tokenizer() -> PreTrainedTokenizerFast:
    """Only control tokens: the rows are ids already, and trainer and generation ask only for padding and end."""
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "<s>": 1, "</s>": 2, "<pad>": 3}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    named = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    template = (
        "{% for message in messages %}{{ message['content'] }}{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=template, **named)


def random_model(shape: Shape, *, device: str, quantization: str = "none") -> PreTrainedModel:
    """A model of this shape, its weights drawn on the device; with "nf4" its linear layers are quantised one by one.

    bf16 on a GPU; fp32 on a CPU, where the trainer has no autocast between bf16 weights and fp32 adapters.
    """
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    config = MistralConfig(
        vocab_size=shape.vocab_size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        num_key_value_heads=shape.num_key_value_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=4096,
        sliding_window=None,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=3,
        tie_word_embeddings=shape.tied_embeddings,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation="sdpa")
    if quantization == "nf4":
        quantize_linear_layers(model, device=device)
    return model.eval()


def quantize_linear_layers(model: PreTrainedModel, *, device: str) -> None:
    """Replace all linear layers except the head by bitsandbytes' nf4 layers, as `plumbline.model.weights` loads them.

    Layer by layer, so that at most one layer is in memory twice.
    """
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is not torch.nn.Linear or layer is model.get_output_embeddings():
                continue
            small = Linear4bit(
                layer.in_features, layer.out_features, bias=False, compute_dtype=model.dtype, quant_type="nf4", device="meta"
            )
            # pyright takes the class for torch's Parameter.
            weight = layer.weight.data
            small.weight = Params4bit(weight, requires_grad=False, quant_type="nf4", compress_statistics=True)  # pyright: ignore[reportCallIssue]
            setattr(parent, name, small.to(device))
    # from_pretrained would have noted this: PEFT and TRL look at it.
    model.is_loaded_in_4bit = True  # type: ignore[assignment]
    model.config.quantization_config = BitsAndBytesConfig(  # type: ignore[attr-defined]
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=model.dtype
    )
