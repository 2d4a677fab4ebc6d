"""Keep the metrics that git holds when a run fails: DVC deletes the outputs of a stage before it starts the stage. Touches git and metrics/."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "metrics"


def tracked(root: Path) -> list[Path]:
    """The files below metrics/ that git holds and that are here."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", FOLDER], cwd=root, capture_output=True, text=True)
    paths = [root / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


@contextmanager
def surviving_metrics(root: Path) -> Iterator[list[str]]:
    """Run the block, then put back each tracked metric that vanished. The list names them once the block has ended."""
    before = {path: path.read_bytes() for path in tracked(root)}
    put_back: list[str] = []
    try:
        yield put_back
    finally:
        for path, content in before.items():
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                partial = path.with_name(f"{path.name}.partial")
                partial.write_bytes(content)
                partial.replace(path)
                put_back.append(str(path.relative_to(root)))
