"""The engine in this process: greedy answers and log-probabilities from a loaded transformers model, in one fixed batch plan."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from plumbline.answering.engine import Generated, Prompt, by_length
from plumbline.answering.kv_cache import give_room
from plumbline.model.tokenization import decode_answer, named_stops, pad_id, stop_ids

KEPT_SHARE = 0.75
"""Finished rows leave the batch when at most so many of its rows are still being written."""


def _left_padded(rows: Sequence[Sequence[int]], pad: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Shapes: ids and mask (B, T)."""
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return ids, mask


def _positions(mask_BT: torch.Tensor) -> torch.Tensor:
    """Count tokens from 0, padding aside."""
    return (mask_BT.cumsum(dim=1) - 1).clamp(min=0)


@torch.inference_mode()
def choice_logprobs(model: PreTrainedModel, prompts: Sequence[Prompt], *, pad: int) -> dict[str, dict[str, float]]:
    """Score each choice of each prompt by the mean log-probability of its continuation's tokens: id -> letter -> nats per token.

    The mean, since choices differ in length; for letters, whose continuations are equally long, it orders as the sum does.
    """
    scored = [(prompt, together) for prompt in prompts for together in _computed_together(prompt.continuations)]
    if not scored:
        return {}
    rows = [[*prompt.ids, *prompt.header, *next(iter(together.values()))] for prompt, together in scored]
    ids, mask = _left_padded(rows, pad, model.device)
    width = max(len(continuation) for _, together in scored for continuation in together.values())
    logits = model(input_ids=ids, attention_mask=mask, position_ids=_positions(mask), logits_to_keep=width + 1, use_cache=False).logits
    logprobs_BTV = logits.float().log_softmax(dim=-1)
    result: dict[str, dict[str, float]] = {}
    for row, (prompt, together) in enumerate(scored):
        for letter, continuation in together.items():
            kept_TV = logprobs_BTV[row, -len(continuation) - 1 : -1]
            mean = kept_TV.gather(1, torch.tensor(continuation, device=model.device)[:, None]).mean()
            result.setdefault(prompt.id, {})[letter] = round(float(mean), 4)
    return result


def _computed_together(continuations: Mapping[str, list[int]]) -> list[dict[str, list[int]]]:
    """Continuations that differ in the last token alone, as those of letters do, take one row of the batch; others one each."""
    beginnings = {tuple(ids[:-1]) for ids in continuations.values()}
    return [dict(continuations)] if len(beginnings) == 1 else [{letter: ids} for letter, ids in continuations.items()]


@torch.inference_mode()
def greedy_tokens(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stops: Sequence[int], pad: int
) -> list[list[int]]:
    """Continue each prompt with the most probable token until one of `stops` (kept as the last one) or `max_new_tokens`.

    Nothing else has a say: transformers' own `generate` would add the penalties of the model's generation_config.json, and
    carries finished rows along to the end of the batch, which here leave it.
    """
    ids, mask = _left_padded(prompts, pad, model.device)
    positions = _positions(mask)
    written: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    """Which prompt each row of the batch belongs to."""
    open_rows = set(rows)
    cache = None
    for _ in range(max_new_tokens):
        output = model(input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1)
        if cache is None:
            cache = output.past_key_values
            give_room(cache)
        chosen = output.logits[:, -1].argmax(dim=-1)
        for row, token in zip(rows, chosen.tolist(), strict=True):
            if row in open_rows:
                written[row].append(token)
                if token in stops:
                    open_rows.discard(row)
        if not open_rows:
            break
        positions = positions[:, -1:] + 1
        if len(open_rows) <= KEPT_SHARE * len(rows):
            kept = torch.tensor([place for place, row in enumerate(rows) if row in open_rows], device=model.device)
            cache.batch_select_indices(kept)
            mask, chosen, positions = mask[kept], chosen[kept], positions[kept]
            rows = [row for row in rows if row in open_rows]
        ids = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
    return written


class TransformersEngine:
    """Answers batch by batch; a batch is answered whole or again, since bf16 text depends on who else is in it."""

    name = "transformers"

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, batch_size: int) -> None:
        self._model, self._tokenizer, self._batch_size = model, tokenizer, batch_size
        self._stops = stop_ids(tokenizer, named_stops(model.generation_config))

    @property
    def identity(self) -> Mapping[str, object]:
        return {
            "versions": [version(package) for package in ("torch", "transformers", "peft")],
            "device": self._model.device.type,
        }

    def units(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        ordered = by_length(prompts)
        return [ordered[start : start + self._batch_size] for start in range(0, len(ordered), self._batch_size)]

    def answer(self, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
        pad, stops = pad_id(self._tokenizer), self._stops
        for batch in units:
            rows = greedy_tokens(self._model, [prompt.ids for prompt in batch], max_new_tokens=max_new_tokens, stops=stops, pad=pad)
            logprobs = choice_logprobs(self._model, batch, pad=pad)
            yield [
                Generated(
                    id=prompt.id,
                    response=decode_answer(self._tokenizer, row, stops=stops),
                    num_tokens=len(row),
                    reached_eos=row[-1] in stops,
                    choice_logprobs=logprobs.get(prompt.id, {}),
                )
                for prompt, row in zip(batch, rows, strict=True)
            ]
