"""vLLM itself, if it is installed next to a GPU: the models of the last run answer as they do with transformers."""

import shutil
from pathlib import Path

import pytest
import torch

from plumbline.answering.engine import Prompt
from plumbline.answering.engine_choice import open_engine
from plumbline.model.tokenization import render_prompt
from plumbline.model.weights import load_tokenizer
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question

BASE, ADAPTER, BENCHMARK = Path("models/base"), Path("models/adapter"), Path("data/split/benchmark.jsonl")
NUM_QUESTIONS = 40
MIN_SAME = 0.9
"""Of the texts: sums in another order move a close call, after which a text goes its own way."""
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
    pytest.mark.skipif(shutil.which("vllm") is None, reason="no `vllm` on the path: install requirements-vllm.txt"),
    pytest.mark.skipif(not ADAPTER.is_dir(), reason="no models/adapter: run make first"),
]


@pytest.mark.parametrize("adapter", [None, ADAPTER], ids=["base", "tuned"])
def test_vllm_writes_what_transformers_writes(adapter: Path | None) -> None:
    params, tokenizer = load_params("answer", AnswerParams), load_tokenizer(BASE)
    questions = list(read_jsonl(BENCHMARK, Question))[:NUM_QUESTIONS]
    prompts = [Prompt(id=one.id, ids=render_prompt(tokenizer, one.question), continuations={}) for one in questions]
    responses: dict[str, dict[str, str]] = {}
    for engine_name in ("transformers", "vllm"):
        with open_engine(params.model_copy(update={"engine": engine_name}), tokenizer, base=BASE, adapter=adapter) as engine:
            answered = engine.answer(engine.units(prompts), max_new_tokens=params.max_new_tokens)
            responses[engine_name] = {one.id: one.response for unit in answered for one in unit}
    assert len(set(responses["transformers"].values())) > NUM_QUESTIONS / 2
    num_same = sum(responses["vllm"][id] == response for id, response in responses["transformers"].items())
    assert num_same >= MIN_SAME * NUM_QUESTIONS, f"{num_same} of {NUM_QUESTIONS} texts are the same"
