"""One benchmark question, in the one shape that every later stage reads."""

from typing import Literal

from plumbline.pipeline.record import Record

Kind = Literal["mcq", "numeric", "explanation"]
KINDS: tuple[Kind, ...] = ("mcq", "numeric", "explanation")


class Question(Record):
    """A question with its gold answer."""

    id: str
    kind: Kind
    question: str
    choices: dict[str, str]
    """Letter -> text for mcq; empty for the other kinds."""
    target: str
    """A letter for mcq, the number as written for numeric, the reference text for explanation."""
    unit: str | None
    """Unit of a numeric target, as written; None where it has none."""
    key_points: tuple[str, ...]
    """What an explanation must say; empty for the other kinds, and where nobody wrote them."""
    cluster: str
    """Questions made from one template or passage share it; intervals are clustered by it."""
