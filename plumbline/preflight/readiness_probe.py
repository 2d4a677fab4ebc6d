"""Measure, on a tiny random model of the base's architecture, what only a running model shows. Device-free: CPU, fp32, seconds."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from peft.tuners.lora import LoraLayer
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GenerationConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from plumbline.model.base_files import read_manifest
from plumbline.model.tokenization import Example
from plumbline.model.weights import load_weights
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.attention import PER_DOCUMENT
from plumbline.training.lora import is_target, linear_layers
from plumbline.training.packing import pack
from plumbline.training.schedule import Schedule
from plumbline.training.trainer import build_trainer

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


class Fed(NamedTuple):
    """One example as the training loop gets it, out of the trainer's own batches."""

    ids: list[int]
    labels: list[int]


class Adapted(NamedTuple):
    """What the LoRA parameters adapt in this architecture, and what the trainer that `train` builds would be fed."""

    num_adapted: int
    num_expected: int
    num_linear: int
    """All linear layers but the head."""
    unmatched: list[str]
    dtypes: set[str]
    """Of the trainable tensors, with the base in its own dtype and quantisation."""
    fed: list[Fed]


def tiny_model(base: Path, *, seed: int) -> PreTrainedModel:
    """Build the base's architecture with its vocabulary, two thin layers and random weights."""
    config: PretrainedConfig = AutoConfig.from_pretrained(str(base))
    for name, value in TINY.items():
        if hasattr(config, name):
            setattr(config, name, value)
    torch.manual_seed(seed)
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32)


def _as_loaded(base: Path, folder: Path) -> PreTrainedModel:
    """Load the tiny model as the base is loaded: in its dtype and quantisation."""
    tiny_model(base, seed=0).save_pretrained(folder)
    return load_weights(folder, read_manifest(base), device="cpu")


def _documents(batch: Mapping[str, torch.Tensor]) -> Iterator[Fed]:
    """Take a batch of the trainer apart again: packed rows at their boundaries, padded rows at their mask."""
    ids, labels = batch["input_ids"], batch["labels"]
    if "cu_seq_lens_q" in batch:
        for start, end in pairwise(batch["cu_seq_lens_q"].tolist()):
            yield Fed(ids[0, start:end].tolist(), labels[0, start:end].tolist())
    else:
        for row, kept in enumerate(batch["attention_mask"].bool()):
            yield Fed(ids[row][kept].tolist(), labels[row][kept].tolist())


def adapted_modules(
    base: Path,
    params: LoraParams,
    training: TrainParams,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    *,
    num_rows_per_step: int,
) -> Adapted:
    """Build the trainer that `train` builds, on the tiny model, and look: which layers are adapted, in which dtype, on which labels."""
    with TemporaryDirectory() as folder:
        model = _as_loaded(base, Path(folder) / "tiny")
        linear = linear_layers(model)
        expected = {name for name in linear if is_target(name, params)}
        kinds = {name.rsplit(".", 1)[-1] for name in linear}
        unmatched = [] if params.target_modules == "all-linear" else [target for target in params.target_modules if target not in kinds]
        if not examples:
            return Adapted(0, len(expected), len(linear), unmatched, set(), [])
        packed = pack(examples, max_length=training.max_length, packing=training.packing, seed=training.seed)
        trainer = build_trainer(
            model=model,
            tokenizer=tokenizer,
            train=packed,
            validation=packed,
            # PEFT refuses names that nothing has, and the rows are worth a look all the same.
            lora=params.model_copy(update={"target_modules": "all-linear"}) if unmatched else params,
            params=training,
            folder=Path(folder) / "run",
            schedule=Schedule.of_steps(1, num_rows_per_step=num_rows_per_step),
        )
        assert trainer.model is not None
        return Adapted(
            num_adapted=0 if unmatched else sum(isinstance(module, LoraLayer) for module in trainer.model.modules()),
            num_expected=len(expected),
            num_linear=len(linear),
            unmatched=unmatched,
            dtypes={str(parameter.dtype) for parameter in trainer.model.parameters() if parameter.requires_grad},
            fed=[document for batch in trainer.get_train_dataloader() for document in _documents(batch)],
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


def overfit(base: Path, examples: Sequence[Example], *, pad: int, end: int) -> Overfit:
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
        num_given = max(1, example.num_prompt_tokens)  # a renderer that counts none is for another check to name
        completion = example.ids[num_given:]
        output = model.generate(  # pyright: ignore[reportCallIssue]
            input_ids=torch.tensor([example.ids[:num_given]]),
            generation_config=GenerationConfig(
                max_new_tokens=len(completion) + 8, do_sample=False, eos_token_id=end, pad_token_id=pad, use_cache=True
            ),
        )[0, num_given:].tolist()
        exact += output == completion
        stopped += end in output
    return Overfit(loss=loss, num_exact=exact, num_stopped=stopped)
