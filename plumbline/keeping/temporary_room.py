"""Check that the folder for temporary files has room for a clone of the project with all that its run made. Touches the disk, read-only."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from plumbline.number_text import size_text
from plumbline.pipeline.params import read_yaml

SMALL_BYTES = 1 << 30
"""With less space, a run writes its temporary files next to the project: a tmpfs of some MB cannot hold a data set."""


class NoRoom(ValueError):
    """The folder for temporary files is too small; the text says what to do."""


def refuse_small_temporary_folder(needed_bytes: int) -> None:
    """NoRoom unless the folder for temporary files has this much free space."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise NoRoom(
            f"{folder} has {size_text(free)} free, but this needs about {size_text(needed_bytes)}. "
            "Set TMPDIR to a folder on a larger disk and run it again."
        )


def room_for_a_run(root: Path) -> int:
    """Bytes that a clone takes with what the run of the commit made: history, files, and each output in the cache and in the folder."""
    lock = root / "dvc.lock"
    stages = (read_yaml(lock).get("stages") or {}).values() if lock.is_file() else ()
    made = sum(out.get("size", 0) for stage in stages for out in stage.get("outs", []))
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True).stdout.split("\0")
    files = sum((root / name).stat().st_size for name in listed if name and (root / name).is_file())
    counted = subprocess.run(["git", "count-objects", "-v"], cwd=root, capture_output=True, text=True).stdout
    sizes = dict(line.split(": ", 1) for line in counted.splitlines() if ": " in line)
    history = 1024 * (int(sizes.get("size", 0)) + int(sizes.get("size-pack", 0)))
    return 2 * made + files + history


def temporary_folder_of_a_run(root: Path) -> dict[str, str]:
    """What a run adds to its environment: a folder for temporary files next to the project, if the usual one is small; else nothing."""
    try:
        if shutil.disk_usage(tempfile.gettempdir()).free >= SMALL_BYTES:
            return {}
    except OSError:
        pass  # there is no usable one: the project's own disk is used
    folder = root / ".cache/tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return {"TMPDIR": str(folder)}
