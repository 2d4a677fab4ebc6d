"""What one place of a response says about the options. Pure."""

from enum import StrEnum
from typing import NamedTuple


class McqTier(StrEnum):
    """The rule that read a letter."""

    JSON = "json"
    BOXED = "boxed"
    ANCHORED = "anchored"
    """A declared answer: "the answer is B", "B is correct"."""
    LETTER = "letter"
    """The response begins or ends with a letter."""
    OPTION_TEXT = "option_text"
    """The response asserts the text of one option."""


class Statement(NamedTuple):
    """What one place of the response says."""

    letters: tuple[str, ...]
    """One letter is a choice. With several, the statement is undecided between them."""
    tier: McqTier
    start: int
    end: int
    contradicted: bool = False
    """The letter contradicts the option text next to it, or an earlier statement that was not taken back."""

    @property
    def choice(self) -> str | None:
        """The one letter; None if there are several, or if something contradicts it."""
        return self.letters[0] if len(self.letters) == 1 and not self.contradicted else None
