"""Read the results of message batches one at a time from the network into the store. Touches the network."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import anthropic
import httpx2

from plumbline.judging.batch_journal import BatchEvent, Journal, Submission
from plumbline.judging.batch_submission import MAX_TRANSFER_SECONDS
from plumbline.judging.causes import JudgeCause
from plumbline.judging.claude_client import Claude
from plumbline.judging.claude_errors import classify
from plumbline.judging.no_reply import JudgeStopped, NoReply
from plumbline.judging.verdict_store import REPLIES_PER_SYNC

log = logging.getLogger("judge")

MAX_FETCHES = 4

Keep = Callable[[str, Sequence[tuple[str, bytes]]], None]
"""Keeps some replies, by item, of a batch. It must ignore a reply that it already has."""


async def look(claude: Claude, batch_id: str) -> dict[str, Any] | NoReply:
    """Return a batch as the API shows it; `processing_status` is `gone` if the API no longer keeps it."""

    async def view() -> dict[str, Any]:
        try:
            seen = (await claude.client.messages.batches.retrieve(batch_id)).model_dump(mode="json")
        except anthropic.NotFoundError:  # deleted
            return {"processing_status": "gone"}
        if seen["processing_status"] == "ended" and not seen["results_url"]:  # the API keeps results for 29 days
            return {"processing_status": "gone"}
        return seen

    return await claude.persist(view)


async def result_lines(claude: Claude, url: str) -> AsyncGenerator[bytes, None]:
    """Yield the lines of a batch's results as they arrive. JudgeStopped if they lie on another host: the key would be sent there."""
    ours, theirs = urlsplit(claude.base_url), urlsplit(url)
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        raise JudgeStopped(
            f"the results lie on {theirs.netloc}, not on the host of the API ({ours.netloc}): the key is not sent. "
            "Check ANTHROPIC_BASE_URL."
        )
    response = await claude.client.get(url, cast_to=httpx2.Response, stream=True, stream_cls=None)
    try:
        rest = bytearray()
        async for piece in response.aiter_bytes():
            # Not aiter_lines: it also splits at U+2028, which a reply may contain.
            *whole, last = piece.split(b"\n")
            for line in whole:
                rest += line
                yield claude.without_key(bytes(rest))
                rest.clear()
            rest += last
        yield claude.without_key(bytes(rest))
    finally:
        await response.aclose()


def read_result(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """Return item and result of one line; None if the line is damaged or not a result."""
    try:
        entry = json.loads(line)
        key, result = entry["custom_id"], entry["result"]
        return (key, result) if isinstance(key, str) and isinstance(result["type"], str) else None
    except (ValueError, KeyError, TypeError):
        return None


@dataclass
class Collected:
    """What the results of a batch hold, over all attempts to read them."""

    here: set[str] = field(default_factory=set)
    """Items with a reply in the store."""
    without: dict[str, NoReply] = field(default_factory=dict)
    """Why the other items have none."""
    num_odd: int = 0
    """Lines of the last reading that are damaged, repeated, or about an item that was not asked."""
    num_foreign: int = 0
    """Those among them that are whole and about an item that was not asked."""


def _why(result: dict[str, Any], batch_id: str) -> NoReply:
    error = result.get("error")
    inner = error.get("error") if isinstance(error, dict) else None
    inner = inner if isinstance(inner, dict) else {}
    cause = JudgeCause.REJECTED_REQUEST if inner.get("type") == "invalid_request_error" else JudgeCause.BATCH_UNFINISHED
    return NoReply(cause, f"{result['type']} in {batch_id} {str(inner.get('message', ''))[:300]}".strip())


async def _read(claude: Claude, submission: Submission, url: str, keep: Keep, found: Collected) -> None:
    assert submission.batch is not None, "only a batch with an id has results"
    batch_id = submission.batch
    wanted, seen = set(submission.keys), set[str]()
    found.num_odd = found.num_foreign = 0
    replies: list[tuple[str, bytes]] = []

    def sync() -> None:
        keep(batch_id, replies)
        found.here.update(key for key, _ in replies)
        replies.clear()

    async with aclosing(result_lines(claude, url)) as lines:
        try:
            async for line in lines:
                entry = read_result(line)
                if entry is None or entry[0] not in wanted or entry[0] in seen:
                    found.num_odd += bool(line.strip())
                    found.num_foreign += entry is not None and entry[0] not in wanted
                    continue
                key, result = entry
                seen.add(key)
                if result["type"] != "succeeded":
                    found.without[key] = _why(result, batch_id)
                elif key not in found.here:
                    replies.append((key, json.dumps(result.get("message")).encode("ascii")))
                if len(replies) == REPLIES_PER_SYNC:
                    sync()
        except (anthropic.APIConnectionError, httpx2.HTTPError):
            sync()  # keep what came before the break
            raise
    sync()


async def collect(claude: Claude, journal: Journal, submission: Submission, view: dict[str, Any], keep: Keep) -> Collected | None:
    """Keep the replies of a batch that has ended, and close it in the journal.

    Returns None if the batch belongs to another run. JudgeStopped if paid replies cannot be read: then it stays open.
    """
    due, found = view["request_counts"]["succeeded"], Collected()
    for number in range(MAX_FETCHES):
        if number:
            await asyncio.sleep(min(2.0**number, claude.poll_seconds))
        try:
            async with asyncio.timeout(MAX_TRANSFER_SECONDS):
                await _read(claude, submission, view["results_url"], keep, found)
        except anthropic.APIStatusError as error:
            classify(error)  # raises if no further try can help
        except (TimeoutError, anthropic.APIConnectionError, httpx2.HTTPError) as error:
            log.warning("%s: reading the results broke off (%s)", submission.batch, type(error).__name__)
        if found.num_foreign and not found.here and not found.without:
            log.warning("%s holds none of our items: it belongs to another run", submission.batch)
            journal.foreign(submission)
            return None
        # An empty or cut file is not an error in HTTP: the count of the batch shows what is missing.
        if len(found.here) >= due:
            break
    else:
        log.warning("%s: %d of %d results can be read", submission.batch, len(found.here), due)
        raise JudgeStopped(
            f"only {len(found.here)} of {due} paid results of {submission.batch} can be read. "
            "Run the stage again: it fetches them again and does not pay again."
        )
    if found.num_odd:
        log.warning("skipped %d lines of batch results: damaged, repeated, or about an item that was not asked", found.num_odd)
    for key in submission.keys:
        if key not in found.here and key not in found.without:
            found.without[key] = NoReply(JudgeCause.BATCH_UNFINISHED, f"missing in {submission.batch}")
    journal.close(submission, BatchEvent.COLLECTED)
    log.info("%s: %d replies, %d without", submission.batch, len(found.here), len(found.without))
    return found
