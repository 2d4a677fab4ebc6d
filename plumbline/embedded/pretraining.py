"""Train the embedded tokenizer and the embedded base model from scratch; needs torch, and writes into a given folder."""

import os
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as PreTokenizers
from tokenizers.trainers import BpeTrainer
from torch.nn.functional import cross_entropy
from transformers import MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast

from plumbline.embedded.base_params import EmbeddedParams
from plumbline.pipeline.heartbeat import Progress

CONTROL_TOKENS = ("<unk>", "<s>", "</s>", "<pad>", "[INST]", "[/INST]")
"""In this order, so that their ids are those of Mistral's tokenizers, if these have them."""

# Digits stand alone (with the space before them), so that 12 is `1` `2` everywhere: a small model then learns tables, not words for numbers.
PIECES = Regex(r" ?\d| ?\p{L}+| ?[^\s\p{L}\d]+|\s")

CHAT_TEMPLATE = """\
{{- bos_token -}}
{%- for message in messages -%}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
{{- raise_exception('Roles must alternate user/assistant/user/..., without a system message.') -}}
{%- endif -%}
{%- if message['role'] == 'user' -%}
{{- '[INST] ' + message['content'] + ' [/INST]' -}}
{%- elif message['role'] == 'assistant' -%}
{{- ' ' + message['content'] + eos_token -}}
{%- else -%}
{{- raise_exception('Only user and assistant roles are known.') -}}
{%- endif -%}
{%- endfor -%}
"""


def train_tokenizer(texts: Sequence[str], *, vocab_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE over the texts: every string can be written, none needs <unk>."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # threads would race for the order of equal pairs
    tokenizer = Tokenizer(BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = PreTokenizers([Split(PIECES, behavior="isolated"), ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(CONTROL_TOKENS),
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens=["[INST]", "[/INST]"],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


class Muon(torch.optim.Optimizer):
    """Momentum with an orthogonal update, for the matrices between embedding and head.

    Matrices of one shape are stacked, since one small product after another would leave the processor idle.
    Source: Keller Jordan, Muon, 2024 (Newton-Schulz coefficients and scale).
    """

    def __init__(self, params: Sequence[torch.nn.Parameter], *, lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of every matrix."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[torch.nn.Parameter]] = {}
            for parameter in group["params"]:
                shapes.setdefault(parameter.shape, []).append(parameter)
            for parameters in shapes.values():
                updates: list[torch.Tensor] = []
                for parameter in parameters:
                    assert parameter.grad is not None, "every matrix takes part in every step"
                    state = self.state[parameter]
                    if not state:
                        state["momentum"] = torch.zeros_like(parameter)
                    state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                    updates.append(parameter.grad.lerp(state["momentum"], group["momentum"]))
                for parameter, update in zip(parameters, orthogonalize(torch.stack(updates)), strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(update, alpha=-group["lr"] * max(1, parameter.shape[0] / parameter.shape[1]) ** 0.5)


def orthogonalize(matrices_BMN: torch.Tensor) -> torch.Tensor:
    """Nearest orthogonal matrices, roughly: five Newton-Schulz steps. Shape (B, M, N) in and out."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices_BMN.shape[1] > matrices_BMN.shape[2]
    x = matrices_BMN.mT if tall else matrices_BMN
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


def block_rows(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, *, block_tokens: int) -> torch.Tensor:
    """All texts as `<s> text </s>`, one after the other, cut into rows. Shape (rows, block_tokens); the last partial row is left out."""
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    stream: list[int] = []
    for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]:
        stream += [bos, *ids, eos]
    num_rows = len(stream) // block_tokens
    return torch.tensor(stream[: num_rows * block_tokens]).view(num_rows, block_tokens)


def architecture(params: EmbeddedParams, *, vocab_size: int) -> MistralConfig:
    """Mistral's architecture in the size that is asked for."""
    return MistralConfig(
        vocab_size=vocab_size,
        hidden_size=params.hidden_size,
        intermediate_size=params.intermediate_size,
        num_hidden_layers=params.num_layers,
        num_attention_heads=params.num_heads,
        num_key_value_heads=params.num_heads,
        max_position_embeddings=1024,
        sliding_window=None,
        initializer_range=0.05,  # of the order of hidden_size ** -0.5; the usual 0.02 is made for wide models
        tie_word_embeddings=True,
        bos_token_id=CONTROL_TOKENS.index("<s>"),
        eos_token_id=CONTROL_TOKENS.index("</s>"),
        pad_token_id=CONTROL_TOKENS.index("<pad>"),
    )


def pretrain(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, params: EmbeddedParams) -> MistralForCausalLM:
    """Train a Mistral-architecture model on the texts; the same input gives the same bytes on the same kind of processor."""
    torch.set_num_threads(params.num_threads)  # part of the result: the order of sums depends on it
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore  # else every new tensor is filled: a third of the time
    torch.manual_seed(params.seed)
    model = MistralForCausalLM(architecture(params, vocab_size=len(tokenizer)))
    rows = block_rows(texts, tokenizer, block_tokens=params.block_tokens)
    steps_per_epoch = len(rows) // params.rows_per_step
    num_steps = params.epochs * steps_per_epoch
    hidden = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    optimizers = [
        Muon(hidden, lr=params.muon_learning_rate, momentum=0.95, weight_decay=0.01),
        torch.optim.AdamW(others, lr=params.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    ]
    warmup = max(1, num_steps // 20)

    def factor(step: int) -> float:
        return min((step + 1) / warmup, max(0.0, (num_steps - step) / (num_steps - warmup)))

    schedules = [torch.optim.lr_scheduler.LambdaLR(optimizer, factor) for optimizer in optimizers]
    order = random.Random(params.seed)
    model.train()
    with Progress("base", total=num_steps * params.rows_per_step * params.block_tokens, unit="token") as progress:
        for epoch in range(params.epochs):
            permutation = list(range(len(rows)))
            if epoch > 0:  # the first pass keeps the order of the corpus, which goes from easy to hard
                order.shuffle(permutation)
            for step in range(steps_per_epoch):
                ids = rows[permutation[step * params.rows_per_step : (step + 1) * params.rows_per_step]]
                logits = model(input_ids=ids, use_cache=False).logits
                loss = cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                for optimizer, schedule in zip(optimizers, schedules, strict=True):
                    optimizer.step()
                    schedule.step()
                    optimizer.zero_grad(set_to_none=True)
                progress.update(ids.numel())
                progress.say(f"loss {loss.item():.3f}")
    return model.eval()


def save_embedded(model: MistralForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write weights, config, tokenizer and template into a folder."""
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder, safe_serialization=True)
