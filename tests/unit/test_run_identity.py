"""The same inputs name one run, and a change of any of them names another."""

from dataclasses import fields, replace

import pytest

from plumbline.training.run_identity import RunIdentity
from tests.fakes.tiny_training import LORA, TRAIN

IDENTITY = RunIdentity(
    lora=LORA,
    params=TRAIN,
    train_sha256="t",
    validation_sha256="v",
    replay_sha256=None,
    rendered_sha256="i",
    base_fingerprint="b",
    template_sha256="c",
    code={"plumbline.a": "1", "plumbline.b": "2"},
    versions={"torch": "2.13"},
    device="cpu",
    num_threads=2,
    num_ranks=1,
    sharded=False,
)
CHANGES: dict[str, object] = {
    "lora": LORA.model_copy(update={"alpha": 128}),
    "params": TRAIN.model_copy(update={"max_steps": 5}),
    "train_sha256": "v",
    "validation_sha256": "t",
    "replay_sha256": "r",
    "rendered_sha256": "j",
    "base_fingerprint": "c",
    "template_sha256": "b",
    "code": {"plumbline.a": "1", "plumbline.b": "3"},
    "versions": {"torch": "2.14"},
    "device": "cuda",
    "num_threads": 8,
    "num_ranks": 2,
    "sharded": True,
    "task_sha256": "s",
}


def test_the_same_inputs_name_one_run() -> None:
    again = replace(IDENTITY, lora=LORA.model_copy(), code=dict(reversed(IDENTITY.code.items())))
    assert again.fingerprint() == IDENTITY.fingerprint()


@pytest.mark.parametrize("name", [field.name for field in fields(RunIdentity)])
def test_a_change_of_any_field_is_another_run(name: str) -> None:
    changed = replace(IDENTITY, **{name: CHANGES[name]})  # type: ignore[arg-type]
    assert changed.fingerprint() != IDENTITY.fingerprint()


def test_no_two_changes_name_the_same_run() -> None:
    changed = {replace(IDENTITY, **{name: value}).fingerprint() for name, value in CHANGES.items()}  # type: ignore[arg-type]
    assert len(changed) == len(CHANGES)
