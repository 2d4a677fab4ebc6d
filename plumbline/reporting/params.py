"""Settings of the report."""

from pydantic import ConfigDict

from plumbline.pipeline.record import Params
from plumbline.reporting.benchmark_parts import Part


class ReportParams(Params):
    """How the numbers are computed and which questions they are about."""

    seed: int
    """Of the bootstrap and, where no exact test exists, of the permutations."""
    num_resamples: int
    part: Part
    """Questions to report on: `development` for choosing among runs, `final` for the claim, `all` where nothing is chosen."""
    development_fraction: float
    """Share of the clusters in the development part, 0-1."""
    overlap_score: float
    """A question counts as overlapping the training rows from this share (0-1) of its word trigrams on."""
    max_forgetting_nats: float
    """Increase of the negative log-likelihood of base's own answers to general prompts, per token, above which a warning is given."""


class JudgeSettings(Params):
    """What the report shows of the judge; the judge stage checks the section as a whole."""

    model_config = ConfigDict(extra="allow")

    backend: str
    model: str | None
    max_cost_usd: float | None

    @property
    def claude_model(self) -> str | None:
        """The model that was asked, where Claude judged."""
        return self.model if self.backend == "claude" else None
