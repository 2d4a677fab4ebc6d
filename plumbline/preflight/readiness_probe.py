"""Measure on a tiny random model of the base's architecture what only a running model shows: on a CPU, in fp32, within seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import AutoConfig, GenerationConfig, PreTrainedModel

from plumbline.model.padding import held_pad
from plumbline.preflight.gradients import padded
from plumbline.preflight.shrunk import shrunk_model
from plumbline.training.attention import attend_to_padding
from plumbline.training.dialogues import Trainable, answers_in

LEARNING_RATES = (5e-3, 2e-3)
"""The second is used if the first fails: with it, the loss of models with state-space layers can stay too high."""
MAX_STEPS = 400
LEARNED = 0.01
"""Nats: below this loss, rows count as learnt by heart."""


class Overfit(NamedTuple):
    """Result of learning a few rows by heart."""

    loss: float
    num_exact: int
    num_stopped: int


def overfit(base: Path, examples: Sequence[Trainable], *, pad: int, end: int) -> Overfit:
    """Train all weights of the tiny model on the examples, then answer their prompts greedily and compare id by id."""
    tries: list[Overfit] = []
    for rate in LEARNING_RATES:
        model, loss = _learnt(base, examples, pad=pad, rate=rate)
        tries.append(_answered(model, examples, loss=loss, pad=pad, end=end))
        if loss < LEARNED or tries[-1].num_exact == len(examples):
            break  # learnt by heart: if answers still differ, the template is wrong
    return max(tries, key=lambda found: found.num_exact)


def _answered(model: PreTrainedModel, examples: Sequence[Trainable], *, loss: float, pad: int, end: int) -> Overfit:
    """Greedy answers of the trained model, by `generate` of transformers."""
    pad = held_pad(pad, model.get_input_embeddings())
    model.eval()
    exact = stopped = 0
    for example in examples:
        num_given = max(1, answers_in(example)[-1][0])  # the last answer; if a renderer counts no prompt token, another check says so
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


def _learnt(base: Path, examples: Sequence[Trainable], *, pad: int, rate: float) -> tuple[PreTrainedModel, float]:
    """The tiny model and its last loss."""
    model = shrunk_model(AutoConfig.from_pretrained(str(base)), seed=0).train()
    attend_to_padding(model)
    batch = padded(examples, held_pad(pad, model.get_input_embeddings()))
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    loss = float("inf")
    for _ in range(MAX_STEPS):
        result = model(**batch, use_cache=False)
        loss = float(result.loss.detach())
        if loss < LEARNED and _says_every_label(result.logits, batch["labels"]):
            break  # a low mean loss is not enough: in a long answer, another token may still be likelier than a label
        optimiser.zero_grad()
        result.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model, loss


def _says_every_label(logits_BTV: torch.Tensor, labels_BT: torch.Tensor) -> bool:
    """Whether the likeliest token is the label wherever there is one. Then greedy answers are exact."""
    said_BT, labels_BT = logits_BTV[:, :-1].argmax(dim=-1), labels_BT[:, 1:]
    return bool(((said_BT == labels_BT) | (labels_BT == -100)).all())
