"""What the judge was paid for these verdicts, from the usage stored with every reply. Pure."""

from collections.abc import Iterable

from stages.logic.judge_replies import usage_of
from stages.logic.prices import usage_cost_usd
from stages.records.judgement import Judgement


def judging_cost_usd(judgements: Iterable[Judgement], model: str | None) -> float | None:
    """US dollars for all replies, each counted once however many equal answers share it; None where no price is known.

    0.0 where no model was asked.
    """
    replies = {(row.key, reply.attempt): reply for row in judgements for reply in row.replies if reply.model is not None}
    if not replies:
        return 0.0
    costs = [usage_cost_usd(usage_of(reply), model) if model else None for reply in replies.values()]
    return None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None)
