"""A loopback server with OpenAI's chat completions, as vLLM, llama.cpp and hosted servers have them: strict about requests, with faults on demand."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.claude_server import default_verdict, point_by_point
from tests.fakes.loopback import LoopbackHandler, on_loopback

KEY = "local-secret-key-0123456789"
FIELDS = {"model", "max_tokens", "temperature", "messages", "response_format", "seed"}
Say = Callable[[dict[str, Any]], str]


def a_verdict(request: dict[str, Any]) -> str:
    """The verdict that the fake of the hosted judge gives, in the words of this API."""
    user = [turn for turn in request["messages"] if turn["role"] == "user"]
    schema = request["response_format"]["json_schema"]["schema"]
    as_hosted = {"messages": user, "output_config": {"format": {"schema": schema}}}
    return json.dumps(point_by_point(as_hosted, default_verdict(as_hosted)))


@dataclass
class FakeChat:
    """One server: what it answers, what goes wrong, and what it received."""

    say: Say = a_verdict
    model: str = "judge-model"
    key: str | None = KEY
    faults: list[str] = field(default_factory=list)
    """Taken one per call: "500", "429", "400", "401", "redirect", "reset", "html", "echo_key", "length", "refusal", "two_choices"."""
    prompt_of: Callable[[list[dict[str, str]]], str] | None = None
    """What /apply-template shows, as llama.cpp does."""
    tokens_of: Callable[[list[dict[str, str]]], list[int]] | None = None
    """What /tokenize shows, as vLLM does."""
    num_prompt_tokens: int | None = 100
    """None: it does not count the tokens."""
    replies: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Path -> status and body of its answer to any request."""
    message: dict[str, Any] = field(default_factory=dict)
    """What a message holds besides its text."""
    finish_reason: str = "stop"
    busy: int = 0
    """Calls that get 503 before it answers again."""
    broken: str | None = None
    """If a question holds this text, it is answered with 500."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""


class Handler(LoopbackHandler[FakeChat]):
    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.fake.paths.append(self.path)
        if self.path in self.fake.replies:
            status, content = self.fake.replies[self.path]
            return self.reply(status, content)
        if self.path.endswith("/models"):
            return self.reply(200, json.dumps({"object": "list", "data": [{"id": self.fake.model, "object": "model"}]}).encode())
        self.reply(404, b'{"error": {"message": "Not Found"}}')

    def do_POST(self) -> None:
        fake = self.fake
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fake.paths.append(self.path)
        if self.path in fake.replies:
            status, content = fake.replies[self.path]
            return self.reply(status, content)
        for path, shown, name in (("/apply-template", fake.prompt_of, "prompt"), ("/tokenize", fake.tokens_of, "tokens")):
            if self.path == path and shown is not None and "messages" in request:
                return self.reply(200, json.dumps({name: shown(request["messages"])}).encode())
        if self.path != "/v1/chat/completions":
            return self.reply(404, b'{"error": {"message": "Not Found"}}')
        if fake.key is not None and self.headers.get("Authorization") != f"Bearer {fake.key}":
            said = self.headers.get("Authorization", "")
            return self.reply(401, json.dumps({"error": {"message": f"Incorrect API key provided: {said}"}}).encode())
        assert set(request) <= FIELDS, set(request) - FIELDS
        fake.requests.append(request)
        if fake.busy > 0:
            fake.busy -= 1
            return self.reply(503, b'{"error": {"message": "Loading model"}}')
        if fake.broken is not None and fake.broken in request["messages"][-1]["content"]:
            return self.reply(500, b'{"error": {"message": "The model produced output that does not match the expected format"}}')
        fault = fake.faults.pop(0) if fake.faults else None
        if fault == "reset":
            return self.reset()
        if fault == "redirect":
            return self.reply(307, b"", Location="http://127.0.0.1:9/v1/chat/completions")
        if fault == "html":
            return self.reply(200, b"<html>gateway</html>")
        if fault is not None and fault.isdigit():
            return self.reply(int(fault), json.dumps({"error": {"message": f"fault {fault}"}}).encode())
        text = fake.say(request)
        if fault == "echo_key":
            text = json.dumps({"authorization": self.headers.get("Authorization")})
        finish = {"length": "length", "refusal": "content_filter"}.get(fault or "", fake.finish_reason)
        choice = {"index": 0, "message": {"role": "assistant", "content": text, **fake.message}, "finish_reason": finish}
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": fake.model,
            "choices": [choice, choice] if fault == "two_choices" else [choice],
            "usage": {"prompt_tokens": fake.num_prompt_tokens, "completion_tokens": 20, "total_tokens": 120},
        }
        if fake.num_prompt_tokens is None:
            del body["usage"]
        return self.reply(200, json.dumps(body).encode(), x_request_id="req-1")


@contextmanager
def serving_chat(fake: FakeChat) -> Iterator[FakeChat]:
    """A server that lives as long as the block."""
    with on_loopback(Handler, fake) as url:
        fake.url = f"{url}/v1"
        yield fake
