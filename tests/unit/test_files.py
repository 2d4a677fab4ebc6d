"""A file that exists is complete."""

from pathlib import Path

import pytest

from plumbline.pipeline.files import replacing, replacing_folder, write_json
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.rows.instruction_row import Origin


def test_an_error_while_writing_leaves_the_old_file_and_no_partial(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as stream:
        stream.write("new")
        raise RuntimeError
    assert path.read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["kept.jsonl"]


def test_an_error_while_filling_leaves_the_old_folder(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "weights").write_text("old")
    with pytest.raises(RuntimeError), replacing_folder(folder) as partial:
        (partial / "weights").write_text("new")
        raise RuntimeError
    assert (folder / "weights").read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["adapter"]


def test_nan_never_reaches_a_json_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_json(tmp_path / "scores.json", {"score": float("nan")})
    assert not (tmp_path / "scores.json").exists()


def test_reading_gives_back_what_was_written(tmp_path: Path) -> None:
    rows = [Origin(file="a\u2028b.jsonl", line=1), Origin(file="naïve −4 🚀", line=2)]
    assert write_jsonl(tmp_path / "rows.jsonl", rows) == 2
    assert list(read_jsonl(tmp_path / "rows.jsonl", Origin)) == rows


def test_a_row_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"file": "a", "line": 1}\n{"file": "a", "line": "2"}\n')
    with pytest.raises(ValueError, match=r"rows\.jsonl, line 2: not a Origin"):
        list(read_jsonl(path, Origin))
