"""Clean a chunk of lines into rows to keep, rows to quarantine, and the counts of both. Pure."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import orjson

from plumbline.cleaning.cleaned_row import Rejected, content_keys, row_id
from plumbline.cleaning.codes import OutputClass, Reason
from plumbline.cleaning.json_line import MAX_LINE_BYTES
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.quality_rules import holds_secret
from plumbline.cleaning.quarantined_row import RedactedLine, RefusedRecord, SourceLine
from plumbline.cleaning.repair_examples import Candidates, smallest_ids
from plumbline.cleaning.row_cleaning import clean_line


@dataclass
class CleanedChunk:
    """Rows to keep and to quarantine, as lines of JSON; the keys of kept rows follow each other, 16 bytes each, in row order."""

    kept: bytes = b""
    kept_lines: list[int] = field(default_factory=list)
    quarantined: list[tuple[int, bytes]] = field(default_factory=list)
    """Line number in the source, and the quarantined row as a line of JSON."""
    num_blank: int = 0
    question_keys: bytes = b""
    row_keys: bytes = b""
    lengths: list[int] = field(default_factory=list)
    """Characters of each kept output."""
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    examples: Candidates = field(default_factory=dict)
    """Kept rows that may be shown as examples of their repairs."""
    num_bytes: int = 0
    """Size of the rows to keep."""

    def without_rows(self) -> "CleanedChunk":
        """This chunk without its rows and keys, which the caller keeps elsewhere."""
        return replace(self, kept=b"", question_keys=b"", row_keys=b"", num_bytes=len(self.kept))


def clean_chunk(lines: Sequence[SourceLine], first_line: int, file: str, policy: Policy) -> CleanedChunk:
    """Clean consecutive lines; every one is kept, quarantined or blank."""
    result = CleanedChunk()
    active = policy.active
    kept: list[bytes] = []
    question_keys: list[bytes] = []
    row_keys: list[bytes] = []
    repaired: list[tuple[str, int, tuple[str, ...]]] = []
    for number, raw in enumerate(lines, start=first_line):
        if not isinstance(raw, bytes):
            result.before[OutputClass.UNREADABLE] += 1
            reason, line = seen_first(file, number, raw)
            result.quarantined.append((number, line))
            result.reasons[reason] += 1
            continue
        if not raw or raw.isspace():
            result.num_blank += 1
            continue
        verdict = clean_line(raw, policy, active)
        result.before[verdict.before] += 1
        if isinstance(verdict, Rejected):
            result.reasons[verdict.reason] += 1
            result.quarantined.append(
                (number, quarantined_line(file, number, verdict.reason, verdict.detail, raw_or_hash(raw, verdict.redacted)))
            )
            continue
        row = {
            "id": row_id(verdict),
            "instruction": verdict.instruction,
            "input": verdict.input,
            "output": verdict.output,
            "origin": {"file": file, "line": number},
            "repairs": verdict.repairs,
            "flags": verdict.flags,
        }
        if verdict.earlier:
            row["earlier"] = [exchange._asdict() for exchange in verdict.earlier]
        kept.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        if verdict.repairs:
            repaired.append((row["id"], number, verdict.repairs))
        result.kept_lines.append(number)
        result.lengths.append(len(verdict.output))
        result.after[verdict.after] += 1
        if verdict.repairs:
            result.repairs.update(verdict.repairs)
        if verdict.flags:
            result.flags.update(verdict.flags)
        question_key, row_key = content_keys(verdict)
        question_keys.append(question_key)
        row_keys.append(row_key)
    result.kept, result.question_keys, result.row_keys = b"".join(kept), b"".join(question_keys), b"".join(row_keys)
    result.examples = smallest_ids(repaired)
    assert len(lines) == len(kept) + len(result.quarantined) + result.num_blank, "a line vanished"
    return result


def seen_first(file: str, number: int, raw: RedactedLine | RefusedRecord) -> tuple[str, bytes]:
    """Reason and quarantined row for a line that the reader already refused."""
    if isinstance(raw, RedactedLine):
        detail = f"{raw.length} bytes on one line; a line may have at most 1 MiB"
        return Reason.OVERSIZE_LINE, quarantined_line(file, number, Reason.OVERSIZE_LINE, detail, raw.model_dump())
    encoded = raw.raw.encode("utf-8", "backslashreplace")
    if holds_secret(raw.raw):
        hashed = raw_or_hash(encoded, redacted=True)
        return raw.reason, quarantined_line(file, number, raw.reason, "key material: only length and hash of the line are kept", hashed)
    shown = raw_or_hash(encoded, redacted=len(encoded) > MAX_LINE_BYTES)
    return raw.reason, quarantined_line(file, number, raw.reason, raw.detail, shown)


def raw_or_hash(raw: bytes, redacted: bool) -> str | dict[str, object]:
    """The line for the quarantine, or its length and hash; bytes that are not UTF-8 become escapes."""
    if redacted:
        return {"length": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace")


def quarantined_line(file: str, number: int, reason: str, detail: str, raw: str | dict[str, object]) -> bytes:
    """A QuarantinedRow as a line of JSON."""
    row = {"origin": {"file": file, "line": number}, "reason": reason, "detail": printable(detail), "raw": raw}
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def printable(detail: str) -> str:
    """The detail, safe for a terminal: it may quote the line, so control characters and half surrogates become escapes."""
    if detail.isprintable():
        return detail[:500]
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in detail)[:500]
