"""The judge's verdict on one explanation, with every raw reply behind it."""

from pydantic import Field

from plumbline.pipeline.record import Record
from plumbline.rows.finding import PointFinding
from plumbline.rows.outcome import Outcome


class RawReply(Record):
    """One attempt, kept whole so that scores can be recomputed offline."""

    attempt: int
    """From 1."""
    stop_reason: str | None
    model: str | None
    """The model id that the API returned; None for a judge that is not a model."""
    request_id: str | None
    body: str
    """What came back, as JSON text (ASCII), or the rule's own account for a deterministic judge."""
    input_tokens: int
    """All kinds of input tokens together; 0 for a deterministic judge."""
    output_tokens: int


class Judgement(Record):
    """Written by `judge`; read only by `report`, and by commands that compare runs, export one, or ask about its judge."""

    id: str
    """Id of the question."""
    sample: int | None = Field(default=None, exclude_if=lambda sample: sample is None)
    """Carried from the answer."""
    arm: str
    judge_id: str
    """Identity of the judge (backend, model, rubric, prompt, parser): scores of two identities are not comparable."""
    outcome: Outcome
    """correct at a score of 0.75 or more, incorrect below, unjudged without a score; never unparsed."""
    score: float | None
    """0, 0.25, 0.5, 0.75 or 1; None if unjudged."""
    cause: str
    """Why there is this score, or no score (`scored`, `no_answer`, `refused`, `truncated`, ...)."""
    reasoning: str
    points: tuple[PointFinding, ...] = ()
    """What was found of each key point, in the question's order: the score is computed from it. Empty if points were not judged one by
    one (no key points, no score, an answer without content), and in rows from before the judge did so."""
    replies: tuple[RawReply, ...]
    key: str
    """Key of the verdict store: sha256 over judge identity, question and answer."""
    complete: bool
    """Carried from the answer."""
