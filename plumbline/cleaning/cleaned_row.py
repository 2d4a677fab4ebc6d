"""What becomes of a row: cleaned, with the keys by which it is compared, or rejected with its reason. Pure."""

import hashlib
from typing import NamedTuple

from plumbline.cleaning.codes import OutputClass


class CleanedExchange(NamedTuple):
    """An exchange before the last one."""

    user: str
    assistant: str
    is_trained: bool


class Cleaned(NamedTuple):
    """A row to keep."""

    instruction: str
    input: str
    output: str
    repairs: tuple[str, ...]
    flags: tuple[str, ...]
    before: OutputClass
    after: OutputClass
    earlier: tuple[CleanedExchange, ...] = ()
    """Exchanges before this one, the oldest first."""


class Rejected(NamedTuple):
    """A line to quarantine."""

    reason: str
    detail: str
    redacted: bool
    """The line must not be copied: only its length and hash are kept."""
    before: OutputClass


def row_id(row: Cleaned) -> str:
    """Hash of a row's content: stable when rows are added or reordered."""
    earlier = "".join(f"{one.user}\0{one.assistant}\0{one.is_trained}\0" for one in row.earlier)
    return hashlib.sha256(f"{earlier}{row.instruction}\0{row.input}\0{row.output}".encode()).hexdigest()[:16]


def content_keys(row: Cleaned) -> tuple[bytes, bytes]:
    """16-byte keys of the question and of the whole row; texts that differ in white space only are equal."""
    question = single_spaced(row.instruction)
    if row.input:
        question += "\0" + single_spaced(row.input)
    for one in reversed(row.earlier):
        question = f"{single_spaced(one.user)}\0{single_spaced(one.assistant)}\0\0{question}"
    asked = hashlib.blake2b(question.encode(), digest_size=16).digest()
    return asked, hashlib.blake2b(asked + single_spaced(row.output).encode(), digest_size=16).digest()


def single_spaced(text: str) -> str:
    """The text with every run of white space as one space, and none at its ends."""
    # A printable text has no white space except spaces. If no two of them meet and none is at an end, nothing changes.
    if text.isprintable() and "  " not in text and not text.startswith(" ") and not text.endswith(" "):
        return text
    return " ".join(text.split())
