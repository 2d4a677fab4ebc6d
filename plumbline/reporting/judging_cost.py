"""What the judge was paid for these verdicts, from the usage stored with every reply. Pure."""

from collections.abc import Iterable, Sequence

from plumbline.judging.prices import usage_cost_usd
from plumbline.judging.replies import usage_of
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.judgement import Judgement, RawReply


def paid_replies(verdicts: Iterable[Judgement | JudgeCheck]) -> list[RawReply]:
    """Return the replies of a model behind verdicts, each once however many equal answers share it; none where no model was asked."""
    return list({(row.key, reply.attempt): reply for row in verdicts for reply in row.replies if reply.model is not None}.values())


def judging_cost_usd(replies: Sequence[RawReply], model: str | None) -> float | None:
    """US dollars for replies of a model; None where its price is not known, 0.0 for no replies."""
    if not replies:
        return 0.0
    costs = [usage_cost_usd(usage_of(reply), model) if model else None for reply in replies]
    return None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None)
