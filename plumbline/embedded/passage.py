"""One text of the pretraining corpus."""

from plumbline.pipeline.record import Record


class Passage(Record):
    """A document: the model learns where it ends."""

    text: str
