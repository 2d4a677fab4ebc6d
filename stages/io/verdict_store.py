"""Every reply the judge was paid for, on disk before anything is made of it: append-only JSON lines, synced, checksummed.

Lives in $DVC_ROOT/.cache/judge, outside DVC's outs: it survives kills, `dvc exp run --temp` and `--queue`.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from stages.io.files import sync_folder
from stages.records.judgement import RawReply

log = logging.getLogger("judge")


def judge_cache_folder() -> Path:
    """The folder of all stores: DVC names its project in DVC_ROOT, in a temporary experiment the main one."""
    return Path(os.environ.get("DVC_ROOT") or ".") / ".cache" / "judge"


def _checksum(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8")).hexdigest()[:16]


def encode_line(content: dict[str, object]) -> bytes:
    """One line: the content's checksum, a blank, the content as JSON."""
    text = json.dumps(content, ensure_ascii=True, sort_keys=True)
    return f"{_checksum(text)} {text}\n".encode("ascii")


def decode_line(line: bytes) -> dict[str, object] | None:
    """Return the content of a line, or None where it is torn or damaged."""
    checksum, _, text = line.decode("ascii", "replace").rstrip("\n").partition(" ")
    if not text or _checksum(text) != checksum:
        return None
    content = json.loads(text)
    return content if isinstance(content, dict) else None


def append_line(path: Path, content: dict[str, object]) -> None:
    """Add one line and sync it. Safe with other processes; a tail torn by a kill becomes a line of its own, never a prefix of ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        data = (b"\n" if torn else b"") + encode_line(content)
        while data:  # a full disk may take a part of it: the rest raises, and the torn tail is dropped on reading
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)


def read_lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the whole lines of a store; damaged ones are counted, reported and left out."""
    if not path.exists():
        return
    num_damaged = 0
    with path.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            content = decode_line(line) if line.endswith(b"\n") else None
            if content is None:
                num_damaged += 1
            else:
                yield content
    if num_damaged:
        log.warning("%s: left out %d torn or damaged lines; what they held is asked again", path, num_damaged)


class VerdictStore:
    """All replies there are, by item key, every attempt of each. The judge's identity is part of the key."""

    def __init__(self, folder: Path) -> None:
        """Read what is there."""
        self.path = folder / "replies.jsonl"
        self._replies: dict[str, list[RawReply]] = {}
        self._reload()

    def _reload(self) -> None:
        replies: dict[str, dict[int, RawReply]] = {}
        for content in read_lines(self.path):
            key = content.get("key")
            try:
                reply = RawReply.model_validate_json(json.dumps(content.get("reply")))
            except ValidationError:
                log.warning("%s: left out an entry of an unknown shape", self.path)
                continue
            # Of two processes' replies to one attempt the first in the file counts, for every reader alike.
            replies.setdefault(str(key), {}).setdefault(reply.attempt, reply)
        self._replies = {key: [attempts[number] for number in sorted(attempts)] for key, attempts in replies.items()}

    def replies(self, key: str) -> tuple[RawReply, ...]:
        """All attempts for an item, in order; empty where nobody asked yet."""
        return tuple(self._replies.get(key, ()))

    def add(self, key: str, reply: RawReply) -> None:
        """Keep a reply: when this returns, a kill cannot lose it."""
        append_line(self.path, {"key": key, "reply": reply.model_dump()})
        self._replies.setdefault(key, []).append(reply)

    @contextlib.contextmanager
    def sole_asker(self, identity: str) -> Iterator[None]:
        """Let one process at a time ask one judge, so that no answer is paid for twice; the next one waits, then reads what is there.

        The lock ends with the process, however that ends.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path.with_name(f"{identity[:16]}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info("another process asks this judge; waiting for it to end")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._reload()
            yield
        finally:
            os.close(descriptor)
