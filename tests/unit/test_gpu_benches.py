"""The GPU benchmarks run on a processor with a tiny shape: their arms, their counting and their arithmetic; the speeds mean nothing."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from bench import gpu_answering, gpu_train
from bench.arms import peak_flops
from bench.gpu_train import Stopwatch, Timing, report
from bench.random_model import SHAPES, TINY, lengths_of, random_examples

TRAIN_FIELDS = {
    "status", "tokens_per_second", "mfu", "peak_memory_bytes", "flops_per_token", "real_fraction", "num_timed_steps", "num_real_tokens",
    "num_positions", "seconds", "lora_r",
}  # fmt: skip


def run(bench: Any, folder: Path, *flags: str) -> dict[str, Any]:
    out = folder / "bench.json"
    bench.main(["--shape", "tiny", "--device", "cpu", "--out", str(out), *flags])
    return json.loads(out.read_text(encoding="utf-8"))


def test_rows_are_like_short_answers_to_questions() -> None:
    examples = random_examples(2000, TINY)
    lengths = lengths_of(examples)
    assert sum(len(example.ids) for example in examples) / len(examples) == pytest.approx(120, abs=2)
    assert lengths.labelled_fraction == pytest.approx(0.70, abs=0.01)
    assert lengths.attended_tokens == pytest.approx(156, abs=3)


def test_flops_and_mfu_are_those_worked_out_by_hand() -> None:
    lengths = lengths_of(random_examples(20, TINY))._replace(labelled_fraction=0.5, attended_tokens=100.0)
    timing = Timing(num_steps=2, seconds=4.0, num_real_tokens=8000, num_positions=10_000)
    found = report(timing, lengths, shape=TINY, r=4, peak=1e9)
    linear = 2 * (32 * 32 + 2 * 32 * 16 + 32 * 32 + 3 * 32 * 64)  # layers x (q, k and v, o, gate and up and down)
    adapter = 2 * 4 * (64 + 2 * 48 + 64 + 3 * 96)
    by_hand = 4 * (linear + 0.5 * 256 * 32) + 6 * adapter + 6 * 2 * 32 * 100
    assert found["flops_per_token"] == by_hand
    assert found["tokens_per_second"] == 2000  # real tokens, not the 2,500 positions
    assert found["mfu"] == pytest.approx(2000 * by_hand / 1e9)
    assert found["real_fraction"] == 0.8
    assert report(timing, lengths, shape=TINY, r=4, peak=None)["mfu"] is None


def test_warm_up_and_padding_are_not_counted() -> None:
    watch, pad = Stopwatch(num_warmup_steps=1, budget_seconds=60), 3

    class State:
        global_step = 0

    for ids in ([[5, 6, 7]], [[5, 3, 3]], [[5, 6, 3]]):
        watch.on_step_begin(None, State, None)
        watch.count({"input_ids": torch.tensor(ids)}, pad)
        State.global_step += 1
        watch.on_step_end(None, State, None)
    timing = watch.timing()
    assert (timing.num_steps, timing.num_real_tokens, timing.num_positions) == (2, 3, 6)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H200", 989e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA L4", 121e12),
        ("NVIDIA L40", None),
        ("NVIDIA T1000", None),
    ],
)
def test_a_card_without_a_known_peak_has_no_mfu(name: str, peak: float | None) -> None:
    assert peak_flops(name) == peak


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
@pytest.mark.parametrize("bench", [gpu_train, gpu_answering])
def test_without_a_gpu_nothing_is_measured_and_it_says_so(bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(["--out", str(tmp_path / "bench.json")])
    arms = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))["arms"]
    assert arms and all(arm == {"status": "not measured", "reason": "no CUDA device here"} for arm in arms.values())
    assert capsys.readouterr().out.count("not measured") == len(arms)


@pytest.mark.slow
def test_every_arm_of_training_runs_and_counts_real_tokens(tmp_path: Path) -> None:
    # N5 compiles for minutes on a CPU; its result there has not been seen.
    arms = [arm for arm in gpu_train.ARMS if arm != "N5"]
    found = run(gpu_train, tmp_path, "--arms", *arms, "--warmup-steps", "1", "--timed-steps", "2", "--budget-seconds", "300")
    assert list(found["arms"]) == arms
    for name, arm in found["arms"].items():
        assert arm["status"] == "measured", (name, arm)
        assert set(arm) == TRAIN_FIELDS
        assert arm["num_timed_steps"] == 2 and arm["mfu"] is None and arm["peak_memory_bytes"] is None
    padded, packed = found["arms"]["N0"], found["arms"]["N3"]
    assert padded["num_real_tokens"] < padded["num_positions"]
    assert packed["num_real_tokens"] == packed["num_positions"] > 2 * 7000


@pytest.mark.slow
def test_an_arm_that_fails_is_reported_and_the_next_one_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_MICRO_BATCH_TOKENS", "many")
    found = run(gpu_train, tmp_path, "--arms", "N3", "N0", "--warmup-steps", "1", "--timed-steps", "1")
    assert found["arms"]["N3"]["status"] == "failed" and "many" in found["arms"]["N3"]["reason"]
    assert found["arms"]["N0"]["status"] == "measured"


def test_an_arm_out_of_memory_or_of_time_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(script))
    script.write_text("#!/bin/sh\necho 'torch.OutOfMemoryError: CUDA out of memory. Tried 9 GiB' >&2\necho '[rank0] bye' >&2\nexit 1\n")
    script.chmod(0o755)
    assert run(gpu_train, tmp_path, "--arms", "N0")["arms"]["N0"]["status"] == "out of memory"
    script.write_text("#!/bin/sh\necho 'bench.arms.BudgetSpent: no step was timed' >&2\nexit 1\n")
    assert run(gpu_train, tmp_path, "--arms", "N0")["arms"]["N0"]["status"] == "over budget"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr("bench.arms.SECONDS_TO_START", 0)
    assert run(gpu_train, tmp_path, "--arms", "N0", "--budget-seconds", "0.2")["arms"]["N0"]["status"] == "over budget"


@pytest.mark.slow
def test_every_rung_of_answering_runs(tmp_path: Path) -> None:
    found = run(gpu_answering, tmp_path, "--prompts", "40", "--batch-size", "20", "--max-new-tokens", "4")
    for name, arm in found["arms"].items():
        assert arm["status"] == "measured", (name, arm)
        assert arm["num_answers"] == 40 and 40 <= arm["num_new_tokens"] <= 160
        assert (arm["start_seconds"] is not None) == (name == "G2")


def test_mixed_batches_are_equally_wide() -> None:
    batches = gpu_answering.equally_wide(gpu_answering.random_prompts(130, TINY), 40)
    assert [len(batch) for batch in batches] == [40, 40, 40]
    assert {max(len(prompt.ids) for prompt in batch) for batch in batches} == {53}
    assert SHAPES["mistral-7b"].num_layers == 32
