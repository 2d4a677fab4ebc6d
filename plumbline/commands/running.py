"""Start DVC with the Python of this environment, so that its stages run in it too. Touches processes."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SECONDS_TO_STOP = 60


def run_dvc(root: Path, words: Sequence[str], *, quiet: bool = False) -> int:
    """Run a DVC command in a repository to its end and return its exit code. On Ctrl-C DVC gets the time to clean up."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    stream = subprocess.DEVNULL if quiet else None
    process = subprocess.Popen([sys.executable, "-m", "dvc", *words], cwd=root, env=environment, stdout=stream, stderr=stream)
    try:
        return process.wait()
    except KeyboardInterrupt:
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def set_params(overrides: Sequence[str]) -> list[str]:
    """Overrides as words of `dvc exp run`."""
    return [word for override in overrides for word in ("-S", override)]
