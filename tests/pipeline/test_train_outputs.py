"""What training publishes: the best adapter and not the last one, its scale and size, and nothing if the loss is not a number."""

import json
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from plumbline.pipeline.files import sha256_of
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.training_params import LoraParams, TrainParams
from tests.fakes import tiny_training
from tests.fakes.tiny_training import published
from tests.fakes.training_processes import run

pytestmark = pytest.mark.slow
LONG: dict[str, Any] = {"epochs": 4.0}
"""Long enough for the validation loss to rise again, by a tenth of a nat: the validation rows have other answers than training's."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("training")
    tiny_training.prepare(made)
    write_jsonl(made / "validation.jsonl", [row.model_copy(update={"output": "It is 6 kg."}) for row in tiny_training.rows(12, "v")])
    return made


def params(**changes: Any) -> TrainParams:
    return TrainParams.model_validate(tiny_training.TRAIN.model_dump() | changes)


def metrics(root: Path) -> dict[str, Any]:
    return json.loads((root / "train.json").read_text())


def validation_losses(root: Path) -> dict[int, float]:
    """Step -> validation loss of metrics/loss.csv."""
    cells = [line.split(",") for line in (root / "loss.csv").read_text().splitlines()[1:]]
    return {int(step): float(validation) for step, _, validation in cells if validation}


def test_the_adapter_of_the_lowest_validation_loss_is_the_one_that_is_kept(server: ForkServerContext, folder: Path, tmp_path: Path) -> None:
    assert run(server, folder, tmp_path / "whole", params=params(**LONG)) == 0
    whole, losses = metrics(tmp_path / "whole"), validation_losses(tmp_path / "whole")
    trained = {step: loss for step, loss in losses.items() if step > 0}
    best = min(trained, key=trained.__getitem__)
    assert whole["best_step"] == best < whole["num_done_steps"], "the last step was the best: this shows nothing"
    assert whole["validation_loss"]["best"] == pytest.approx(trained[best], abs=1e-4)
    assert whole["validation_loss"]["final"] == pytest.approx(trained[max(trained)], abs=1e-4)
    # A run that ends at that step publishes the same weights.
    assert run(server, folder, tmp_path / "cut", params=params(**LONG, max_steps=best)) == 0
    weights = "adapter/adapter_model.safetensors"
    assert sha256_of(tmp_path / "cut" / weights) == sha256_of(tmp_path / "whole" / weights)
    assert (whole["complete"], metrics(tmp_path / "cut")["complete"]) == (True, False)


def test_training_without_progress_stops_by_its_rule_and_is_complete(server: ForkServerContext, folder: Path, tmp_path: Path) -> None:
    assert run(server, folder, tmp_path / "patient", params=params(**LONG)) == 0
    assert run(server, folder, tmp_path / "stopped", params=params(**LONG, early_stop_patience=2)) == 0
    stopped, losses = metrics(tmp_path / "stopped"), validation_losses(tmp_path / "stopped")
    assert (stopped["stop_reason"], stopped["complete"]) == ("early_stop", True)
    assert stopped["num_done_steps"] < stopped["num_planned_steps"] == metrics(tmp_path / "patient")["num_done_steps"]
    after = [loss for step, loss in losses.items() if step > stopped["best_step"]]
    assert len(after) == 2 and min(after) >= stopped["validation_loss"]["best"] - 1e-4
    # Up to there it is the very run that goes on.
    going_on = validation_losses(tmp_path / "patient")
    assert all(going_on[step] == loss for step, loss in losses.items())


@pytest.mark.parametrize("changes", [{"max_steps": 1}, {"epochs": 0.001}], ids=["a run of one step", "an epoch of one step"])
def test_the_adapter_is_never_that_of_a_step_whose_rate_was_zero(
    server: ForkServerContext, folder: Path, tmp_path: Path, changes: dict[str, float]
) -> None:
    """The first step of a warm-up has a rate of 0: an adapter of that step is base, and answering refuses it."""
    assert run(server, folder, tmp_path, params=params(**changes)) == 0
    adapter = load_file(tmp_path / "adapter/adapter_model.safetensors")
    assert any(bool(tensor.any()) for name, tensor in adapter.items() if "lora_B" in name)


@pytest.mark.parametrize(("use_rslora", "scale"), [(False, 2.0), (True, 4.0)])
def test_scale_and_norm_ratio_are_those_of_the_weights(
    server: ForkServerContext, folder: Path, tmp_path: Path, use_rslora: bool, scale: float
) -> None:
    lora = LoraParams.model_validate(tiny_training.LORA.model_dump() | {"use_rslora": use_rslora})
    assert run(server, folder, tmp_path, params=params(max_steps=4), lora=lora) == 0
    told = metrics(tmp_path)
    assert told["scale"] == pytest.approx(scale)
    adapter, base = load_file(tmp_path / "adapter/adapter_model.safetensors"), load_file(folder / "base/model.safetensors")
    ratios = []
    for name, down in adapter.items():
        if name.endswith("lora_A.weight"):
            layer = name.removeprefix("base_model.model.").removesuffix("lora_A.weight")
            moved = scale * (adapter[name.replace("lora_A", "lora_B")].double() @ down.double())
            ratios.append(float(torch.sqrt((moved**2).sum()) / torch.sqrt((base[f"{layer}weight"].double() ** 2).sum())))
    assert len(ratios) == 7 * 2, "all linear layers of two blocks"
    assert told["update_norm_ratio"] == pytest.approx(max(ratios), abs=1e-4) and max(ratios) > 0


def test_a_loss_that_is_no_number_publishes_nothing(server: ForkServerContext, folder: Path, tmp_path: Path) -> None:
    assert run(server, folder, tmp_path, params=params(learning_rate=1e30, max_grad_norm=1e30)) not in (0, 75)
    assert not published(tmp_path)
