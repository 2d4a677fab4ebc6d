"""Our greedy loop writes what transformers' own `generate` writes, whatever else is in the batch and whenever it leaves."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from plumbline.answering.choice_scoring import choice_logprobs
from plumbline.answering.engine import Prompt
from plumbline.answering.generation import TransformersEngine, greedy_tokens
from plumbline.answering.kv_cache import ROOM_TOKENS
from plumbline.model.tokenization import named_stops, pad_id, render_prompt, stop_ids
from plumbline.model.weights import load_model, load_tokenizer
from tests.fakes.tiny_models import questions, save_models

LENGTH = 2 * ROOM_TOKENS + 8


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, list[list[int]]]:
    folder: Path = tmp_path_factory.mktemp("models")
    save_models(folder)
    tokenizer = load_tokenizer(folder / "base")
    return load_model(folder / "base", device="cpu"), tokenizer, [render_prompt(tokenizer, question.question) for question in questions()]


def by_generate(model: Any, tokenizer: Any, ids: list[int]) -> list[int]:
    config = GenerationConfig(
        max_new_tokens=LENGTH,
        do_sample=False,
        eos_token_id=stop_ids(tokenizer, named_stops(model.generation_config)),
        pad_token_id=pad_id(tokenizer),
    )
    prompt = torch.tensor([ids])
    return model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), generation_config=config)[0, len(ids) :].tolist()


def test_a_batch_of_unequal_rows_writes_what_each_row_writes_alone(loaded: tuple[Any, Any, list[list[int]]]) -> None:
    model, tokenizer, prompts = loaded
    written = greedy_tokens(
        model, prompts, max_new_tokens=LENGTH, stops=stop_ids(tokenizer, named_stops(model.generation_config)), pad=pad_id(tokenizer)
    )
    lengths = {len(row) for row in written}
    assert LENGTH in lengths and len(lengths) > 3, "some rows must end early, at several places, and some run on past two enlargements"
    assert written == [by_generate(model, tokenizer, ids) for ids in prompts]


def test_penalties_of_the_models_own_configuration_have_no_say(loaded: tuple[Any, Any, list[list[int]]]) -> None:
    model, tokenizer, prompts = loaded
    stops, pad = stop_ids(tokenizer, []), pad_id(tokenizer)
    plain = greedy_tokens(model, prompts[:4], max_new_tokens=LENGTH, stops=stops, pad=pad)
    before = model.generation_config.repetition_penalty
    model.generation_config.repetition_penalty = 1.8
    try:
        assert [by_generate(model, tokenizer, ids) for ids in prompts[:4]] != plain, "the penalty must change what `generate` writes"
        assert greedy_tokens(model, prompts[:4], max_new_tokens=LENGTH, stops=stops, pad=pad) == plain
    finally:
        model.generation_config.repetition_penalty = before


def test_units_are_sorted_by_length_and_the_same_whoever_asks(loaded: tuple[Any, Any, list[list[int]]]) -> None:
    model, tokenizer, prompts = loaded
    asked = [Prompt(id=f"q{number}", ids=ids, continuations={}) for number, ids in enumerate(prompts)]
    engine = TransformersEngine(model, tokenizer, batch_size=5)
    units = engine.units(asked)
    assert units == engine.units(asked[::-1])
    lengths = [len(prompt.ids) for unit in units for prompt in unit]
    assert lengths == sorted(lengths) and [len(unit) for unit in units] == [5, 5, 5, 3]


@pytest.mark.parametrize("continuations", [{"A": [7, 9], "B": [7, 11], "C": [7, 4]}, {"A": [7, 9], "B": [8, 11], "C": [7]}])
def test_choices_that_share_a_row_score_as_each_does_alone(
    loaded: tuple[Any, Any, list[list[int]]], continuations: dict[str, list[int]]
) -> None:
    model, tokenizer, prompts = loaded
    rows_seen: list[int] = []
    hook = model.register_forward_pre_hook(lambda _, args, kwargs: rows_seen.append(len(kwargs["input_ids"])), with_kwargs=True)
    asked = [Prompt(id=f"q{number}", ids=ids, continuations=continuations, header=[5]) for number, ids in enumerate(prompts[:3])]
    together = choice_logprobs(model, asked, pad=pad_id(tokenizer))
    hook.remove()
    assert rows_seen == [3 if continuations["B"][0] == 7 else 9]
    for prompt in asked:
        for letter, ids in continuations.items():
            logprobs = model(input_ids=torch.tensor([[*prompt.ids, 5, *ids]])).logits[0].log_softmax(-1)
            alone = logprobs[-len(ids) - 1 : -1].gather(1, torch.tensor(ids)[:, None]).mean()
            assert together[prompt.id][letter] == pytest.approx(float(alone), abs=2e-4)
