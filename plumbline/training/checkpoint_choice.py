"""Which evaluation's adapter is kept: the one with the lowest validation loss, or the one with the best score on questions. Pure."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol


class TaskScore(NamedTuple):
    """How a model in training scores on questions of the benchmark."""

    score: float
    """Mean over the questions, 0-1."""
    num_questions: int


class TaskScorer(Protocol):
    """Answers questions with a model and grades them. The training then goes on as if no question had been asked."""

    @property
    def question_ids(self) -> tuple[str, ...]: ...

    @property
    def identity(self) -> str:
        """A hash of everything that can change a score, except code."""
        ...

    def __call__(self, model: Any, *, say: Callable[[str], None] = ...) -> TaskScore:
        """`say` gets short messages on the progress."""
        ...


OpenTask = Callable[[Any], TaskScorer]
"""Makes a scorer from a tokenizer; called when torch is loaded."""

SCORE, NUM_QUESTIONS = "eval_development_score", "eval_num_selection_questions"
"""Names in the Trainer's history."""


class Evaluated(NamedTuple):
    """One evaluation."""

    step: int
    validation_loss: float
    """Nats per trained token."""
    score: float | None = None
    """On the questions that choose; None if the loss chooses."""

    def is_better_than(self, other: "Evaluated") -> bool:
        """The higher score wins. If scores are equal or missing, the lower loss wins. If losses are equal too, the earlier step stays."""
        return self._worth() > other._worth()

    def in_words(self, num_questions: float | None) -> str:
        """For the log. `num_questions`: the score is the mean over so many."""
        loss = f"validation loss {self.validation_loss:.4f} nats"
        return loss if self.score is None else f"{loss}, development score {self.score:.3f} (n = {num_questions:.0f})"

    def _worth(self) -> tuple[float, float]:
        return (0.0 if self.score is None else self.score), -self.validation_loss


def is_planned(step: int, *, num_steps_per_evaluation: int, num_steps: int) -> bool:
    """Whether an uninterrupted run evaluates after this step. A resumed run also evaluates at the step where it resumes."""
    return step % num_steps_per_evaluation == 0 or step == num_steps


def known_score(history: Sequence[dict[str, float]], step: int) -> TaskScore | None:
    """The score of a step that was already measured before the run was resumed: the same weights give the same answers."""
    for entry in history:
        if entry["step"] == step and SCORE in entry:
            return TaskScore(score=entry[SCORE], num_questions=int(entry[NUM_QUESTIONS]))
    return None
