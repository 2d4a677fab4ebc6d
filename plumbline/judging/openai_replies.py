"""The request to a server with OpenAI's chat completions, and the reply in its response. Pure."""

from collections.abc import Mapping
from typing import Any

from plumbline.judging.prompt import EXAMPLES, JudgeItem, digest, render_item
from plumbline.judging.rubrics import RUBRIC_VERSION
from plumbline.thinking import spoken

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
"""finish_reason -> the name that the parser of replies knows. Any other reason stays as it is, and gives no verdict."""


def request_body(item: JudgeItem, *, model: str, max_tokens: int) -> dict[str, Any]:
    """Body of one call. The temperature is 0, since these servers sample by default; the hosted judge takes no such parameter."""
    schema = {"name": "verdict", "strict": True, "schema": item.rubric.schema}
    return {
        "model": model,
        "max_tokens": max_tokens,
        "temperature": 0,
        "messages": [{"role": "system", "content": item.rubric.system}, {"role": "user", "content": render_item(item)}],
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def asking_identity(*, model: str, max_tokens: int, epoch: int) -> str:
    """Digest of everything that can change the model's reply to an item. The server's address is not part of it."""
    asked = [request_body(item, model=model, max_tokens=max_tokens) for item in EXAMPLES]
    return digest(["openai_compatible", epoch, RUBRIC_VERSION, asked])


def is_completion(message: Mapping[str, Any]) -> bool:
    """Whether a stored body calls itself a chat completion."""
    return message.get("object") == "chat.completion"


def reply_in(message: Mapping[str, Any]) -> tuple[object, str | None] | None:
    """The model's final text, and why it ended; None unless there is exactly one choice by the assistant.

    Thinking that the server left in the text is not part of the reply.
    """
    choices = message.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    said = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(said, Mapping) or said.get("role") not in ("assistant", None):
        return None
    reason = choice.get("finish_reason")
    text = said.get("content")
    if isinstance(said.get("refusal"), str) and not text:
        return "", "refusal"
    name = STOP_REASONS.get(reason, reason) if isinstance(reason, str) else None
    return (spoken(text).text.strip() if isinstance(text, str) else text), name
