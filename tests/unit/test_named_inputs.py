"""A run says which parameter names a file that is not there, before DVC starts."""

from pathlib import Path

import pytest

from plumbline.commands.named_inputs import check_named_inputs
from plumbline.pipeline.refused import Refused

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = """
stages:
  make: {cmd: a, outs: [data/made, {data/table.csv: {cache: false}}]}
  clean: {cmd: b, deps: [code.py, "${clean.source}"], outs: [data/clean.jsonl]}
  answer:
    foreach: ${arms}
    do: {cmd: "c ${key}", deps: ["${item.weights}"], outs: ["data/answers/${key}.jsonl"]}
"""
PARAMS = "clean: {source: SOURCE}\narms:\n  base: {weights: WEIGHTS}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/mine.csv").touch()
    (tmp_path / "data/raw/tracked.jsonl.dvc").touch()
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    return tmp_path


def check(folder: Path, source: str = "data/raw/mine.csv", weights: str = "data/made/model") -> None:
    (folder / "params.yaml").write_text(PARAMS.replace("SOURCE", source).replace("WEIGHTS", weights))
    check_named_inputs(folder)


@pytest.mark.parametrize("source", ["data/raw/mine.csv", "data/made/x.jsonl", "data/table.csv", "data/raw/tracked.jsonl", "data/raw"])
def test_what_is_there_or_will_be_made_passes(folder: Path, source: str) -> None:
    check(folder, source)


@pytest.mark.parametrize(
    ("source", "weights", "said"),
    [
        ("data/raw/mien.csv", "data/made", r"^clean\.source in params\.yaml is data/raw/mien\.csv, .* Did you mean data/raw/mine\.csv\?$"),
        ("nowhere/at/all.csv", "data/made", r"^clean\.source .* Give the path of a file or folder"),
        ("data/raw/mine.csv", "models/other.yaml", r"^arms\.base\.weights in params\.yaml is models/other\.yaml"),
    ],
)
def test_a_file_that_is_not_there_is_named_by_its_parameter(folder: Path, source: str, weights: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        check(folder, source, weights)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clean:\n  source: a\n  source: b\n", r"^params\.yaml, line 3: the key source is in its section twice\. Keep one of them\.$"),
        ("clean:\n  source: [a\n", r"^params\.yaml, line \d: this is not YAML \("),
    ],
)
def test_a_broken_file_of_parameters_is_refused_with_its_line(folder: Path, text: str, said: str) -> None:
    (folder / "params.yaml").write_text(text)
    with pytest.raises(Refused, match=said):
        check_named_inputs(folder)


def test_the_repository_itself_passes() -> None:
    check_named_inputs(ROOT)
