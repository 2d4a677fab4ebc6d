"""A person's score for one answer, on the judge's scale, given without knowing arm or judge's score."""

from plumbline.pipeline.record import Record


class HumanLabel(Record):
    """Written by `plumbline label-sheet read`; kept in git."""

    answer_key: str
    """Hash over question, reference, key points and answer: the label holds for that text, whoever judges it."""
    labeller: str
    score: float
    """0, 0.25, 0.5, 0.75 or 1."""
    note: str
