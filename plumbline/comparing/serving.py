"""Ask a server with OpenAI's chat completions the questions of the benchmark. Touches the network and the environment."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2

from plumbline.judging.openai_client import REDACTED, why_unsafe

KEY_VARIABLE = "PLUMBLINE_SERVE_KEY"
SECONDS = 300.0
"""For one answer."""
CONCURRENCY = 4
PAUSES = (1.0, 2.0, 4.0)
"""Seconds before a server that is busy for the moment is asked again."""
BUSY = (429, 502, 503, 504)
NUM_TRIED = 8
"""How many questions are asked first: if none of them has an answer, no more are asked."""
NOT_THIS_ONE = (400, 408, 413, 422, 500)
"""Statuses of a server that still answers other questions."""
MAX_SHOWN = 300
"""Characters of what a server said, in an error."""

Message = Mapping[str, str]


class CannotAsk(ValueError):
    """The server cannot be asked; the text says why and what to do."""

    status: int | None = None
    """What the server answered with, if it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server answered to one question."""

    text: str = ""
    has_thinking: bool = False
    """Whether the server took the thinking out of the text and sent it next to the text."""
    is_cut: bool = False
    num_prompt_tokens: int | None = None
    """As the server counts them; None if it does not say."""
    num_tokens: int | None = None
    """Of the answer, as the server counts them."""
    problem: str | None = None
    """What the server said instead of an answer; there is no text then."""


class Server:
    """One server, asked about one model. Use as a context manager."""

    def __init__(self, url: str, model: str | None, *, concurrency: int = CONCURRENCY) -> None:
        """Check the address and the name; if no model is named, take the only one."""
        self.url = url.rstrip("/")
        self._key = os.environ.get(KEY_VARIABLE, "").strip() or None
        if (problem := why_unsafe(self.url, self._key, url_name="URL", key_name=KEY_VARIABLE)) is not None:
            raise CannotAsk(problem)
        # No redirect and no proxy: neither prompt nor key goes anywhere else.
        headers = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        self._http = httpx2.Client(follow_redirects=False, trust_env=False, timeout=httpx2.Timeout(SECONDS, connect=10.0), headers=headers)
        self._concurrency = concurrency
        self.model = self._named(model)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def root(self) -> str:
        """The address without /v1, where each server has its own extras."""
        return self.url.removesuffix("/v1")

    def listed(self) -> list[dict[str, Any]]:
        """What the server says about its models, a row each. CannotAsk if it lists none."""
        content = self.sent("GET", f"{self.url}/models", None)
        rows = content.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
            raise CannotAsk(f"{self.url}/models lists no models: {self.shown(json.dumps(content))}. Name one with --model.")
        return rows

    def _named(self, model: str | None) -> str:
        """The model to ask. CannotAsk if several are served and none is named, or if none has the name: some servers would answer all the same."""
        try:
            names = [str(row["id"]) for row in self.listed()]
        except CannotAsk:
            if model is None:
                raise
            return model
        known = names + [alias for row in self.listed() for alias in row.get("aliases") or []]
        if model is None and len(names) != 1:
            raise CannotAsk(f"{self.url} serves {self.shown(', '.join(names)) or 'no model'}. Name one with --model.")
        if model is not None and names and model not in known and f"{model}:latest" not in known:
            raise CannotAsk(f"{self.url} serves {self.shown(', '.join(names))}, but no model {model}. Name one with --model.")
        return model or names[0]

    def shown(self, text: str) -> str:
        """The beginning of what a server said, without the key. The key is removed before the cut, so that no part of it is left."""
        if self._key is not None:
            for form in (self._key, json.dumps(self._key)[1:-1]):
                text = text.replace(form, REDACTED)
        return text[:MAX_SHOWN]

    def sent(self, method: str, address: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """The JSON object that comes back with status 200, asked again while the server is busy. CannotAsk for anything else."""
        try:
            response = self._http.request(method, address, json=body)
            for seconds in PAUSES if body is not None else ():
                if response.status_code not in BUSY:
                    break
                time.sleep(seconds)
                response = self._http.request(method, address, json=body)
        except httpx2.ReadTimeout:
            late = CannotAsk(f"{address} gives no answer in {SECONDS:.0f} s. Ask fewer at a time with --concurrency.")
            late.status = 408
            raise late from None
        except httpx2.HTTPError as error:
            raise CannotAsk(
                f"{address} does not answer ({type(error).__name__}): is the server up, and does the URL end with /v1?"
            ) from None
        if response.status_code != 200:
            raise self._refusal(address, response.status_code, response.text)
        try:
            content = response.json()
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise CannotAsk(f"{address} answers something that is not a JSON object: is this a server with OpenAI's chat completions?")
        return content

    def _refusal(self, address: str, status: int, text: str) -> CannotAsk:
        """The error for a server that answers with one: what it says, and what to do."""
        hint = {
            401: f"; set {KEY_VARIABLE}",
            403: f"; check {KEY_VARIABLE}",
            404: "; the URL must end with /v1, and --model must be served",
            429: "; ask fewer at a time with --concurrency",
            503: "; wait until it has loaded its model, or ask fewer at a time with --concurrency",
        }
        error = CannotAsk(f"{address} answers {status} {self.shown(text)}{hint.get(status, '')}.")
        error.status = status
        return error

    def answer(self, messages: Sequence[Message], *, max_tokens: int) -> Served:
        """Ask one question greedily. If the server cannot answer it, its words are in `problem`."""
        body = {"model": self.model, "messages": list(messages), "max_tokens": max_tokens, "temperature": 0}
        try:
            content = self.sent("POST", f"{self.url}/chat/completions", body)
        except CannotAsk as error:
            if error.status not in NOT_THIS_ONE:
                raise
            return Served(problem=str(error))
        try:
            choice = content["choices"][0]
            message = choice["message"]
            text = message["content"]
            is_cut = choice.get("finish_reason") == "length"
            thinking = message.get("reasoning_content") or message.get("reasoning")
        except (KeyError, IndexError, TypeError, AttributeError):
            raise CannotAsk(
                f"{self.url} answers without a choice: {self.shown(json.dumps(content))}. Is this a server with OpenAI's chat completions?"
            ) from None
        if text is not None and not isinstance(text, str):
            raise CannotAsk(f"{self.url} answers with a content that is not a text: {self.shown(json.dumps(text))}.")
        usage = content.get("usage")
        counts = [usage.get(name) if isinstance(usage, dict) else None for name in ("prompt_tokens", "completion_tokens")]
        num_prompt, num = (count if isinstance(count, int) else None for count in counts)
        return Served(text=(text or "").strip(), has_thinking=bool(thinking), is_cut=is_cut, num_prompt_tokens=num_prompt, num_tokens=num)

    def answers(self, asked: Sequence[Sequence[Message]], *, max_tokens: int) -> Iterator[Served]:
        """The same for many questions, in their order. CannotAsk if none of the first has an answer: then the cause is not one question."""
        with ThreadPoolExecutor(self._concurrency) as pool:
            first = list(pool.map(lambda messages: self.answer(messages, max_tokens=max_tokens), asked[:NUM_TRIED]))
            if first and all(one.problem is not None for one in first):
                raise CannotAsk(first[0].problem)
            yield from first
            yield from pool.map(lambda messages: self.answer(messages, max_tokens=max_tokens), asked[NUM_TRIED:])
