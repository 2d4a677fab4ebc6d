"""What stands before one question in an arm's prompt."""

from plumbline.pipeline.record import Record


class ContextTurn(Record):
    """An earlier exchange: a training row, shown as an example."""

    user: str
    assistant: str


class ContextPassage(Record):
    """A piece of the corpus."""

    id: str
    """Source file and place, such as `notes.md:3`."""
    score: float
    """The retriever's score; higher is nearer."""
    text: str


class Context(Record):
    """The context of one question. If both lists are empty, the question is asked alone."""

    id: str
    """Id of the question."""
    turns: tuple[ContextTurn, ...]
    """Exchanges before the question, the same for all questions of a kind."""
    passages: tuple[ContextPassage, ...]
    """Best first; they stand in the user's message, before the question."""
    recall: float | None
    """Share (0-1) of what a right answer needs that stands in the passages, by rule: 0 if no passage was found, None if no rule applies."""
