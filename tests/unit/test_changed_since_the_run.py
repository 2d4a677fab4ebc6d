"""`compare` does not label the scores of the workspace with values that it never ran with."""

import pytest

from plumbline.commands.compare import changed_since_the_run

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
