"""How an arm was asked a second time, as `answer_again` writes it for `report`. Pure."""

from plumbline.pipeline.record import Record

AGAIN = "again"
"""The arm's name in the files of the second asking."""


class NoisePlan(Record):
    """Which arm was asked again, how many questions, and in which batches."""

    weights: str
    context: str
    """The arm with these weights and this context was to answer twice."""
    engine: str | None
    """What generated the second answers; None if the arm was not asked again."""
    batch_size: int | None
    """Questions per batch; None if the engine makes its own batches, or the arm was not asked again."""
    num_asked: int
    num_questions: int
    """Questions in the whole benchmark."""
    reason: str | None
    """Why the arm was not asked again; None if it was."""
