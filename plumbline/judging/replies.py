"""Read the verdict on one item from its stored replies, or say whether to ask again. Pure.

Every run reads verdicts from the raw replies again, so a better parser costs no call.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.judging.causes import JudgeCause
from plumbline.judging.openai_replies import is_completion, reply_in
from plumbline.judging.point_verdicts import parse_points_reply
from plumbline.judging.prompt import SCALE, JudgeItem
from plumbline.judging.reply_object import ReplyOutcome
from plumbline.judging.verdicts import JudgeVerdict, parse_judge_reply
from plumbline.rows.judgement import RawReply

PARSER_VERSION = 2
"""Part of the judge's identity: raise it whenever a change of the parser can move a score."""


def decode_body(body: bytes) -> str:
    """Return a response body as ASCII JSON text: the object in it, or `{"unreadable": ...}` if there is none."""
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        return json.dumps(content, ensure_ascii=True, allow_nan=False)
    except (ValueError, RecursionError):
        return json.dumps({"unreadable": body[:2000].decode("utf-8", "backslashreplace"), "size_bytes": len(body)})


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _message(reply: RawReply) -> dict[str, Any]:
    content = json.loads(reply.body)
    return content if isinstance(content, dict) else {}


def usage_of(reply: RawReply) -> dict[str, Any]:
    """The usage block of a reply; empty if it has none."""
    usage = _message(reply).get("usage")
    return usage if isinstance(usage, dict) else {}


def reply_from_body(body: bytes, *, attempt: int, request_id: str | None) -> RawReply:
    """Make the record of one reply. A body that is not a message is kept too; the parser finds the cause."""
    text = decode_body(body)
    content = json.loads(text)
    message = content if isinstance(content, dict) else {}
    usage = message.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    found = reply_in(message) if is_completion(message) else None
    model, stop_reason = message.get("model"), message.get("stop_reason") if found is None else found[1]

    def tokens(*fields: str) -> int:
        return sum(value for field in fields if isinstance(value := usage.get(field), int) and not isinstance(value, bool))

    return RawReply(
        attempt=attempt,
        stop_reason=_writable(stop_reason),
        model=_writable(model),
        request_id=request_id,
        body=text,
        input_tokens=tokens("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "prompt_tokens"),
        output_tokens=tokens("output_tokens", "completion_tokens"),
    )


def _writable(value: object) -> str | None:
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else None


def read_verdict(reply: RawReply, item: JudgeItem) -> JudgeVerdict:
    """Read one stored reply to an item. Only a body that calls itself a message can hold a verdict: error bodies may have status 200."""
    message = _message(reply)
    if is_completion(message):
        found = reply_in(message)
        if found is None:
            return JudgeVerdict(ReplyOutcome.RETRY, None, JudgeCause.BAD_RESPONSE, "")
        return _read(*found, item)
    if message.get("type") != "message" or message.get("role") != "assistant":
        return JudgeVerdict(ReplyOutcome.RETRY, None, JudgeCause.BAD_RESPONSE, "")
    return _read(message.get("content"), message.get("stop_reason"), item)


def _read(content: object, stop_reason: str | None, item: JudgeItem) -> JudgeVerdict:
    """The verdict in a model's text, by the rubric of the item."""
    if item.key_points:
        return parse_points_reply(content, stop_reason, key_points=item.key_points, answer=item.answer)
    return parse_judge_reply(content, stop_reason, SCALE)


@dataclass(frozen=True)
class Standing:
    """The state of one item after its replies so far."""

    verdict: JudgeVerdict | None
    """Final, with outcome `score` or `failure`; None if the judge should be asked (again)."""
    token_factor: int
    """Factor by which the next call's token limit exceeds the normal one."""


def standing(replies: Sequence[RawReply], item: JudgeItem, *, max_replies: int) -> Standing:
    """Decide from all replies to an item: the first usable verdict is final; after a cut reply, ask once more with twice the tokens."""
    num_truncated = 0
    verdict = None
    for reply in replies:
        verdict = read_verdict(reply, item)
        if verdict.outcome is not ReplyOutcome.RETRY:
            return Standing(verdict, 1)
        num_truncated += verdict.cause is JudgeCause.TRUNCATED
    if verdict is not None and (len(replies) >= max_replies or num_truncated >= 2):
        return Standing(JudgeVerdict(ReplyOutcome.FAILURE, None, verdict.cause, ""), 1)
    return Standing(None, 2 if num_truncated else 1)
