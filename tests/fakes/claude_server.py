"""A loopback server that behaves like the Messages API: strict about requests, true to its replies, with faults on demand.

Every paid call goes into a ledger, whether or not the client received the answer. Tests use it to check that nothing is lost or paid
twice. Replies depend only on the request's content, so two runs can be compared byte by byte.
"""

import hashlib
import json
import math
import random
import re
import socket
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.loopback import LoopbackHandler, loopback_server

KEY = "sk-ant-canary-4f1d0c7e9b2a"
MODELS = {"claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5"}
FIELDS = {
    "model", "max_tokens", "messages", "system", "output_config", "metadata", "stop_sequences", "stream", "thinking", "tool_choice", "tools",
    "service_tier", "cache_control", "container", "inference_geo",
}  # fmt: skip
SCHEMA_KEYWORDS = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "enum",
    "description",
    "items",
    "anyOf",
    "const",
    "$ref",
    "$defs",
    "format",
}
VERSION = "2026-10-21"
CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MAX_MESSAGE_BYTES = 32 * 2**20


class Refused(Exception):
    """A request that the API answers with an error."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


def check_schema(schema: object, path: str = "schema") -> None:
    """Refuse what structured output does not support."""
    if not isinstance(schema, dict):
        raise Refused(400, "invalid_request_error", f"output_config.format.{path}: Input should be an object")
    unknown = set(schema) - SCHEMA_KEYWORDS
    if unknown:
        raise Refused(400, "invalid_request_error", f"output_config.format.{path}: unsupported keywords {sorted(unknown)}")
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            raise Refused(400, "invalid_request_error", f"output_config.format.{path}: 'additionalProperties' must be false")
        for name, inner in schema.get("properties", {}).items():
            check_schema(inner, f"{path}.{name}")
    if schema.get("type") == "array":
        check_schema(schema.get("items"), f"{path}.items")


def check_request(body: object) -> dict[str, Any]:
    """Refuse what the API of this version refuses."""
    if not isinstance(body, dict):
        raise Refused(400, "invalid_request_error", "The request body is not valid JSON")
    for name in body:
        if name not in FIELDS:  # temperature, top_p and top_k among them
            raise Refused(400, "invalid_request_error", f"{name}: Extra inputs are not permitted")
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise Refused(400, "invalid_request_error", f"{name}: Field required")
    if body["model"] not in MODELS:
        raise Refused(404, "not_found_error", f"model: {body['model']}")
    if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
        raise Refused(400, "invalid_request_error", "max_tokens: Input should be greater than or equal to 1")
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "invalid_request_error", "messages: at least one message is required")
    if messages[-1].get("role") == "assistant":
        raise Refused(400, "invalid_request_error", "This model does not support assistant message prefill.")
    output = body.get("output_config", {})
    if set(output) - {"format", "effort"}:
        raise Refused(400, "invalid_request_error", "output_config: Extra inputs are not permitted")
    if "format" in output:
        if output["format"].get("type") != "json_schema":
            raise Refused(400, "invalid_request_error", "output_config.format.type: Input should be 'json_schema'")
        check_schema(output["format"].get("schema"))
    return body


def text_of(request: dict[str, Any]) -> str:
    """The user's text of a request."""
    content = request["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


def item_of(request: dict[str, Any]) -> dict[str, Any]:
    """The JSON object between the marker lines of our judge's prompt."""
    text = text_of(request)
    return json.loads(text[text.index("\n{") + 1 : text.rindex("}") + 1])


def default_verdict(request: dict[str, Any]) -> dict[str, Any]:
    """A verdict that depends on the content only, spread over the scale."""
    step = hashlib.sha256(text_of(request).encode()).digest()[0] % 5
    return {"reasoning": f"Step {step} of the scale: $\\frac{{1}}{{2}}mv^2$ considered.", "score": step / 4}


def point_by_point(request: dict[str, Any], verdict: dict[str, Any]) -> dict[str, Any]:
    """The verdict as a finding on each key point, if the request asks for findings: with four points, each is a step of the scale.

    A value that is not a score of the scale stays as it is: a test wants that fault.
    """
    schema = request.get("output_config", {}).get("format", {}).get("schema", {})
    if "points" not in schema.get("properties", {}) or "points" in verdict or verdict.get("score") not in (0, 0.25, 0.5, 0.75, 1):
        return verdict
    item = item_of(request)
    num_points = len(item["key_points"])
    num_stated = math.ceil(verdict["score"] * num_points)
    quote = " ".join(item["student_answer"].split()[:12])
    points = [
        {"point": number, "quote": quote, "finding": "stated"}
        if number <= num_stated
        else {"point": number, "quote": "", "finding": "missing"}
        for number in range(1, num_points + 1)
    ]
    return {"reasoning": verdict["reasoning"], "points": points}


@dataclass
class Paid:
    """One entry of the ledger: a reply that the provider bills, whether received or not."""

    content_hash: str
    input_tokens: int
    output_tokens: int
    batch: str | None = None


@dataclass
class Fault:
    """What happens to one request instead of its reply, or to its reply."""

    kind: str
    """status, reset_before, reset_after, cut, hang, drip, body, message, redirect."""
    status: int = 500
    error: str = "api_error"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    message: dict[str, Any] = field(default_factory=dict)
    """Fields that replace those of the good reply."""
    seconds: float = 0.0


FaultScript = Callable[[str, int], Fault | None]
"""Takes the request's content hash and its ordinal among requests with that content (from 0)."""


def seeded_faults(seed: int, rate: float) -> FaultScript:
    """Faults of every kind that passes, by content and ordinal: the same in every run, whatever the order of arrival."""

    def script(content_hash: str, ordinal: int) -> Fault | None:
        rng = random.Random(f"{seed}:{content_hash}:{ordinal}")
        if rng.random() >= rate:
            return None
        return rng.choice(
            [
                Fault("status", 429, "rate_limit_error", {"retry-after": "0"}),
                Fault("status", 429, "rate_limit_error", {"retry-after-ms": "5"}),
                Fault("status", 429, "rate_limit_error", {"retry-after": "rubbish"}),
                Fault("status", 500, "api_error"),
                Fault("status", 503, "api_error"),
                Fault("status", 529, "overloaded_error"),
                Fault("status", 408, "timeout_error"),
                Fault("status", 409, "conflict_error"),
                Fault("reset_before"),
                Fault("reset_after"),
                Fault("cut"),
                Fault("status", 502, body=b"<html><body>Bad gateway</body></html>"),
            ]
        )

    return script


class FakeClaude:
    """The server's state; `base_url` is where it listens."""

    def __init__(
        self,
        *,
        verdict: Callable[[dict[str, Any]], dict[str, Any]] = default_verdict,
        faults: FaultScript = lambda content_hash, ordinal: None,
        latency_seconds: float = 0.0,
        key: str = KEY,
        thinking: bool = True,
        thought: str = 'Maybe {"score": 1.0}?',
        model_returned: str | None = None,
    ) -> None:
        self.verdict, self.faults, self.latency_seconds, self.key, self.thinking = verdict, faults, latency_seconds, key, thinking
        self.thought = thought
        self.model_returned = model_returned
        self.ledger: list[Paid] = []
        self.requests: list[dict[str, Any]] = []
        self.seen_headers: list[dict[str, str]] = []
        self.num_in_flight = 0
        self.max_in_flight = 0
        self.num_connections = 0
        self.num_unheard = 0
        """Replies billed and then lost on the way by our own faults: the client may ask for these again."""
        self.batches: dict[str, dict[str, Any]] = {}
        self.batch_faults: list[Fault | None] = []
        """The fault of each creation; None if it has none."""
        self.batch_seconds = 0.0
        self.batch_outcome: Callable[[str, dict[str, Any]], str] = lambda custom_id, request: "succeeded"
        self.batch_error = "api_error"
        """Type of the error in an `errored` result."""
        self.results_lines: Callable[[list[bytes]], list[bytes]] = lambda lines: lines
        self.results_host: str | None = None
        self.max_batch_requests = 100_000
        self.max_batch_bytes = 256 * 10**6
        self.max_open_batches: int | None = None
        """With this many batches in progress, a further one gets 429, as from a full processing queue."""
        self.largest_batch_bytes = 0
        self.most_in_progress = 0
        self.num_failed_looks = 0
        """How many times a look at a batch is answered with 503."""
        self.num_cut_results = 0
        """How many times results are cut off in the middle before they arrive whole."""
        self.lock = threading.Lock()
        self._ordinals: Counter[str] = Counter()
        self.base_url = ""
        self.wait_for_gone_clients: Callable[[], None] = lambda: None
        """Wait until all calls of killed clients are billed; no client may be alive."""

    # -- what a reply is

    def content_hash(self, request: dict[str, Any]) -> str:
        return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()

    def ordinal(self, content_hash: str) -> int:
        with self.lock:
            self._ordinals[content_hash] += 1
            return self._ordinals[content_hash] - 1

    def message(self, request: dict[str, Any], *, batch: str | None = None) -> dict[str, Any]:
        """Make the reply and put it into the ledger: from here on it is billed."""
        content_hash = self.content_hash(request)
        text = json.dumps(point_by_point(request, self.verdict(request)))
        blocks: list[dict[str, Any]] = [{"type": "thinking", "thinking": self.thought, "signature": "c2ln"}] if self.thinking else []
        paid = Paid(content_hash, len(json.dumps(request)) // 4, len(text) // 4 + 20, batch)
        with self.lock:
            self.ledger.append(paid)
        return {
            "id": f"msg_{content_hash[:24]}",
            "type": "message",
            "role": "assistant",
            "model": self.model_returned or request["model"],
            "content": [*blocks, {"type": "text", "text": text, "citations": None}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "stop_details": None,
            "usage": {
                "input_tokens": paid.input_tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "output_tokens": paid.output_tokens,
                "output_tokens_details": {"thinking_tokens": 20},
                "service_tier": "batch" if batch else "standard",
            },
        }

    # -- batches

    def batch_view(self, batch_id: str) -> dict[str, Any]:
        batch = self.batches[batch_id]
        ended = time.monotonic() >= batch["ends_at"]
        outcomes = Counter(batch["outcomes"].values()) if ended else Counter()
        counts = {name: outcomes.get(name, 0) for name in ("succeeded", "errored", "canceled", "expired")}
        return {
            "id": batch_id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {"processing": 0 if ended else len(batch["outcomes"]), **counts},
            "created_at": batch["created_at"],
            "expires_at": "2026-11-25T00:00:00Z",
            "ended_at": "2026-11-24T00:00:00Z" if ended else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{self.results_host or self.base_url}/v1/messages/batches/{batch_id}/results" if ended else None,
        }

    def create_batch(self, body: object) -> str:
        if not isinstance(body, dict) or set(body) != {"requests"} or not isinstance(body["requests"], list) or not body["requests"]:
            raise Refused(400, "invalid_request_error", "requests: Field required")
        ids = [entry["custom_id"] for entry in body["requests"]]
        if len(ids) > self.max_batch_requests:
            raise Refused(400, "invalid_request_error", f"requests: at most {self.max_batch_requests} items")
        if len(set(ids)) != len(ids) or any(not CUSTOM_ID.fullmatch(one) for one in ids):
            raise Refused(400, "invalid_request_error", "requests: custom_id must be unique and match ^[a-zA-Z0-9_-]{1,64}$")
        in_progress = sum(time.monotonic() < batch["ends_at"] for batch in self.batches.values())
        if self.max_open_batches is not None and in_progress >= self.max_open_batches:
            raise Refused(429, "rate_limit_error", "Number of batch requests in the processing queue has exceeded the limit")
        self.most_in_progress = max(self.most_in_progress, in_progress + 1)
        results, outcomes = [], {}
        with self.lock:
            batch_id = f"msgbatch_{len(self.batches):04d}"
        for entry in body["requests"]:
            request = check_request(entry["params"])
            outcome = self.batch_outcome(entry["custom_id"], request)
            outcomes[entry["custom_id"]] = outcome
            result: dict[str, Any] = {"type": outcome}
            if outcome == "succeeded":
                result["message"] = self.message(request, batch=batch_id)
            elif outcome == "errored":
                inner = {"type": self.batch_error, "message": "scripted"}
                result["error"] = {"type": "error", "error": inner, "request_id": "req_x"}
            results.append(json.dumps({"custom_id": entry["custom_id"], "result": result}).encode() + b"\n")
        random.Random(batch_id).shuffle(results)
        with self.lock:
            self.batches[batch_id] = {
                "outcomes": outcomes,
                "lines": zlib.compress(b"".join(results), 1),  # 10^5 replies in the memory of some thousands
                "ends_at": time.monotonic() + self.batch_seconds,
                "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }
        return batch_id


class _Handler(LoopbackHandler[FakeClaude]):
    def setup(self) -> None:
        with self.fake.lock:
            self.fake.num_connections += 1
        super().setup()

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None, *, content_type: str = "application/json") -> None:
        self.send_response(status)
        standard = {
            "content-type": content_type,
            "content-length": str(len(content)),
            "request-id": f"req_{hashlib.sha256(content).hexdigest()[:20]}",
            "anthropic-ratelimit-requests-limit": "4000",
            "anthropic-ratelimit-requests-remaining": "3999",
            "anthropic-ratelimit-requests-reset": "2026-11-23T00:00:01Z",
        }
        for name, value in {**standard, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _error(self, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> None:
        envelope = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_error"}
        self._send(status, json.dumps(envelope).encode(), headers)

    def _authorised(self) -> bool:
        fake = self.fake
        bearer, plain = self.headers.get("authorization", ""), self.headers.get("x-api-key", "")
        if fake.key not in (bearer.removeprefix("Bearer "), plain):
            self._error(401, "authentication_error", "invalid x-api-key")
            return False
        if self.headers.get("anthropic-version") != VERSION:
            self._error(400, "invalid_request_error", f"anthropic-version: {self.headers.get('anthropic-version')}: not a valid version")
            return False
        return True

    def do_POST(self) -> None:
        fake = self.fake
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        with fake.lock:
            fake.num_in_flight += 1
            fake.max_in_flight = max(fake.max_in_flight, fake.num_in_flight)
            fake.seen_headers.append(dict(self.headers.items()))
        try:
            self._post(fake, raw)
        except (BrokenPipeError, ConnectionResetError, OSError):
            self.close_connection = True  # the client was killed or gave up: what was billed stays billed
        finally:
            with fake.lock:
                fake.num_in_flight -= 1

    def _post(self, fake: FakeClaude, raw: bytes) -> None:
        if not self._authorised():
            return
        is_batch = self.path == "/v1/messages/batches"
        if len(raw) > (fake.max_batch_bytes if is_batch else MAX_MESSAGE_BYTES):
            self._error(413, "request_too_large", "Request exceeds the maximum size")
            return
        if is_batch:
            fake.largest_batch_bytes = max(fake.largest_batch_bytes, len(raw))
        try:
            body = json.loads(raw)
            if is_batch:
                self._post_batch(fake, body)
            elif self.path == "/v1/messages":
                self._post_message(fake, check_request(body))
            elif self.path.endswith("/cancel"):
                self._send(200, json.dumps(fake.batch_view(self.path.split("/")[-2])).encode())
            else:
                self._error(404, "not_found_error", self.path)
        except Refused as refused:
            self._error(refused.status, refused.kind, refused.message)
        except ValueError:
            self._error(400, "invalid_request_error", "The request body is not valid JSON")

    def _post_batch(self, fake: FakeClaude, body: object) -> None:
        fault = fake.batch_faults.pop(0) if fake.batch_faults else None
        if fault and fault.kind == "status":
            self._error(fault.status, fault.error, "scripted", fault.headers)
            return
        batch_id = fake.create_batch(body)
        if fault and fault.kind == "reset_after":
            self.reset()
            return
        self._send(200, json.dumps(fake.batch_view(batch_id)).encode())

    def _post_message(self, fake: FakeClaude, request: dict[str, Any]) -> None:
        content_hash = fake.content_hash(request)
        fault = fake.faults(content_hash, fake.ordinal(content_hash))
        with fake.lock:
            fake.requests.append(request)
        time.sleep(fake.latency_seconds)
        if fault is None:
            self._send(200, json.dumps(fake.message(request)).encode())
        elif fault.kind == "status":
            if fault.body:
                self._send(fault.status, fault.body, fault.headers, content_type="text/html")
            else:
                self._error(fault.status, fault.error, f"scripted {fault.error}", fault.headers)
        elif fault.kind == "redirect":
            self._send(307, b"", {"location": fault.headers["location"]})
        elif fault.kind == "reset_before":
            self.reset()
        elif fault.kind == "hang":
            time.sleep(fault.seconds)
            self.reset()
        elif fault.kind == "body":
            fake.message(request)
            self._send(200, fault.body)
        else:
            content = json.dumps({**fake.message(request), **fault.message}).encode()
            with fake.lock:
                fake.num_unheard += fault.kind in ("reset_after", "cut")
            if fault.kind == "message":
                self._send(200, content)
            elif fault.kind == "reset_after":
                self.reset()
            else:
                self._partly(fault, content)

    def _partly(self, fault: Fault, content: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if fault.kind == "cut":
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:  # drip
            for position in range(len(content)):
                self.wfile.write(content[position : position + 1])
                self.wfile.flush()
                time.sleep(fault.seconds)

    def _listing(self, fake: FakeClaude, query: dict[str, list[str]]) -> dict[str, Any]:
        """One page, latest batch first."""
        ids = sorted(fake.batches, reverse=True)
        if "after_id" in query:
            ids = [one for one in ids if one < query["after_id"][0]]
        page = ids[: int(query.get("limit", ["20"])[0])]
        ends = {"first_id": page[0] if page else None, "last_id": page[-1] if page else None}
        return {"data": [fake.batch_view(one) for one in page], "has_more": len(page) < len(ids), **ends}

    def do_GET(self) -> None:
        fake = self.fake
        with fake.lock:
            fake.seen_headers.append(dict(self.headers.items()))
        if not self._authorised():
            return
        path, _, query = self.path.partition("?")
        parts = path.strip("/").split("/")
        if parts[:3] != ["v1", "messages", "batches"]:
            self._error(404, "not_found_error", path)
        elif len(parts) == 3:
            self._send(200, json.dumps(self._listing(fake, parse_qs(query))).encode())
        elif parts[3] not in fake.batches:
            self._error(404, "not_found_error", parts[3])
        elif len(parts) == 4 and fake.num_failed_looks:
            fake.num_failed_looks -= 1
            self._error(503, "api_error", "scripted")
        elif len(parts) == 4:
            self._send(200, json.dumps(fake.batch_view(parts[3])).encode())
        else:
            lines = fake.results_lines(zlib.decompress(fake.batches[parts[3]]["lines"]).splitlines(keepends=True))
            content = b"".join(lines)
            if fake.num_cut_results:
                fake.num_cut_results -= 1
                self._partly(Fault("cut"), content)
            else:
                self._send(200, content, content_type="application/x-jsonl")


@contextmanager
def serving(fake: FakeClaude) -> Iterator[FakeClaude]:
    """Run the server on a free loopback port while the block runs."""
    with loopback_server(_Handler, fake) as server:
        fake.base_url, fake.wait_for_gone_clients = server.url, server.wait_for_gone_clients
        yield fake
