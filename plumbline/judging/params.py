"""Who judges, and what may change a verdict: section `judge` of params.yaml. Pure."""

from typing import Literal

from pydantic import model_validator

from plumbline.pipeline.record import Params


class JudgeParams(Params):
    """Who judges, and what may change its verdicts. The keys of a backend are null where another backend judges."""

    backend: Literal["key_points", "claude", "openai_compatible", "none"]
    model: str | None
    """claude, openai_compatible: id as the API takes it; the id it returns is recorded with every reply."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None
    """claude: how much the model thinks; null leaves the model's own default."""
    max_tokens: int | None
    """claude, openai_compatible: of a reply, thinking included."""
    max_replies: int | None
    """claude, openai_compatible: replies without a usable verdict before an item counts as unjudged."""
    max_cost_usd: float | None
    """claude: over all replies of this judge to these answers, earlier runs included; null for no cap."""
    mode: Literal["direct", "batch"] | None
    """claude: batch costs half and may take 24 hours."""
    epoch: int
    """Raise it to have all answers judged again."""
    num_canary_questions: int
    """Questions of which answers with a known verdict are judged too: each right reference, wrong, stuffed, negated, ..."""
    retest_fraction: float | None
    """claude, openai_compatible: share of the answers that are judged a second time, to see how often the judge agrees with itself."""

    @model_validator(mode="after")
    def _a_model_is_whole(self) -> "JudgeParams":
        if self.backend not in NEEDED:
            return self
        if missing := [name for name in NEEDED[self.backend] if getattr(self, name) is None]:
            raise ValueError(f"judge.backend is {self.backend}: set {', '.join('judge.' + name for name in missing)}")
        if (self.max_tokens or 0) < 1 or (self.max_replies or 0) < 1:
            raise ValueError("judge.max_tokens and judge.max_replies must be at least 1")
        if self.backend == "claude" and (self.max_cost_usd or 1) <= 0:
            raise ValueError("judge.max_cost_usd must be above 0 or null")
        return self


NEEDED = {
    "claude": ("model", "max_tokens", "max_replies", "mode", "retest_fraction"),
    "openai_compatible": ("model", "max_tokens", "max_replies", "retest_fraction"),
}
"""Backend that is a model -> the keys that it reads."""
