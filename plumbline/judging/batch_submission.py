"""Create each message batch exactly once, even after failures. Touches the network."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2
from anthropic.types.messages import MessageBatch

from plumbline.judging.batch_journal import BatchEvent, Journal, Submission
from plumbline.judging.causes import JudgeCause
from plumbline.judging.claude_client import Claude
from plumbline.judging.claude_errors import classify, wait_asked_for
from plumbline.judging.claude_limits import MAX_SLEEP_SECONDS, Limits
from plumbline.judging.no_reply import JudgeStopped, NoReply
from plumbline.number_text import size_text

log = logging.getLogger("judge")

MAX_TRANSFER_SECONDS = 1800.0
"""Limit for sending a batch or reading its results, even if bytes still trickle in."""
NUM_KNOWN = 20
"""Latest batches that an intent remembers. The list is read only back to the first of them, however long the history is."""
TOO_LARGE = NoReply(JudgeCause.REJECTED_REQUEST, "too large for a batch (status 413)")


@dataclass
class Chunk:
    """The requests of one batch. They are encoded one by one and sent piece by piece, never joined into one text."""

    keys: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    num_bytes: int = len(b'{"requests":[]}')
    """Size of the body as it is sent."""

    def add(self, key: str, request: bytes) -> None:
        """Append one encoded request."""
        self.num_bytes += len(request) + bool(self.keys)
        self.keys.append(key)
        self.requests.append(request)

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the body, `num_bytes` bytes in all."""
        yield b'{"requests":['
        for number, request in enumerate(self.requests):
            yield b"," + request if number else request
        yield b"]}"

    def halves(self) -> "tuple[Chunk, Chunk]":
        """Return the same requests in two chunks."""
        middle = len(self.keys) // 2
        first, second = Chunk(), Chunk()
        for number, (key, request) in enumerate(zip(self.keys, self.requests, strict=True)):
            (first if number < middle else second).add(key, request)
        return first, second


def encode_request(key: str, request: dict[str, Any]) -> bytes:
    """One entry of a batch, as ASCII JSON."""
    return json.dumps({"custom_id": key, "params": request}, separators=(",", ":")).encode("ascii")


async def latest_batches(claude: Claude, *, back_to: set[str] | None = None) -> list[dict[str, Any]] | NoReply:
    """Batches of the workspace, latest first: back to the first one in `back_to` (or all if none is found), else the latest few."""

    async def listing() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async for batch in claude.client.messages.batches.list(limit=NUM_KNOWN if back_to is None else 100):
            if batch.id in (back_to or ()) or (back_to is None and len(found) == NUM_KNOWN):
                break
            found.append(batch.model_dump(mode="json"))
        return found

    return await claude.persist(listing)


async def adopt(claude: Claude, journal: Journal, submission: Submission) -> bool | NoReply:
    """Find the batch that a submission without an id created, if it created one.

    Its results show whether it is ours: only our items are taken from it.
    """
    batches = await latest_batches(claude, back_to=submission.known)
    if isinstance(batches, NoReply):
        return batches
    others = submission.foreign | {one.batch for one in journal.submissions.values()}
    for batch in batches:
        if batch["id"] not in others and sum(batch["request_counts"].values()) == len(submission.keys):
            log.info("batch %s already exists; collecting it instead of creating another", batch["id"])
            journal.created(submission, batch["id"])
            return True
    return False


async def resolve(claude: Claude, journal: Journal) -> None:
    """Find out what became of every submission without an id. JudgeStopped if the API does not say."""
    for submission in journal.open_ones():
        if submission.batch is None:
            found = await adopt(claude, journal, submission)
            if isinstance(found, NoReply):
                raise JudgeStopped(
                    f"the API does not say whether it created a batch ({found.cause}: {found.detail}). "
                    "Run the stage again: it looks for the batch before it creates another."
                )
            if not found:
                journal.close(submission, BatchEvent.LOST)


async def _create(claude: Claude, chunk: Chunk) -> str:
    # Not batches.create: it takes all requests as objects and encodes them into one text.
    async with asyncio.timeout(MAX_TRANSFER_SECONDS):
        batch = await claude.client.post(
            "/v1/messages/batches",
            content=chunk.body(),
            cast_to=MessageBatch,
            options={"headers": {"content-type": "application/json", "content-length": str(chunk.num_bytes)}},
        )
    if not isinstance(batch, MessageBatch) or not isinstance(batch.id, str):
        raise ValueError("status 200 without a batch")
    return batch.id


async def submit(claude: Claude, journal: Journal, limits: Limits, chunk: Chunk) -> NoReply | None:
    """Create one batch. If this returns None, the id is in the journal.

    Otherwise it returns `TOO_LARGE`, or why not now: the API then shows no new batch, and `resolve` asks it again.
    JudgeStopped if the API refuses the batch for good.
    """
    before = await latest_batches(claude)
    if isinstance(before, NoReply):
        return before
    submission = journal.intend(chunk.keys, [batch["id"] for batch in before])
    problem = NoReply(JudgeCause.CONNECTION_FAILED, "not tried")
    for number in range(limits.max_tries):
        asked_to_wait: float | None = None
        try:
            # One try at a time: a failure may hide a success, so look before creating again.
            journal.created(submission, await _create(claude, chunk))
        except (TimeoutError, anthropic.APIConnectionError, httpx2.HTTPError, ValueError, AttributeError) as error:
            problem = NoReply(JudgeCause.CONNECTION_FAILED, f"creating a batch: {type(error).__name__}")
        except anthropic.APIStatusError as error:
            if error.status_code == 413:
                journal.close(submission, BatchEvent.REFUSED)
                return TOO_LARGE
            problem, is_final = classify(error)
            asked_to_wait = wait_asked_for(error.response.headers, now=time.time())
            if is_final:
                journal.close(submission, BatchEvent.REFUSED)
                raise JudgeStopped(
                    f"the API refuses a batch of {len(chunk.keys)} requests: {problem.detail}. Fix what it names, and run the stage again."
                ) from None
            if error.status_code == 429 and any(one.batch for one in journal.open_ones()):
                journal.close(submission, BatchEvent.REFUSED)  # the processing queue is full until a batch ends
                return problem
        found = submission.batch is not None or await adopt(claude, journal, submission)
        if isinstance(found, NoReply):
            return found
        if found:
            log.info("%s: %d requests, %s", submission.batch, len(chunk.keys), size_text(chunk.num_bytes))
            return None
        if number + 1 < limits.max_tries:
            wait = min(limits.backoff_seconds * 2**number, 8.0) if asked_to_wait is None else asked_to_wait
            await asyncio.sleep(min(wait, MAX_SLEEP_SECONDS))
    return problem
