"""A terminal of 0 columns, as `docker exec -t` may give one, shows a bar all the same."""

import os
import pty
import subprocess
import sys

from tests.conftest import ROOT

BAR = """
from plumbline.screen import assume_a_size
assume_a_size()
from plumbline.pipeline.heartbeat import Progress
with Progress("answer base", total=10, unit="question") as progress:
    progress.update(3)
"""


def test_a_terminal_without_a_size_shows_progress() -> None:
    ours, its = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TQDM")} | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", BAR], stdout=its, stderr=its, env=environment, check=True)
    os.close(its)
    assert b"answer base:  30%" in os.read(ours, 10_000)
    os.close(ours)
