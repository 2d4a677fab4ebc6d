"""What a judge's tokens cost. Pure.

Read on 2026-11-23 from platform.claude.com/docs/about-claude/models/whats-new-opus-5 (table of the current models; cache and
batch prices of Opus 5 on the same page: write 1.25 x, read 0.1 x, batch 0.5 x). We do not know prices of other models, or prices
that depend on the length of the prompt (Haiku 5.5): their cost is None, never 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from plumbline.judging.replies import usage_of
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.judgement import Judgement, RawReply


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float
    cache_write: float
    cache_read: float


PRICES: dict[str, Price] = {
    "claude-sonnet-5-5": Price(input=2.0, output=10.0, cache_write=2.5, cache_read=0.2),
    "claude-opus-5-5": Price(input=4.0, output=20.0, cache_write=5.0, cache_read=0.4),
    "claude-opus-5": Price(input=5.0, output=25.0, cache_write=6.25, cache_read=0.5),
}
BATCH_FACTOR = 0.5
CHARACTERS_PER_TOKEN = 2.5
"""Low on purpose (English has 3 to 4): a projection may be too high, never too low."""
ASSUMED_REPLY_TOKENS = 500
"""Thinking and 80 words of reasoning, until there are replies to measure."""
ASSUMED_POINT_TOKENS = 60
"""A finding with its quote of at most 25 words."""


def assumed_reply_tokens(num_points: int) -> int:
    """Tokens of a reply on this many key points, until there are replies to measure."""
    return ASSUMED_REPLY_TOKENS + ASSUMED_POINT_TOKENS * num_points


def usage_cost_usd(usage: Mapping[str, object], model: str) -> float | None:
    """Return the cost of one reply, from its usage; None for an unknown model or unreadable usage."""
    price = PRICES.get(model)
    if price is None:
        return None
    total = 0.0
    for field, per_million in (
        ("input_tokens", price.input),
        ("cache_creation_input_tokens", price.cache_write),
        ("cache_read_input_tokens", price.cache_read),
        ("output_tokens", price.output),
    ):
        tokens = usage.get(field) or 0
        if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 0:
            return None
        total += tokens * per_million / 1e6
    return total * (BATCH_FACTOR if usage.get("service_tier") == "batch" else 1.0)


def largest_cost_usd(model: str, *, num_characters: int, max_tokens: int, batch: bool) -> float | None:
    """Return the most that one call can cost: all its characters in, all its tokens out."""
    price = PRICES.get(model)
    if price is None:
        return None
    cost = (num_characters / CHARACTERS_PER_TOKEN * price.input + max_tokens * price.output) / 1e6
    return cost * (BATCH_FACTOR if batch else 1.0)


def tokens_cost_usd(model: str, *, input_tokens: int, output_tokens: int, batch: bool) -> float | None:
    """Return the cost of these tokens, none of them from a cache."""
    price = PRICES.get(model)
    if price is None:
        return None
    return (input_tokens * price.input + output_tokens * price.output) / 1e6 * (BATCH_FACTOR if batch else 1.0)


def paid_replies(verdicts: Iterable[Judgement | JudgeCheck]) -> list[RawReply]:
    """Return the model's replies behind verdicts, each once even if equal answers share it. Empty if no model was asked."""
    return list({(row.key, reply.attempt): reply for row in verdicts for reply in row.replies if reply.model is not None}.values())


def judging_cost_usd(replies: Sequence[RawReply], model: str | None) -> float | None:
    """US dollars for replies of a model; None if its price is not known, 0.0 for no replies."""
    if not replies:
        return 0.0
    costs = [usage_cost_usd(usage_of(reply), model) if model else None for reply in replies]
    return None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None)
