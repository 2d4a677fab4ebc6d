"""Cut a response to the part that answers our question: no thinking, no next question. Pure."""

import re
from typing import NamedTuple

from plumbline.grading.patterns import bounded
from plumbline.thinking import spoken

# A base model runs on and asks itself the next question; what follows is not an answer to ours.
NEXT_QUESTION = bounded(
    r"""
      \n [^\S\n]{0,20} (?:\#{1,4} \s*)? (?:\* \*)? (?:next \s+)?
      (?: question | problem | exercise | example | instruction | user | human | q )
      \s* \d{0,3} \s* (?:\* \*)? \s* [:.)] (?:\* \*)? (?=\s)
    | \[ /? INST \]
    | < \| (?: im _ start | im _ end | user | end | eot _ id | endoftext ) \|? >
    | \n [^\S\n]{0,20} \#{2,4} \s* (?: instruction | input | question ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
HEAD_CHARACTERS = 4_000
TAIL_CHARACTERS = 12_000


class OwnText(NamedTuple):
    """The part of a response that is read."""

    text: str
    head: int
    """Characters of the text that stand at the same place in the response."""
    shift: int
    """How much further right the others stand there."""
    is_cut: bool
    """The response ends while it thinks, so that it answers nothing."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return [start, end) in the response."""
        return (start, end) if start < self.head else (start + self.shift, end + self.shift)


def own_answer(response: str) -> OwnText:
    """Return the response up to where the model begins to ask itself another question, its thinking blanked out.

    A runaway response is read at its ends alone: an answer opens or closes it, and the time stays bounded.
    """
    response, is_cut = spoken(response)
    match = NEXT_QUESTION.search(response, len(response) - len(response.lstrip()) + 1)
    text = response[: match.start()] if match and response[: match.start()].strip() else response
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return OwnText(text, len(text), 0, is_cut)
    shift = len(text) - HEAD_CHARACTERS - TAIL_CHARACTERS - 1
    return OwnText(text[:HEAD_CHARACTERS] + "\n" + text[-TAIL_CHARACTERS:], HEAD_CHARACTERS, shift, is_cut)
