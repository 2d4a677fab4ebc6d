"""Ask Claude through Message Batches: half the price, up to 24 hours, resumable at any instant.

A journal beside the store says what was submitted: the intent before a batch is created, its id before it is polled. So a
kill, or an answer lost on the network, leads to collecting the batch that exists, not to a second one.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anthropic
import httpx2

from stages.io.claude import Claude, JudgeStopped, Limits, NoReply, classify
from stages.io.verdict_store import append_line, read_lines

log = logging.getLogger("judge")

MAX_REQUESTS = 10_000
"""Per batch. The API takes 100,000 or 256 MB; smaller ones lose less when one expires."""
MAX_WAIT_SECONDS = 26 * 3600.0
"""A batch ends within 24 hours, in results or in expiry."""
MAX_FETCHES = 4
MAX_ROUNDS_WITHOUT_REPLY = 3


@dataclass
class _Submission:
    name: str
    keys: list[str]
    known: list[str]
    """Batches that existed before: what is there now and not among these may be ours."""
    batch: str | None = None
    is_closed: bool = False


@dataclass
class Journal:
    """What was submitted, in the order it was, with what became of it."""

    path: Path
    submissions: dict[str, _Submission] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the journal of earlier runs."""
        for line in read_lines(self.path):
            name = str(line["name"])
            if line["event"] == "intent":
                self.submissions[name] = _Submission(name, list(line["keys"]), list(line["known"]))  # type: ignore[call-overload]
            elif name in self.submissions and line["event"] == "created":
                self.submissions[name].batch = str(line["batch"])
            elif name in self.submissions:
                self.submissions[name].is_closed = True

    def intend(self, keys: Sequence[str], known: Sequence[str]) -> _Submission:
        """Write down that a batch of these items is about to be created."""
        submission = _Submission(f"{len(self.submissions):06d}", list(keys), list(known))
        append_line(self.path, {"event": "intent", "name": submission.name, "keys": submission.keys, "known": submission.known})
        self.submissions[submission.name] = submission
        return submission

    def created(self, submission: _Submission, batch: str) -> None:
        """Write down the id, before anything else is done with the batch."""
        append_line(self.path, {"event": "created", "name": submission.name, "batch": batch})
        submission.batch = batch

    def close(self, submission: _Submission, event: str) -> None:
        """Write down that nothing more can come of it (`collected`, `refused` or `lost`)."""
        append_line(self.path, {"event": event, "name": submission.name})
        submission.is_closed = True

    def open_ones(self) -> Iterator[_Submission]:
        """Submissions whose results are not all in the store."""
        return (one for one in list(self.submissions.values()) if not one.is_closed)


async def _list_batches(claude: Claude) -> list[dict[str, Any]] | NoReply:
    async def listing() -> list[dict[str, Any]]:
        return [batch.model_dump(mode="json") async for batch in claude.client.messages.batches.list(limit=100)]

    return await claude.persist(listing)


async def _adopt(claude: Claude, journal: Journal, submission: _Submission) -> bool | NoReply:
    """Find the batch that a submission without an id made, if it made one.

    Whether a found batch is ours shows in its results: only items of ours are taken from it.
    """
    batches = await _list_batches(claude)
    if isinstance(batches, NoReply):
        return batches
    taken = {one.batch for one in journal.submissions.values()}
    for batch in batches:
        counts = batch["request_counts"]
        if batch["id"] not in submission.known and batch["id"] not in taken and sum(counts.values()) == len(submission.keys):
            log.info("batch %s exists already; collecting it instead of making another", batch["id"])
            journal.created(submission, batch["id"])
            return True
    return False


async def _submit(claude: Claude, journal: Journal, requests: dict[str, dict[str, Any]]) -> NoReply | None:
    """Create one batch; its id is in the journal when this returns None."""
    before = await _list_batches(claude)
    if isinstance(before, NoReply):
        return before
    submission = journal.intend(list(requests), [batch["id"] for batch in before])
    problem = NoReply("connection_failed", "not tried")
    for _ in range(3):
        # One try at a time: after a failure that may hide a success, look before creating again.
        try:
            async with asyncio.timeout(180):
                batch = await claude.client.messages.batches.create(
                    requests=[{"custom_id": key, "params": request} for key, request in requests.items()]  # type: ignore[typeddict-item]
                )
            journal.created(submission, batch.id)
            return None
        except (TimeoutError, anthropic.APIConnectionError, httpx2.HTTPError, ValueError) as error:
            problem = NoReply("connection_failed", f"creating a batch: {type(error).__name__}")
        except anthropic.APIStatusError as error:
            problem, is_final = classify(error)
            if is_final:
                journal.close(submission, "refused")
                return problem
        found = await _adopt(claude, journal, submission)
        if found is True:
            return None
        if isinstance(found, NoReply):
            return found
    return problem


def _parse_results(content: bytes, keys: set[str]) -> dict[str, dict[str, Any]]:
    """Results by item; torn lines, foreign ids and repetitions drop out."""
    results: dict[str, dict[str, Any]] = {}
    num_odd = 0
    for line in content.split(b"\n"):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            key, result = entry["custom_id"], entry["result"]
            if key not in keys or key in results or not isinstance(result["type"], str):
                raise ValueError("not an answer to a question of ours")
            results[key] = result
        except (ValueError, KeyError, TypeError):
            num_odd += 1
    if num_odd:
        log.warning("left out %d lines of batch results: torn, repeated, or of an item that was not asked", num_odd)
    return results


async def _fetch_results(claude: Claude, url: str) -> bytes | NoReply:
    ours, theirs = urlsplit(claude.base_url), urlsplit(url)
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        raise JudgeStopped(f"the results lie on another host ({theirs.netloc}) than the API ({ours.netloc}); the key is not sent there.")

    async def fetch() -> bytes:
        return claude.without_key((await claude.client.get(url, cast_to=httpx2.Response)).content)

    return await claude.persist(fetch)


async def _collect(
    claude: Claude, journal: Journal, submission: _Submission, keep: Callable[[str, bytes, str], None]
) -> dict[str, NoReply] | NoReply:
    """Wait for a batch to end and keep its replies. Returns why items have none; NoReply if the batch must stay open."""
    assert submission.batch is not None
    until = time.monotonic() + MAX_WAIT_SECONDS
    batch_id = submission.batch
    while True:

        async def look() -> dict[str, Any]:
            try:
                return (await claude.client.messages.batches.retrieve(batch_id)).model_dump(mode="json")
            except anthropic.NotFoundError:  # deleted, or older than the 29 days that results are kept
                return {"processing_status": "gone", "results_url": None}

        view = await claude.persist(look)
        if isinstance(view, NoReply):
            return view
        if view["processing_status"] == "gone" or (view["processing_status"] == "ended" and not view["results_url"]):
            journal.close(submission, "lost")
            return {key: NoReply("batch_unfinished", f"{batch_id} is no longer kept") for key in submission.keys}
        if view["processing_status"] == "ended":
            break
        if time.monotonic() > until:
            return NoReply("batch_unfinished", f"{batch_id} has not ended after {MAX_WAIT_SECONDS / 3600:.0f} hours")
        await asyncio.sleep(claude.poll_seconds)
    due = view["request_counts"]["succeeded"]
    results: dict[str, dict[str, Any]] = {}
    for _ in range(MAX_FETCHES):
        content = await _fetch_results(claude, view["results_url"])
        if isinstance(content, NoReply):
            return content
        results = _parse_results(content, set(submission.keys)) | results
        # An empty or cut file is no error to HTTP: the batch's own count says what is missing.
        if sum(result["type"] == "succeeded" for result in results.values()) >= due:
            break
        await asyncio.sleep(min(1.0, claude.poll_seconds))
    else:
        num_here = sum(result["type"] == "succeeded" for result in results.values())
        if not results or num_here < due:
            log.warning("%s: %d of %d results can be read", batch_id, num_here, due)
            for key, result in results.items():
                _keep_result(key, result, batch_id, keep)
            return NoReply(
                "batch_unfinished", f"{batch_id}: only {num_here} of {due} paid results can be read; they are fetched again next time"
            )
    problems: dict[str, NoReply] = {}
    for key in submission.keys:
        result = results.get(key, {"type": "missing"})
        if not _keep_result(key, result, batch_id, keep):
            inner = result.get("error", {}).get("error", {})
            cause = "rejected_request" if inner.get("type") == "invalid_request_error" else "batch_unfinished"
            problems[key] = NoReply(cause, f"{result['type']} in {batch_id}")
    journal.close(submission, "collected")
    log.info("%s: %d replies, %d without", batch_id, len(submission.keys) - len(problems), len(problems))
    return problems


def _keep_result(key: str, result: dict[str, Any], batch_id: str, keep: Callable[[str, bytes, str], None]) -> bool:
    if result["type"] != "succeeded":
        return False
    keep(key, json.dumps(result.get("message")).encode("ascii"), batch_id)
    return True


def ask_in_batches(
    key: str,
    limits: Limits,
    items: Sequence[str],
    *,
    api_version: str,
    journal_path: Path,
    next_request: Callable[[str], dict[str, Any] | None],
    keep: Callable[[str, bytes, str], None],
    leave_below: int,
) -> tuple[dict[str, NoReply], str | None]:
    """Collect what earlier runs submitted, then submit and collect until fewer than `leave_below` items are open.

    `keep` must ignore a reply that it has already. Returns why items got no reply, and the reason if the run stopped early:
    then a batch may still be open, and asking for its items in another way would pay twice.
    """

    async def run() -> tuple[dict[str, NoReply], str | None]:
        journal = Journal(journal_path)
        problems: dict[str, NoReply] = {}
        num_fruitless = 0
        async with Claude(key, limits, api_version) as claude:
            while True:
                for submission in journal.open_ones():
                    found = True if submission.batch else await _adopt(claude, journal, submission)
                    if isinstance(found, NoReply):
                        return dict.fromkeys(items, found), f"{found.cause}: {found.detail}"
                    if not found:
                        journal.close(submission, "lost")
                        continue
                    outcome = await _collect(claude, journal, submission, keep)
                    if isinstance(outcome, NoReply):
                        return dict.fromkeys(submission.keys, outcome), f"{outcome.detail}; run the stage again"
                    num_fruitless = num_fruitless + 1 if len(outcome) == len(submission.keys) else 0
                    problems = {**problems, **outcome}
                requests: dict[str, dict[str, Any]] = {}
                over_budget: str | None = None
                for item in items:
                    if problems.get(item, NoReply("", "")).cause == "rejected_request" or len(requests) == MAX_REQUESTS:
                        continue
                    try:
                        request = next_request(item)
                    except JudgeStopped as stop:
                        over_budget = str(stop)
                        break
                    if request is not None:
                        requests[item] = request
                if not requests:
                    return problems, over_budget
                if len(requests) < leave_below and not over_budget:
                    return problems, None
                if num_fruitless >= MAX_ROUNDS_WITHOUT_REPLY:
                    return problems, f"{num_fruitless} batches in a row ended without a reply"
                problem = await _submit(claude, journal, requests)
                if problem is not None:
                    return {**problems, **dict.fromkeys(requests, problem)}, None

    try:
        return asyncio.run(run())
    except JudgeStopped as stop:
        return {}, str(stop)
