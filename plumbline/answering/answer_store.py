"""Answers of an unfinished run, stored batch by batch in `$DVC_ROOT/.cache/answers/<fingerprint>.jsonl`, so that a kill costs one batch."""

import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from plumbline.pipeline.cache import cache_folder
from plumbline.rows.answer import Answer


def store_file(fingerprint: str) -> Path:
    """The file for the answers of this fingerprint: in the main repository, even under `exp run --temp`."""
    return cache_folder("answers") / f"{fingerprint}.jsonl"


def stored_answers(file: Path) -> dict[tuple[str, int | None], Answer]:
    """Return (id, sample) -> answer. If a kill left a damaged line, it and the lines after it are dropped and answered again."""
    if not file.is_file():
        return {}
    found: dict[tuple[str, int | None], Answer] = {}
    whole = b""
    for line in file.read_bytes().splitlines(keepends=True):
        try:
            answer = Answer.model_validate_json(line)
        except ValidationError:
            break
        if not line.endswith(b"\n"):
            break
        found[answer.id, answer.sample] = answer
        whole += line
    if whole != file.read_bytes():
        partial = file.with_suffix(".partial")
        partial.write_bytes(whole)
        partial.replace(file)
    return found


def append_answers(file: Path, answers: Iterable[Answer]) -> None:
    """Add a batch and flush it to the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8", newline="\n") as stream:
        stream.writelines(answer.model_dump_json() + "\n" for answer in answers)
        stream.flush()
        os.fsync(stream.fileno())
