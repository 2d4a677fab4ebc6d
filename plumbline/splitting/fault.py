"""Why a row of a benchmark cannot be asked: it is not a question, or no one could grade it. Pure."""

from dataclasses import dataclass

from plumbline.pipeline.refused import Refused


@dataclass(frozen=True)
class Fault:
    """One row with what is wrong."""

    where: str
    """File and line, record or number in the list."""
    id: str | None
    """None if the row has no id."""
    problem: str
    """What was found, and what would be accepted."""

    def __str__(self) -> str:
        name = "" if self.id is None else f" (id {self.id!r})"
        return f"{self.where}{name}: {self.problem}"


class RowRefused(Refused):
    """A row that cannot be a question."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault
