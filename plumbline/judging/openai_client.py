"""Make one call to a server with OpenAI's chat completions (vLLM, llama.cpp, ...). Touches the network, the environment and the clock."""

import asyncio
import json
import logging
import os
import random
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from plumbline.judging.causes import JudgeCause
from plumbline.judging.claude_limits import MAX_SLEEP_SECONDS, Limits
from plumbline.judging.no_reply import JudgeStopped, NoReply

KEY_PATTERN = re.compile(r"[\x21-\x7e]{8,}", re.ASCII)
REDACTED = "[redacted]"
SHOWN_CHARACTERS = 300
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Endpoint:
    """The names for a server in the environment and in params.yaml."""

    section: str
    url_name: str
    key_name: str
    without: str
    """What to do without a server."""


FIRST = Endpoint("judge", "PLUMBLINE_JUDGE_URL", "PLUMBLINE_JUDGE_KEY", "judge without a model: `dvc exp run -S judge.backend=key_points`")
SECOND = Endpoint(
    "judge.second",
    "PLUMBLINE_SECOND_JUDGE_URL",
    "PLUMBLINE_SECOND_JUDGE_KEY",
    "do without a second judge: `dvc exp run -S judge.second=null`",
)


def server_from_environment(endpoint: Endpoint = FIRST) -> tuple[str, str | None]:
    """The address, with /v1 at its end, and the key if there is one. JudgeStopped says what is missing or unsafe."""
    url, key = os.environ.get(endpoint.url_name, "").strip().rstrip("/"), os.environ.get(endpoint.key_name, "").strip() or None
    if not url:
        raise JudgeStopped(
            f"{endpoint.section}.backend is openai_compatible, but {endpoint.url_name} is not set. Set it to the server's address, such as "
            f"http://127.0.0.1:8000/v1, or {endpoint.without}."
        )
    if (problem := why_unsafe(url, key, url_name=endpoint.url_name, key_name=endpoint.key_name)) is not None:
        raise JudgeStopped(problem)
    return url, key


def why_unsafe(url: str, key: str | None, *, url_name: str, key_name: str) -> str | None:
    """Why a key must not be sent to an address, or why it is not an address. None if all is well. Shows neither the key nor a password."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"{url_name} is not an address. Set it to one such as http://127.0.0.1:8000/v1."
    if parts.username or parts.password or parts.query:
        return f"{url_name} holds more than an address. Put the key into {key_name}. The value is not shown here."
    if key is not None and not KEY_PATTERN.fullmatch(key):
        return f"{key_name} does not look like a key. Set it to one line of 8 characters or more, no blanks. Its value is not shown."
    if key is not None and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return f"{key_name} would be sent to {parts.hostname} without encryption. Use https, or unset the key if the server needs none."
    return None


class ChatServer:
    """One client for one event loop. Use it as an async context manager."""

    def __init__(self, url: str, key: str | None, limits: Limits, trusted: ssl.SSLContext, *, endpoint: Endpoint = FIRST) -> None:
        """Build the client without profiles, proxies and redirects: a redirect would post the prompt to another host."""
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)  # at DEBUG they may print prompts and headers
        self._url, self._key, self._limits, self._endpoint = url, key, limits, endpoint
        self._http = httpx2.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(limits.deadline_seconds, connect=10.0),
            verify=trusted,
            headers={} if key is None else {"Authorization": f"Bearer {key}"},
        )

    async def __aenter__(self) -> "ChatServer":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def without_key(self, text: str) -> str:
        """The text without our key, so that it may be shown or stored even if the server echoes the key."""
        return text if self._key is None else text.replace(self._key, REDACTED)

    async def create(self, request: Mapping[str, Any]) -> tuple[bytes, str | None] | NoReply:
        """Post one conversation. Return the unchanged body (of any status-200 response) with its request id."""
        limits, problem = self._limits, NoReply(JudgeCause.TIMED_OUT, "no time left")
        deadline = time.monotonic() + limits.deadline_seconds
        for number in range(limits.max_tries):
            try:
                # The timeout of a read starts again with each byte: a server that sends them slowly would hold us forever.
                async with asyncio.timeout(max(deadline - time.monotonic(), 0.1)):
                    response = await self._http.post(f"{self._url}/chat/completions", content=json.dumps(request), headers=JSON)
                if response.status_code == 200:
                    found = response.headers.get("x-request-id")
                    body = response.content
                    return body if self._key is None else body.replace(self._key.encode(), REDACTED.encode()), found and self.without_key(
                        found
                    )
                problem, is_final = self._classified(response.status_code, response.text)
                if is_final:
                    return problem
            except (TimeoutError, httpx2.TimeoutException):
                problem = NoReply(JudgeCause.TIMED_OUT, "no complete reply in time")
            except httpx2.HTTPError as error:
                problem = NoReply(JudgeCause.CONNECTION_FAILED, f"{type(error).__name__} at {self._url}")
            wait = min(random.uniform(0, min(limits.backoff_seconds * 2**number, 8.0)), MAX_SLEEP_SECONDS)
            if number + 1 == limits.max_tries or time.monotonic() + wait >= deadline:
                break
            await asyncio.sleep(wait)
        return problem

    def _classified(self, status: int, text: str) -> tuple[NoReply, bool]:
        """The problem, and whether more tries of this item are pointless. JudgeStopped if they are pointless for every item."""
        # Remove the key first, then cut: otherwise a part of a key at the cut would remain.
        said = f"status {status} {self.without_key(text)[:SHOWN_CHARACTERS]}".strip()
        if (remedy := remedies(self._endpoint).get(status)) is not None:
            raise JudgeStopped(f"the server refuses every call: {said}. {remedy}.")
        if 300 <= status < 400:
            raise JudgeStopped(f"the server answers with a redirect ({said}), which is not followed. Correct {self._endpoint.url_name}.")
        if status == 429:
            return NoReply(JudgeCause.RATE_LIMITED, said), False
        if status >= 500 or status in (408, 409, 425):
            return NoReply(JudgeCause.SERVER_ERROR, said), False
        return NoReply(JudgeCause.REJECTED_REQUEST, said), True


JSON = {"Content-Type": "application/json"}


def remedies(endpoint: Endpoint) -> dict[int, str]:
    """Status that stops every item -> what to do."""
    return {
        401: f"Check {endpoint.key_name}",
        402: "Check the account's credit",
        403: f"Check {endpoint.key_name}: it may not use this model",
        404: f"Check {endpoint.section}.model, and that {endpoint.url_name} ends with /v1",
    }
