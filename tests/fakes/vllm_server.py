"""A loopback server that speaks vLLM's API as far as answering needs it, strictly, and answers with a real small model.

Also a command line like `vllm serve`, so that a stage can start it: python -m tests.fakes.vllm_server serve FOLDER --port N ...
Text comes from transformers' own `generate`, one prompt at a time: an implementation that is independent of the project's.
"""

import argparse
import json
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from tests.fakes.loopback import LoopbackHandler, on_loopback

# Of vllm/entrypoints/openai/completion/protocol.py. The real server ignores other fields with a warning; here they are an error.
FIELDS = {
    "model", "prompt", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "n", "presence_penalty", "seed", "stop", "stream",
    "temperature", "top_p", "user", "top_k", "min_p", "repetition_penalty", "stop_token_ids", "ignore_eos", "min_tokens", "skip_special_tokens",
    "prompt_logprobs", "logprob_token_ids", "add_special_tokens", "return_tokens_as_token_ids", "return_token_ids", "request_id",
}  # fmt: skip
MODEL_DEFAULTS = {"temperature": 1.0, "repetition_penalty": 1.5}
"""Defaults as from a model's generation_config.json: a value that a request leaves open is not neutral."""
VERSION = "0.33.0"
MAX_MODEL_LEN = 512
Fault = Callable[[str, int], str | None]
"""The fault by path and number of earlier requests: loading, error, reset, cut, other_model, other_prompt, aborted; None for no fault."""


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class FakeVllm:
    """Base and adapters of one server; `url` is where it listens."""

    def __init__(
        self,
        weights: Path,
        *,
        base_name: str,
        adapters: dict[str, Path],
        fault: Fault = lambda path, ordinal: None,
        key: str | None = None,
        defaults: dict[str, float] | None = None,
    ) -> None:
        self.fault, self.key, self.url = fault, key, ""
        self.defaults = MODEL_DEFAULTS if defaults is None else defaults
        self.tokenizer = AutoTokenizer.from_pretrained(str(weights))
        self.models: dict[str, Any] = {base_name: AutoModelForCausalLM.from_pretrained(str(weights)).eval()}
        for name, folder in adapters.items():
            self.models[name] = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(str(weights)), str(folder)).eval()
        self.requests: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.asked: Counter[str] = Counter()

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(body) - FIELDS:
            raise Refused(400, f"unknown fields {sorted(unknown)}")
        if body.get("model") not in self.models:
            raise Refused(404, f"The model `{body.get('model')}` does not exist.")
        ids, length = body.get("prompt"), body.get("max_tokens", 16)
        if not isinstance(ids, list) or not ids or not all(type(one) is int and 0 <= one < len(self.tokenizer) for one in ids):
            raise Refused(400, "this server is asked with one list of token ids")
        if type(length) is not int or length < 1 or len(ids) + length > MAX_MODEL_LEN:
            raise Refused(400, f"max_tokens {length} after a prompt of {len(ids)}: the context has {MAX_MODEL_LEN}")
        sampling = {
            name: body.get(name, self.defaults.get(name, neutral)) for name, neutral in (("temperature", 1.0), ("repetition_penalty", 1.0))
        }
        drawing = sampling["temperature"] != 0
        if drawing and type(body.get("seed")) is not int:
            raise Refused(400, "without a seed nothing that is drawn could be compared")
        eos = self.tokenizer.eos_token_id
        stops = [*body.get("stop_token_ids", []), *([] if body.get("ignore_eos") else [eos, ids[-1]])]
        config = GenerationConfig(
            max_new_tokens=length,
            do_sample=drawing,
            **({"temperature": sampling["temperature"], "top_k": 0, "top_p": 1.0} if drawing else {}),
            eos_token_id=stops or None,
            pad_token_id=eos,
            repetition_penalty=sampling["repetition_penalty"],
        )
        model, prompt = self.models[body["model"]], torch.tensor([ids])
        with self.lock, torch.inference_mode():
            self.requests.append(body)
            torch.manual_seed(body.get("seed") or 0)
            written = model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), generation_config=config)[
                0, len(ids) :
            ].tolist()
            logprobs = model(input_ids=prompt).logits[0, -1].float().log_softmax(dim=-1) if body.get("logprobs") is not None else None
        stopped = written[-1] in stops
        choice: dict[str, Any] = {
            "index": 0,
            "text": self.tokenizer.decode(written, skip_special_tokens=body.get("skip_special_tokens", True)),
            "logprobs": None,
            "finish_reason": "stop" if stopped else "length",
            "stop_reason": written[-1] if stopped else None,
            "token_ids": written if body.get("return_token_ids") else None,
            "prompt_token_ids": ids if body.get("return_token_ids") else None,
            "prompt_logprobs": None,
        }
        if logprobs is not None:
            assert length == 1 and body.get("return_tokens_as_token_ids"), "nothing else is asked with log-probabilities"
            tokens = [written[0], *body.get("logprob_token_ids", [])]
            choice["logprobs"] = {"top_logprobs": [{f"token_id:{one}": float(logprobs[one]) for one in tokens}]}
        return {
            "id": "cmpl-0",
            "object": "text_completion",
            "created": 0,
            "model": body["model"],
            "choices": [choice],
            "usage": {"prompt_tokens": len(ids), "completion_tokens": len(written), "total_tokens": len(ids) + len(written)},
        }


class _Handler(LoopbackHandler[FakeVllm]):
    def _send(self, status: int, content: object, *, cut: bool = False) -> None:
        raw = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw[: len(raw) // 2] if cut else raw)
        if cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, path: str, reply: Callable[[], dict[str, Any]]) -> None:
        fake = self.fake
        with fake.lock:
            fault = fake.fault(path, fake.asked[path])
            fake.asked[path] += 1
        if fake.key is not None and path.startswith("/v1") and self.headers.get("authorization") != f"Bearer {fake.key}":
            self._send(401, {"error": "Unauthorized"})
        elif fault in ("loading", "error"):
            self._send(503 if fault == "loading" else 500, {"error": {"message": fault, "type": "ServiceUnavailable", "code": 503}})
        elif fault == "reset":
            self.reset()
        else:
            try:
                content = reply()
                if fault == "other_model":
                    content["model"] = "somebody"
                elif fault == "other_prompt":
                    content["choices"][0]["prompt_token_ids"] = content["choices"][0]["prompt_token_ids"][1:]
                elif fault == "aborted":
                    content["choices"][0]["finish_reason"] = "abort"
                elif fault == "old":
                    del content["choices"][0]["token_ids"]
                self._send(200, content, cut=fault == "cut")
            except Refused as refused:
                self._send(
                    refused.status, {"error": {"message": str(refused), "type": "BadRequestError", "param": None, "code": refused.status}}
                )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/v1/completions":
            self._answer(self.path, lambda: self.fake.complete(body))
        else:
            self._send(404, {"detail": "Not Found"})

    def do_GET(self) -> None:
        cards = [{"id": name, "object": "model", "owned_by": "vllm"} for name in self.fake.models]
        replies: dict[str, dict[str, Any]] = {
            "/health": {},
            "/version": {"version": VERSION},
            "/v1/models": {"object": "list", "data": cards},
        }
        if self.path in replies:
            self._answer(self.path, lambda: replies[self.path])
        else:
            self._send(404, {"detail": "Not Found"})


@contextmanager
def serving_vllm(fake: FakeVllm, port: int = 0) -> Iterator[FakeVllm]:
    """Run the server on loopback while the block runs."""
    with on_loopback(_Handler, fake, port=port) as fake.url:
        yield fake


def main() -> None:
    """`vllm serve`, with those of its options that are used here."""
    parser = argparse.ArgumentParser(prog="vllm", allow_abbrev=False)
    parser.add_argument("verb", choices=["serve"])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--served-model-name", required=True)
    parser.add_argument("--dtype", choices=["auto", "float32", "bfloat16", "float16"], default="auto")
    parser.add_argument("--generation-config", default="auto")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--enable-lora", action="store_true")
    parser.add_argument("--max-lora-rank", type=int, choices=[8, 16, 32, 64, 128, 256, 320, 512], default=16)
    parser.add_argument("--lora-modules", nargs="*", default=[])
    given = parser.parse_args()
    modules = {name: Path(folder) for name, _, folder in (module.partition("=") for module in given.lora_modules)}
    for folder in modules.values():
        rank = json.loads((folder / "adapter_config.json").read_text())["r"]
        if not given.enable_lora or rank > given.max_lora_rank:
            sys.exit(f"ValueError: LoRA rank {rank} is greater than max_lora_rank {given.max_lora_rank}.")
    defaults = {} if given.generation_config == "vllm" else MODEL_DEFAULTS
    fake = FakeVllm(given.weights, base_name=given.served_model_name, adapters=modules, defaults=defaults)
    with serving_vllm(fake, given.port):
        print("Application startup complete.", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
