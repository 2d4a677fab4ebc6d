"""How base was asked a second time: what `answer_again` tells `report`. Pure."""

from plumbline.pipeline.record import Record

AGAIN = "again"
"""The arm's name in the files of the second asking."""


class NoisePlan(Record):
    """Who was asked again, how many questions, and in which batches."""

    weights: str
    context: str
    """The arm with these weights and this context answered twice."""
    engine: str | None
    """What generated the second answers; None where no one was asked."""
    batch_size: int | None
    """Questions per batch; None where the engine makes its own batches, or no one was asked."""
    num_asked: int
    num_questions: int
    """In the whole benchmark."""
    reason: str | None
    """Why no one was asked; None where someone was."""
