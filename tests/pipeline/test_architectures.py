"""Every architecture is shrunk by its own rules, proven, trained, answered with and merged, or refused with a remedy that works."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, Gemma3Config, GenerationConfig, PreTrainedModel

from plumbline.answering.choice_scoring import choice_logprobs
from plumbline.answering.engine import Prompt
from plumbline.answering.generation import greedy_after, greedy_tokens
from plumbline.answering.kv_cache import is_plain
from plumbline.answering.prompt_reading import MIN_SHARED_TOKENS, read_prompts
from plumbline.keeping.merging import agreement, merge_and_save, reference_answers
from plumbline.model.adapter import load_adapter
from plumbline.model.base_files import base_fingerprint
from plumbline.model.on_meta import weights_beside_vocabulary
from plumbline.model.tokenization import Example, pad_id, render_example, render_prompt, template_sha256
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.preflight.adapted import adapted_modules
from plumbline.preflight.gradients import gradient_difference
from plumbline.preflight.model_checks import check_packed_gradients
from plumbline.preflight.readiness_probe import overfit
from plumbline.preflight.shrunk import MAX_WEIGHTS, CannotShrink, layer_kinds, shrunk_config, shrunk_model
from plumbline.training.adapted_weights import adapted_weights_of
from tests.fakes import tiny_training
from tests.fakes.architectures import ARCHITECTURES, full_config, save_base, spread
from tests.fakes.tiny_base import tiny_tokenizer

LIMIT = 1e-5
LENGTH = 24
NOT_SLOW = ("gpt2", "gemma2", "mixtral", "gpt_oss", "lfm2")
"""One of each sort: Conv1D and dropout, soft caps, fused experts, sinks, states of convolutions."""
EACH = [pytest.param(name, marks=[] if name in NOT_SLOW else [pytest.mark.slow]) for name in ARCHITECTURES]


@cache
def examples() -> list[Example]:
    tokenizer = tiny_tokenizer()
    return [render_example(tokenizer, row.instruction, row.output) for row in tiny_training.rows(24, "t")]


def few() -> list[Example]:
    return sorted(examples(), key=lambda example: len(example.ids))[::3]


@pytest.fixture
def at_full_size(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """models/base of the architecture at its normal size; without weights, which nothing before training reads."""
    save_base(tmp_path / "base", full_config(request.node.callspec.params["name"]).save_pretrained)
    return tmp_path / "base"


@pytest.mark.parametrize("name", EACH)
def test_every_kind_of_layer_is_in_a_tiny_model_which_is_the_same_each_time(name: str) -> None:
    config = full_config(name)
    num_layers = int(config.get_text_config().num_hidden_layers)
    model, again = shrunk_model(config, seed=3), shrunk_model(config, seed=3)
    depth = int(model.config.num_hidden_layers)
    expected = ARCHITECTURES[name].kinds
    assert len(set(layer_kinds(model, num_layers=depth))) == expected
    assert depth == (ARCHITECTURES[name].num_layers or min(num_layers, 2 if expected == 1 else 3))
    assert _types(model.config) == _types(config.get_text_config())
    assert weights_beside_vocabulary(model, model.get_output_embeddings()) < 1_000_000 < MAX_WEIGHTS
    assert all(torch.equal(mine, other) for mine, other in zip(model.parameters(), again.parameters(), strict=True))


def _types(config: Any) -> set[str]:
    return set(getattr(config, "layer_types", None) or ())


@pytest.mark.parametrize("name", EACH)
def test_rows_that_share_a_batch_leave_each_other_alone_or_packing_is_refused(name: str, at_full_size: Path) -> None:
    pad = pad_id(tiny_tokenizer())
    packed = gradient_difference(at_full_size, few(), pad=pad, packing=True)
    check = check_packed_gradients(packed.difference, LIMIT, packed=packed.packed, problem=packed.problem)
    assert (check.status == "pass") == ARCHITECTURES[name].packs, check.found
    if check.status == "fail":
        assert "Set train.packing to false" in check.remedy
    padded = gradient_difference(at_full_size, few(), pad=pad, packing=False)
    check = check_packed_gradients(padded.difference, LIMIT, packed=padded.packed, problem=padded.problem)
    assert check.status == "pass", check.found


@pytest.mark.parametrize("name", EACH)
def test_all_linear_is_accepted_and_counted(name: str, at_full_size: Path) -> None:
    found = ARCHITECTURES[name]
    training = tiny_training.TRAIN.model_copy(update={"packing": found.packs})
    adapted = adapted_modules(at_full_size, tiny_training.LORA, training, tiny_tokenizer(), examples(), num_rows_per_step=2)
    assert adapted.problem == "" and adapted.unmatched == [] and adapted.dtypes == {"torch.float32"}
    assert adapted.num_adapted == adapted.num_expected == adapted.num_linear == found.num_linear
    assert adapted.num_fused_adapted == found.num_fused
    assert sorted(document.ids for document in adapted.fed) == sorted(example.ids for example in examples())


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_tiny_model_learns_rows_by_heart(name: str, at_full_size: Path) -> None:
    tokenizer = tiny_tokenizer()
    learnt = overfit(at_full_size, few(), pad=pad_id(tokenizer), end=tokenizer.eos_token_id)
    assert learnt.num_exact == learnt.num_stopped == len(few())


def by_generate(model: PreTrainedModel, ids: list[int], *, eos: int, pad: int) -> list[int]:
    config = GenerationConfig(max_new_tokens=LENGTH, do_sample=False, eos_token_id=eos, pad_token_id=pad)
    prompt = torch.tensor([ids])
    written: Any = model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), generation_config=config)  # type: ignore[operator]
    return written[0, len(ids) :].tolist()


@pytest.mark.parametrize("name", EACH)
def test_answers_are_those_of_generate_whoever_shares_the_batch(name: str) -> None:
    # Larger weights than usual, or all rows would write the same; state-space layers amplify rounding, too.
    model = spread(shrunk_model(full_config(name), seed=0).eval(), 2.0 if name.startswith("mamba") else 4.0)
    draw = torch.Generator().manual_seed(1)
    prompts = [torch.randint(5, 200, (length,), generator=draw).tolist() for length in (3, 9, 17, 30, 5, 12, 7, 21)]
    free = [by_generate(model, ids, eos=-1, pad=0) for ids in prompts]
    eos = _splits_best(free)
    expected = [row[: row.index(eos) + 1] if eos in row else row for row in free]
    assert len({len(row) for row in expected}) > 1, "some rows must end before others"
    outside = int(model.config.vocab_size) + 7
    assert greedy_tokens(model, prompts, max_new_tokens=LENGTH, stops=[eos], pad=outside) == expected
    asked = [Prompt(id=str(place), ids=ids, continuations={"A": [7, 8], "B": [9]}) for place, ids in enumerate(prompts)]
    together = choice_logprobs(model, asked, pad=outside)
    for prompt in asked:
        assert choice_logprobs(model, [prompt], pad=outside)[prompt.id] == pytest.approx(together[prompt.id], abs=2e-3)


WHOLE = {"lfm2", "qwen3_next", "falcon_h1", "granitemoehybrid", "nemotron_h", "mamba", "mamba2", "gemma3n_text"}
"""States, or layers that look at the keys of another layer: every prompt is read whole."""


@pytest.mark.parametrize("name", EACH)
def test_a_beginning_that_all_prompts_share_is_read_once_and_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plumbline.answering.prompt_reading.MAX_PASS_TOKENS", 64)
    model = spread(shrunk_model(full_config(name), seed=0).eval(), 2.0 if name.startswith("mamba") else 4.0)
    draw = torch.Generator().manual_seed(1)
    start = torch.randint(5, 200, (MIN_SHARED_TOKENS,), generator=draw).tolist()
    prompts = [[*start, *torch.randint(5, 200, (length,), generator=draw).tolist()] for length in (1, 3, 7, 9, 12, 17, 21, 30)]
    widths: list[int] = []
    hook = model.register_forward_pre_hook(lambda _, args, kwargs: widths.append(kwargs["input_ids"].shape[1]), with_kwargs=True)
    read = read_prompts(model, prompts, num_after=LENGTH, pad=0)
    assert widths == ([len(start) + 30] if name in WHOLE else [len(start), 12, 21, 30])
    for continuations in ({"A": [7, 8], "B": [9], "C": [7, 8, 11]}, {"A": [7], "B": [9]}, {"A": [6, 7], "B": [6, 9]}):
        asked = [
            Prompt(id=str(place), ids=ids, continuations=continuations if place % 3 else {}, header=[5] if place % 2 else [])
            for place, ids in enumerate(prompts)
        ]
        together = choice_logprobs(model, asked, pad=0, read=read)
        for prompt in asked:
            assert choice_logprobs(model, [prompt], pad=0).get(prompt.id, {}) == pytest.approx(together.get(prompt.id, {}), abs=2e-3)
    hook.remove()
    assert greedy_after(model, read, max_new_tokens=LENGTH, stops=[-1]) == [by_generate(model, ids, eos=-1, pad=0) for ids in prompts]


@pytest.mark.parametrize("name", ["mistral", "gemma3", "gpt_oss", "llama4_text"])
def test_a_window_that_does_not_hold_all_that_is_written_has_every_prompt_read_whole(name: str) -> None:
    model = spread(shrunk_model(full_config(name), seed=0, window=40).eval(), 4.0)
    draw = torch.Generator().manual_seed(1)
    start = torch.randint(5, 200, (MIN_SHARED_TOKENS,), generator=draw).tolist()
    prompts = [[*start, *torch.randint(5, 200, (length,), generator=draw).tolist()] for length in (3, 9, 12)]
    for num_after in (LENGTH, 40 - len(start) - 13):
        read = read_prompts(model, prompts, num_after=num_after, pad=0)
        assert is_plain(read.cache) == (num_after < LENGTH)
        expected = [by_generate(model, ids, eos=-1, pad=0)[:num_after] for ids in prompts]
        assert greedy_after(model, read, max_new_tokens=num_after, stops=[-1]) == expected


def _splits_best(rows: list[list[int]]) -> int:
    """The token by which as near to half of the rows as may be would end."""
    tokens = sorted({token for row in rows for token in row})
    return min(tokens, key=lambda token: abs(sum(token in row for row in rows) - len(rows) / 2))


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Without a GPU, and with separate caches."""
    monkeypatch.setenv("PLUMBLINE_DEVICE", "cpu")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setattr("plumbline.model.orphans.die_with_parent", lambda: None)
    yield tmp_path


@pytest.fixture
def prepared(in_folder: Path) -> Path:
    """Rows; the base is the caller's."""
    tiny_training.prepare(in_folder)
    (in_folder / "base").rename(in_folder / "unused")
    return in_folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_adapter_is_trained_saved_loaded_and_merged(name: str, prepared: Path) -> None:
    save_base(prepared / "base", shrunk_model(full_config(name), seed=0).save_pretrained)
    trained_and_merged(prepared, packing=ARCHITECTURES[name].packs)


def trained_and_merged(folder: Path, *, packing: bool, **lora: object) -> dict[str, Any]:
    """Train a few steps, load what was saved, merge it and compare; the configuration of the adapter."""
    params = tiny_training.TRAIN.model_copy(update={"max_steps": 6, "packing": packing})
    tiny_training.train(folder, folder, params=params, lora=tiny_training.LORA.model_copy(update=lora))
    metrics = json.loads((folder / "train.json").read_text())
    assert metrics["validation_loss"]["best"] < metrics["validation_loss"]["base"]
    assert 0 < metrics["update_norm_ratio"] < 10
    tokenizer = load_tokenizer(folder / "base")
    tuned = load_adapter(
        load_model(folder / "base", device="cpu"),
        folder / "adapter",
        base_fingerprint=base_fingerprint(folder / "base"),
        template_sha256=template_sha256(tokenizer),
    )
    prompts = [Prompt(id=row.id, ids=render_prompt(tokenizer, row.instruction), continuations={}) for row in tiny_training.rows(4, "q")]
    expected = reference_answers(tuned, tokenizer, prompts, batch_size=4, max_new_tokens=8)
    (folder / "merged").mkdir()
    merge_and_save(tuned, tokenizer, folder / "merged")
    found = agreement(folder / "merged", expected, prompts, dtype="float32", batch_size=4, max_new_tokens=8)
    assert found.problem is None
    return json.loads((folder / "adapter/adapter_config.json").read_text())


@pytest.mark.slow
def test_experts_that_are_one_tensor_are_adapted_where_they_are_named(prepared: Path) -> None:
    save_base(prepared / "base", shrunk_model(full_config("gpt_oss"), seed=0).save_pretrained)
    experts = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
    config = trained_and_merged(prepared, packing=False, target_parameters=experts)
    assert config["target_parameters"] == sorted(experts)
    record = json.loads((prepared / "adapter/training.json").read_text())
    assert record["lora"]["target_parameters"] == experts


@pytest.mark.slow
def test_the_text_model_of_a_model_with_a_vision_tower_is_trained_alone(prepared: Path) -> None:
    config = full_config("gemma3")
    assert isinstance(config, Gemma3Config) and config.vision_config is not None
    config.text_config = shrunk_config(config)
    for attribute, value in {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": 28,
    }.items():
        setattr(config.vision_config, attribute, value)
    config.mm_tokens_per_image = 4
    model = AutoModelForCausalLM.from_config(config)
    assert type(model).__name__ == "Gemma3ForConditionalGeneration"
    save_base(prepared / "base", model.save_pretrained)
    trained_and_merged(prepared, packing=True)
    names = set(load_file(prepared / "adapter/adapter_model.safetensors"))
    assert len(names) == 2 * ARCHITECTURES["gemma3"].num_linear
    assert all(".language_model." in name for name in names)
    counted = adapted_weights_of(full_config("gemma3"), tiny_training.LORA)
    assert counted.towers == ["model.vision_tower", "model.multi_modal_projector"]
    assert counted.num_adapted / counted.num_weights > 0.99


def test_experts_left_out_are_named_with_their_weights_at_full_size() -> None:
    alone = tiny_training.LORA.model_copy(update={"target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]})
    experts = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
    for name, lora in (("mixtral", alone), ("qwen3_moe", alone), ("gpt_oss", tiny_training.LORA)):
        counted = adapted_weights_of(full_config(name), lora)
        assert sorted(counted.experts_left_out) == sorted(experts)
        assert sum(counted.experts_left_out.values()) / counted.num_weights > 0.95
        named = adapted_weights_of(full_config(name), lora.model_copy(update={"target_parameters": experts}))
        assert named.experts_left_out == {} and named.num_adapted / named.num_weights > 0.99
    assert adapted_weights_of(full_config("mixtral"), tiny_training.LORA).experts_left_out == {}


def test_an_architecture_that_stays_large_is_never_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plumbline.preflight.shrunk.narrowed", lambda content, **_: dict(content))
    monkeypatch.setattr("plumbline.preflight.shrunk._try", lambda model: pytest.fail("it was built"))
    with pytest.raises(CannotShrink, match=r"llama has [\d,]+ weights without its vocabulary \(limit 60,000,000\)"):
        shrunk_model(full_config("llama"), seed=0)


def test_a_configuration_without_a_tiny_model_is_refused_by_name() -> None:
    config = full_config("llama")
    config.hidden_act = "no such function"
    with pytest.raises(CannotShrink, match=r"No tiny model of the architecture llama could be made .* Name another base model"):
        shrunk_model(config, seed=0)


def test_windows_are_cut_so_that_packing_must_keep_them() -> None:
    model = shrunk_model(full_config("gemma3"), seed=0, window=7)
    assert model.config.sliding_window == 7
    assert shrunk_model(full_config("gemma3"), seed=0).config.sliding_window == full_config("gemma3").get_text_config().sliding_window
