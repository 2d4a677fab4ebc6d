"""Checkpoints that are whole or absent, and of this run or refused: `$DVC_ROOT/.cache/train/<fingerprint>/`.

They lie outside DVC's outs, which DVC deletes before a stage runs, and survive kills, `exp run --temp` and `--queue`.
"""

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from plumbline.pipeline.cache import cache_folder
from plumbline.pipeline.files import sha256_of, sync_folder

log = logging.getLogger("checkpoints")

MANIFEST = "MANIFEST.json"


def required_files(num_ranks: int = 1, *, sharded: bool = False) -> tuple[str, ...]:
    """Files that a checkpoint must have, with one random state per rank. Without one, transformers resumes silently, to other weights."""
    random_states = ("rng_state.pth",) if num_ranks == 1 else tuple(f"rng_state_{rank}.pth" for rank in range(num_ranks))
    states = ("pytorch_model_fsdp.bin", "optimizer.bin") if sharded else ("optimizer.pt",)
    return ("adapter_model.safetensors", *states, "scheduler.pt", *random_states, "trainer_state.json")


class AlreadyRunning(RuntimeError):
    """Another process is already at this run."""


class Interrupted(Exception):
    """A signal ended the run after a checkpoint. The same command resumes from there."""


def run_folder(fingerprint: str) -> Path:
    """Where the run with this fingerprint keeps its checkpoints: in the main repository, even under `exp run --temp`."""
    return cache_folder("train") / fingerprint


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Lock the folder for this process. AlreadyRunning if another process has locked it. The lock ends with its process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"{folder}: another process is already at this run. Wait for it, or stop it.") from error
        yield


def seal(writing: Path, final: Path) -> None:
    """Make a finished checkpoint folder appear at its final name: files flushed, manifest last, then one rename."""
    sizes = {}
    for file in sorted(writing.rglob("*")):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
            sizes[str(file.relative_to(writing))] = {"size": file.stat().st_size, "sha256": sha256_of(file)}
    with (writing / MANIFEST).open("w", encoding="utf-8") as stream:
        json.dump(sizes, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(writing)
    shutil.rmtree(final, ignore_errors=True)
    writing.replace(final)
    sync_folder(final.parent)


def damage(checkpoint: Path, *, required: Sequence[str]) -> str | None:
    """Say what is wrong with a checkpoint. None if it is as it was sealed and has every required file."""
    try:
        manifest = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError) as error:
        return f"no readable {MANIFEST} ({type(error).__name__})"
    for name in required:
        if name not in manifest:
            return f"{name} is missing"
    for name, expected in manifest.items():
        file = checkpoint / name
        if not file.is_file() or file.stat().st_size != expected["size"] or sha256_of(file) != expected["sha256"]:
            return f"{name} has changed since it was written"
    return None


def newest_whole_checkpoint(folder: Path, *, num_ranks: int = 1, sharded: bool = False) -> Path | None:
    """Return the newest checkpoint that is whole. Rename damaged ones to *.bad, with a warning each."""
    found = sorted(folder.glob("checkpoint-*[0-9]"), key=lambda path: int(path.name.rsplit("-", 1)[1]), reverse=True)
    for checkpoint in found:
        problem = damage(checkpoint, required=required_files(num_ranks, sharded=sharded))
        if problem is None:
            return checkpoint
        log.warning("%s is damaged (%s): renamed to *.bad, trying an earlier one", checkpoint.name, problem)
        aside = checkpoint.with_name(checkpoint.name + ".bad")
        shutil.rmtree(aside, ignore_errors=True)
        checkpoint.replace(aside)
    return None


def keep_newest(folder: Path, num_kept: int) -> None:
    """Remove all but the newest checkpoints, by step, not by clock."""
    found = sorted(folder.glob("checkpoint-*[0-9]"), key=lambda path: int(path.name.rsplit("-", 1)[1]))
    for checkpoint in found[:-num_kept]:
        shutil.rmtree(checkpoint)
