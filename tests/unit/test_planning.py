"""The arithmetic of the plan, against numbers worked out by hand for a 7B model."""

import json

import pytest

from plumbline.planning.planning import (
    MISTRAL_7B,
    activation_bytes,
    base_bytes,
    training_flops_per_token,
)
from plumbline.training.weight_bytes import BYTES_PER_TRAINED_WEIGHT
from tests.conftest import ROOT


def test_a_mistral_7b_has_the_weights_that_it_has() -> None:
    assert MISTRAL_7B.num_linear_weights == pytest.approx(6.979e9, rel=1e-3)
    assert MISTRAL_7B.num_weights == pytest.approx(7.248e9, rel=1e-3)
    assert MISTRAL_7B.num_lora_weights(16, "all-linear") == pytest.approx(41.9e6, rel=1e-2)
    assert MISTRAL_7B.num_lora_weights(64, "all-linear") == pytest.approx(167.8e6, rel=1e-2)
    assert MISTRAL_7B.num_lora_weights(64, ["q_proj", "v_proj"]) == pytest.approx(27.3e6, rel=1e-2)


def test_a_token_of_a_7b_model_takes_28_gigaflop_and_no_2n_for_base_gradients() -> None:
    flops = training_flops_per_token(MISTRAL_7B.size, num_lora_weights=41_943_040, labelled_fraction=1.0, attended_tokens=150.0)
    assert flops == pytest.approx(28.4e9 + 0.25e9 + 0.118e9, rel=5e-3)


def test_nf4_halves_the_bytes_of_linear_layers_only() -> None:
    assert base_bytes(MISTRAL_7B.size, dtype="bfloat16", quantization="none") == pytest.approx(14.5e9, rel=1e-2)
    # 0.516 bytes for 6.979e9 weights of linear layers, 2 for the other 0.269e9.
    assert base_bytes(MISTRAL_7B.size, dtype="bfloat16", quantization="nf4") == pytest.approx(4.138e9, rel=1e-3)


def test_memory_is_what_one_gpu_took() -> None:
    """docs/runs/gpu_train.json: what the arms took beyond weights and adapter, per position of a step."""
    arms = json.loads((ROOT / "docs/runs/gpu_train.json").read_text(encoding="utf-8"))["arms"]
    adapter = BYTES_PER_TRAINED_WEIGHT * MISTRAL_7B.num_lora_weights(16, "all-linear")
    for arm, quantization in (("N0", "none"), ("N3", "none"), ("Q2", "nf4")):
        positions = arms[arm]["num_positions"] / arms[arm]["num_timed_steps"]
        weights = base_bytes(MISTRAL_7B.size, dtype="bfloat16", quantization=quantization)
        planned = (
            weights + adapter + activation_bytes(MISTRAL_7B.size, num_tokens=round(positions), dtype="bfloat16", checkpointing=arm == "N0")
        )
        assert planned == pytest.approx(arms[arm]["peak_memory_bytes"], rel=0.03), arm
