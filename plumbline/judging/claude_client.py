"""Make one call to Claude through the Anthropic SDK, with our own limits. Touches the network, the environment and the clock.

The SDK obeys any Retry-After (49 days, measured), and its timeout is per read. So here it retries nothing, and every wait,
every attempt and every item has a limit. The model is never switched.
"""

import asyncio
import logging
import os
import random
import ssl
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anthropic
import httpx2

from plumbline.judging.causes import JudgeCause
from plumbline.judging.claude_errors import classify, wait_asked_for
from plumbline.judging.claude_key import redacted
from plumbline.judging.claude_limits import MAX_SLEEP_SECONDS, Limits
from plumbline.judging.no_reply import NoReply


def trusted_certificates() -> ssl.SSLContext:
    """The certificates to trust, read once (25 ms) for any number of clients. The environment has no effect."""
    return httpx2.create_ssl_context(trust_env=False)


class Claude:
    """One client for one event loop. Use it as an async context manager."""

    def __init__(self, key: str, limits: Limits, api_version: str, trusted: ssl.SSLContext) -> None:
        """Build the client without profiles, proxies and redirects."""
        for name in ("anthropic", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)  # at DEBUG they print prompts and headers
        self._key = key
        self._limits = limits
        self.poll_seconds = limits.poll_seconds
        self.base_url = os.environ.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com"
        # A redirect would post the prompt to another host, and a proxy variable would send it through another host.
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
        """Post one message. Return the unchanged body (of any status-200 response) with its request id.

        The SDK does not parse the body: it would raise on rubbish and lose a paid reply.
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
        """The body without our key, so that it may be stored even if the server echoes the key."""
        return body.replace(self._key.encode("ascii"), b"sk-ant-[redacted]")

    async def persist(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Try a call within its limits. JudgeStopped if no call of this run can succeed."""
        limits = self._limits
        deadline = time.monotonic() + limits.deadline_seconds
        problem = NoReply(JudgeCause.TIMED_OUT, "no time left")
        for number in range(limits.max_tries):
            asked_to_wait: float | None = None
            try:
                # The SDK's timeout is per read: a server that sends bytes slowly would hold us forever.
                async with asyncio.timeout(min(deadline - time.monotonic(), max(limits.deadline_seconds / 2, 1.0))):
                    return await call()
            except TimeoutError:
                problem = NoReply(JudgeCause.TIMED_OUT, "no complete reply in time")
            except anthropic.APITimeoutError:
                problem = NoReply(JudgeCause.TIMED_OUT, "no bytes in time")
            except anthropic.APIStatusError as error:
                problem, is_final = classify(error)
                if is_final:
                    return problem
                asked_to_wait = wait_asked_for(error.response.headers, now=time.time())
            except (anthropic.APIConnectionError, httpx2.HTTPError) as error:
                problem = NoReply(JudgeCause.CONNECTION_FAILED, type(error).__name__)
            wait = random.uniform(0, min(limits.backoff_seconds * 2**number, 8.0)) if asked_to_wait is None else asked_to_wait
            wait = min(wait, MAX_SLEEP_SECONDS)
            if number + 1 == limits.max_tries or time.monotonic() + wait >= deadline:
                break
            await asyncio.sleep(wait)
        return problem
