"""Ask Claude through Message Batches: half the price, up to 24 hours each, resumable at any time. Touches the network and the clock.

All batches are submitted before the stage waits for the first: ten of them one after another could take ten days.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from plumbline.judging.batch_collection import Keep, collect, look
from plumbline.judging.batch_journal import BatchEvent, Journal, Submission
from plumbline.judging.batch_submission import TOO_LARGE, Chunk, encode_request, resolve, submit
from plumbline.judging.causes import JudgeCause
from plumbline.judging.claude_client import Claude, trusted_certificates
from plumbline.judging.claude_limits import Limits
from plumbline.judging.no_reply import JudgeStopped, NoReply
from plumbline.number_text import size_text

log = logging.getLogger("judge")

MAX_WAIT_SECONDS = 26 * 3600.0
"""A batch ends within 24 hours, with results or by expiry."""
MAX_FAILED_LOOKS = 10
"""Failed looks in a row, each with all its tries: half an hour without the API ends the run."""
MAX_BATCHES_WITHOUT_REPLY = 3

NextRequest = Callable[[str], dict[str, Any] | None]
"""Item -> what to ask about it; None if there is nothing to ask. JudgeStopped if the budget has no room."""


class _Asking:
    """One run: what is in flight, and why items got no reply."""

    def __init__(self, claude: Claude, journal: Journal, limits: Limits, keep: Keep, items: Sequence[str]) -> None:
        self.claude, self.journal, self.limits, self.keep, self.items = claude, journal, limits, keep, items
        self.problems: dict[str, NoReply] = {}
        self.num_in_a_row_without_reply = 0
        self.max_bytes = limits.batch_bytes
        self.first_looks: dict[str, float] = {}

    def in_flight(self) -> list[Submission]:
        """Batches with results that are not yet in the store."""
        return [one for one in self.journal.open_ones() if one.batch is not None]

    async def look_at(self, submission: Submission) -> bool | NoReply:
        """Collect a batch if it has ended, and return whether it has."""
        assert submission.batch is not None, "only a batch with an id can be looked at"
        view = await look(self.claude, submission.batch)
        if isinstance(view, NoReply):
            return view
        since = self.first_looks.setdefault(submission.name, time.monotonic())
        if view["processing_status"] == "gone":
            log.warning("the API no longer keeps %s; its %d items will be asked again", submission.batch, len(submission.keys))
            self.journal.close(submission, BatchEvent.LOST)
            return True
        if view["processing_status"] != "ended":
            if time.monotonic() - since > MAX_WAIT_SECONDS:
                raise JudgeStopped(f"{submission.batch} has not ended after {MAX_WAIT_SECONDS / 3600:.0f} hours. Run the stage again.")
            return False
        found = await collect(self.claude, self.journal, submission, view, self.keep)
        if found is not None:
            for key in found.here:
                self.problems.pop(key, None)
            self.problems |= found.without
            self.num_in_a_row_without_reply = 0 if found.here else self.num_in_a_row_without_reply + 1
        return True

    async def wait_for_one(self) -> None:
        """Return when at least one batch in flight has ended and its replies are in the store. JudgeStopped if going on is pointless."""
        num_failed = 0
        while True:
            ended = []
            for submission in self.in_flight():
                has_ended = await self.look_at(submission)
                if isinstance(has_ended, NoReply):
                    num_failed += 1
                    log.warning("cannot look at %s: %s, %s", submission.batch, has_ended.cause, has_ended.detail)
                    if num_failed == MAX_FAILED_LOOKS:
                        raise JudgeStopped(f"{has_ended.cause}: {has_ended.detail}. Run the stage again: it collects what was submitted.")
                    break
                num_failed = 0
                ended.append(has_ended)
            if any(ended):
                break
            await asyncio.sleep(self.claude.poll_seconds)
        if self.num_in_a_row_without_reply >= MAX_BATCHES_WITHOUT_REPLY:
            raise JudgeStopped(f"{self.num_in_a_row_without_reply} batches in a row ended without a reply. Run the stage again later.")
        rejected = [one for one in self.problems.values() if one.cause is JudgeCause.REJECTED_REQUEST]
        if len(rejected) >= 3 and len(rejected) > 0.01 * len(self.items):
            raise JudgeStopped(
                f"the API rejected {len(rejected)} of {len(self.items)} requests as malformed. The last one: {rejected[-1].detail}"
            )

    async def wait_for_all(self) -> bool:
        """Return when nothing is in flight, and whether anything was."""
        if waiting := self.in_flight():
            log.info(
                "%d batches with %d items in progress; each ends within 24 hours. You may stop the stage and run it again, nothing is paid twice",
                len(waiting),
                sum(len(one.keys) for one in waiting),
            )
        while self.in_flight():
            await self.wait_for_one()
            await resolve(self.claude, self.journal)  # if a batch turned out to belong to another run
        return bool(waiting)

    def fill(self, chunk: Chunk, position: int, next_request: NextRequest, *, max_requests: int) -> tuple[int, str | None]:
        """Add requests for items from `position` on until the batch is full. Returns how far it came, and the reason if over the budget."""
        pending = {key for one in self.journal.open_ones() for key in one.keys}
        while position < len(self.items):
            item = self.items[position]
            is_final = item in self.problems and self.problems[item].cause is JudgeCause.REJECTED_REQUEST
            if item not in pending and not is_final:
                if len(chunk.keys) >= max_requests:
                    break
                try:
                    request = next_request(item)
                except JudgeStopped as over:
                    return position, str(over)
                if request is not None:
                    encoded = encode_request(item, request)
                    if chunk.keys and chunk.num_bytes + 1 + len(encoded) > self.max_bytes:
                        break
                    chunk.add(item, encoded)
            position += 1
        return position, None

    async def send(self, chunk: Chunk) -> None:
        """Submit a chunk: in halves if it is too large, later if the API takes no more for now."""
        while (problem := await submit(self.claude, self.journal, self.limits, chunk)) is not None:
            if problem is TOO_LARGE and len(chunk.keys) == 1:
                self.problems[chunk.keys[0]] = problem
                return
            if problem is TOO_LARGE:
                log.warning("the API refuses a batch of %s as too large; sending halves", size_text(chunk.num_bytes))
                self.max_bytes = chunk.num_bytes // 2
                for half in chunk.halves():
                    await self.send(half)
                return
            if not self.in_flight():
                raise JudgeStopped(f"no batch can be created: {problem.cause}, {problem.detail}. Run the stage again.")
            log.info("no further batch for now (%s); trying again when one has ended", problem.cause)
            await self.wait_for_one()
            tried = [one for one in self.journal.open_ones() if one.batch is None and one.keys == chunk.keys]
            await resolve(self.claude, self.journal)
            if any(one.batch for one in tried):
                return  # it was created after all

    async def submit_all(self, next_request: NextRequest, *, leave_below: int, max_requests: int, num_batches: int | None = None) -> bool:
        """Submit requests for all items that need one, and return whether there were any.

        If the budget is used up, it waits for calls in flight, which mostly cost less than their limit. JudgeStopped if there are none.
        """
        position, num_sent = 0, 0
        while num_sent != num_batches:
            chunk = Chunk()
            while True:
                position, over_budget = self.fill(chunk, position, next_request, max_requests=max_requests)
                if over_budget is None or len(chunk.keys) >= leave_below or not self.in_flight():
                    break
                await self.wait_for_one()
            if over_budget and not chunk.keys:
                raise JudgeStopped(over_budget)
            is_rest = position == len(self.items) and len(chunk.keys) < leave_below
            if not chunk.keys or (is_rest and not over_budget):
                break
            await self.send(chunk)
            num_sent += 1
        return num_sent > 0


def ask_in_batches(
    key: str,
    limits: Limits,
    items: Sequence[str],
    *,
    api_version: str,
    journal_path: Path,
    next_request: NextRequest,
    keep: Keep,
    leave_below: int | None,
    trial: int,
    after_trial: Callable[[], None],
) -> tuple[dict[str, NoReply], str | None]:
    """Collect what earlier runs submitted, then submit and collect until fewer than `leave_below` items are open. None: submit nothing.

    If `trial` is above 0, a first batch of that many requests is awaited alone, and then `after_trial` is called. JudgeStopped from
    it, or from `next_request`, ends the asking. Returns why items got no reply, and the reason if the run stopped early. Then a
    batch may still be open: asking for its items in another way would pay twice.
    """
    journal = Journal(journal_path)
    if leave_below is None and not any(journal.open_ones()):
        return {}, None

    async def run() -> tuple[dict[str, NoReply], str | None]:
        async with Claude(key, limits, api_version, trusted_certificates()) as claude:
            asking = _Asking(claude, journal, limits, keep, items)
            try:
                await resolve(claude, journal)
                # First the batches that are already in flight: no budget holds their cost yet.
                collected_some = await asking.wait_for_all()
                if leave_below is not None and trial:
                    if not collected_some:
                        await asking.submit_all(next_request, leave_below=leave_below, max_requests=trial, num_batches=1)
                        await asking.wait_for_all()
                    after_trial()
                while leave_below is not None and await asking.submit_all(
                    next_request, leave_below=leave_below, max_requests=limits.batch_requests
                ):
                    await asking.wait_for_all()
                return asking.problems, None
            except JudgeStopped as stop:
                unfinished = NoReply(JudgeCause.BATCH_UNFINISHED, "its batch is still open")
                return asking.problems | {key: unfinished for one in journal.open_ones() for key in one.keys}, str(stop)

    return asyncio.run(run())
