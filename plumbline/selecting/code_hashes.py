"""Hashes of the code that answers and grades while a model trains. `train` depends on it through the output of `selection`. Reads files."""

import hashlib
from pathlib import Path

from plumbline.pipeline.files import sha256_of

ROOT = Path(__file__).resolve().parents[2]
OWN_PROCESS = "plumbline/grading/formula_child.py"
"""It takes part in grading, but no process of the training loads it."""
SCORING_CODE = (
    "plumbline/answering",
    "plumbline/grading",
    OWN_PROCESS,
    "plumbline/selecting",
    "plumbline/thinking.py",
    *(f"plumbline/rows/{name}.py" for name in ("answer", "answer_params", "context", "outcome", "question", "selection")),
)
"""Code that `train` loads only if questions choose. dvc.yaml declares it for `selection`, not for `train`. So a changed grader never
trains a model again if the validation loss chose its checkpoint."""


def code_hashes(root: Path = ROOT) -> dict[str, str]:
    """Folder or file -> sha256 of the names and contents of its modules."""
    return {name: _hash_of(root / name) for name in SCORING_CODE}


def _hash_of(path: Path) -> str:
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    lines = [f"{file.relative_to(path.parent).as_posix()} {sha256_of(file)}" for file in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
