"""Parameters are read as DVC reads them, and never half-right."""

from pathlib import Path

import pytest

from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params


class TrainLike(Params):
    learning_rate: float
    epochs: int


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    return tmp_path


def test_1e_05_is_a_number_as_in_yaml_1_2(folder: Path) -> None:
    (folder / "params.yaml").write_text("train:\n  learning_rate: 1e-05\n  epochs: 2\n")
    assert load_params("train", TrainLike).learning_rate == 1e-5


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("train: {learning_rate: 0.1}", "train.epochs"),
        ("train: {learning_rate: 0.1, epochs: 2, epoch: 3}", "train.epoch"),
        ("train: {learning_rate: fast, epochs: 2}", "train.learning_rate"),
        ("train: {learning_rate: 0.1, epochs: 2.5}", "train.epochs"),
        ("train: {learning_rate: .nan, epochs: 2}", "train.learning_rate"),
        ("lora: {r: 8}", "params.yaml has no train, which dvc.yaml names; it has .'lora'."),
    ],
    ids=["missing", "unknown", "mistyped", "fraction", "nan", "no_section"],
)
def test_a_wrong_key_fails_by_name(folder: Path, text: str, named: str) -> None:
    (folder / "params.yaml").write_text(text)
    with pytest.raises(ValueError, match=named):
        load_params("train", TrainLike)


def test_a_stage_reads_only_the_sections_it_declares(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "params.yaml").write_text("train: {learning_rate: 0.1, epochs: 2}")
    (folder / "dvc.yaml").write_text("stages: {grade: {cmd: x, params: [grade]}}")
    monkeypatch.setenv("DVC_STAGE", "grade")
    with pytest.raises(ValueError, match="stage grade reads params section 'train'"):
        load_params("train", TrainLike)
