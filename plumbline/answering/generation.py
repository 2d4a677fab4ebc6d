"""The engine in this process: answers and log-probabilities from a loaded transformers model, in one fixed batch plan."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import groupby

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from plumbline.answering.choice_scoring import choice_logprobs
from plumbline.answering.decoding import decode_answer
from plumbline.answering.drawn_tokens import DrawnTokens
from plumbline.answering.engine import Generated, Prompt, by_length
from plumbline.answering.kv_cache import STATE_ALONE, can_drop_rows, give_room, state_name
from plumbline.answering.prompt_reading import ReadPrompts, read_prompts, read_repeated
from plumbline.model.runtime import summing_threads
from plumbline.model.tokenization import named_stops, pad_id, stop_ids

KEPT_SHARE = 0.75
"""Finished rows leave the batch when at most this share of its rows is still being written."""

Choose = Callable[[torch.Tensor, Sequence[int]], torch.Tensor]
"""Logits (B, V), and the prompt of each row -> a token for each row (B,)."""


def most_probable(logits_BV: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
    """The token with the highest logit."""
    return logits_BV.float().argmax(dim=-1)  # in bfloat16, a processor takes four times as long


def greedy_tokens(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stops: Sequence[int], pad: int
) -> list[list[int]]:
    """Continue each prompt with the most probable token until one of `stops` (kept as the last one) or `max_new_tokens`."""
    return greedy_after(model, read_prompts(model, prompts, num_after=max_new_tokens, pad=pad), max_new_tokens=max_new_tokens, stops=stops)


def greedy_after(model: PreTrainedModel, read: ReadPrompts, *, max_new_tokens: int, stops: Sequence[int]) -> list[list[int]]:
    """The same for prompts that the model has already read. Their cache is used up."""
    return written_after(model, read, max_new_tokens=max_new_tokens, stops=stops, choose=most_probable)


@torch.inference_mode()
def written_after(
    model: PreTrainedModel, read: ReadPrompts, *, max_new_tokens: int, stops: Sequence[int], choose: Choose
) -> list[list[int]]:
    """Continue prompts that the model has already read with the tokens that `choose` gives. Their cache is used up.

    Nothing else has an influence: `generate` of transformers would add the penalties of the model's generation_config.json, and
    would keep finished rows to the end of the batch. Here they leave it.
    """
    cache, mask, positions = read.cache, read.mask_BT, read.next_B1
    give_room(cache)
    state = state_name(model)
    written: list[list[int]] = [[] for _ in mask]
    rows = list(range(len(mask)))
    """The prompt of each row in the batch."""
    open_rows = set(rows)
    logits_BV = read.logits_BV
    for number in range(max_new_tokens):
        chosen = choose(logits_BV, rows)
        for row, token in zip(rows, chosen.tolist(), strict=True):
            if row in open_rows:
                written[row].append(token)
                if token in stops:
                    open_rows.discard(row)
        if not open_rows or number == max_new_tokens - 1:
            break
        if len(open_rows) <= KEPT_SHARE * len(rows) and can_drop_rows(cache):
            kept = torch.tensor([place for place, row in enumerate(rows) if row in open_rows], device=model.device)
            cache.reorder_cache(kept)  # it works for all kinds of layers; `batch_select_indices` does not
            mask, chosen, positions = mask[kept], chosen[kept], positions[kept]
            rows = [row for row in rows if row in open_rows]
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
        # A model with only state-space layers does not look back at tokens: padding matters to it only at the start.
        seen = None if state == STATE_ALONE else mask
        output = model(
            input_ids=chosen[:, None], attention_mask=seen, position_ids=positions, use_cache=True, logits_to_keep=1, **{state: cache}
        )
        logits_BV, positions = output.logits[:, -1], positions + 1
    return written


class TransformersEngine:
    """Answers batch by batch. An unfinished batch is answered again as a whole, since bf16 text depends on the other rows of the batch."""

    name = "transformers"

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, batch_size: int) -> None:
        self._model, self._tokenizer, self._batch_size = model, tokenizer, batch_size
        self._stops = stop_ids(tokenizer, named_stops(model.generation_config))

    @property
    def identity(self) -> Mapping[str, object]:
        return {
            "versions": [version(package) for package in ("torch", "transformers", "peft")],
            "device": self._model.device.type,
            "num_threads": summing_threads(self._model.device.type),
        }

    def units(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        groups = [list(group) for _, group in groupby(by_length(prompts), key=lambda prompt: prompt.group)]
        return [group[start : start + self._batch_size] for group in groups for start in range(0, len(group), self._batch_size)]

    def answer(self, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
        pad, stops = pad_id(self._tokenizer), self._stops
        for batch in units:
            named = [len(prompt.header) + len(ids) for prompt in batch for ids in prompt.continuations.values()]
            drawn = [prompt.sampling for prompt in batch if prompt.sampling is not None]
            assert len(drawn) in (0, len(batch)), "all answers of a run are decoded in the same way"
            reading = read_repeated if drawn else read_prompts
            read = reading(self._model, [prompt.ids for prompt in batch], num_after=max(max_new_tokens, *named, 0), pad=pad)
            logprobs = choice_logprobs(self._model, batch, pad=pad, read=read)
            choose = DrawnTokens(drawn) if drawn else most_probable
            rows = written_after(self._model, read, max_new_tokens=max_new_tokens, stops=stops, choose=choose)
            yield [
                Generated(
                    id=prompt.id,
                    response=decode_answer(self._tokenizer, row, stops=stops),
                    num_tokens=len(row),
                    reached_eos=row[-1] in stops,
                    choice_logprobs=logprobs.get(prompt.id, {}) if prompt.continuations else {},
                    sample=prompt.sample,
                )
                for prompt, row in zip(batch, rows, strict=True)
            ]
