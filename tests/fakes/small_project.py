"""A git and DVC repository for a test: a few stages of this project, or made-up ones, and what they read."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dvc.repo import Repo
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]


class SmallProject:
    """A repository in `root`, which exists and may hold files; `environment`: variables that its commands see besides ours."""

    def __init__(self, root: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.root = root
        # Stages are started as `python -m ...`: that must be the Python of the test.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, **(environment or {})}
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "a@example.org")
        self.git("config", "user.name", "A")
        Repo.init(str(root)).close()

    def write_stages(self, stages: Mapping[str, Any], params: Mapping[str, Any], *, ignored: str) -> None:
        """The code of this project's stages with a dvc.yaml and a params.yaml; `ignored`: a line of .gitignore."""
        for package in ("plumbline", "stages"):
            shutil.copytree(ROOT / package, self.root / package, ignore=shutil.ignore_patterns("__pycache__"))
        yaml = YAML()
        yaml.dump({"stages": stages}, self.root / "dvc.yaml")
        yaml.dump(params, self.root / "params.yaml")
        (self.root / ".gitignore").write_text(f"/.cache/\n{ignored}\n__pycache__/\n")
        shutil.copy(ROOT / ".dvcignore", self.root / ".dvcignore")

    def refuse_missing_inputs(self) -> None:
        """Fail if a stage declares data that is in no file and that no other stage makes: then dvc.yaml has a new dependency."""
        with Repo(str(self.root)) as repo:
            made = [out.fs_path for stage in repo.index.stages for out in stage.outs]
            missing = [
                str(Path(dep.fs_path).relative_to(self.root))
                for stage in repo.index.stages
                for dep in stage.deps
                if not dep.exists and not any(Path(dep.fs_path).is_relative_to(out) for out in made)
            ]
        assert not missing, f"this test's project does not write what dvc.yaml now says its stages read: {', '.join(missing)}"

    def git(self, *words: str) -> str:
        return subprocess.run(["git", "-C", str(self.root), *words], check=True, capture_output=True, text=True).stdout

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a dvc command in a separate process group."""
        return subprocess.Popen(
            [sys.executable, "-m", "dvc", *words], cwd=self.root, env=self.environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def dvc(self, *words: str, fails: bool = False) -> str:
        """Run a dvc command to its end, and return everything that it said. If `fails`, the command must fail."""
        process = self.start(*words)
        told, _ = process.communicate(timeout=180)
        assert (process.returncode != 0) == fails, told
        return told
