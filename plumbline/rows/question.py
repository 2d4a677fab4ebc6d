"""One benchmark question, in the one shape that every later stage reads."""

from typing import Literal

from pydantic import Field

from plumbline.pipeline.record import Record

Kind = Literal["mcq", "numeric", "explanation"]
KINDS: tuple[Kind, ...] = ("mcq", "numeric", "explanation")
AnswerKind = Literal["letters", "yes_no", "numbers", "number_set", "expression"]
"""What is asked for besides one letter, one number and a text. Each belongs to a kind, and counts in its score."""
KIND_OF: dict[AnswerKind, Kind] = {
    "letters": "mcq",
    "yes_no": "mcq",
    "numbers": "numeric",
    "number_set": "numeric",
    "expression": "numeric",
}
PartialCredit = Literal["share", "jee"]
"""What an answer of some of the right letters and no wrong one gets: its share of them, or, as in JEE Advanced, a quarter for each."""


def _absent(value: object) -> bool:
    """Whether an optional field is left out of a file: so rows from before the field existed keep their bytes."""
    return value is None or value == ()


class QuestionTolerance(Record):
    """How far a value may be from the target of one question; it replaces both tolerances of `grade`."""

    relative: float | None = Field(default=None, ge=0, lt=1)
    """Fraction of the target."""
    absolute: float | None = Field(default=None, ge=0)
    """In the target's unit."""


class Question(Record):
    """A question with its gold answer."""

    id: str
    kind: Kind
    question: str
    choices: dict[str, str]
    """Letter -> text for mcq; empty for the other kinds."""
    target: str
    """A letter for mcq, the number as written for numeric, the reference text for explanation; see `answer_kind` for the others."""
    unit: str | None
    """Unit of a numeric target, as written; None if it has no unit."""
    key_points: tuple[str, ...]
    """What an explanation must say; empty for the other kinds, and if no one wrote any."""
    cluster: str
    """Questions made from one template or passage share it; intervals are clustered by it."""
    answer_kind: AnswerKind | None = Field(default=None, exclude_if=_absent)
    """letters: target `A,C`; yes_no: one of two choices; numbers (in their order) and number_set: target `1; 2`; expression: a formula.
    None: one letter, one number or a text."""
    partial_credit: PartialCredit | None = Field(default=None, exclude_if=_absent)
    """letters: what some of the right letters are worth; None: nothing."""
    tolerance: QuestionTolerance | None = Field(default=None, exclude_if=_absent)
    """None: the tolerances of `grade`."""
    tags: tuple[str, ...] = Field(default=(), exclude_if=_absent)
    """What the question is about, such as `topic: optics`: the report compares the arms for each."""
    gold_passage: str | None = Field(default=None, exclude_if=_absent)
    """The text that holds the answer, if the benchmark names it: retrieval is measured by it."""
