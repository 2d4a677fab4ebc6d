"""Ask a server with OpenAI's chat completions the questions of the benchmark. Touches the network and the environment."""

import json
import os
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
MAX_SHOWN = 300
"""Characters of what a server said, in an error."""

Message = Mapping[str, str]


class CannotAsk(ValueError):
    """The server cannot be asked; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a server answered to one question."""

    text: str
    is_cut: bool
    num_prompt_tokens: int | None
    """As the server counts them; None where it does not say."""


class Server:
    """One server, asked about one model. Use as a context manager."""

    def __init__(self, url: str, model: str | None) -> None:
        """Check the address, and take the only model where none is named."""
        self.url = url.rstrip("/")
        self._key = os.environ.get(KEY_VARIABLE, "").strip() or None
        if (problem := why_unsafe(self.url, self._key, url_name="URL", key_name=KEY_VARIABLE)) is not None:
            raise CannotAsk(problem)
        # No redirect and no proxy: neither prompt nor key goes anywhere else.
        headers = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        self._http = httpx2.Client(follow_redirects=False, trust_env=False, timeout=httpx2.Timeout(SECONDS, connect=10.0), headers=headers)
        self.model = model or self._only_model()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def _only_model(self) -> str:
        content = self._sent("GET", f"{self.url}/models", None)
        try:
            names = [str(one["id"]) for one in content["data"]]
        except (KeyError, TypeError):
            raise CannotAsk(f"{self.url}/models lists no models: {self._shown(json.dumps(content))}. Name one with --model.") from None
        if len(names) != 1:
            raise CannotAsk(f"{self.url} serves {self._shown(', '.join(names)) or 'no model'}: name one with --model.")
        return names[0]

    def _shown(self, text: str) -> str:
        """The beginning of what a server said, without the key: cut only when the key is out, so that no half of it is left."""
        if self._key is not None:
            for form in (self._key, json.dumps(self._key)[1:-1]):
                text = text.replace(form, REDACTED)
        return text[:MAX_SHOWN]

    def _sent(self, method: str, address: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """The JSON object that comes back with status 200. CannotAsk for anything else."""
        try:
            response = self._http.request(method, address, json=body)
        except httpx2.HTTPError as error:
            raise CannotAsk(
                f"{address} does not answer ({type(error).__name__}): is the server up, and does the URL end with /v1?"
            ) from None
        if response.status_code != 200:
            said = self._shown(response.text)
            hint = {
                401: f"; set {KEY_VARIABLE}",
                403: f"; check {KEY_VARIABLE}",
                404: "; the URL must end with /v1, and --model must be served",
            }
            raise CannotAsk(f"{address} answers {response.status_code} {said}{hint.get(response.status_code, '')}.")
        try:
            content = response.json()
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise CannotAsk(f"{address} answers something that is not a JSON object: is this a server with OpenAI's chat completions?")
        return content

    def answer(self, messages: Sequence[Message], *, max_tokens: int) -> Served:
        """Ask one question greedily."""
        body = {"model": self.model, "messages": list(messages), "max_tokens": max_tokens, "temperature": 0}
        content = self._sent("POST", f"{self.url}/chat/completions", body)
        try:
            choice = content["choices"][0]
            text = choice["message"]["content"]
            is_cut = choice.get("finish_reason") == "length"
        except (KeyError, IndexError, TypeError, AttributeError):
            raise CannotAsk(f"{self.url} answers without a choice: {self._shown(json.dumps(content))}.") from None
        if text is not None and not isinstance(text, str):
            raise CannotAsk(f"{self.url} answers with a content that is not a text: {self._shown(json.dumps(text))}.")
        usage = content.get("usage")
        count = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        return Served((text or "").strip(), is_cut, count if isinstance(count, int) else None)

    def answers(self, asked: Sequence[Sequence[Message]], *, max_tokens: int) -> Iterator[Served]:
        """The same for many questions, in their order."""
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            yield from pool.map(lambda messages: self.answer(messages, max_tokens=max_tokens), asked)

    def prompt_of(self, messages: Sequence[Message]) -> str | list[int] | None:
        """What the server's own template makes of a conversation: text (llama.cpp), token ids (vLLM), or None where it does not say."""
        root = self.url.removesuffix("/v1")
        try:
            found = self._sent("POST", f"{root}/apply-template", {"messages": list(messages)}).get("prompt")
            if isinstance(found, str):
                return found
        except CannotAsk:
            pass
        try:
            body = {"model": self.model, "messages": list(messages), "add_generation_prompt": True}
            tokens = self._sent("POST", f"{root}/tokenize", body).get("tokens")
            return tokens if isinstance(tokens, list) and all(isinstance(one, int) for one in tokens) else None
        except CannotAsk:
            return None
