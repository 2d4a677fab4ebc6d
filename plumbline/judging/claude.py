"""Ask Claude, through the Anthropic SDK, with our own bounds: touches the network, the environment and the clock.

The SDK obeys any Retry-After (49 days, measured) and times out per read only: so it retries nothing, and every wait,
every attempt and every item has a limit here. The model is never switched.
"""

import asyncio
import email.utils
import logging
import os
import random
import re
import ssl
import time
import warnings
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2

log = logging.getLogger("judge")

KEY_VARIABLE = "ANTHROPIC_API_KEY"
KEY_PATTERN = re.compile(r"sk-ant-[\w.\-]+", re.ASCII)
MAX_SLEEP_SECONDS = 120.0


class JudgeStopped(Exception):
    """No further call can help in this run: the message says why and what to do."""


@dataclass(frozen=True)
class NoReply:
    """One item got no reply in this run."""

    cause: str
    """A value of JudgeCause."""
    detail: str


@dataclass(frozen=True)
class Limits:
    """How hard to try. None of it changes a result, so all of it is environment."""

    concurrency: int
    max_tries: int
    """Tries of one call against failures of network and server."""
    deadline_seconds: float
    """For all tries of one call together, waits included."""
    backoff_seconds: float
    """Upper bound of the first wait; doubles per try, to 8 s at most unless the server asks for more."""
    poll_seconds: float
    """Between two looks at a batch."""
    batch_requests: int
    """Per batch. The API takes 100,000; smaller ones lose less when one expires."""
    batch_bytes: int
    """Per batch, and so of memory. The API takes 256 MB."""


def limits_from_environment() -> Limits:
    """Read PLUMBLINE_JUDGE_*; ValueError names a variable that is no positive number."""

    def positive(name: str, default: float) -> float:
        text = os.environ.get(name, "")
        try:
            value = float(text) if text else default
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf"):
            raise ValueError(f"{name}={text!r}: give a positive number, or unset it for {default:g}.")
        return value

    return Limits(
        concurrency=max(1, int(positive("PLUMBLINE_JUDGE_CONCURRENCY", 8))),
        max_tries=max(1, int(positive("PLUMBLINE_JUDGE_MAX_TRIES", 5))),
        deadline_seconds=positive("PLUMBLINE_JUDGE_DEADLINE_SECONDS", 180),
        backoff_seconds=positive("PLUMBLINE_JUDGE_BACKOFF_SECONDS", 0.5),
        poll_seconds=min(positive("PLUMBLINE_JUDGE_POLL_SECONDS", 30), MAX_SLEEP_SECONDS),
        batch_requests=max(1, min(int(positive("PLUMBLINE_JUDGE_BATCH_REQUESTS", 10_000)), 100_000)),
        batch_bytes=int(1e6 * min(positive("PLUMBLINE_JUDGE_BATCH_MEGABYTES", 64), 256)),
    )


def api_key() -> str:
    """Return the key from the environment, checked before it is used: the SDK reports a bad one as "Connection error"."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise JudgeStopped(
            f"judge.backend is claude, but {KEY_VARIABLE} is not set. Set it, or judge without a model: "
            "`dvc exp run -S judge.backend=key_points` (deterministic rubric, needs key points), or "
            "`-S judge.backend=none` (explanations stay unjudged, their scores null)."
        )
    if not KEY_PATTERN.fullmatch(key):
        raise JudgeStopped(f"{KEY_VARIABLE} does not look like a key (sk-ant-..., one line, no blanks); its value is not shown here.")
    return key


def redacted(text: str) -> str:
    """Take anything like a key out of a text that may be shown or stored."""
    return KEY_PATTERN.sub("sk-ant-[redacted]", text)


def trusted_certificates() -> ssl.SSLContext:
    """The certificates to trust, read once (25 ms) for any number of clients; nothing is taken from the environment."""
    return httpx2.create_ssl_context(trust_env=False)


class Claude:
    """One client for one event loop; use as an async context manager."""

    def __init__(self, key: str, limits: Limits, api_version: str, trusted: ssl.SSLContext) -> None:
        """Build the client with nothing taken from profiles, proxies or redirects."""
        for name in ("anthropic", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)  # at DEBUG they print prompts and headers
        self._key = key
        self._limits = limits
        self.poll_seconds = limits.poll_seconds
        self.base_url = os.environ.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com"
        # A redirect would post the prompt to another host, a proxy variable would send it through one.
        self._http = httpx2.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=httpx2.Timeout(limits.deadline_seconds, connect=10.0), verify=trusted
        )
        self.client = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=self.base_url,
            max_retries=0,
            http_client=self._http,
            default_headers={"anthropic-version": api_version, "Authorization": f"Bearer {key}"},
        )

    async def __aenter__(self) -> "Claude":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def create(self, request: Mapping[str, Any]) -> tuple[bytes, str | None] | NoReply:
        """Post one message; return the body as it came (status 200, whatever is in it) with its request id.

        The body is not parsed by the SDK, which would raise on rubbish and lose a paid reply.
        """

        async def post() -> tuple[bytes, str | None]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # the stage names a model's end of life itself
                response = await self.client.messages.with_raw_response.create(**request)
            return response.http_response.content, response.headers.get("request-id")

        outcome = await self.persist(post)
        if isinstance(outcome, NoReply):
            return outcome
        body, request_id = outcome
        return self.without_key(body), request_id and redacted(request_id)

    def without_key(self, body: bytes) -> bytes:
        """A body as it may be stored, whatever the server echoes."""
        return body.replace(self._key.encode("ascii"), b"sk-ant-[redacted]")

    async def persist(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Try a call within its limits. JudgeStopped where no call of this run can succeed."""
        limits = self._limits
        deadline = time.monotonic() + limits.deadline_seconds
        problem = NoReply("timed_out", "no time left")
        for number in range(limits.max_tries):
            asked_to_wait: float | None = None
            try:
                # The SDK's timeout is per read: a server that drips bytes would hold us for ever.
                async with asyncio.timeout(min(deadline - time.monotonic(), max(limits.deadline_seconds / 2, 1.0))):
                    return await call()
            except TimeoutError:
                problem = NoReply("timed_out", "no complete reply in time")
            except anthropic.APITimeoutError:
                problem = NoReply("timed_out", "no bytes in time")
            except anthropic.APIStatusError as error:
                problem, is_final = classify(error)
                if is_final:
                    return problem
                asked_to_wait = wait_asked_for(error.response.headers, now=time.time())
            except (anthropic.APIConnectionError, httpx2.HTTPError) as error:
                problem = NoReply("connection_failed", type(error).__name__)
            wait = random.uniform(0, min(limits.backoff_seconds * 2**number, 8.0)) if asked_to_wait is None else asked_to_wait
            wait = min(wait, MAX_SLEEP_SECONDS)
            if number + 1 == limits.max_tries or time.monotonic() + wait >= deadline:
                break
            await asyncio.sleep(wait)
        return problem


def wait_asked_for(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that a Retry-After asks for, of any size; None where it says nothing usable."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            seconds = float(text) / unit
        except ValueError:
            date = email.utils.parsedate_tz(text)
            if date is None:
                continue
            seconds = email.utils.mktime_tz(date) - now
        if seconds > 0:  # also drops NaN
            return seconds
    return None


def classify(error: anthropic.APIStatusError) -> tuple[NoReply, bool]:
    """Return the problem and whether this item can be tried no further. JudgeStopped where no item can."""
    status = error.status_code
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error")
    inner = inner if isinstance(inner, dict) else {}
    kind = str(inner.get("type", ""))
    text = str(inner.get("message", ""))[:300]
    said = redacted(f"status {status} {kind} {text}".strip())
    lowered = f"{kind} {text}".lower() + str(error.body).lower()[:2000]
    if "spend_limit" in lowered or status in (401, 402, 403, 404):
        remedy = {
            401: f"check {KEY_VARIABLE}",
            402: "check the account's credit",
            403: "the key may not use this model",
            404: "check judge.model",
        }
        raise JudgeStopped(
            f"the API refuses every call: {said}; {remedy.get(status, 'raise the spend limit or wait for its reset')}."
        ) from None
    if 300 <= status < 400:
        raise JudgeStopped(f"the API answers with a redirect ({said}), which is not followed; check ANTHROPIC_BASE_URL.") from None
    if "overloaded" in lowered or status == 529:
        return NoReply("overloaded", said), False
    if status == 429:
        return NoReply("rate_limited", said), False
    if status == 408:
        return NoReply("timed_out", said), False
    if status >= 500 or status in (409, 425, 499) or "unexpected end of data" in lowered:  # the last: cut on its way to the API
        return NoReply("server_error", said), False
    return NoReply("rejected_request", said), True


async def _ask_item(
    claude: Claude, key: str, next_request: Callable[[str], dict[str, Any] | None], keep: Callable[[str, bytes, str | None], None]
) -> NoReply | None:
    while (request := next_request(key)) is not None:
        outcome = await claude.create(request)
        if isinstance(outcome, NoReply):
            return outcome
        # In a thread: the sync to disk (4 ms) must not hold up the other calls.
        await asyncio.to_thread(keep, key, *outcome)
    return None


def ask_directly(
    key: str,
    limits: Limits,
    items: Iterable[str],
    *,
    api_version: str,
    next_request: Callable[[str], dict[str, Any] | None],
    keep: Callable[[str, bytes, str | None], None],
    settled: Callable[[], object],
) -> tuple[dict[str, NoReply], str | None]:
    """Ask for every item until `next_request` has no further request for it, `limits.concurrency` at a time.

    `keep` is called with each reply before anything else happens to it; `settled` once per finished item. Returns why items
    got no reply, and the reason if the run stopped early (then the items not reached are not listed).
    """

    async def run() -> tuple[dict[str, NoReply], str | None]:
        problems: dict[str, NoReply] = {}
        queue = list(items)
        num_items = len(queue)
        queue.reverse()
        stopped: str | None = None
        failures_in_a_row = 0

        async def work_with(trusted: ssl.SSLContext) -> None:
            # A client each: one for all looks at every connection at each call, and at over 20 it closes them after each reply.
            async with Claude(key, limits, api_version, trusted) as claude:
                await work(claude)

        async def work(claude: Claude) -> None:
            nonlocal stopped, failures_in_a_row
            while queue and stopped is None:
                item = queue.pop()
                try:
                    problem = await _ask_item(claude, item, next_request, keep)
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
                num_rejected = sum(one.cause == "rejected_request" for one in problems.values())
                if num_rejected >= 3 and num_rejected > 0.01 * num_items:
                    stopped = stopped or f"the API rejected {num_rejected} of {num_items} requests as malformed; the last: {problem.detail}"
                elif failures_in_a_row >= max(5, 2 * limits.concurrency):
                    stopped = stopped or f"{failures_in_a_row} items in a row got no reply; the last: {problem.cause}, {problem.detail}"

        trusted = trusted_certificates()
        await asyncio.gather(*(work_with(trusted) for _ in range(min(limits.concurrency, num_items))))
        return problems, stopped

    return asyncio.run(run())
