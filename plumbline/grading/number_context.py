"""Read what stands before a number: its sign, and words that state it, deny it or calculate with it. Pure."""

import re

from plumbline.grading.patterns import bounded

MARKS = " \t\n\r\u00a0\u2009\u202f$*_~`\"'“”{("
LATEX_MARK = bounded(
    r"""
    \\
    (?:
          [,;:! (\[]
        | q?quad
        | text
        | mathrm
        | mathbf
        | textbf
        | boldsymbol
        | bm
        | displaystyle
        | left
        | boxed
        | fbox
    )
    $
    """,
    re.VERBOSE,
)
# "is not 12 N", "cannot be 12 N", "≠ 12 N": the opposite of a statement.
DENIED = bounded(
    r"""
      (?: \b (?: not | cannot | never ) | n ['’] t )
      (?:\s+ (?: be | equal | equal \s+ to | is | have | a | the | of ))?
      \s* $
    | ≠ \s* $
    | \\neq? \s* $
    | ! = \s* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
MAX_MODIFIERS = 8
# "x = 12", "yields 12", "comes out to 12": the number is stated.
ASSERTED = bounded(
    r"""
    (?:
          =
        | ≈
        | ≃
        | ≅
        | ≐
        | \\approx
        | \\simeq
        | \\cong
        | \\doteq
        | \\sim
        | →
        | ⇒
        | - >
        | \\to
        | \\rightarrow
        | \\Rightarrow
        | \\implies
        | :
        | \# \# \# \#
        | \b
          (?:
                is
              | are
              | was
              | were
              | be
              | been
              | being
              | equals?
              | becomes?
              | gives?
              | gave
              | get
              | gets
              | got
              | obtain
              | obtains
              | obtained
              | yields?
              | yielding
              | giving
              | measures?
              | totals?
              | reaches
              | reached
              | comes? \s+ (?:out \s+)? to
              | works? \s+ out \s+ to
              | amounts? \s+ to
              | equal \s+ to
              | corresponds \s+ to
              | of \s+ about
              | of \s+ approximately
              | value \s+ of
          )
        | \b (?: it | that | this | there | here | answer ) ['’] s
    )
    $
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "is approximately 12": skipped to find the "is".
MODIFIER = bounded(
    r"""
    (?:
          \b
          (?:
                about
              | around
              | approximately
              | approx \.?
              | roughly
              | nearly
              | almost
              | exactly
              | only
              | just
              | simply
              | also
              | then
              | thus
              | therefore
              | hence
              | now
              | equal
              | given \s+ by
              | found \s+ to \s+ be
              | calculated \s+ (?: as | to \s+ be )
              | a \s+ (?: total | maximum | minimum | value | magnitude ) \s+ of
              | at
              | least
              | the \s+ number
              | or
          )
        | ≈
        | ~
        | \\approx
        | \\sim
        | \\pm
        | \+
        | &
        | ,
        | :
    )
    $
    """,
    re.IGNORECASE | re.VERBOSE,
)
# What makes the number behind it the part of something calculated.
CALCULATED = bounded(
    r"""
    (?:
          [+\-*/^×·±]
        | \\times
        | \\cdot
        | \\div
        | \\pm
        | \b
          (?:
                times
              | plus
              | minus
              | multiplied \s+ by
              | divided \s+ by
              | twice
              | thrice
              | double
              | triple
              | half (?:\s+ of)?
              | root \s+ of
              | (?:
                      square
                    | cube
                    | reciprocal
                    | inverse
                    | sine
                    | cosine
                    | tangent
                    | logarithm
                    | third
                    | quarter
                    | fifth
                    | tenth
                    | percent
                    | per \s+ cent
                )
                \s+ of
              | sin
              | cos
              | tan
              | ln
              | log
              | exp
          )
        | % \s+ of
        | \d \s+ (?: over | out \s+ of )
        | [\w)}$] \ ? [-+*/] \ ? \$
    )
    \s* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
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
    r"""
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
        | [=:≈(\[{$,]
        | \\approx
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
    """Return where the sign of a number starts, or None: a dash after a digit, a letter or a bracket subtracts or joins."""
    place = position
    while place > 0 and text[place - 1] in " \t":
        place -= 1
    if place == 0 or text[place - 1] not in "-+":
        return None
    before = text[max(0, place - 40) : place - 1]
    if not before.strip() or SIGN_WORDS.search(before):
        return place - 1
    # "x -3": a dash that touches the number and not the word before it is a sign after a word, never after a symbol.
    if place == position and before[-1:].isspace() and re.search(r"[A-Za-z]{2,}\s+$", before):
        return place - 1
    return None


def sign_word_before(text: str, position: int) -> tuple[int, float] | None:
    """Return where a sign in words or outside of marks starts and what it is; a minus between two quantities subtracts and is none."""
    match = SIGN_WORD.search(text, max(0, position - 40), position)
    if match is None:
        return None
    lead = text[max(0, match.start() - 40) : match.start()]
    word = (match["word"] or match["dash"]).lower()
    opens = not lead.strip() or ASSERTED.search(stripped(lead)) or (word == "minus" and SIGN_WORDS.search(lead))
    if word in ("minus", "-") and (PLUS_OR.search(lead) or not opens):
        return None
    return match.start(), 1.0 if word == "positive" else -1.0


def stripped(lead: str) -> str:
    """Return the text before a number without marks and words such as "about", so that it ends in what states the number."""
    for _ in range(MAX_MODIFIERS):
        shorter = lead.rstrip(MARKS)
        mark = LATEX_MARK.search(shorter, max(0, len(shorter) - 20))
        if mark is None and not ASSERTED.search(shorter, max(0, len(shorter) - 40)):
            mark = MODIFIER.search(shorter, max(0, len(shorter) - 40))
        if mark:
            shorter = shorter[: mark.start()]
        if shorter == lead:
            break
        lead = shorter
    return lead
