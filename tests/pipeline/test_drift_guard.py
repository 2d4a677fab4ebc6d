"""If the inputs of a stage change while it runs, it records nothing."""

from pathlib import Path

import pytest
from dvc.repo import Repo

from plumbline.commands.verify import hash_of
from plumbline.pipeline.inputs import inputs_unchanged, snapshot
from plumbline.pipeline.refused import InputRefused

ROOT = Path(__file__).resolve().parents[2]


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
    with pytest.raises(FileNotFoundError, match=r"raw\.jsonl \(declared in dvc\.yaml\) does not exist"):
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


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ("edit rule.py", True),
        ("add stray.py", True),
        ("add notes.txt", False),
        ("add .rule.py.swp", False),
        ("add rule.py.partial", False),
        ("add __pycache__/rule.cpython-311.pyc", False),
    ],
)
def test_only_source_files_of_a_folder_of_code_count(project: Path, change: str, counts: bool) -> None:
    """As in DVC: .dvcignore admits .py, .j2, .css and .js under plumbline/, and nothing else."""
    (project / ".dvcignore").write_bytes((ROOT / ".dvcignore").read_bytes())
    (project / "dvc.yaml").write_text("stages: {clean: {cmd: x, deps: [plumbline/cleaning], params: [clean]}}\n")
    rule = project / "plumbline/cleaning/rule.py"
    rule.parent.mkdir(parents=True)
    rule.write_text("1\n")
    verb, _, name = change.partition(" ")
    Repo.init(str(project), no_scm=True).close()
    before = snapshot("clean"), dvc_hash(project)
    (rule.parent / name).parent.mkdir(exist_ok=True)
    (rule.parent / name).write_text("2\n")
    after = snapshot("clean"), dvc_hash(project)
    assert (before[0] != after[0], before[1] != after[1]) == (counts, counts), verb
    assert hash_of(rule.parent, root=project) == after[1]


def dvc_hash(project: Path) -> str:
    """The hash of plumbline/cleaning as `dvc repro` computes it."""
    with Repo(str(project)) as repo:
        [stage] = repo.index.stages
        dep = next(dep for dep in stage.deps if str(dep) == "plumbline/cleaning")
        value = dep.get_hash().value
    assert isinstance(value, str)
    return value
