"""A section of params.yaml that no stage reads is refused by name, with the nearest one that is read."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plumbline.params_sections import known_sections, refuse_unknown_sections, unknown_sections
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import Refused

ROOT = Path(__file__).resolve().parents[2]
PIPELINE: dict[str, Any] = {
    "stages": {
        "clean": {"cmd": "x", "deps": ["${raw.source}"], "params": ["clean"]},
        "train": {"cmd": "x", "params": ["lora.alpha", "train", {"other.yaml": ["x"]}]},
        "answer": {"foreach": "${arms}", "do": {"cmd": "x ${key}", "deps": ["${item.weights}"], "params": ["answer", "arms.${key}"]}},
    }
}


def test_sections_are_those_that_stages_declare_or_are_filled_in_from() -> None:
    assert known_sections(PIPELINE) == ["answer", "arms", "clean", "lora", "raw", "train"]
    assert set(known_sections(read_yaml(ROOT / "dvc.yaml"))) == set(read_yaml(ROOT / "params.yaml"))


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({}, None),
        ({"trian": {}}, "no stage reads section 'trian' (did you mean 'train'?), so the values there change nothing. Rename or remove it;"),
        ({"lorra": {}, "zzz": {}}, "no stage reads sections 'lorra' (did you mean 'lora'?), 'zzz', so"),
    ],
    ids=["none", "one", "two"],
)
def test_unknown_sections_are_named_with_the_nearest_known_one(extra: dict[str, Any], told: str | None) -> None:
    found = unknown_sections({"clean": {}, "train": {}, **extra}, PIPELINE)
    assert (
        found is None if told is None else found is not None and told in found and found.endswith("answer, arms, clean, lora, raw, train.")
    )


def test_a_stage_refuses_and_what_it_says_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "params.yaml"
    path.write_text("trian: {seed: 1}\n")
    refuse_unknown_sections()  # without dvc.yaml there are no stages to ask
    (tmp_path / "dvc.yaml").write_text("stages: {train: {cmd: x, params: [train]}}\n")
    with pytest.raises(Refused, match=r"did you mean 'train'\?"):
        refuse_unknown_sections()
    path.write_text("train: {seed: 1}\n")
    refuse_unknown_sections()


def test_preflight_refuses_before_it_reads_anything_else(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text() + "trian: {seed: 1}\n")
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import runpy; runpy.run_module('stages.preflight', run_name='__main__')",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "no stage reads section 'trian' (did you mean 'train'?)" in done.stderr, done.stderr
