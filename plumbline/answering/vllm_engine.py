"""The engine in another process: a vLLM server, asked over its OpenAI-compatible API with token ids, one question at a time.

The fields come from vllm/entrypoints/openai/completion/protocol.py (2026). Token ids go in and come out, so that template and
decoding stay ours. The server would add penalties and more stop tokens from the model's generation_config.json: each of them is
switched off by name.
"""

import http.client
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Literal
from urllib.parse import urlsplit

from transformers import PreTrainedTokenizerBase

from plumbline.answering.decoding import decode_answer
from plumbline.answering.engine import Generated, Prompt, by_length

GREEDY = {
    "temperature": 0.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
RETRIED = {408, 429, 500, 502, 503, 504}
NUM_TRIES = 6
FIRST_PAUSE_SECONDS = 0.5


class ServerRefused(RuntimeError):
    """The vLLM server is not there, serves another model, or gives a wrong reply."""


def setting(name: str, default: float) -> float:
    """A positive number from the environment."""
    text = os.environ.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise ValueError(f"{name} is {text!r}. Set it to a number above 0, or unset it for {default:g}.")
    return value


class VllmServer:
    """A server at `url`: JSON in, JSON out, with a limited number of retries after temporary errors. No proxy is used.

    If PLUMBLINE_VLLM_API_KEY is set, it is sent as a bearer token. No message shows it.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"PLUMBLINE_VLLM_URL is {url!r}. Set it to http://host:port of a server that was started with `vllm serve`.")
        self._parts = parts
        self._timeout_seconds = setting("PLUMBLINE_VLLM_TIMEOUT_SECONDS", 600)
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._local = threading.local()

    def _connection(self) -> http.client.HTTPConnection:
        if getattr(self._local, "connection", None) is None:
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            self._local.connection = kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout_seconds)
        return self._local.connection

    def _drop_connection(self) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None

    def _once(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {"content-type": "application/json"}
        if key := os.environ.get("PLUMBLINE_VLLM_API_KEY"):
            headers["authorization"] = f"Bearer {key}"
        connection = self._connection()
        connection.request("GET" if body is None else "POST", self._parts.path + path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()

    def state(self) -> Literal["ready", "loading", "absent"]:
        """`loading`: it listens, but its status says that it cannot answer yet. `absent`: no server listens."""
        try:
            status, _ = self._once("/health", None)
        except (OSError, http.client.HTTPException):
            self._drop_connection()
            return "absent"
        return "ready" if status == 200 else "loading"

    def json(self, path: str, request: Mapping[str, object] | None = None) -> Any:
        """Ask until the server returns JSON with status 200. ServerRefused says what came instead, and from where."""
        body = None if request is None else json.dumps(request).encode()
        problem = ""
        for number in range(NUM_TRIES):
            if number:
                time.sleep(self._pause_seconds * 2 ** (number - 1))
            try:
                status, content = self._once(path, body)
                if status == 200:
                    return json.loads(content)
            except (OSError, http.client.HTTPException, ValueError) as error:
                # Refused, reset, timed out or cut: asking again is safe, since the same request gets the same answer.
                self._drop_connection()
                problem = f"{type(error).__name__}: {error}"
                continue
            problem = f"status {status}: {content[:300].decode('utf-8', 'replace')}"
            if status not in RETRIED:
                break
        raise ServerRefused(f"{self.url}{path}: no usable answer ({problem}). Is this a vLLM server, and is it still running?")

    def version(self) -> str:
        """The version of vLLM that the server reports."""
        return str(self.json("/version")["version"])

    def check_served(self, model: str, *, command: str) -> None:
        """ServerRefused if the server does not offer `model`. Names hold the fingerprint of the weights, so an old server is noticed."""
        served = [card["id"] for card in self.json("/v1/models")["data"]]
        if model not in served:
            raise ServerRefused(
                f"{self.url} serves {', '.join(served) or 'nothing'}, but not {model}. That name holds the fingerprint of the weights that "
                f"must answer. Start the server for them: {command}"
            )


class VllmEngine:
    """Answers question by question, PLUMBLINE_VLLM_CONCURRENCY (64) at a time. vLLM makes its own batches from them."""

    def __init__(self, server: VllmServer, tokenizer: PreTrainedTokenizerBase, *, model: str, command: str, stops: Sequence[int]) -> None:
        server.check_served(model, command=command)
        self._server, self._tokenizer, self._model, self._stops = server, tokenizer, model, list(stops)
        self.name = f"vllm {server.version()}"

    @property
    def identity(self) -> Mapping[str, object]:
        return {"model": self._model}

    def units(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        return [[prompt] for prompt in by_length(prompts)]

    def answer(self, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
        width = int(setting("PLUMBLINE_VLLM_CONCURRENCY", 64))
        pool = ThreadPoolExecutor(max_workers=width, thread_name_prefix="vllm")
        running: set[Future[list[Generated]]] = set()
        try:
            waiting = iter(units)
            while True:
                for unit in waiting:
                    running.add(pool.submit(self._answer_unit, unit, max_new_tokens))
                    if len(running) >= width:
                        break
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _answer_unit(self, unit: Sequence[Prompt], max_new_tokens: int) -> list[Generated]:
        return [self._answer_one(prompt, max_new_tokens) for prompt in unit]

    def _complete(self, ids: Sequence[int], **fields: object) -> dict[str, Any]:
        """One completion of exactly these ids. ServerRefused if the server answers for other ids or another model."""
        request = {"model": self._model, "prompt": list(ids), **GREEDY, "n": 1, "return_token_ids": True, "ignore_eos": True, **fields}
        reply = self._server.json("/v1/completions", request)
        try:
            (choice,) = reply["choices"]
            if reply["model"] != self._model:
                raise ServerRefused(
                    f"{self._server.url}: {self._model} was asked, but {reply['model']} answered. "
                    "Start the server with `plumbline serve-models`."
                )
            if choice["prompt_token_ids"] != list(ids):
                raise ServerRefused(
                    f"{self._server.url} changed the prompt: {len(ids)} token ids were sent, and it answered for "
                    f"{len(choice['prompt_token_ids'] or [])}. Use vLLM 0.10.2 or later, without truncation of prompts."
                )
            choice["token_ids"] = list(choice["token_ids"])
        except (KeyError, TypeError, ValueError) as error:
            raise ServerRefused(
                f"{self._server.url}: a completion lacks its choice, prompt_token_ids or token_ids ({error!r}). Use vLLM 0.10.2 or later."
            ) from error
        return choice

    def _answer_one(self, prompt: Prompt, max_new_tokens: int) -> Generated:
        # The same ids as in the other engine end the text, whatever the server reads from the model's files.
        drawn = {} if prompt.sampling is None else {"temperature": prompt.sampling.temperature, "seed": prompt.sampling.seed}
        choice = self._complete(prompt.ids, max_tokens=max_new_tokens, stop_token_ids=self._stops, **drawn)
        ids, reason = choice["token_ids"], choice["finish_reason"]
        reached_eos = reason == "stop" and bool(ids) and ids[-1] in self._stops
        if not reached_eos and not (reason == "length" and len(ids) == max_new_tokens):
            raise ServerRefused(
                f"{self._server.url}: the answer to {prompt.id} ended by {reason!r} after {len(ids)} of {max_new_tokens} tokens. Only the "
                "end of sequence or max_new_tokens may end it. Check whether --max-model-len is too small."
            )
        return Generated(
            id=prompt.id,
            response=decode_answer(self._tokenizer, ids, stops=self._stops),
            num_tokens=len(ids),
            reached_eos=reached_eos,
            choice_logprobs=self._scores([*prompt.ids, *prompt.header], prompt.continuations),
            sample=prompt.sample,
        )

    def _scores(self, prompt: Sequence[int], continuations: Mapping[str, Sequence[int]]) -> dict[str, float]:
        """Mean log-probability of each continuation's tokens, nats per token.

        Token by token: one request asks for all tokens that may come at one place. `prompt_logprobs` would give all places at once, but
        with an adapter it ends vLLM 0.32 on a CPU.
        """
        wanted: dict[tuple[int, ...], set[int]] = {}
        for tokens in continuations.values():
            for place, token in enumerate(tokens):
                wanted.setdefault(tuple(tokens[:place]), set()).add(token)
        found = {before: self._next_logprobs([*prompt, *before], sorted(tokens)) for before, tokens in wanted.items()}
        return {
            letter: round(sum(found[tuple(tokens[:place])][token] for place, token in enumerate(tokens)) / len(tokens), 4)
            for letter, tokens in continuations.items()
        }

    def _next_logprobs(self, prompt: Sequence[int], tokens: Sequence[int]) -> dict[int, float]:
        """Log-probability of each of the tokens as the next one, nats."""
        choice = self._complete(prompt, max_tokens=1, logprobs=1, logprob_token_ids=list(tokens), return_tokens_as_token_ids=True)
        try:
            (table,) = choice["logprobs"]["top_logprobs"]
            return {token: float(table[f"token_id:{token}"]) for token in tokens}
        except (KeyError, TypeError, ValueError) as error:
            raise ServerRefused(
                f"{self._server.url}: a completion lacks the log-probabilities of logprob_token_ids ({error!r}). "
                "Use the version of vLLM in requirements-vllm.txt."
            ) from error
