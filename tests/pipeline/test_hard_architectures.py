"""The whole preflight on bases that once ended in a traceback: each refusal names a remedy, and the remedy works."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.pipeline.jsonl import write_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.preflight.run import PreflightFiles, Settings, run
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from stages.preflight import PreflightParams
from tests.fakes import tiny_training
from tests.fakes.architectures import full_config, save_base

ROOT = Path(__file__).resolve().parents[2]
PARAMS: dict[str, Any] = read_yaml(ROOT / "params.yaml")
QUESTION = Question(id="q", kind="numeric", question="What force?", choices={}, target="6", unit="N", key_points=(), cluster="f")


def preflight(folder: Path, *, training: TrainParams = tiny_training.TRAIN, lora: LoraParams = tiny_training.LORA) -> dict[str, str]:
    """Name -> status and finding of each check."""
    write_jsonl(folder / "train.jsonl", tiny_training.rows(24, "t"))
    write_jsonl(folder / "validation.jsonl", tiny_training.rows(4, "v"))
    write_jsonl(folder / "general.jsonl", tiny_training.general_answers(12))
    write_jsonl(folder / "benchmark.jsonl", [QUESTION])
    run(
        Settings(
            limits=PreflightParams.model_validate(PARAMS["preflight"]),
            lora=lora,
            training=training,
            max_new_tokens=PARAMS["answer"]["max_new_tokens"],
            instructions=PARAMS["answer"]["instructions"],
        ),
        PreflightFiles(
            **{name: folder / f"{name}.jsonl" for name in ("train", "validation", "benchmark", "general")},
            base=folder / "base",
            template=ROOT / "plumbline/pages/templates/preflight.html.j2",
            ready=folder / "ready.json",
            metrics=folder / "preflight.json",
            page=folder / "preflight.html",
        ),
    )
    return json.loads((folder / "preflight.json").read_text())["checks"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gemma2", "lfm2"])
def test_packing_that_an_architecture_does_not_bear_is_refused_and_without_it_all_passes(name: str, tmp_path: Path) -> None:
    save_base(tmp_path / "base", full_config(name).save_pretrained)
    checks = preflight(tmp_path)
    assert checks["packed_gradients"].startswith("fail") and not (tmp_path / "ready.json").exists()
    assert "Set train.packing to false" in (tmp_path / "preflight.html").read_text()
    checks = preflight(tmp_path, training=tiny_training.TRAIN.model_copy(update={"packing": False}))
    assert not [found for found in checks.values() if found.startswith("fail")]
    assert (tmp_path / "ready.json").exists()


@pytest.mark.slow
def test_experts_that_stay_are_a_warning_and_naming_them_is_the_remedy(tmp_path: Path) -> None:
    save_base(tmp_path / "base", full_config("gpt_oss").save_pretrained)
    training = tiny_training.TRAIN.model_copy(update={"packing": False})
    found = preflight(tmp_path, training=training)["lora_modules"]
    assert found.startswith("warn") and "the experts hold 99% of them, and are not adapted" in found
    named = tiny_training.LORA.model_copy(update={"target_parameters": ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]})
    found = preflight(tmp_path, training=training, lora=named)["lora_modules"]
    assert found.startswith("pass: 12 modules adapted") and "6 fused tensors adapted" in found
    found = preflight(tmp_path, training=training, lora=named.model_copy(update={"dropout": 0.1}))["lora_modules"]
    assert found.startswith("fail") and "does not work with lora_dropout != 0" in found
    misspelt = named.model_copy(update={"target_parameters": ["mlp.experts.gate_up"]})
    found = preflight(tmp_path, training=training, lora=misspelt)["lora_modules"]
    assert found.startswith("fail") and "no module is named mlp.experts.gate_up" in found


@pytest.mark.parametrize("packing", [True, False])
def test_a_padding_token_outside_of_the_embedding_does_no_harm(tmp_path: Path, packing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is masked: any token would do."""
    monkeypatch.setenv("PLUMBLINE_DEVICE", "cpu")
    save_base(tmp_path / "base", full_config("llama").save_pretrained, pad="<past the end>")
    checks = preflight(tmp_path, training=tiny_training.TRAIN.model_copy(update={"packing": packing}))
    assert not [name for name, found in checks.items() if found.startswith("fail")]
