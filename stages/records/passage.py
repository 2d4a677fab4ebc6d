"""One text of the pretraining corpus."""

from stages.records.record import Record


class Passage(Record):
    """A document: the model learns where it ends."""

    text: str
