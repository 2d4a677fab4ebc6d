"""Score base's own answers by a model with its adapter off and on, in one forward pass each. No text is generated."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from plumbline.model.tokenization import Example, render_example
from plumbline.pipeline.heartbeat import watched
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.training.attention import attend_to_padding


class Likelihoods(NamedTuple):
    """Negative log-likelihoods of the same answers before and after the training, one per answer."""

    base_nats: list[float]
    """Summed over the answer's tokens."""
    tuned_nats: list[float]
    num_tokens: list[int]
    num_cut: int
    num_empty: int


def measured_example(tokenizer: PreTrainedTokenizerBase, answer: GeneralAnswer) -> Example:
    """Render prompt and answer as training would. A cut answer gets no end of turn, since base did not end it there."""
    example = render_example(tokenizer, answer.prompt, answer.response)
    if answer.stopped == "eos":
        return example
    return Example(ids=example.ids[:-1], num_prompt_tokens=example.num_prompt_tokens)


def answer_nats(model: torch.nn.Module, examples: Sequence[Example], *, arm: str) -> list[float]:
    """Negative log-likelihood of each example's completion, in nats. A pass takes one example, so padding and other rows do not matter."""
    device = next(model.parameters()).device
    found: list[float] = []
    # On a GPU the trainer leaves an autocast around forward, but a finished run that is only read again has none. So use one always.
    with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
        for example in watched(examples, f"likelihood {arm}", unit="answer", total=len(examples)):
            ids_BT = torch.tensor([example.ids], device=device)
            first = example.num_prompt_tokens
            predicting = torch.arange(first - 1, len(example.ids) - 1, device=device)
            logits_TV = model(input_ids=ids_BT, use_cache=False, logits_to_keep=predicting).logits[0]
            found.append(float(torch.nn.functional.cross_entropy(logits_TV.float(), ids_BT[0, first:], reduction="sum")))
    return found


def likelihoods(model: PeftModel, tokenizer: PreTrainedTokenizerBase, answers: Sequence[GeneralAnswer]) -> Likelihoods:
    """Score the answers with the adapter off, then on, with the attention that generates answers."""
    rendered = [(answer, measured_example(tokenizer, answer)) for answer in answers]
    # An answer that was cut before its first word has no token at all.
    measured = [(answer, example) for answer, example in rendered if len(example.ids) > example.num_prompt_tokens]
    examples = [example for _, example in measured]
    model.eval()
    inner = model.get_base_model()
    assert isinstance(inner, PreTrainedModel)
    attend_to_padding(inner)
    with model.disable_adapter():
        base = answer_nats(model, examples, arm="base")
    return Likelihoods(
        base_nats=base,
        tuned_nats=answer_nats(model, examples, arm="tuned"),
        num_tokens=[len(example.ids) - example.num_prompt_tokens for example in examples],
        num_cut=sum(answer.stopped != "eos" for answer, _ in measured),
        num_empty=sum(not answer.response for answer, _ in measured),
    )
