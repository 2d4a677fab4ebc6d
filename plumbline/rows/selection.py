"""The questions that choose the checkpoint of a training, with all that decides their score: what `selection` hands to `train`."""

from typing import Literal

from plumbline.pipeline.record import Record
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.context import ContextTurn
from plumbline.rows.question import Question


class SelectionQuestion(Record):
    """One question of the development part, as the model is asked it."""

    question: Question
    user: str
    """The user's message, with the passages and the instruction of its kind."""
    turns: tuple[ContextTurn, ...]
    """Exchanges before it."""


class Selection(Record):
    """What decides the choice of the checkpoint: with another selection it is another training."""

    arm: str | None
    """The arm whose context stands before the questions; None if no arm has the adapter."""
    num_in_development: int
    """Questions of the development part that a rule can grade; these are some of them."""
    questions: tuple[SelectionQuestion, ...]
    answering: AnswerParams
    relative_tolerance: float
    absolute_tolerance: float | None
    code: dict[str, str]
    """Folder or file of the repository that answers and grades -> sha256 of its modules."""


class SelectionFile(Record):
    """data/selection/selection.json. If the validation loss chooses, it is always the same: no change of a question or grader trains again."""

    select_by: Literal["validation_loss", "development_score"]
    selection: Selection | None
