"""Read the one verdict in a judge's reply, or say why there is none. Pure.

Never clamps, rounds, rescales or defaults: a score is a JSON number on the menu, or it is no score.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.judging.causes import JudgeCause
from plumbline.judging.reply_object import NoObject, ReplyOutcome, find_object
from plumbline.rows.finding import PointFinding

HARMLESS_KEYS = frozenset(
    {"confidence", "certainty", "explanation", "rationale", "comment", "comments", "notes", "feedback", "evidence", "quote", "language"}
)
"""Allowed next to score and reasoning. Any other extra key could be a second verdict (`final_score`, `grade`, `correct`)."""


@dataclass(frozen=True)
class JudgeVerdict:
    """The verdict in one reply, or why it has none."""

    outcome: ReplyOutcome
    score: float | None
    """Exactly a value of the menu; None unless `outcome` is `score`."""
    cause: JudgeCause
    reasoning: str
    """The judge's words, writable as UTF-8; empty without a score."""
    points: tuple[PointFinding, ...] = ()
    """The finding on each key point, in their order; empty if it was not asked for, and without a score."""


def retry(cause: JudgeCause) -> JudgeVerdict:
    """There is no usable verdict: ask again."""
    return JudgeVerdict(ReplyOutcome.RETRY, None, cause, "")


def none_in(found: NoObject) -> JudgeVerdict:
    """The verdict on a reply without an object."""
    return JudgeVerdict(found.outcome, None, found.cause, "")


def writable(text: str) -> str:
    """The text with lone surrogates as visible escapes: no UTF-8 file can hold them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def has_only(content: Mapping[str, Any], wanted: Sequence[str]) -> bool:
    """Whether an object has all wanted keys, and no others than harmless ones."""
    return all(key in content for key in wanted) and all(
        key in wanted or (key in HARMLESS_KEYS and not isinstance(value, dict | list)) for key, value in content.items()
    )


def _read_score(content: Mapping[str, Any], allowed_scores: Sequence[float]) -> JudgeVerdict:
    if not has_only(content, ("score", "reasoning")):
        return retry(JudgeCause.WRONG_KEYS)
    score, reasoning = content["score"], content["reasoning"]
    if isinstance(score, bool) or not isinstance(score, int | float) or not isinstance(reasoning, str):
        return retry(JudgeCause.WRONG_TYPE)
    if isinstance(score, int) and abs(score) > 10**18:
        return retry(JudgeCause.OFF_MENU)
    if not math.isfinite(score):
        return retry(JudgeCause.WRONG_TYPE)
    # 1e-12 accepts the noise of one binary rounding (0.7500000000000001), but no other decimal that a judge would write.
    on_menu = [float(allowed) for allowed in allowed_scores if math.isclose(score, allowed, rel_tol=1e-12, abs_tol=1e-12)]
    if len(on_menu) != 1:
        return retry(JudgeCause.OFF_MENU)
    # + 0.0 turns a judge's -0.0 into 0.0.
    return JudgeVerdict(ReplyOutcome.SCORE, on_menu[0] + 0.0, JudgeCause.SCORED, writable(reasoning))


def parse_judge_reply(reply: object, stop_reason: str | None, allowed_scores: Sequence[float]) -> JudgeVerdict:
    """Return the verdict in a reply that names a score. The reply is text, a list of content blocks, or anything else.

    The stop reason is checked first: a cut `0` may be the beginning of `0.75`, and a refused turn is never used.
    """
    found = find_object(reply, stop_reason)
    return none_in(found) if isinstance(found, NoObject) else _read_score(found, allowed_scores)
