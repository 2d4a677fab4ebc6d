"""No command writes over what would be lost: the pipeline's own files, a folder of someone else, scores that people gave."""

import errno
import json
import os
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from plumbline.commands.checkpoints import command as checkpoints
from plumbline.commands.label_sheet import COLUMNS, refuse_scored_sheet
from plumbline.commands.main import plumbline
from plumbline.commands.outputs import refuse_files_of_the_run, refuse_folder_of_others
from plumbline.commands.refusing import sentence
from plumbline.comparing.frames import Frames
from plumbline.pipeline.refused import Refused

PIPELINE = """
stages:
  split: {cmd: python -m stages.split, deps: ["${clean.source}", code], outs: [data/split, {metrics/split.json: {cache: false}}], metrics: [metrics/data.json]}
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "params.yaml").write_text("clean: {source: data/raw/mine.jsonl}\n")
    return tmp_path


@pytest.mark.parametrize(
    "output",
    [
        "data/split",
        "data/split/train.jsonl",
        "metrics/split.json",
        "metrics/data.json",
        "data/raw/mine.jsonl",
        "code/x.py",
        "params.yaml",
        "dvc.lock",
    ],
)
def test_a_file_of_the_pipeline_is_not_an_output(clone: Path, output: str) -> None:
    for asked in (clone / output, clone / "logs/.." / output):
        with pytest.raises(Refused, match=r"of the pipeline, which writing would change\. Give another path, such as logs/"):
            refuse_files_of_the_run(clone, [None, asked])


@pytest.mark.parametrize("output", ["logs/a.csv", "data/other.jsonl", "metrics/comparison.html", "data/split.csv", "codes"])
def test_any_other_path_may_be_written(clone: Path, output: str) -> None:
    refuse_files_of_the_run(clone, [clone / output])


@pytest.mark.parametrize(
    "theirs",
    [
        "vars: [config.yaml]\nstages:\n  train: {cmd: python train.py, deps: ['${model.lr}'], outs: [model.pkl]}\n",
        "stages:\n  train: {foreach: [a, b], do: {cmd: python train.py}}\n",
        "plots:\n  - scores.csv\n",
        "stages:\n",
        "",
    ],
)
def test_a_project_of_someone_else_is_graded_in_and_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str) -> None:
    (tmp_path / "dvc.yaml").write_text(theirs)
    (tmp_path / "params.yaml").write_text("lr: 1\n")
    (tmp_path / "answers.csv").write_text("question,response,reference,kind\nHow many?,It is 4.,4,numeric\n")
    monkeypatch.chdir(tmp_path)
    for out in ([], ["--out", "graded.csv"]):
        done = CliRunner().invoke(plumbline, ["grade", "answers.csv", *out])
        assert done.exit_code == 0, (done.stderr, done.exception)


def test_where_no_pipeline_is_nothing_of_it_can_be_lost(tmp_path: Path) -> None:
    refuse_files_of_the_run(tmp_path, [tmp_path / "params.yaml"])


@pytest.mark.parametrize(
    "words",
    [
        ["export", "rows", "--out", "data/split/train.jsonl"],
        ["export", "answers", "--out", "metrics/split.json"],
        ["export", "lm-eval", "--out", "data/split"],
        ["export", "eval-results", "--out", "data/split", "--dataset", "a/b"],
        ["label-sheet", "write", "params.yaml"],
        ["compare", "HEAD", "other", "--page", "metrics/split.json"],
        ["merge", "--out", "data/split"],
        ["serve-check", "http://127.0.0.1:9/v1", "--out", "dvc.lock"],
        ["grade", "answers.csv", "--out", "metrics/split.json"],
        ["check-benchmark", "questions.jsonl", "--out", "params.yaml"],
        ["check-benchmark", "questions.jsonl", "--out", "mine.jsonl", "--leave-out", "data/split/train.jsonl"],
    ],
    ids=" ".join,
)
def test_each_command_that_writes_refuses_it_before_it_works(clone: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(clone)
    before = {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()}
    done = CliRunner().invoke(plumbline, words)
    assert done.exit_code in (1, 2) and "of the pipeline, which writing would change" in done.stderr, done.stderr
    assert {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()} == before


def test_a_folder_is_replaced_only_if_all_in_it_was_written_by_the_command(tmp_path: Path) -> None:
    folder = tmp_path / "merged"
    refuse_folder_of_others(folder, record="plumbline.json")
    folder.mkdir()
    refuse_folder_of_others(folder, record="plumbline.json")
    (folder / "plumbline.json").write_text(json.dumps({"files": {"model.safetensors": "hash"}}))
    (folder / "model.safetensors").touch()
    refuse_folder_of_others(folder, record="plumbline.json")
    (folder / "mine.gguf").touch()
    with pytest.raises(
        Refused, match=r"holds mine\.gguf, and writing would remove what is there\. Give a folder that does not exist yet\."
    ):
        refuse_folder_of_others(folder, record="plumbline.json")
    (folder / "plumbline.json").unlink()
    with pytest.raises(Refused, match=r"holds mine\.gguf and 1 more"):
        refuse_folder_of_others(folder, record="plumbline.json")
    with pytest.raises(Refused, match="is a file, and a folder is written"):
        refuse_folder_of_others(folder / "mine.gguf", record="plumbline.json")


def sheet(path: Path, *, answer: str = "a", score: str = "", note: str = "") -> Path:
    path.write_text(f"{','.join(COLUMNS)}\nid,q,r,k,a,,\nid2,q,r,k,{answer},{score},{note}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("filled", [{"score": "0.5"}, {"note": "unsure"}])
def test_a_sheet_on_which_someone_wrote_is_not_replaced(tmp_path: Path, filled: dict[str, str]) -> None:
    with pytest.raises(
        ValueError, match=r"scores or notes in 1 row, .* `plumbline label-sheet read .* write the new sheet to another path\."
    ):
        refuse_scored_sheet(sheet(tmp_path / "S.csv", **filled))


def test_an_empty_sheet_may_be_written_again_and_another_file_may_not(tmp_path: Path) -> None:
    refuse_scored_sheet(tmp_path / "new.csv")
    refuse_scored_sheet(sheet(tmp_path / "S.csv"))
    refuse_scored_sheet(sheet(tmp_path / "long.csv", answer="x" * 200_000))
    with pytest.raises(ValueError, match="scores or notes in 1 row"):
        refuse_scored_sheet(sheet(tmp_path / "long.csv", answer="x" * 200_000, score="1"))
    (tmp_path / "notes.txt").write_bytes(b"caf\xe9")
    with pytest.raises(ValueError, match="exists and is not a sheet of this command"):
        refuse_scored_sheet(tmp_path / "notes.txt")


def test_a_number_of_days_below_zero_removes_no_checkpoint() -> None:
    done = CliRunner().invoke(checkpoints, ["remove", "--older-than-days", "-1"])
    assert done.exit_code == 2 and "not in the range x>=0" in done.stderr


class Unwritable:
    """A table that meets a full disk after the first bytes."""

    def to_csv(self, path: Path, **_: object) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_an_export_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = Frames.__new__(Frames)
    empty = pd.DataFrame({"id": ["a"], "kind": ["mcq"]})
    object.__setattr__(frames, "questions", empty.set_index("id"))
    object.__setattr__(frames, "answers", empty[["id"]])
    monkeypatch.setattr(pd.DataFrame, "to_csv", Unwritable.to_csv)
    with pytest.raises(OSError, match="No space left") as full:
        frames.export(tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())
    assert sentence(full.value).startswith("the disk is full")


def test_a_table_in_another_encoding_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("question,response,reference,kind\nWie gro\xdf?,5,5,numeric\n".encode("latin-1"))
    done = CliRunner().invoke(plumbline, ["grade", str(tmp_path / "a.csv")])
    assert done.exit_code == 1 and "a.csv is not UTF-8" in done.stderr and "Save the file as UTF-8" in done.stderr, done.stderr
