"""How likely a model finds each choice of a question: the mean log-probability of the tokens that name it."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from transformers import PreTrainedModel

from plumbline.answering.engine import Prompt
from plumbline.answering.kv_cache import is_plain, rows_of
from plumbline.answering.prompt_reading import ReadPrompts, left_padded, positions_of
from plumbline.model.padding import held_pad


@torch.inference_mode()
def choice_logprobs(
    model: PreTrainedModel, prompts: Sequence[Prompt], *, pad: int, read: ReadPrompts | None = None
) -> dict[str, dict[str, float]]:
    """Score each choice of each prompt by the mean log-probability of its continuation's tokens: id -> letter -> nats per token.

    It is a mean because choices differ in length. Letters have equally long continuations: there, mean and sum give the same order.
    `read`: the same prompts, already read by the model. If its cache can be split by rows, no prompt is read again.
    """
    scored = [(row, together) for row, prompt in enumerate(prompts) for together in _computed_together(prompt.continuations)]
    result: dict[str, dict[str, float]] = {}
    if not scored:
        return result
    if read is not None and is_plain(read.cache):
        slices = [scored[start : start + len(prompts)] for start in range(0, len(scored), len(prompts))]
        logits_of_slices = (_after(model, prompts, one, pad=pad, read=read) for one in slices)
    else:
        slices, logits_of_slices = [scored], iter([_whole(model, prompts, scored, pad=pad)])
    for one, logits_of_rows in zip(slices, logits_of_slices, strict=True):
        for (row, together), logits_TV in zip(one, logits_of_rows, strict=True):
            logprobs_TV = logits_TV.float().log_softmax(dim=-1)
            for letter, continuation in together.items():
                kept_TV = logprobs_TV[: len(continuation)]
                mean = kept_TV.gather(1, torch.tensor(continuation, device=model.device)[:, None]).mean()
                result.setdefault(prompts[row].id, {})[letter] = round(float(mean), 4)
    return result


Scored = Sequence[tuple[int, Mapping[str, list[int]]]]
"""Pairs of a prompt's row and the continuations that one row of a batch scores."""


def _computed_together(continuations: Mapping[str, list[int]]) -> list[dict[str, list[int]]]:
    """Continuations that differ only in the last token, such as letters, share one row of the batch. Others get one each."""
    beginnings = {tuple(ids[:-1]) for ids in continuations.values()}
    return [dict(continuations)] if len(beginnings) == 1 else [{letter: ids} for letter, ids in continuations.items()]


def _whole(model: PreTrainedModel, prompts: Sequence[Prompt], scored: Scored, *, pad: int) -> Iterator[torch.Tensor]:
    """Read prompt, header and continuation in one row each. Yields (T, V): the logits of the continuation's tokens."""
    rows = [[*prompts[row].ids, *prompts[row].header, *next(iter(together.values()))] for row, together in scored]
    ids, mask = left_padded(rows, pad, model)
    width = max(len(continuation) for _, together in scored for continuation in together.values())
    logits_BTV = model(
        input_ids=ids, attention_mask=mask, position_ids=positions_of(mask), logits_to_keep=width + 1, use_cache=False
    ).logits
    for number, (_, together) in enumerate(scored):
        yield logits_BTV[number, -len(next(iter(together.values()))) - 1 : -1]


def _after(model: PreTrainedModel, prompts: Sequence[Prompt], scored: Scored, *, pad: int, read: ReadPrompts) -> Iterator[torch.Tensor]:
    """Read header and continuation after prompts that are in the cache. Yields (T, V): the logits of the continuation's tokens."""
    places = torch.tensor([row for row, _ in scored], device=model.device)
    firsts = [next(iter(together.values())) for _, together in scored]
    headers = [prompts[row].header for row, _ in scored]
    # The last token is only scored, not read. Nothing looks at the padding after a short row, so it needs no mask.
    fed = [[*header, *continuation[:-1]] for header, continuation in zip(headers, firsts, strict=True)]
    width, pad = max(map(len, fed)), held_pad(pad, model.get_input_embeddings())
    logits_B1V = read.logits_BV[places][:, None]
    if width == 0:
        logits_BTV = logits_B1V
    else:
        ids = torch.tensor([row + [pad] * (width - len(row)) for row in fed], device=model.device)
        mask = read.mask_BT[places]
        positions = read.next_B1[places] + torch.arange(width, device=model.device)
        output = model(
            input_ids=ids,
            attention_mask=torch.cat([mask, mask.new_ones(ids.shape)], dim=1),
            position_ids=positions,
            past_key_values=rows_of(read.cache, places),
            use_cache=True,
        )
        logits_BTV = torch.cat([logits_B1V, output.logits], dim=1)
    for number, (header, continuation) in enumerate(zip(headers, firsts, strict=True)):
        yield logits_BTV[number, len(header) : len(header) + len(continuation)]
