"""Ask a model about many items at once, each in a separate call. Touches the network, the environment and the clock."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from plumbline.judging.causes import JudgeCause
from plumbline.judging.claude_client import trusted_certificates
from plumbline.judging.claude_limits import Limits
from plumbline.judging.no_reply import JudgeStopped, NoReply

log = logging.getLogger("judge")


class Client(Protocol):
    """Makes one call, to any kind of server."""

    async def create(self, request: Mapping[str, Any]) -> tuple[bytes, str | None] | NoReply:
        """Post one request. Return the unchanged body with its request id, or why there is none."""
        ...


async def _ask_item(
    client: Client, key: str, next_request: Callable[[str], dict[str, Any] | None], keep: Callable[[str, bytes, str | None], None]
) -> NoReply | None:
    while (request := next_request(key)) is not None:
        outcome = await client.create(request)
        if isinstance(outcome, NoReply):
            return outcome
        # In a thread: the sync to disk (4 ms) must not hold up the other calls.
        await asyncio.to_thread(keep, key, *outcome)
    return None


def ask_directly(
    open_client: Callable[[ssl.SSLContext], AbstractAsyncContextManager[Client]],
    limits: Limits,
    items: Iterable[str],
    *,
    next_request: Callable[[str], dict[str, Any] | None],
    keep: Callable[[str, bytes, str | None], None],
    settled: Callable[[], object],
) -> tuple[dict[str, NoReply], str | None]:
    """Ask about every item until `next_request` has no further request for it, `limits.concurrency` at a time.

    `keep` gets each reply before anything else happens to it; `settled` is called once per finished item. Returns why items
    got no reply, and the reason if the run stopped early. Then the items that were not reached are not listed.
    """

    async def run() -> tuple[dict[str, NoReply], str | None]:
        problems: dict[str, NoReply] = {}
        queue = list(items)
        num_items = len(queue)
        queue.reverse()
        stopped: str | None = None
        failures_in_a_row = 0

        async def work_with(trusted: ssl.SSLContext) -> None:
            # One client each: a shared client checks every connection at each call, and above 20 it closes them after each reply.
            async with open_client(trusted) as client:
                await work(client)

        async def work(client: Client) -> None:
            nonlocal stopped, failures_in_a_row
            while queue and stopped is None:
                item = queue.pop()
                try:
                    problem = await _ask_item(client, item, next_request, keep)
                except JudgeStopped as stop:
                    stopped = stopped or str(stop)
                    return
                settled()
                if problem is None:
                    failures_in_a_row = 0
                    continue
                problems[item] = problem
                log.warning("no reply (%s): %s", problem.cause, problem.detail)
                failures_in_a_row += 1
                num_rejected = sum(one.cause is JudgeCause.REJECTED_REQUEST for one in problems.values())
                if num_rejected >= 3 and num_rejected > 0.01 * num_items:
                    stopped = (
                        stopped or f"the API rejected {num_rejected} of {num_items} requests as malformed. The last one: {problem.detail}"
                    )
                elif failures_in_a_row >= max(5, 2 * limits.concurrency):
                    stopped = stopped or f"{failures_in_a_row} items in a row got no reply. The last one: {problem.cause}, {problem.detail}"

        trusted = trusted_certificates()
        await asyncio.gather(*(work_with(trusted) for _ in range(min(limits.concurrency, num_items))))
        return problems, stopped

    return asyncio.run(run())
