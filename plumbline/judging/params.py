"""Who judges, and what may change a verdict: section `judge` of params.yaml. Pure."""

from typing import Literal

from pydantic import model_validator

from plumbline.pipeline.record import Params


class JudgeParams(Params):
    """Who judges, and what may change its verdicts. The keys of a backend are null where another backend judges."""

    backend: Literal["key_points", "claude", "none"]
    model: str | None
    """claude: id as the API takes it; the id it returns is recorded with every reply."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None
    """claude: how much the model thinks; null leaves the model's own default."""
    max_tokens: int | None
    """claude: of a reply, thinking included."""
    max_replies: int | None
    """claude: replies without a usable verdict before an item counts as unjudged."""
    max_cost_usd: float | None
    """claude: over all replies of this judge to these answers, earlier runs included; null for no cap."""
    mode: Literal["direct", "batch"] | None
    """claude: batch costs half and may take 24 hours."""
    epoch: int
    """Raise it to have all answers judged again."""
    num_canary_questions: int
    """Questions of which answers with a known verdict are judged too: each right reference, wrong, stuffed, negated, ..."""
    retest_fraction: float | None
    """claude: share of the answers that are judged a second time, to see how often the judge agrees with itself."""

    @model_validator(mode="after")
    def _claude_is_whole(self) -> "JudgeParams":
        missing = [name for name in ("model", "max_tokens", "max_replies", "mode", "retest_fraction") if getattr(self, name) is None]
        if self.backend == "claude" and missing:
            raise ValueError(f"judge.backend is claude: set {', '.join('judge.' + name for name in missing)}")
        if self.backend == "claude" and ((self.max_tokens or 0) < 1 or (self.max_replies or 0) < 1 or (self.max_cost_usd or 1) <= 0):
            raise ValueError("judge.max_tokens and judge.max_replies must be at least 1, judge.max_cost_usd above 0 or null")
        return self
