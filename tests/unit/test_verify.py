"""A run from nothing in a fresh clone is compared with the committed one: to the byte, or within a tolerance, or not at all."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.commands.verify import compare, stale, verify
from plumbline.pipeline.files import md5_of
from tests.fakes.small_project import SmallProject

LOCK = "schema: '2.0'\nstages:\n  one:\n    cmd: c\n    outs:\n    - path: a\n      md5: {}\n      size: 1\n"
SCORES = {"mcq": {"base": 0.25, "tuned": 0.8, "delta": 0.55, "n": 160}, "numeric": {"base": None, "tuned": None}, "valid": True}


def scores(tuned: float | None) -> dict[str, object]:
    return {**SCORES, "mcq": {"base": 0.25, "tuned": tuned, "n": 160}}


def test_equal_locks_are_reproduced_to_the_byte() -> None:
    lock = LOCK.format("aa").encode()
    assert compare(lock, lock, SCORES, SCORES, tolerance=0.0) == (
        True,
        "reproduced to the byte: dvc.lock of the fresh clone is the committed one.\n",
    )


@pytest.mark.parametrize(("tuned", "reproduced"), [(0.8, True), (0.85, True), (0.7, False), (None, False)])
def test_other_bytes_are_held_against_the_tolerance(tuned: float | None, reproduced: bool) -> None:
    found = compare(LOCK.format("aa").encode(), LOCK.format("bb").encode(), SCORES, scores(tuned), tolerance=0.06)
    assert found.reproduced is reproduced
    assert "1 of 1 outputs differ: a" in found.told
    assert ("mcq.tuned moved" in found.told) is not reproduced


@pytest.mark.slow
@pytest.mark.parametrize(("later", "word"), [(None, "to the byte"), ("0.81", "within the tolerance"), ("0.1", "not reproduced")])
def test_a_clone_is_run_from_nothing(tmp_path: Path, later: str | None, word: str) -> None:
    root = tmp_path / "project"
    (root / "metrics").mkdir(parents=True)
    written = json.dumps(SCORES)
    (root / "make.py").write_text(
        f"from pathlib import Path; Path('metrics').mkdir(exist_ok=True); Path('metrics/scores.json').write_text({written!r})"
    )
    (root / "dvc.yaml").write_text(
        f"stages:\n  report:\n    cmd: {sys.executable} make.py\n    deps: [make.py]\n    metrics: [{{metrics/scores.json: {{cache: false}}}}]\n"
    )

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(root), "-c", "user.email=a@example.org", "-c", "user.name=A", *words], check=True)

    git("init", "-q", "-b", "main")
    for words in (["init", "-q"], ["repro", "-q"]):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, check=True)
    if later is not None:  # the commit does not make what it says
        (root / "make.py").write_text((root / "make.py").read_text().replace('"tuned": 0.8,', f'"tuned": {later},'))
    git("add", "-A")
    git("commit", "-q", "-m", "run")
    found = verify(root, tolerance=0.15)
    assert word in found.told
    assert found.reproduced is (later != "0.1")


SCORE = f"""
import json, os, uuid
from pathlib import Path
rows = Path("data/raw/mine.jsonl").read_text().split() + Path("data/raw/folder/questions.jsonl").read_text().split()
scores = {SCORES!r}
scores["mcq"]["tuned"] = len(rows) / 10
Path("metrics").mkdir(exist_ok=True)
Path("metrics/scores.json").write_text(json.dumps(scores))
Path("trace.txt").write_text(uuid.uuid4().hex)
"""


@pytest.fixture
def own_rows(tmp_path: Path) -> SmallProject:
    """A committed run on rows and questions that `dvc add` keeps; no remote holds them."""
    (tmp_path / "project").mkdir()
    project = SmallProject(tmp_path / "project")
    (project.root / "data/raw/folder").mkdir(parents=True)
    (project.root / "data/raw/mine.jsonl").write_text("1\n2\n3\n4\n5\n")
    (project.root / "data/raw/folder/questions.jsonl").write_text("6\n7\n8\n")
    (project.root / "make.py").write_text(SCORE)
    project.dvc("add", "data/raw/mine.jsonl", "data/raw/folder")
    (project.root / "dvc.yaml").write_text(
        "stages:\n  report:\n    cmd: python make.py\n    deps: [make.py, data/raw/mine.jsonl, data/raw/folder]\n"
        "    outs: [trace.txt]\n    metrics: [{metrics/scores.json: {cache: false}}]\n"
    )
    project.dvc("repro", "-q")
    project.commit("run")
    return project


@pytest.mark.slow
@pytest.mark.parametrize("where", ["folder and cache", "folder", "cache", "cache, and other bytes in the folder"])
def test_rows_of_ones_own_come_into_the_clone_and_no_output_does(own_rows: SmallProject, where: str) -> None:
    cache, mine = own_rows.root / ".dvc/cache/files/md5", own_rows.root / "data/raw/mine.jsonl"
    if where == "folder":
        for path in (mine, own_rows.root / "data/raw/folder/questions.jsonl"):
            oid = md5_of(path)
            (cache / oid[:2] / oid[2:]).unlink()
    elif where == "cache":
        mine.unlink()
        shutil.rmtree(own_rows.root / "data/raw/folder")
    elif where != "folder and cache":
        mine.unlink()
        mine.write_text("1\n")
    found = verify(own_rows.root, tolerance=0.15)
    # The stage was run: an output from the cache would have made the locks equal.
    assert found.reproduced and "1 of 2 outputs differ: trace.txt" in found.told, found.told
    assert "mcq.tuned            0.8 -> 0.8" in found.told


@pytest.mark.slow
def test_rows_that_cannot_be_had_are_named_instead_of_called_not_reproduced(own_rows: SmallProject) -> None:
    shutil.rmtree(own_rows.root / ".dvc/cache")
    (own_rows.root / "data/raw/mine.jsonl").unlink()
    (own_rows.root / "data/raw/folder/questions.jsonl").write_text("other\n")
    found = verify(own_rows.root, tolerance=0.15)
    assert not found.reproduced
    assert found.told.startswith("not run: the commit reads data/raw/folder, data/raw/mine.jsonl, and neither"), found.told


PIPELINE = """
stages:
  clean:
    cmd: python clean.py
    deps: [clean.py, "${clean.source}"]
    params: [clean]
    outs: [rows.jsonl]
  report:
    cmd: python report.py
    deps: [report.py, rows.jsonl]
    metrics: [{scores.json: {cache: false}}]
"""


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A repository with a lock that matches its files; DVC tracks rows.jsonl, which is missing as in a fresh clone."""
    for name, text in {
        "dvc.yaml": PIPELINE,
        "params.yaml": "clean: {source: raw.jsonl, strict: true}\n",
        "clean.py": "1\n",
        "report.py": "2\n",
        "raw.jsonl": "row\n",
        "scores.json": "{}\n",
    }.items():
        (tmp_path / name).write_text(text)
    md5 = {name: md5_of(tmp_path / name) for name in ("clean.py", "report.py", "raw.jsonl", "scores.json")}
    lock = {
        "clean": {
            "cmd": "python clean.py",
            "deps": [{"path": name, "md5": md5[name]} for name in ("clean.py", "raw.jsonl")],
            "params": {"params.yaml": {"clean": {"source": "raw.jsonl", "strict": True}}},
            "outs": [{"path": "rows.jsonl", "md5": "ab"}],
        },
        "report": {
            "cmd": "python report.py",
            "deps": [{"path": "report.py", "md5": md5["report.py"]}, {"path": "rows.jsonl", "md5": "ab"}],
            "outs": [{"path": "scores.json", "md5": md5["scores.json"]}],
        },
    }
    (tmp_path / "dvc.lock").write_text(json.dumps({"stages": lock}))
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


def test_a_lock_of_its_files_is_not_stale(locked: Path) -> None:
    assert stale(locked) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("clean.py", "1", "3", "clean: clean.py is not the one it was run with"),
        ("raw.jsonl", "row", "other", "clean: raw.jsonl is not"),
        ("params.yaml", "true", "false", "clean: params.yaml, clean is not"),
        ("scores.json", "{}", "{1}", "scores.json: not the one"),
        ("dvc.yaml", "python report.py", "python -m report", "report: its command is"),
        ("dvc.yaml", "[report.py, rows", "[report.py, clean.py, rows", "report: clean.py is a dependency in only one"),
        ("dvc.yaml", "  report:", "  other:", "other: not in dvc.lock"),
        (
            "dvc.lock",
            '"path": "rows.jsonl", "md5": "ab"}]}, "report"',
            '"path": "rows.jsonl", "md5": "cd"}]}, "report"',
            "another rows.jsonl",
        ),
    ],
)
def test_what_a_lock_gets_wrong_is_named(locked: Path, file: str, old: str, new: str, named: str) -> None:
    text = (locked / file).read_text()
    assert old in text
    (locked / file).write_text(text.replace(old, new))
    assert any(named in line for line in stale(locked)), stale(locked)
