"""A stage whose inputs change under it records nothing."""

from pathlib import Path

import pytest

from stages.io.inputs import inputs_unchanged, snapshot
from stages.records.input_refused import InputRefused


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "params.yaml").write_text("clean: {source: raw.jsonl}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {clean: {cmd: x, deps: ['${clean.source}', folder], params: [clean]}}\n")
    (tmp_path / "raw.jsonl").write_text("row\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_STAGE", "clean")
    return tmp_path


def test_unchanged_inputs_pass(project: Path) -> None:
    with inputs_unchanged():
        (project / "output").write_text("x")


@pytest.mark.parametrize(("file", "named"), [("raw.jsonl", "raw.jsonl"), ("folder/file", "folder/file"), ("params.yaml", "params:clean")])
def test_an_input_edited_while_the_stage_runs_fails_it_by_name(project: Path, file: str, named: str) -> None:
    content = "clean: {source: raw.jsonl, extra: 1}\n" if file == "params.yaml" else "changed"
    with pytest.raises(SystemExit, match=named), inputs_unchanged():
        (project / file).write_text(content)


def test_a_new_file_in_a_declared_folder_counts(project: Path) -> None:
    with pytest.raises(SystemExit, match="folder/new"), inputs_unchanged():
        (project / "folder/new").write_text("2")


def test_a_missing_dependency_fails_before_any_work(project: Path) -> None:
    (project / "raw.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match=r"raw\.jsonl \(declared in dvc\.yaml as \$\{clean\.source\}\)"):
        snapshot("clean")


def test_without_dvc_nothing_is_guarded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_STAGE")
    with inputs_unchanged():
        (project / "raw.jsonl").write_text("changed")


def test_what_a_user_gave_and_cannot_be_used_is_told_in_one_line(project: Path) -> None:
    with pytest.raises(SystemExit) as ended, inputs_unchanged():
        raise InputRefused("encoding", "raw.jsonl is UTF-16; UTF-8 is read.")
    assert ended.value.code == "clean: encoding: raw.jsonl is UTF-16; UTF-8 is read."
    with pytest.raises(ValueError, match="a defect of ours"), inputs_unchanged():
        raise ValueError("a defect of ours keeps its traceback")
