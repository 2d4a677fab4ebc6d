"""git ignores what DVC keeps, and DVC sees what a user adds: the two read .gitignore differently."""

import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from plumbline.pipeline.params import read_yaml

ROOT = Path(__file__).resolve().parents[2]
CACHED = [
    out if isinstance(out, str) else next(iter(out))
    for stage in read_yaml(ROOT / "dvc.yaml")["stages"].values()
    for out in stage.get("outs", [])
    if isinstance(out, str) or next(iter(out.values())).get("cache", True)
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with our .gitignore and .dvcignore."""
    for name in (".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, tmp_path)
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    Repo.init(str(tmp_path)).close()
    return tmp_path


@pytest.mark.parametrize("out", CACHED)
def test_what_dvc_keeps_git_ignores(project: Path, out: str) -> None:
    # A pattern for folders ignores this path only if it is a folder.
    path = f"{out}/file" if not Path(out).suffix else out
    assert subprocess.run(["git", "-C", str(project), "check-ignore", "-q", path]).returncode == 0


@pytest.mark.parametrize("name", ["data/raw/mine.jsonl", "data/raw/lab/mine.jsonl", "examples/mine.jsonl"])
def test_a_file_that_a_user_adds_is_pushed_with_the_rest(project: Path, name: str) -> None:
    (project / name).parent.mkdir(parents=True)
    (project / name).write_text("row\n")
    with Repo(str(project)) as repo:
        repo.add(str(project / name))
    # A second look: the first one knows the file because it was named.
    with Repo(str(project)) as repo:
        assert [out.fs_path for out in repo.index.outs] == [str(project / name)]
    assert subprocess.run(["git", "-C", str(project), "check-ignore", "-q", f"{name}.dvc"]).returncode == 1
