"""What every test may ask for."""

import os
from pathlib import Path

import pytest

# As in the stages (plumbline/model/quiet.py), and before anything imports torch: two test processes share two processors.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with cases and real input that live outside the repository; if it is absent, tests that need it skip."""
    folder = Path(os.environ.get("PLUMBLINE_SHARED", ROOT.parent / "shared"))
    if not (folder / "cases").is_dir():
        pytest.skip(f"no cases at {folder}; set PLUMBLINE_SHARED to the folder that holds cases/ and data/")
    return folder
