"""The rows that preflight checks, as read."""

from dataclasses import dataclass

from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.instruction_row import Exchange, InstructionRow
from plumbline.rows.question import Question
from plumbline.training.dialogues import dialogue_of


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The rows, as read."""

    rows: list[InstructionRow]
    """Training rows, then validation rows."""
    num_training_rows: int
    questions: list[Question]
    answers: list[GeneralAnswer]
    replayed: list[GeneralAnswer]

    @property
    def names(self) -> list[str]:
        """Id of each row, in the order of `dialogues`; a replay row has the id of its general prompt."""
        return [row.id for row in self.rows] + [f"general prompt {row.id} ({place})" for place, row in enumerate(self.replayed)]

    @property
    def dialogues(self) -> list[list[Exchange]]:
        """The exchanges of each row, replay rows last."""
        replayed = [[Exchange(user=row.prompt, assistant=row.response, is_trained=True)] for row in self.replayed]
        return [dialogue_of(row) for row in self.rows] + replayed

    @property
    def row_texts(self) -> list[tuple[str, str]]:
        """Prompt and output of each exchange that is trained."""
        return [(one.user, one.assistant) for row in self.rows for one in dialogue_of(row) if one.is_trained]
