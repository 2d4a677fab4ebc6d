"""Read the sign of a number: a dash or a plus before it, or a word. Pure."""

import re

from plumbline.grading.latex_commands import RELATIONS
from plumbline.grading.number_context import ASSERTED, stripped
from plumbline.grading.patterns import bounded

# "negative 5", "-$5$", "-(5 N)"
SIGN_WORD = bounded(
    r"""
    (?:
          (?:\\ (?: text | mathrm ) \s? \{ \s*)? \b (?P<word> negative | minus | positive )
          (?: \s* \} \s* | \s+ ) \$?
        | (?P<dash>-) \s? (?: \$ | \( | \\ \( )
    )
    \s* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
PLUS_OR = bounded(r"\bplus[\s-]+or[\s-]+$", re.IGNORECASE)
SIGN_WORDS = bounded(
    rf"""
    (?:
          \b
          (?:
                is
              | are
              | was
              | be
              | equals?
              | to
              | of
              | about
              | approximately
              | around
              | charge
              | value
              | answer
              | get
              | gives?
              | as
              | and
              | or
          )
        | [=:≈(\[{{$,→⇒⟶⟹↦≅≃≒≡∼]
        | - >
        | = >
        | (?: ^ | \s ) ~
        | \\ (?: {RELATIONS} )
        | ^
        | \n
        | \\ \(
        | \\ \[
        | &
        | \* \*
    )
    \s* $
    """,
    re.IGNORECASE | re.VERBOSE,
)


def sign_before(text: str, position: int) -> int | None:
    """Return where the sign of a number starts, or None. A dash after a digit, a letter or a bracket subtracts or joins."""
    place = position
    while place > 0 and text[place - 1] in " \t":
        place -= 1
    if place == 0 or text[place - 1] not in "-+":
        return None
    before = text[max(0, place - 40) : place - 1]
    if not before.strip() or SIGN_WORDS.search(before):
        return place - 1
    # "x -3": a dash that touches only the number is a sign after a word, but never after a symbol.
    if place == position and before[-1:].isspace() and re.search(r"[A-Za-z]{2,}\s+$", before):
        return place - 1
    return None


def sign_word_before(text: str, position: int) -> tuple[int, float] | None:
    """Return where a sign in words or outside marks starts, and what it is. A minus between two quantities subtracts; it is not a sign."""
    match = SIGN_WORD.search(text, max(0, position - 40), position)
    if match is None:
        return None
    lead = text[max(0, match.start() - 40) : match.start()]
    word = (match["word"] or match["dash"]).lower()
    opens = not lead.strip() or ASSERTED.search(stripped(lead)) or (word == "minus" and SIGN_WORDS.search(lead))
    if word in ("minus", "-") and (PLUS_OR.search(lead) or not opens):
        return None
    return match.start(), 1.0 if word == "positive" else -1.0
