"""docs/scale.md holds what its program computes, from inputs whose sources say the same, and a measured speed takes the place of a sourced one."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from plumbline.commands import scale_plan
from plumbline.commands.scale_plan import LLAMA_70B, QUESTIONS, ROUTES, Line, all_lines, blocks, judging_line, stored_run, training_speed
from plumbline.judging.claude import limits_from_environment
from plumbline.pages.blocks import BLOCK, filled
from plumbline.pipeline.params import read_yaml
from plumbline.planning.planning import MISTRAL_7B
from plumbline.planning.scale_inputs import INPUTS, Facts, with_measurements
from plumbline.rows.judge_check import Probe

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
H200: dict[str, Any] = {
    "device": "NVIDIA H200",
    "peak_dense_bf16_flops": 989e12,
    "shape": "mistral-7b",
    "arms": {
        "N3": {"status": "measured", "mfu": 0.41, "tokens_per_second": 14_146.0, "peak_memory_bytes": 64e9},
        "Q2": {"status": "out of memory", "reason": "..."},
    },
}
CITED = {
    "clean_seconds": ("docs/experiments.md", "107.7 s"),
    "row_seconds": ("docs/experiments.md", "50.3 s"),
    "clean_bytes": ("docs/experiments.md", "999 MiB"),
    "split_seconds": ("docs/experiments.md", "15.9 s"),
    "split_bytes": ("docs/experiments.md", "2.7 kB a row"),
    "judge_overhead": ("docs/benchmarks.md", "| 160 | 2.0 | 16 | 20 | +2.0 %"),
}
"""Measured inputs, and the words that hold them."""


def test_the_document_holds_what_the_program_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert filled(DOCUMENT, blocks(with_measurements(INPUTS, stored_run))) == DOCUMENT, "run python -m plumbline.commands.scale_plan"


def test_each_block_has_a_writer_and_each_writer_a_block() -> None:
    assert sorted(match["name"] for match in BLOCK.finditer(DOCUMENT)) == sorted(blocks(INPUTS))


@pytest.mark.parametrize("name", sorted(CITED))
def test_a_measured_input_stands_in_the_document_that_it_names(name: str) -> None:
    document, words = CITED[name]
    assert document in INPUTS[name].source
    assert words in (ROOT / document).read_text(encoding="utf-8")


def test_every_input_is_used_and_every_line_says_what_it_rests_on() -> None:
    facts = Facts(INPUTS)
    lines = all_lines(facts)
    assert len(lines) == len(QUESTIONS) * (2 + 2 * len(ROUTES))
    named = {name for line in lines for name in re.findall(r"`(\w+)`", line.rests_on)}
    limits = {"tokens_per_step", "fewest_steps", "judge_cap_usd", "memory_bytes", "row_seconds"}
    assert named | limits == set(INPUTS)
    for line in lines:
        assert re.search(r"\*\*(measured|sourced|assumed)\*\* `", line.rests_on), f"{line.step} rests on nothing"


def test_operations_a_token_are_those_of_the_benchmark_on_a_gpu() -> None:
    # 28.67e9 is what bench/gpu_train.py counts for the same rows, adapter and model; its rows differ in length, which matters by less than 1 %.
    speed = training_speed(MISTRAL_7B, 1.0, Facts(INPUTS))
    assert 989e12 / speed == pytest.approx(28.67e9, rel=0.01)
    assert LLAMA_70B.num_weights == pytest.approx(70.55e9, rel=0.001), "the published size of Llama-3-70B"


def test_a_speed_measured_on_a_gpu_replaces_the_sourced_one_and_says_so() -> None:
    found = with_measurements(INPUTS, {"gpu_train.json": H200, "gpu_answering.json": None}.get)
    assert (found["train_mfu"].value, found["train_mfu"].known) == (0.41, "measured")
    assert "NVIDIA H200" in found["train_mfu"].source and found["train_bytes"].value == 64e9
    assert found["nf4_mfu"] == INPUTS["nf4_mfu"], "an arm that did not run is no measurement"
    before, after = (
        next(line for line in all_lines(Facts(inputs)) if line.model == "7B" and line.step == "train") for inputs in (INPUTS, found)
    )
    assert after.seconds == pytest.approx(before.seconds * 0.16 / 0.41)
    assert "**measured**" in after.rests_on and "`train_mfu`" in after.rests_on.split("**sourced**")[0]


def test_a_run_of_another_shape_measures_nothing_here() -> None:
    tiny = {**H200, "shape": "tiny", "peak_dense_bf16_flops": None}
    assert with_measurements(INPUTS, {"gpu_train.json": tiny}.get) == INPUTS


def test_limits_are_met_where_they_stand() -> None:
    def broken(**values: float) -> str:
        return blocks(INPUTS | {name: replace(INPUTS[name], value=value) for name, value in values.items()})["runs"]

    assert "of memory" in broken() and "of memory" not in broken(memory_bytes=1e15)
    assert "stops it at 10" in broken() and "stops it at" not in broken(judge_cap_usd=1e6)
    assert "optimiser steps" in broken() and "optimiser steps" not in broken(tokens_per_step=512)
    assert "of training in one process" in broken() and "of training in one process" not in broken(tokens_per_row=0.5)
    assert "| nothing |" in broken(memory_bytes=1e15, judge_cap_usd=1e6, tokens_per_step=512)


def judging(rows: int, **values: float) -> Line:
    return judging_line(rows, Facts(INPUTS | {name: replace(INPUTS[name], value=value) for name, value in values.items()}))


def test_batches_keep_to_the_limits_of_the_stage() -> None:
    # 100,000 answers without probes are the 11 batches that docs/benchmarks.md measured: a trial of 500, then 10 of up to 10,000.
    unprobed = {"judge_retests": 0.0, "judge_canaries": 0.0}
    assert "| 100,000 | 11 |" in (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    assert "Batches, 11 of them, the first a trial" in judging(10_000_000, **unprobed).engine
    # 6,400 requests of 2,500 tokens and 4 bytes a token are 64 MB.
    assert "Batches, 17 of them" in judging(10_000_000, **unprobed, judge_input_tokens=2_500).engine
    # 10,000 answers, 1,000 of them twice, and 70 probes: 500, then two batches.
    assert "Batches, 3 of them" in judging(100_000).engine


def test_batches_run_side_by_side_after_the_trial() -> None:
    for rows in (100_000, 10_000_000):
        assert judging(rows).seconds == 48 * 3600
        assert judging(rows, trial_from=1e9).seconds == 24 * 3600, "without a trial all end within one limit"


def test_what_judging_rests_on_are_the_settings_of_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PLUMBLINE_JUDGE_")]:
        monkeypatch.delenv(name)
    limits, params = limits_from_environment(), read_yaml(ROOT / "params.yaml")["judge"]
    assert {
        name: INPUTS[name].value for name in ("judge_concurrency", "batch_requests", "batch_bytes", "judge_retests", "judge_cap_usd")
    } == {
        "judge_concurrency": limits.concurrency,
        "batch_requests": limits.batch_requests,
        "batch_bytes": limits.batch_bytes,
        "judge_retests": params["retest_fraction"],
        "judge_cap_usd": params["max_cost_usd"],
    }
    assert params["num_canary_questions"] * len(set(get_args(Probe)) - {"retest"}) == INPUTS["judge_canaries"].value


def test_money_is_a_multiple_of_the_price_until_it_is_given() -> None:
    assert " X + " in blocks(INPUTS)["runs"]
    given = blocks(INPUTS, usd_per_gpu_hour=2.0)["runs"]
    assert " X" not in given and "USD" in given


def test_own_values_are_printed_and_the_document_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scale_plan.main(["--set", "usd_per_gpu_hour=2", "--set", "tokens_per_row=300"])
    told = capsys.readouterr().out
    assert "| `tokens_per_row` | 300 | tokens a row | **assumed** | given by you |" in told
    assert not list(tmp_path.iterdir())
    for wrong in ("tokens=3", "tokens_per_row=many"):
        with pytest.raises(SystemExit):
            scale_plan.main(["--set", wrong])


def test_a_typed_number_is_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs/runs").mkdir(parents=True)
    typed = DOCUMENT.replace("40.96 USD", "1.00 USD")
    assert typed != DOCUMENT
    (tmp_path / "docs/scale.md").write_text(typed, encoding="utf-8")
    (tmp_path / "docs/runs/gpu_train.json").write_text(json.dumps(H200))
    scale_plan.main([])
    written = (tmp_path / "docs/scale.md").read_text(encoding="utf-8")
    assert written.count("40.96 USD") == DOCUMENT.count("40.96 USD") and "training arm N3 on NVIDIA H200, a 7B shape" in written
    assert "written anew" in capsys.readouterr().out
