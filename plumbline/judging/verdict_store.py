"""Every paid reply of the judge, on disk before anything else happens to it: append-only JSON lines, synced, with checksums.

It lies in $DVC_ROOT/.cache/judge, outside DVC's outs, and survives kills, `dvc exp run --temp` and `--queue`.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from plumbline.pipeline.cache import cache_folder
from plumbline.pipeline.files import sync_folder
from plumbline.rows.judgement import RawReply

log = logging.getLogger("judge")

KEY = re.compile(r"[0-9a-f]{64}")
"""As bytes, a key is half as long in memory."""
REPLIES_PER_SYNC = 200
"""Replies stored with one sync to disk if many come at once. A sync takes milliseconds: 10^5 of them would take minutes."""


def judge_cache_folder() -> Path:
    """The folder of all stores. DVC names its project in DVC_ROOT; in a temporary experiment, this is the main project."""
    return cache_folder("judge")


def _checksum(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8")).hexdigest()[:16]


def encode_line(content: dict[str, object]) -> bytes:
    """One line: the checksum of the content, a blank, and the content as JSON."""
    text = json.dumps(content, ensure_ascii=True, sort_keys=True)
    return f"{_checksum(text)} {text}\n".encode("ascii")


def decode_line(line: bytes) -> dict[str, object] | None:
    """Return the content of a line; None if it is damaged."""
    checksum, _, text = line.decode("ascii", "replace").rstrip("\n").partition(" ")
    if not text or _checksum(text) != checksum:
        return None
    content = json.loads(text)
    return content if isinstance(content, dict) else None


def append_lines(path: Path, contents: Sequence[dict[str, object]]) -> list[int]:
    """Add lines, sync once, and return the byte at which each begins.

    Safe with other processes. If a kill left a torn end, it stays a separate line and never becomes the beginning of ours.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        lines = [encode_line(content) for content in contents]
        places = list(accumulate((len(line) for line in lines[:-1]), initial=size + torn))
        data = memoryview((b"\n" if torn else b"") + b"".join(lines))
        while data:  # a full disk may take only a part: the rest raises, and readers drop the torn end
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)
    return places


def append_line(path: Path, content: dict[str, object]) -> int:
    """Add one line and sync it; return the byte at which it begins."""
    return append_lines(path, [content])[0]


def read_lines_from(path: Path, start: int) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the whole lines of a store from byte `start` on, each with the byte where it begins. Damaged ones are counted and skipped."""
    if not path.exists():
        return
    num_damaged = 0
    with path.open("rb") as lines:
        place = lines.seek(start)
        for line in lines:
            if line.strip():
                content = decode_line(line) if line.endswith(b"\n") else None
                if content is None:
                    num_damaged += 1
                else:
                    yield place, content
            place += len(line)
    if num_damaged:
        log.warning("%s: skipped %d damaged lines; their answers will be judged again", path, num_damaged)


def read_lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the whole lines of a store."""
    return (content for _, content in read_lines_from(path, 0))


def _slot(key: str) -> bytes:
    return bytes.fromhex(key) if KEY.fullmatch(key) else key.encode("utf-8")


class VerdictStore:
    """All replies, by item key, with every attempt. The judge's identity is part of the key.

    The replies stay in the file. Memory holds only where they begin: about 300 bytes an item, for replies of any length.
    """

    def __init__(self, folder: Path) -> None:
        """Read what is there."""
        self.path = folder / "replies.jsonl"
        self._places: dict[bytes, tuple[tuple[int, int], ...]] = {}
        """Item -> pairs of attempt and byte at which its line begins, in order of attempts."""
        self._file: int | None = None
        self._read_to = 0
        self._refresh()

    def _refresh(self) -> bool:
        """Read what was added since the last time, and return whether this changed anything."""
        has_news = False
        found = self.path.stat() if self.path.exists() else None
        file = found and found.st_ino
        if file != self._file or (found and found.st_size < self._read_to):  # new, or replaced by another
            has_news = bool(self._places)
            self._places.clear()
            self._file, self._read_to = file, 0
        for place, content in read_lines_from(self.path, self._read_to):
            try:
                reply = RawReply.model_validate(content.get("reply"))
            except ValidationError:
                log.warning("%s: skipped an entry of unknown shape", self.path)
                continue
            has_news |= self._note(str(content.get("key")), reply.attempt, place)
            self._read_to = place  # not the end of the file: another process may be writing the next line
        return has_news

    def _note(self, key: str, attempt: int, place: int) -> bool:
        """Note where an attempt's line begins, and return whether this is new."""
        before = self._places.get(_slot(key), ())
        known = dict(before)
        # If two processes stored a reply to one attempt, the first in the file counts for every reader.
        known[attempt] = min(place, known.get(attempt, place))
        self._places[_slot(key)] = tuple(sorted(known.items()))
        return self._places[_slot(key)] != before

    def num_replies(self, key: str) -> int:
        """Number of attempts for an item, without reading them."""
        return len(self._places.get(_slot(key), ()))

    def replies(self, key: str) -> tuple[RawReply, ...]:
        """All attempts for an item, in order; empty if no one has asked yet."""
        places = self._places.get(_slot(key), ())
        if not places:
            return ()
        with self.path.open("rb") as lines:
            return tuple(self._read(lines, place) for _, place in places)

    def _read(self, lines: BinaryIO, place: int) -> RawReply:
        lines.seek(place)
        content = decode_line(lines.readline())
        if content is None:
            raise ValueError(
                f"{self.path}: the line at byte {place} is damaged, but was whole when the store was opened. Run the stage again."
            )
        return RawReply.model_validate(content["reply"])

    def add(self, key: str, reply: RawReply) -> None:
        """Store a reply. When this returns, a kill cannot lose it."""
        self.add_all([(key, reply)])

    def add_all(self, replies: Sequence[tuple[str, RawReply]]) -> None:
        """Store replies with one sync for all."""
        if not replies:
            return
        places = append_lines(self.path, [{"key": key, "reply": reply.model_dump()} for key, reply in replies])
        for (key, reply), place in zip(replies, places, strict=True):
            self._note(key, reply.attempt, place)

    @contextlib.contextmanager
    def sole_asker(self, identity: str) -> Iterator[bool]:
        """Let one process at a time ask one judge, so that no answer is paid for twice. The next one waits, then reads the store.

        Yields whether the store has changed since it was last read.
        The lock ends with the process, even if it is killed.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path.with_name(f"{identity[:16]}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info("another process is asking this judge; waiting for it to end")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield self._refresh()
        finally:
            os.close(descriptor)
