"""The rows that preflight looks at, as read. Pure."""

from dataclasses import dataclass

from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question
from plumbline.training.prompt import training_prompt


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The rows, as read."""

    rows: list[InstructionRow]
    """Of training, then of validation."""
    num_training_rows: int
    questions: list[Question]
    answers: list[GeneralAnswer]
    replayed: list[GeneralAnswer]

    @property
    def names(self) -> list[str]:
        """Id of each row, as in `texts`; replay rows by their general prompt."""
        return [row.id for row in self.rows] + [f"general prompt {row.id} ({place})" for place, row in enumerate(self.replayed)]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Prompt and output of each row, replay rows last."""
        return self.row_texts + [(row.prompt, row.response) for row in self.replayed]

    @property
    def row_texts(self) -> list[tuple[str, str]]:
        return [(training_prompt(row.instruction, row.input), row.output) for row in self.rows]
