"""Who judges, and what may change a verdict: section `judge` of params.yaml. Pure."""

from typing import Literal

from pydantic import ValidationError, model_validator

from plumbline.pipeline.record import Params


class SecondJudgeParams(Params):
    """Who judges a share of the explanations a second time. A key that is left out takes the first judge's value."""

    backend: Literal["key_points", "claude", "openai_compatible"]
    model: str | None = None
    """Required if the backend is a model; the first judge's model is never the default."""
    share: float
    """Share of the explanation questions, above 0 and at most 1. Answers of every arm to such a question are judged twice."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    """null if it is left out, even if the first judge has one: not every model takes it."""
    max_tokens: int | None = None
    max_replies: int | None = None
    max_cost_usd: float | None = None
    """A separate cap, for the replies of the second judge only."""
    mode: Literal["direct", "batch"] | None = None
    epoch: int | None = None

    @model_validator(mode="after")
    def _share_is_one(self) -> "SecondJudgeParams":
        if not 0 < self.share <= 1:
            raise ValueError("judge.second.share must be above 0 and at most 1; set judge.second to null for no second judge")
        if self.epoch is None and "epoch" in self.model_fields_set:
            raise ValueError("judge.second.epoch must be a number, or be left out")
        return self


class JudgeParams(Params):
    """Who judges, and what may change its verdicts. Keys that belong to another backend are null."""

    backend: Literal["key_points", "claude", "openai_compatible", "none"]
    model: str | None
    """claude, openai_compatible: the id in the form that the API takes. The id that it returns is recorded with every reply."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None
    """claude: how much the model thinks; null uses the model's default."""
    max_tokens: int | None
    """claude, openai_compatible: most tokens of a reply, thinking included."""
    max_replies: int | None
    """claude, openai_compatible: replies without a usable verdict after which an item counts as unjudged."""
    max_cost_usd: float | None
    """claude: cap for all replies of this judge to these answers, earlier runs included; null for no cap."""
    mode: Literal["direct", "batch"] | None
    """claude: `batch` costs half and may take 24 hours."""
    epoch: int
    """Raise it to get all answers judged again."""
    num_canary_questions: int
    """Questions for which answers with a known verdict are judged too: the right reference, a wrong one, stuffed, negated, ..."""
    retest_fraction: float | None
    """claude, openai_compatible: share of the answers that are judged a second time, to see how often the judge agrees with itself."""
    second: SecondJudgeParams | None
    """Another judge on a share of the questions; null for none. It never changes a score."""

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

    @model_validator(mode="after")
    def _the_second_is_another(self) -> "JudgeParams":
        if self.second is None:
            return self
        if self.backend == "none":
            raise ValueError(
                "judge.second has no other judge to compare with: judge.backend is none. Set a first judge, or set judge.second to null"
            )
        try:
            second = self.of_second()
        except ValidationError as error:
            told = "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
            raise ValueError(f"{told.replace('judge.', 'judge.second.')}") from None
        assert second is not None
        same = ["backend"] if second.backend == "key_points" else ["backend", *ASKED]
        if all(getattr(self, name) == getattr(second, name) for name in same):
            raise ValueError("judge.second is the same judge as the first, so it would agree with itself. Name another backend or model")
        return self

    def of_second(self) -> "JudgeParams | None":
        """The full section of the second judge: its own keys, else the first judge's. It is neither probed nor asked twice."""
        if self.second is None:
            return None
        own = self.second.model_dump(exclude={"share"}, exclude_unset=True)
        apart = {"model": None, "effort": None, "num_canary_questions": 0, "retest_fraction": 0.0, "second": None}
        return JudgeParams.model_validate(self.model_dump() | apart | own)


NEEDED = {
    "claude": ("model", "max_tokens", "max_replies", "mode", "retest_fraction"),
    "openai_compatible": ("model", "max_tokens", "max_replies", "retest_fraction"),
}
"""Backend with a model -> the keys that it needs."""
ASKED = ("model", "effort", "max_tokens", "epoch")
"""Keys that make two judges of one backend differ."""
