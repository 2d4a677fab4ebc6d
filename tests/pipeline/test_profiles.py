"""A profile is a list of overrides of params.yaml, and only of values that are there."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.planning.profiles import ProfileRefused, check_has_data, merged, profile_overrides
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import Arms, Comparisons
from plumbline.rows.general_prompt import GeneralPrompt
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.general_prompts import part_of
from stages.answer_general import GeneralParams

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(path for path in (ROOT / "profiles").iterdir() if path.is_file())


def overrides(profile: Path) -> list[str]:
    return profile_overrides(ROOT, profile.name)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_every_key_of_a_profile_is_a_key_of_params(profile: Path) -> None:
    for line in overrides(profile):
        key, _, value = line.partition("=")
        if key.startswith("++arms."):  # a new arm is a new key; the next test holds it to the arms and contexts that there are
            continue
        node: Any = read_yaml(ROOT / "params.yaml")
        for part in key.split("."):
            assert isinstance(node, dict) and part in node, f"{profile.name}: {key} is no key of params.yaml"
            node = node[part]
        assert value, f"{profile.name}: {key} has no value"
        assert not isinstance(node, dict), f"{profile.name}: {key} is a whole section"


def test_blank_lines_and_comments_are_no_overrides_and_the_last_value_of_a_name_holds(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/mine").write_text("# mine\n\nlora.alpha=64\n  \n  # indented\ntrain.seed=2\n", encoding="utf-8")
    assert profile_overrides(tmp_path, "mine") == ["lora.alpha=64", "train.seed=2"]
    assert merged(["lora.alpha=64", "train.seed=2"], ["lora.alpha=8"]) == ["lora.alpha=8", "train.seed=2"]


@pytest.mark.parametrize("line", ["-S lora.alpha=64", "lora.alpha", "lora.alpha="])
def test_a_line_that_is_no_override_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/mine").write_text(f"train.seed=2\n{line}\n", encoding="utf-8")
    with pytest.raises(ProfileRefused, match=f"profiles/mine has the line '{line}'"):
        profile_overrides(tmp_path, "mine")


def test_a_large_model_is_not_trained_on_the_embedded_world_by_accident() -> None:
    with pytest.raises(ProfileRefused, match="Copy the profile to profiles/local_mine"):
        check_has_data(ROOT, "mistral_7b", profile_overrides(ROOT, "mistral_7b"))
    check_has_data(ROOT, "smollm2_135m", profile_overrides(ROOT, "smollm2_135m"))
    check_has_data(ROOT, "mistral_7b", merged(profile_overrides(ROOT, "mistral_7b"), ["clean.source=data/raw/mine.jsonl"]))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_dvc_reads_the_overrides_as_they_are_meant(profile: Path, tmp_path: Path) -> None:
    from dvc.utils.hydra import apply_overrides

    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    apply_overrides(tmp_path / "params.yaml", overrides(profile))
    changed = read_yaml(tmp_path / "params.yaml")
    arms = Arms.model_validate(changed["arms"])
    Comparisons.model_validate(changed["comparisons"]).of(arms)
    made = {name for out in read_yaml(ROOT / "dvc.yaml")["stages"]["retrieve"]["outs"] for name in out}
    assert {arm.context for arm in arms.root.values()} <= made, "each arm has a context that retrieve makes"
    assert {arm.weights for arm in arms.root.values()} <= {"models/base", "models/adapter"}
    AnswerParams.model_validate(changed["answer"])
    LoraParams.model_validate(changed["lora"])
    TrainParams.model_validate(changed["train"])
    general = GeneralParams.model_validate(changed["general"])
    if general.prompts != read_yaml(ROOT / "params.yaml")["general"]["prompts"]:
        prompts = list(read_jsonl(ROOT / general.prompts, GeneralPrompt))
        measured = sum(part_of(p.id, seed=general.seed, measured_fraction=general.measured_fraction) == "measured" for p in prompts)
        assert measured >= 40, "too few prompts to measure forgetting by"
    assert not any(text.startswith(("'", '"')) for text in changed["answer"]["instructions"].values())
