"""Cut a response to the part that answers our question, without thinking and without a next question. Pure."""

import re
from typing import NamedTuple

from plumbline.grading.patterns import bounded
from plumbline.thinking import spoken

# A base model may continue and ask itself the next question. The text after it does not answer ours.
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
    """Characters of the text with the same place in the response."""
    shift: int
    """How much further right the others are in the response."""
    is_cut: bool
    """The response ends during thinking, so it answers nothing."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return [start, end) in the response."""
        return (start, end) if start < self.head else (start + self.shift, end + self.shift)


def own_answer(response: str) -> OwnText:
    """Return the response up to the place where the model asks itself another question, with its thinking blanked out.

    A runaway response is read only at its ends: an answer is at one of them, and the time stays bounded.
    """
    response, is_cut = spoken(response)
    match = NEXT_QUESTION.search(response, len(response) - len(response.lstrip()) + 1)
    text = response[: match.start()] if match and response[: match.start()].strip() else response
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return OwnText(text, len(text), 0, is_cut)
    shift = len(text) - HEAD_CHARACTERS - TAIL_CHARACTERS - 1
    return OwnText(text[:HEAD_CHARACTERS] + "\n" + text[-TAIL_CHARACTERS:], HEAD_CHARACTERS, shift, is_cut)
