"""A profile is a list of overrides of params.yaml, and of nothing that is not there."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.general_prompt import GeneralPrompt
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.general_prompts import part_of
from stages.answer_general import GeneralParams

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(path for path in (ROOT / "profiles").iterdir() if path.is_file())


def overrides(profile: Path) -> list[str]:
    return [line for line in profile.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_every_key_of_a_profile_is_a_key_of_params(profile: Path) -> None:
    for line in overrides(profile):
        key, _, value = line.partition("=")
        node: Any = read_yaml(ROOT / "params.yaml")
        for part in key.split("."):
            assert isinstance(node, dict) and part in node, f"{profile.name}: {key} is no key of params.yaml"
            node = node[part]
        assert value, f"{profile.name}: {key} has no value"
        assert not isinstance(node, dict), f"{profile.name}: {key} is a whole section"


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_dvc_reads_the_overrides_as_they_are_meant(profile: Path, tmp_path: Path) -> None:
    from dvc.utils.hydra import apply_overrides

    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    apply_overrides(tmp_path / "params.yaml", overrides(profile))
    changed = read_yaml(tmp_path / "params.yaml")
    AnswerParams.model_validate(changed["answer"])
    LoraParams.model_validate(changed["lora"])
    TrainParams.model_validate(changed["train"])
    general = GeneralParams.model_validate(changed["general"])
    if general.prompts != read_yaml(ROOT / "params.yaml")["general"]["prompts"]:
        prompts = list(read_jsonl(ROOT / general.prompts, GeneralPrompt))
        measured = sum(part_of(p.id, seed=general.seed, measured_fraction=general.measured_fraction) == "measured" for p in prompts)
        assert measured >= 40, "too few prompts to measure forgetting by"
    assert not any(text.startswith(("'", '"')) for text in changed["answer"]["instructions"].values())
