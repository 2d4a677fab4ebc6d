"""The code that answers and grades while a model trains, as hashes: `train` depends on it through what `selection` writes. Touches files."""

import hashlib
from pathlib import Path

from plumbline.pipeline.files import sha256_of

ROOT = Path(__file__).resolve().parents[2]
OWN_PROCESS = "plumbline/grading/formula_child.py"
"""Part of a grade, and loaded by no process of the training."""
SCORING_CODE = (
    "plumbline/answering",
    "plumbline/grading",
    OWN_PROCESS,
    "plumbline/selecting",
    "plumbline/thinking.py",
    *(f"plumbline/rows/{name}.py" for name in ("answer", "answer_params", "context", "outcome", "question", "selection")),
)
"""What `train` loads only where questions choose. dvc.yaml declares it for `selection` and not for `train`: a grader never retrains a model
whose checkpoint the validation loss chose."""


def code_hashes(root: Path = ROOT) -> dict[str, str]:
    """Folder or file -> sha256 of its modules, by name and content."""
    return {name: _hash_of(root / name) for name in SCORING_CODE}


def _hash_of(path: Path) -> str:
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    lines = [f"{file.relative_to(path.parent).as_posix()} {sha256_of(file)}" for file in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
