"""What a server shows of itself: its program, its weights, what it adds to a request, and the prompt that it makes. Touches the network.

llama.cpp has /props, /apply-template and /tokenize; vLLM /version and /tokenize; Ollama /api/version and /api/show; TGI /info and /chat_tokenize.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.comparing.serving import CannotAsk, Message, Server

NEUTRAL = {
    "repeat_penalty": 1.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "dry_multiplier": 0.0,
    "xtc_probability": 0.0,
    "no_repeat_ngram_size": 0,
}
"""Settings that change a greedy answer -> the value with which they do not."""


@dataclass(frozen=True, kw_only=True)
class ServerWords:
    """What a server says about itself."""

    facts: tuple[str, ...]
    """Program, weights and context, a phrase each."""
    additions: tuple[str, ...]
    """What it adds to each request and the run did not have, a phrase each."""


@dataclass(frozen=True, kw_only=True)
class ShownPrompt:
    """The prompt that a server makes of a conversation, as text, as token ids, or as both."""

    text: str | None = None
    ids: list[int] | None = None


def server_words(server: Server) -> ServerWords:
    """All that the server shows; empty if it shows nothing."""
    facts: list[str] = []
    additions: list[str] = []
    row = _row(server)
    if (props := _asked(server, "GET", "/props")) and "default_generation_settings" in props:
        facts.append(f"llama.cpp {props.get('build_info', '')}".strip())
        facts += [f"weights {props['model_ftype']}{_bits(row)}"] if props.get("model_ftype") else []
        settings = _map(props.get("default_generation_settings"))
        facts += _context(settings.get("n_ctx"))
        additions += penalties(_map(settings.get("params")))
    elif version := _text(_asked(server, "GET", "/version"), "version"):
        facts.append(f"vLLM {version}")
        facts += _context(row.get("max_model_len"))
    elif version := _text(_asked(server, "GET", "/api/version"), "version"):
        facts.append(f"Ollama {version}")
        shown = _asked(server, "POST", "/api/show", {"model": server.model})
        if level := _text(_map(shown.get("details")), "quantization_level"):
            facts.append(f"weights {level}")
        additions += penalties(modelfile_settings(shown.get("parameters")))
        additions += [f"a system message ({server.shown(text)!r})"] if (text := _text(shown, "system")) else []
    elif (info := _asked(server, "GET", "/info")) and "model_id" in info:
        facts.append(f"TGI {info.get('version', '')}".strip())
        facts += [f"weights {info['model_dtype']}"] if info.get("model_dtype") else []
        facts += _context(info.get("max_total_tokens"))
    return ServerWords(facts=tuple(server.shown(fact) for fact in facts), additions=tuple(server.shown(one) for one in additions))


def penalties(settings: Mapping[str, Any]) -> list[str]:
    """The settings that change a greedy answer, as `name value`."""
    return [
        f"{name} {value:g}"
        for name, neutral in NEUTRAL.items()
        if isinstance(value := settings.get(name), int | float) and value != neutral
    ]


def modelfile_settings(parameters: object) -> dict[str, float]:
    """The numbers among Ollama's parameters, which come as lines of `name value`."""
    found: dict[str, float] = {}
    for line in parameters.splitlines() if isinstance(parameters, str) else []:
        name, _, value = line.strip().partition(" ")
        try:
            found[name] = float(value)
        except ValueError:
            continue
    return found


def shown_prompt(server: Server, messages: Sequence[Message]) -> ShownPrompt | None:
    """The prompt that the server's own template and tokenizer make of a conversation; None if it does not say."""
    body = {"messages": list(messages)}
    text = _text(_asked(server, "POST", "/apply-template", body), "prompt")
    if text is not None:
        # As llama.cpp does before it answers: the tokenizer may add a first token, and reads control tokens in the text.
        cut = _asked(server, "POST", "/tokenize", {"content": text, "add_special": True, "parse_special": True})
        return ShownPrompt(text=text, ids=_ids(cut.get("tokens")))
    named = {"model": server.model, **body}
    if (ids := _ids(_asked(server, "POST", "/tokenize", {**named, "add_generation_prompt": True}).get("tokens"))) is not None:
        return ShownPrompt(ids=ids)
    found = _asked(server, "POST", "/chat_tokenize", named)
    rows = found.get("tokenize_response")
    ids = _ids([_map(row).get("id") for row in rows]) if isinstance(rows, list) else None
    text = _text(found, "templated_text")
    return ShownPrompt(text=text, ids=ids) if text is not None or ids is not None else None


def _asked(server: Server, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the server returns there, or an empty object: no server has all of these addresses."""
    try:
        return server.sent(method, f"{server.root}{path}", body)
    except CannotAsk:
        return {}


def _row(server: Server) -> dict[str, Any]:
    """What the list of models says about the one that is asked."""
    try:
        return next((row for row in server.listed() if row["id"] == server.model), {})
    except CannotAsk:
        return {}


def _bits(row: Mapping[str, Any]) -> str:
    """How many bits a weight takes, from size and number of weights."""
    meta = _map(row.get("meta"))
    size, num = meta.get("size"), meta.get("n_params")
    return f" ({8 * size / num:.1f} bits each)" if isinstance(size, int) and isinstance(num, int) and num > 0 else ""


def _context(tokens: object) -> list[str]:
    return [f"context {tokens:,} tokens"] if isinstance(tokens, int) and tokens > 0 else []


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(content: Mapping[str, Any], name: str) -> str | None:
    return value if isinstance(value := content.get(name), str) and value else None


def _ids(value: object) -> list[int] | None:
    return value if isinstance(value, list) and value and all(isinstance(one, int) for one in value) else None
