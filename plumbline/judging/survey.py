"""How far a judging has come and what the rest will cost, from the replies so far. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from plumbline.judging.budget import Budget
from plumbline.judging.causes import JudgeCause
from plumbline.judging.prices import assumed_reply_tokens, largest_cost_usd, tokens_cost_usd
from plumbline.judging.prompt import JudgeItem, num_characters
from plumbline.judging.replies import read_verdict, standing, usage_of
from plumbline.rows.judgement import RawReply

REPLIES_IN = {"judge": "data/grades/judged.jsonl", "judge.second": "data/grades/second_judged.jsonl"}
"""Section of a judge -> the file with its replies."""
LEAST_ASKED = 100
"""From this many items with a reply on, they predict the others: their cost, and the share of usable verdicts."""


@dataclass
class Survey:
    """The state of some items in the store."""

    budget: Budget
    """It holds the cost of all their replies."""
    missing: list[str] = field(default_factory=list)
    """Items that should be asked about (again)."""
    num_asked: int = 0
    """Items with a reply, usable or not."""
    causes: Counter[str] = field(default_factory=Counter)
    """Their causes: of the verdict, or of the latest reply if there is no verdict yet."""
    models: set[str] = field(default_factory=set)
    """Ids that the API returned."""
    num_replies: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def distrust(self) -> str | None:
        """Why more calls would be a waste: most items got no usable verdict. None if that is not so, or too few were asked."""
        num_usable = self.causes[JudgeCause.SCORED]
        if self.num_asked < LEAST_ASKED or 2 * num_usable >= self.num_asked:
            return None
        return (
            f"only {num_usable} of the first {self.num_asked} items got a usable verdict ({dict(self.causes.most_common())}), so no batch "
            f"is sent for the others. If replies are truncated, raise {self.budget.section}.max_tokens. "
            f"Otherwise read some replies in {REPLIES_IN[self.budget.section]}."
        )


def survey(replies: Iterable[tuple[str, JudgeItem, Sequence[RawReply]]], budget: Budget, *, max_replies: int) -> Survey:
    """Go through items, each with its key and its replies, without holding them in memory."""
    found = Survey(budget)
    for key, item, attempts in replies:
        final = standing(attempts, item, max_replies=max_replies).verdict
        if final is None:
            found.missing.append(key)
        if attempts:
            found.num_asked += 1
            found.causes[str((final or read_verdict(attempts[-1], item)).cause)] += 1
        for reply in attempts:
            budget.count(usage_of(reply))
            found.num_replies += 1
            found.input_tokens += reply.input_tokens
            found.output_tokens += reply.output_tokens
            if reply.model is not None:
                found.models.add(reply.model)
    return found


@dataclass(frozen=True)
class Projection:
    """The cost of asking about the missing items, in US dollars."""

    likely_usd: float
    basis: str
    """The words for what `likely_usd` is based on."""
    most_usd: float
    """The cost if every reply fills its token limit."""


def project(found: Survey, model: str, items: Iterable[JudgeItem], *, max_tokens: int, batch: bool) -> Projection | None:
    """Project the cost of the missing items; None if the model's price is unknown."""
    likely, most, num_items, all_tokens = 0.0, 0.0, 0, 0
    for item in items:
        size, reply_tokens = num_characters(item), min(assumed_reply_tokens(len(item.key_points)), max_tokens)
        num_items, all_tokens = num_items + 1, all_tokens + reply_tokens
        one_likely = largest_cost_usd(model, num_characters=size, max_tokens=reply_tokens, batch=batch)
        one_most = largest_cost_usd(model, num_characters=size, max_tokens=max_tokens, batch=batch)
        if one_likely is None or one_most is None:
            return None
        likely, most = likely + one_likely, most + one_most
    measured = tokens_cost_usd(model, input_tokens=found.input_tokens, output_tokens=found.output_tokens, batch=batch)
    if measured is not None and found.num_asked >= LEAST_ASKED:
        return Projection(measured / found.num_asked * len(found.missing), f"as the {found.num_asked} so far", most)
    return Projection(likely, f"{all_tokens / max(num_items, 1):.0f} tokens a reply assumed", most)
