"""Settings of the report."""

from pydantic import ConfigDict

from plumbline.pipeline.record import Params
from plumbline.reporting.benchmark_parts import Part


class ReportParams(Params):
    """How the numbers are computed and which questions they are about."""

    seed: int
    """Of the bootstrap and, if there is no exact test, of the permutations."""
    num_resamples: int
    part: Part
    """Questions to report on: `development` for choosing among runs, `final` for the claim, `all` if nothing is chosen."""
    development_fraction: float
    """Share of the clusters in the development part, 0-1."""
    overlap_score: float
    """A question counts as overlapping the training rows from this share (0-1) of its word trigrams on."""
    max_forgetting_nats: float
    """Increase of the negative log-likelihood of base's own answers to general prompts, per token, above which a warning is given."""


class SecondJudge(Params):
    """What the report shows about the second judge."""

    model_config = ConfigDict(extra="allow")

    backend: str
    model: str | None = None
    share: float

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return judge_name(self.backend, self.model)


class JudgeSettings(Params):
    """What the report shows about the judge; the judge stage checks the section as a whole."""

    model_config = ConfigDict(extra="allow")

    backend: str
    model: str | None
    max_cost_usd: float | None
    second: SecondJudge | None = None
    """Also None in an older run without this setting: the section of other revisions is read as well."""

    @property
    def name(self) -> str:
        """What the judge is called in a sentence."""
        return judge_name(self.backend, self.model)

    @property
    def claude_model(self) -> str | None:
        """The model that was asked, if Claude judged."""
        return self.model if self.backend == "claude" else None


RULES = {"key_points": "the key-point rule", "none": "no judge"}


def judge_name(backend: str, model: str | None) -> str:
    """The name of the model if the judge is a model, else the name of the rule."""
    return RULES.get(backend) or model or backend
