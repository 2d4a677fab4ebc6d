"""Measure, on a tiny random model of the base's architecture, what only a running model shows. Device-free: CPU, fp32, seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from peft import get_peft_model
from peft.tuners.lora import LoraLayer
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PretrainedConfig, PreTrainedModel

from stages.io.attention import PER_DOCUMENT
from stages.io.lora import keep_adapter_in_fp32, lora_config
from stages.io.tokenization import Example
from stages.records.training_params import LoraParams

TINY = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
}
LEARNING_RATE = 5e-3
MAX_STEPS = 400
LEARNED = 0.01
"""Nats: rows count as learnt by heart below this loss."""


class Overfit(NamedTuple):
    """Result of learning a few rows by heart."""

    loss: float
    num_exact: int
    num_stopped: int


class Adapted(NamedTuple):
    """What the LoRA parameters adapt in this architecture."""

    num_adapted: int
    num_expected: int
    unmatched: list[str]
    dtypes: set[str]


def tiny_model(base: Path, *, seed: int) -> PreTrainedModel:
    """Build the base's architecture with its vocabulary, two thin layers and random weights."""
    config: PretrainedConfig = AutoConfig.from_pretrained(str(base))
    for name, value in TINY.items():
        if hasattr(config, name):
            setattr(config, name, value)
    torch.manual_seed(seed)
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32)


def adapted_modules(base: Path, params: LoraParams) -> Adapted:
    """Put the adapter on the tiny model and count."""
    model = tiny_model(base, seed=0)
    head = model.get_output_embeddings()
    linear = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and module is not head}
    if params.target_modules == "all-linear":
        expected, unmatched = linear, []
    else:
        expected = {name for name in linear if name.rsplit(".", 1)[-1] in params.target_modules}
        unmatched = [target for target in params.target_modules if not any(name.rsplit(".", 1)[-1] == target for name in linear)]
        if unmatched:
            return Adapted(num_adapted=0, num_expected=len(expected), unmatched=unmatched, dtypes=set())
    adapted = get_peft_model(model, lora_config(params))
    keep_adapter_in_fp32(adapted)
    return Adapted(
        num_adapted=sum(isinstance(module, LoraLayer) for module in adapted.modules()),
        num_expected=len(expected),
        unmatched=unmatched,
        dtypes={str(parameter.dtype) for parameter in adapted.parameters() if parameter.requires_grad},
    )


def _padded(examples: Sequence[Example], pad: int) -> dict[str, torch.Tensor]:
    width = max(len(example.ids) for example in examples)
    return {
        "input_ids": torch.tensor([example.ids + [pad] * (width - len(example.ids)) for example in examples]),
        "attention_mask": torch.tensor([[1] * len(example.ids) + [0] * (width - len(example.ids)) for example in examples]),
        "labels": torch.tensor([example.labels + [-100] * (width - len(example.ids)) for example in examples]),
    }


def _packed(examples: Sequence[Example]) -> dict[str, torch.Tensor | int]:
    lengths = torch.tensor([len(example.ids) for example in examples])
    boundaries = torch.cat([torch.tensor([0]), lengths.cumsum(0)]).to(torch.int32)
    return {
        "input_ids": torch.tensor([[token for example in examples for token in example.ids]]),
        "labels": torch.tensor([[-100 if i == 0 else label for example in examples for i, label in enumerate(example.labels)]]),
        "position_ids": torch.cat([torch.arange(int(length)) for length in lengths])[None],
        "cu_seq_lens_q": boundaries,
        "cu_seq_lens_k": boundaries,
        "max_length_q": int(lengths.max()),
        "max_length_k": int(lengths.max()),
    }


def _gradients(model: PreTrainedModel, batch: dict[str, torch.Tensor | int]) -> torch.Tensor:
    model.zero_grad()
    model(**batch, use_cache=False).loss.backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


def packed_gradient_difference(base: Path, examples: Sequence[Example], *, pad: int) -> float:
    """Return ||packed - padded|| / ||padded|| over all gradients of the tiny model, for the same examples."""
    model = tiny_model(base, seed=0).train()
    model.set_attn_implementation("sdpa")
    padded = _gradients(model, dict(_padded(examples, pad)))
    model.set_attn_implementation(PER_DOCUMENT)
    packed = _gradients(model, _packed(examples))
    return float(torch.linalg.norm(packed - padded) / torch.linalg.norm(padded))


def overfit(base: Path, examples: Sequence[Example], *, pad: int, eos: int) -> Overfit:
    """Train all weights of the tiny model on the examples, then answer their prompts greedily and compare id by id."""
    model = tiny_model(base, seed=0).train()
    model.set_attn_implementation("sdpa")
    batch = _padded(examples, pad)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    loss = float("inf")
    for _ in range(MAX_STEPS):
        result = model(**batch, use_cache=False).loss
        optimiser.zero_grad()
        result.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        loss = float(result.detach())
        if loss < LEARNED:
            break
    model.eval()
    exact = stopped = 0
    for example in examples:
        completion = example.ids[example.num_prompt_tokens :]
        output = model.generate(  # pyright: ignore[reportCallIssue]
            input_ids=torch.tensor([example.ids[: example.num_prompt_tokens]]),
            generation_config=GenerationConfig(
                max_new_tokens=len(completion) + 8, do_sample=False, eos_token_id=eos, pad_token_id=pad, use_cache=True
            ),
        )[0, example.num_prompt_tokens :].tolist()
        exact += output == completion
        stopped += eos in output
    return Overfit(loss=loss, num_exact=exact, num_stopped=stopped)
