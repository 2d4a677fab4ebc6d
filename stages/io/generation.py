"""Greedy answers and letter log-probabilities from a loaded model, in one fixed batch plan for both arms."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from stages.io.tokenization import eos_id, pad_id


class Prompt(NamedTuple):
    """One question, rendered."""

    id: str
    ids: list[int]
    continuations: dict[str, list[int]]
    """mcq: letter -> ids of the answer that names this choice, after the prompt; empty for the other kinds."""


class Generated(NamedTuple):
    """What came out for one prompt."""

    id: str
    response: str
    num_tokens: int
    """End-of-sequence included."""
    reached_eos: bool
    choice_logprobs: dict[str, float]
    """Nats per token."""


def batch_plan(prompts: Sequence[Prompt], batch_size: int) -> list[list[Prompt]]:
    """Sort by length, then id, and cut: the same prompts give the same batches, whoever asks."""
    ordered = sorted(prompts, key=lambda prompt: (len(prompt.ids), prompt.id))
    return [ordered[start : start + batch_size] for start in range(0, len(ordered), batch_size)]


def _left_padded(rows: Sequence[Sequence[int]], pad: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Shapes: ids and mask (B, T)."""
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return ids, mask


@torch.inference_mode()
def choice_logprobs(model: PreTrainedModel, prompts: Sequence[Prompt], *, pad: int) -> dict[str, dict[str, float]]:
    """Score each choice of each prompt by the mean log-probability of its continuation's tokens: id -> letter -> nats per token.

    The mean, since choices differ in length; for letters, whose continuations are equally long, it orders as the sum does.
    """
    scored = [(prompt, letter, ids) for prompt in prompts for letter, ids in prompt.continuations.items()]
    if not scored:
        return {}
    ids, mask = _left_padded([[*prompt.ids, *continuation] for prompt, _, continuation in scored], pad, model.device)
    width = max(len(continuation) for _, _, continuation in scored)
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    logits = model(input_ids=ids, attention_mask=mask, position_ids=positions, logits_to_keep=width + 1, use_cache=False).logits
    logprobs_BTV = logits.float().log_softmax(dim=-1)
    result: dict[str, dict[str, float]] = {}
    for row, (prompt, letter, continuation) in enumerate(scored):
        kept_BT = logprobs_BTV[row, -len(continuation) - 1 : -1]
        mean = kept_BT.gather(1, torch.tensor(continuation, device=model.device)[:, None]).mean()
        result.setdefault(prompt.id, {})[letter] = round(float(mean), 4)
    return result


@torch.inference_mode()
def generate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batches: Sequence[Sequence[Prompt]], *, max_new_tokens: int
) -> Iterator[list[Generated]]:
    """Answer batch after batch, greedily, up to the end of sequence or max_new_tokens."""
    eos, pad = eos_id(tokenizer), pad_id(tokenizer)
    config = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=eos, pad_token_id=pad, use_cache=True)
    for batch in batches:
        ids, mask = _left_padded([prompt.ids for prompt in batch], pad, model.device)
        output = model.generate(  # pyright: ignore[reportCallIssue]
            input_ids=ids, attention_mask=mask, generation_config=config
        )
        logprobs = choice_logprobs(model, batch, pad=pad)
        finished = []
        for prompt, row in zip(batch, output[:, ids.shape[1] :].tolist(), strict=True):
            reached_eos = eos in row
            kept = row[: row.index(eos)] if reached_eos else row
            finished.append(
                Generated(
                    id=prompt.id,
                    response=str(tokenizer.decode(kept, skip_special_tokens=True)).strip(),
                    num_tokens=len(kept) + reached_eos,
                    reached_eos=reached_eos,
                    choice_logprobs=logprobs.get(prompt.id, {}),
                )
            )
        yield finished
