"""Where people keep projects: a folder of a larger repository, a path of other letters, a shallow clone, CRLF on checkout, a small disk for /tmp."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.commands import backup, final_part, verify
from plumbline.comparing.revisions import NotThere, Revision
from plumbline.keeping import temporary_room
from plumbline.keeping.temporary_room import NoRoom, refuse_small_temporary_folder, room_for_a_run, temporary_folder_of_a_run
from tests.fakes.small_project import ROOT, SmallProject

MAKE = """
import json, pathlib
pathlib.Path("metrics").mkdir(exist_ok=True)
pathlib.Path("rows.txt").write_text(pathlib.Path("mine.txt").read_text() * 2)
pathlib.Path("metrics/scores.json").write_text(json.dumps({"mcq": {"tuned": 0.5, "n": 2}}))
"""
PIPELINE = """
stages:
  grade: {cmd: python make.py, deps: [make.py, mine.txt], outs: [rows.txt], metrics: [metrics/scores.json: {cache: false}]}
  report: {cmd: 'true', deps: [rows.txt], outs: [], always_changed: false}
"""
CONFIG = "[core]\n    remote = backup\n    analytics = false\n['remote \"backup\"']\n    url = {store}\n"


def run(root: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"} | more
    return subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True)


def plumbline(root: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return run(root, sys.executable, "-m", "plumbline", *words, **more)


def fill(root: Path, store: Path) -> None:
    """A small pipeline with a run, not committed yet."""
    for name, text in {
        "make.py": MAKE,
        "dvc.yaml": PIPELINE,
        ".gitignore": "/rows.txt\n",
        "mine.txt": "one\n",
        "params.yaml": "{}\n",
    }.items():
        (root / name).write_text(text)
    (root / ".dvc/config").write_text(CONFIG.format(store=store))
    done = run(root, sys.executable, "-m", "dvc", "repro", "-q")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    (tmp_path / "project").mkdir()
    made = SmallProject(tmp_path / "project")
    fill(made.root, tmp_path / "store")
    made.commit("run")
    return made


@pytest.fixture
def subfolder(tmp_path: Path) -> Path:
    """A project in a folder of a larger git repository."""
    root = tmp_path / "monorepo/models/physics"
    root.mkdir(parents=True)
    (tmp_path / "monorepo/README").write_text("much else\n")
    for words in (["init", "-q", "-b", "main"], ["config", "user.email", "a@example.org"], ["config", "user.name", "A"]):
        subprocess.run(["git", *words], cwd=tmp_path / "monorepo", check=True)
    assert run(root, sys.executable, "-m", "dvc", "init", "-q", "--subdir").returncode == 0
    fill(root, tmp_path / "store")
    for words in (["add", "-A"], ["commit", "-q", "-m", "run"]):
        subprocess.run(["git", *words], cwd=tmp_path / "monorepo", check=True)
    return root


@pytest.mark.slow
def test_a_project_in_a_subfolder_is_read_cloned_backed_up_and_verified(subfolder: Path) -> None:
    commit = Revision(subfolder, "HEAD")
    assert b'"tuned": 0.5' in commit.read("metrics/scores.json"), "git's"
    assert commit.read("rows.txt") == b"one\none\n", "DVC's"
    assert verify.stale(subfolder) == []
    assert "reproduced to the byte" in verify.verify(subfolder, tolerance=0.0).told
    assert "proven: every object fetched into a fresh clone" in backup.main(subfolder)
    assert final_part.known_uses(subfolder) == []


@pytest.mark.parametrize("where", ["the top of the repository", "a folder of it"])
def test_a_fresh_clone_reads_the_runs_whose_files_git_holds(where: str, project: SmallProject, subfolder: Path, tmp_path: Path) -> None:
    """The store of small files lies in .dvc, under a relative path, and the clone has no cache yet."""
    root = project.root if where == "the top of the repository" else subfolder
    top = Path(run(root, "git", "rev-parse", "--show-toplevel").stdout.strip())
    (root / "dvc.yaml").write_text(PIPELINE.replace("outs: [rows.txt]", "outs: [rows.txt: {remote: bundled}]"))
    (root / ".dvc/config").write_text(
        "[core]\n    remote = backup\n['remote \"backup\"']\n    url = ../../nowhere\n['remote \"bundled\"']\n    url = bundled\n"
    )
    for words in (["dvc", "repro", "-q"], ["dvc", "push", "-q", "-r", "bundled", "rows.txt"]):
        done = run(root, sys.executable, "-m", *words)
        assert done.returncode == 0, done.stderr
    subprocess.run(["git", "add", "-A", "."], cwd=root, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "with its small files"], cwd=root, check=True)
    subprocess.run(["git", "clone", "-q", str(top), str(tmp_path / "clone")], check=True)
    clone = tmp_path / "clone" / root.resolve().relative_to(top.resolve())
    assert not (clone / ".dvc/cache").exists()
    assert Revision(clone, "HEAD").read("rows.txt") == b"one\none\n"


@pytest.mark.slow
def test_below_a_path_of_other_letters_a_run_works_and_a_temporary_experiment_is_refused(project: SmallProject) -> None:
    root = project.root.parent / "my prójekt (1)"
    project.root.rename(root)
    (root / "rows.txt").unlink()
    ran = plumbline(root, "run")
    assert ran.returncode == 0 and (root / "rows.txt").exists(), ran.stderr
    for words in (["smoke"], ["real", "--small"]):
        done = plumbline(root, *words)
        assert done.returncode == 1 and not done.stdout, done.stdout
        assert done.stderr.startswith(f"{words[0]}: DVC cannot run a temporary experiment here") and len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_shallow_clone_verifies_and_refuses_to_count_what_it_cannot_see(project: SmallProject, tmp_path: Path) -> None:
    (project.root / "note").write_text("later\n")
    project.commit("later")
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "1", project.root.as_uri(), str(shallow)], check=True)
    assert "reproduced to the byte" in verify.verify(shallow, tolerance=0.0).told
    with pytest.raises(NotThere, match=r"This clone is shallow, so uses of the final part .*`git fetch --unshallow`"):
        final_part.main(shallow)
    with pytest.raises(NotThere, match=r"HEAD~1: no commit.*this clone is shallow: `git fetch --unshallow`"):
        Revision(shallow, "HEAD~1")


@pytest.mark.slow
def test_a_clone_with_autocrlf_gets_the_bytes_of_the_commit(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    # The attributes of the folder, not of the last commit: what is not committed yet is tested too.
    subprocess.run(["git", "clone", "-q", "-c", "core.autocrlf=true", "--no-checkout", str(ROOT), str(clone)], check=True)
    (clone / ".git/info/attributes").write_text((ROOT / ".gitattributes").read_text())
    subprocess.run(["git", "checkout", "-q", "HEAD", "--", "."], cwd=clone, check=True)
    told = subprocess.run(["git", "ls-files", "--eol"], cwd=clone, capture_output=True, text=True, check=True).stdout.splitlines()
    changed = [line for line in told if "w/crlf" in line or "w/mixed" in line]
    assert len(told) > 500 and not changed, changed[:5]


def test_a_small_folder_for_temporary_files_is_refused_before_anything_runs(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = room_for_a_run(project.root)
    assert needed > 1000
    monkeypatch.setattr(temporary_room.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(256_000, 255_999, 1))
    for call in (lambda: verify.verify(project.root, tolerance=0.0), lambda: backup.main(project.root)):
        with pytest.raises(NoRoom, match=r"has 1 B free, but this needs about .* Set TMPDIR to a folder on a larger disk"):
            call()
    assert temporary_folder_of_a_run(project.root) == {"TMPDIR": str(project.root / ".cache/tmp")}
    monkeypatch.undo()
    refuse_small_temporary_folder(needed)


def test_cleaning_needs_no_room_in_the_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    from plumbline.pipeline.params import load_params
    from stages.clean import CleanParams, main

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.chdir(ROOT)
    params = load_params("clean", CleanParams)
    monkeypatch.setattr(tempfile, "gettempdir", full)
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("kept", "quarantined")}
    main(params, source=ROOT / "examples/messy_rows.jsonl", **paths, metrics=tmp_path / "data.json")
    assert paths["kept"].stat().st_size > 1000


@pytest.mark.slow
def test_no_help_writes_a_file(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", ".cache", "__pycache__", "data", "models", "bundled", "tests")
    )
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file()}
    stages = [f"stages.{path.stem}" for path in sorted((copy / "stages").glob("*.py")) if path.stem != "__init__"]
    bench = [f"bench.{path.stem}" for path in sorted((copy / "bench").glob("*.py")) if "if __name__ ==" in path.read_text()]
    for words in [["-m", name, "--help"] for name in [*stages, *bench]]:
        done = run(copy, sys.executable, *words, PYTHONPATH="", PYTHONDONTWRITEBYTECODE="1")
        assert done.returncode == 0 and done.stdout, (words, done.stderr)
    for name in ("readme", "run", "regrade", "smoke", "clear-arms", "final-part"):
        assert plumbline(copy, name, "--help", PYTHONPATH="", PYTHONDONTWRITEBYTECODE="1").returncode == 0
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file()} == before
