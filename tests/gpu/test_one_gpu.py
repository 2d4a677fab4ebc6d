"""What only a GPU can show: its attention kernel, repeatable bytes in each precision, resume, and answers that do not depend on the batch."""

import json
import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.context import SpawnContext
from pathlib import Path

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from plumbline.answering.engine import Prompt
from plumbline.answering.generation import TransformersEngine
from plumbline.keeping.merging import merge_and_save
from plumbline.model.tokenization import render_prompt
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.training.attention import attend_per_document
from tests.fakes import tiny_training
from tests.fakes.tiny_models import questions, save_models
from tests.fakes.tiny_training import published
from tests.fakes.training_processes import run

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
PRECISIONS = [("float32", "none"), ("bfloat16", "none"), ("bfloat16", "nf4")]


@pytest.fixture(scope="module")
def server() -> SpawnContext:
    """Every training runs in a separate process; a forked one could not use the GPU."""
    return multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True)
def memory_is_given_back() -> Iterator[None]:
    yield
    torch.cuda.empty_cache()


@pytest.mark.parametrize("head_dim", [64, 128])
def test_the_kernel_for_packed_rows_and_its_gradients_are_those_of_plain_attention(head_dim: int) -> None:
    """8 query heads on 2 key heads, documents of 1 to 300 tokens; plain attention in fp32, document by document, is the reference."""
    torch.manual_seed(0)
    lengths = [1, 7, 300, 64, 129]
    states = [torch.randn(1, heads, sum(lengths), head_dim, device="cuda") for heads in (8, 2, 2)]
    weights = torch.randn(1, sum(lengths), 8, head_dim, device="cuda")
    boundaries = torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()], dtype=torch.int32, device="cuda")

    exact = [tensor.clone().requires_grad_() for tensor in states]
    parts = zip(*(tensor.split(lengths, dim=2) for tensor in exact), strict=True)
    expected = torch.cat([scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True) for q, k, v in parts], dim=2)
    (expected.transpose(1, 2) * weights).sum().backward()

    rounded = [tensor.bfloat16().requires_grad_() for tensor in states]
    found, _ = attend_per_document(
        torch.nn.Identity(), rounded[0], rounded[1], rounded[2], None, cu_seq_lens_q=boundaries, max_length_q=max(lengths)
    )
    (found.float() * weights).sum().backward()
    assert _difference(found, expected.transpose(1, 2)) < 1e-2
    for ours, reference in zip(rounded, exact, strict=True):
        assert ours.grad is not None and reference.grad is not None
        assert _difference(ours.grad, reference.grad) < 2e-2


def _difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    found, expected = found.detach().float(), expected.detach().float()
    return float(torch.linalg.norm(found - expected) / torch.linalg.norm(expected))


@pytest.mark.parametrize(("dtype", "quantization"), PRECISIONS)
def test_training_again_and_training_on_after_a_kill_give_the_same_bytes(
    server: SpawnContext, tmp_path: Path, dtype: str, quantization: str
) -> None:
    tiny_training.prepare(tmp_path / "in", dtype=dtype, quantization=quantization)
    assert run(server, tmp_path / "in", tmp_path / "first") == 0
    metrics = json.loads((tmp_path / "first/train.json").read_text())
    assert metrics["complete"] and metrics["validation_loss"]["best"] < metrics["validation_loss"]["base"]
    first = published(tmp_path / "first")
    assert run(server, tmp_path / "in", tmp_path / "second") == 0
    assert published(tmp_path / "second") == first
    assert run(server, tmp_path / "in", tmp_path / "killed", at_step=7) == -signal.SIGKILL
    assert not published(tmp_path / "killed")
    assert run(server, tmp_path / "in", tmp_path / "killed") == 0
    assert published(tmp_path / "killed") == first


def test_a_gpu_learns_what_a_processor_learns(server: SpawnContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same rows, same steps, other sums: the losses agree closely, and the run on a processor cannot be resumed on the GPU."""
    tiny_training.prepare(tmp_path / "in")
    losses = {}
    for device in ("cuda", "cpu"):
        process = server.Process(target=_train_on, args=(device, tmp_path / "in", tmp_path / "out" / device))
        process.start()
        process.join(300)
        assert process.exitcode == 0
        losses[device] = json.loads((tmp_path / "out" / device / "train.json").read_text())["validation_loss"]
    assert losses["cuda"]["base"] == pytest.approx(losses["cpu"]["base"], rel=1e-3)
    assert losses["cuda"]["best"] == pytest.approx(losses["cpu"]["best"], rel=2e-2)


def _train_on(device: str, folder: Path, root: Path) -> None:
    import os

    os.environ["PLUMBLINE_DEVICE"] = device
    tiny_training.train(folder, root)


def test_a_batch_in_fp32_answers_as_one_question_at_a_time(tmp_path: Path) -> None:
    save_models(tmp_path)
    tokenizer, model = load_tokenizer(tmp_path / "base"), load_model(tmp_path / "base", device="cuda")
    prompts = [Prompt(id=one.id, ids=render_prompt(tokenizer, one.question), continuations={}) for one in questions()]
    together, alone = (
        {
            one.id: one.response
            for engine in [TransformersEngine(model, tokenizer, batch_size=size)]
            for batch in engine.answer(engine.units(prompts), max_new_tokens=48)
            for one in batch
        }
        for size in (len(prompts), 1)
    )
    assert len(set(together.values())) > 3, "the texts must differ for the comparison to say something"
    assert together == alone


def test_nf4_weights_take_a_quarter_of_bf16(tmp_path: Path) -> None:
    taken = {}
    for quantization in ("none", "nf4"):
        tiny_training.save_tiny_base(tmp_path / quantization, dtype="bfloat16", quantization=quantization)
        model = load_model(tmp_path / quantization, device="cuda")
        taken[quantization] = sum(
            parameter.numel() * parameter.element_size() for name, parameter in model.named_parameters() if "_proj" in name
        )
        prompt = torch.randint(6, 100, (1, 9), device="cuda")
        assert model(input_ids=prompt).logits.isfinite().all()
    assert taken["nf4"] * 4 == taken["none"]


def test_a_merged_model_answers_as_base_and_adapter(tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    save_models(tmp_path)
    tokenizer = load_tokenizer(tmp_path / "base")
    tuned = PeftModel.from_pretrained(load_model(tmp_path / "base", device="cuda"), str(tmp_path / "adapter")).eval()
    prompt = torch.tensor([render_prompt(tokenizer, questions()[3].question)], device="cuda")
    with torch.inference_mode():
        before = tuned(input_ids=prompt).logits
        merge_and_save(tuned, tokenizer, tmp_path / "merged")
        after = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", device_map={"": "cuda"})(input_ids=prompt).logits
    assert _difference(after, before) < 1e-4
