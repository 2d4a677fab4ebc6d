"""The benchmark of a real model runs with a tiny one: both tasks, both ways of each, and a table of what was found."""

import shutil
import sys
from pathlib import Path

import pytest

from bench import real_model
from bench.answering import BATCHED, SINGLE
from plumbline.model.weights import load_tokenizer
from plumbline.pipeline.jsonl import write_jsonl
from tests.conftest import ROOT
from tests.fakes import tiny_training
from tests.fakes.tiny_models import questions, save_models


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """models/base of a workspace with a few rows and the parameters of this repository."""
    save_models(tmp_path / "models")
    (tmp_path / "data/split").mkdir(parents=True)
    write_jsonl(tmp_path / "data/split/benchmark.jsonl", questions())
    write_jsonl(tmp_path / "data/split/train.jsonl", tiny_training.rows(24, "t"))
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("DVC_STAGE", raising=False)
    return tmp_path / "models/base"


def test_answering_is_measured_both_ways_on_the_same_questions(base: Path) -> None:
    points = real_model.answering(base, load_tokenizer(base), num_questions=4, num_repeats=2)
    assert [point.size for point in points] == list(real_model.DTYPES)
    for point in points:
        assert set(point.arms) == {SINGLE, BATCHED} and all(arm.n == 2 and arm.least > 0 for arm in point.arms.values())
        assert point.ratio is not None and point.ratio.n == 2
    assert points[0].besides["share of equal texts"] == 1.0, "in float32 a batch changes no text"
    lines = real_model.lines_of("answering", points)
    assert len(lines) == 2 and lines[0].startswith("| answering | float32 | ") and lines[0].endswith(" | 1.00 | 2 |")


@pytest.mark.slow
def test_training_is_measured_against_the_defaults_of_trl(base: Path) -> None:
    points = real_model.training(base, load_tokenizer(base), num_steps=2, num_repeats=1)
    assert [point.size for point in points] == list(real_model.DTYPES)
    assert all(arm.least > 0 for point in points for arm in point.arms.values())


def test_the_embedded_model_is_not_measured(base: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["real_model", "--base", str(base)])
    with pytest.raises(SystemExit):
        real_model.main()
    assert "is the embedded model. Run `make real`" in capsys.readouterr().err
