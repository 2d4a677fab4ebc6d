"""Base models of other families than Mistral's go through preflight, training and answering without a line for any of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import LlamaConfig, Phi3Config, PretrainedConfig, Qwen3Config

from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question
from plumbline.rows.training_params import TrainParams
from tests.fakes import tiny_base, tiny_training
from tests.fakes.answering import answer_arm

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PARAMS: dict[str, Any] = read_yaml(ROOT / "params.yaml")
SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "tie_word_embeddings": False,
}
FAMILIES: dict[str, tuple[Callable[..., PretrainedConfig], int]] = {
    "llama": (LlamaConfig, 7),
    "qwen3": (lambda **values: Qwen3Config(**values, head_dim=8), 7),  # norms of its own on queries and keys
    "phi3": (Phi3Config, 4),  # one matrix for queries, keys and values, one for gate and up
}
"""Family -> its configuration and the linear layers of a block."""


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_another_family_is_proven_trained_and_answers(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plumbline.preflight.run import PreflightFiles
    from stages.preflight import PreflightParams
    from stages.preflight import main as preflight

    config, num_linear = FAMILIES[family]
    special = ("bos_token_id", "eos_token_id", "pad_token_id")
    monkeypatch.setattr(
        tiny_base,
        "tiny_config",
        lambda tokenizer: config(vocab_size=len(tokenizer), **{name: getattr(tokenizer, name) for name in special}, **SHAPE),
    )
    monkeypatch.setattr("plumbline.model.orphans.die_with_parent", lambda: None)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    tiny_training.prepare(tmp_path)
    question = Question(id="n", kind="numeric", question="What force?", choices={}, target="6", unit="N", key_points=(), cluster="f")
    write_jsonl(tmp_path / "benchmark.jsonl", [question])
    answering = AnswerParams.model_validate(PARAMS["answer"] | {"max_new_tokens": 8})
    given = {name: tmp_path / f"{name}.jsonl" for name in ("train", "validation", "benchmark", "general")}
    preflight(
        PreflightParams.model_validate(PARAMS["preflight"]),
        tiny_training.LORA,
        tiny_training.TRAIN,
        answering,
        PreflightFiles(
            template=Path("plumbline/pages/templates/preflight.html.j2"),
            **given,
            base=tmp_path / "base",
            ready=tmp_path / "proven.json",
            metrics=tmp_path / "preflight.json",
            page=tmp_path / "preflight.html",
        ),
    )
    assert (tmp_path / "proven.json").exists(), "not proven ready"
    short = TrainParams.model_validate(tiny_training.TRAIN.model_dump() | {"max_steps": 3})
    tiny_training.train(tmp_path, tmp_path, params=short)
    losses = json.loads((tmp_path / "train.json").read_text())["validation_loss"]
    assert losses["best"] < losses["base"]
    targets = json.loads((tmp_path / "adapter/adapter_config.json").read_text())["target_modules"]
    assert len(targets) == 2 * num_linear, "every linear layer of both blocks"
    answer_arm(
        answering, benchmark=given["benchmark"], base=tmp_path / "base", adapter=tmp_path / "adapter", answers=tmp_path / "tuned.jsonl"
    )
    [answer] = read_jsonl(tmp_path / "tuned.jsonl", Answer)
    assert answer.response and answer.num_tokens and answer.complete is False
