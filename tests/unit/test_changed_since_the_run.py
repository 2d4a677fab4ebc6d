"""`compare` does not label the scores of the workspace with values that it never ran with."""

import copy
from typing import Any

import pytest

from plumbline.commands.compare import changed_since_the_run, not_run_since
from plumbline.pipeline.expanded_stages import expanded_stages
from plumbline.pipeline.params import read_yaml
from tests.conftest import ROOT

PIPELINE = {
    "stages": {
        "train": {"cmd": "a", "params": ["lora", "train", "grade"]},
        "grade": {"cmd": "b", "params": ["grade"]},
        "answer": {"foreach": "${arms}", "do": {"cmd": "c ${key}", "params": ["answer"]}},
    }
}
PARAMS = {"lora": {"r": 16, "alpha": 32}, "train": {"seed": 1}, "grade": {"t": 0.05}, "answer": {"batch": 8}, "arms": {"base": {}}}
LOCK = {
    "stages": {
        name: {"params": {"params.yaml": {section: PARAMS[section] for section in sections}}}
        for name, sections in {"train": ["lora", "train", "grade"], "grade": ["grade"], "answer@base": ["answer"]}.items()
    }
}


@pytest.mark.parametrize(
    ("section", "value", "changed"),
    [
        ("lora", {"r": 16, "alpha": 32}, []),
        ("lora", {"r": 16, "alpha": 64}, ["lora.alpha"]),
        ("lora", {"r": 16}, ["lora.alpha"]),
        ("answer", {"batch": 4}, ["answer.batch"]),
        ("grade", {"t": 0.1}, []),
        ("arms", {"base": {}, "new": {}}, []),
    ],
)
def test_only_what_the_answers_were_made_with_is_named(section: str, value: object, changed: list[str]) -> None:
    assert changed_since_the_run(PARAMS | {section: value}, LOCK, PIPELINE) == changed


def test_a_folder_without_a_lock_says_nothing() -> None:
    assert changed_since_the_run(PARAMS, {}, PIPELINE) == []


# ---- the real pipeline


def ran_with(params: dict[str, Any]) -> dict[str, Any]:
    """A dvc.lock after a run of the real pipeline with these parameters."""
    stages = expanded_stages(read_yaml(ROOT / "dvc.yaml"), params)
    return {
        "stages": {
            name: {"params": {"params.yaml": {section: params[section] for section in stage.get("params", []) if section in params}}}
            for name, stage in stages.items()
        }
    }


def test_an_arm_that_was_added_or_removed_changes_no_answer_of_the_others() -> None:
    pipeline, ran = read_yaml(ROOT / "dvc.yaml"), read_yaml(ROOT / "params.yaml")
    more, other = copy.deepcopy(ran), copy.deepcopy(ran)
    more["arms"]["base_examples"] = {"weights": "base", "context": "examples"}
    other["arms"]["tuned"]["context"] = "examples"
    assert changed_since_the_run(ran, ran_with(ran), pipeline) == []
    assert changed_since_the_run(more, ran_with(ran), pipeline) == []
    assert changed_since_the_run(ran, ran_with(more), pipeline) == []
    assert changed_since_the_run(other, ran_with(ran), pipeline) == ["arms.tuned.context"]


def test_a_run_that_stopped_half_way_left_old_scores() -> None:
    """As after `dvc repro train` with another alpha: parameters and lock agree, but no answer is of the new adapter."""
    whole = read_yaml(ROOT / "dvc.lock")
    assert not_run_since(whole) == []
    stopped = copy.deepcopy(whole)
    adapter = next(out for out in stopped["stages"]["train"]["outs"] if out["path"] == "models/adapter")
    adapter["md5"] = f"{0:032x}.dir"
    assert "answer@tuned" in not_run_since(stopped)
