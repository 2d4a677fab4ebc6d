"""Hold what one place of a response says of the options. Pure."""

from enum import StrEnum
from typing import NamedTuple


class McqTier(StrEnum):
    """Which rule read a letter."""

    JSON = "json"
    BOXED = "boxed"
    ANCHORED = "anchored"
    """A declared answer: "the answer is B", "B is correct"."""
    LETTER = "letter"
    """The response opens or closes with a letter."""
    OPTION_TEXT = "option_text"
    """The response asserts the text of one option."""


class Statement(NamedTuple):
    """What one place of the response says."""

    letters: tuple[str, ...]
    """One: a choice. More: undecided between them."""
    tier: McqTier
    start: int
    end: int
    contradicted: bool = False
    """The letter is at odds with the option text next to it, or with an earlier statement that was not taken back."""

    @property
    def choice(self) -> str | None:
        """The one letter; None if there are several, or if something contradicts it."""
        return self.letters[0] if len(self.letters) == 1 and not self.contradicted else None
