"""Read the words and marks before a number that state it, deny it or calculate with it. Pure."""

import re

from plumbline.grading.latex_commands import RELATIONS, WRAPPERS
from plumbline.grading.patterns import bounded

MARKS = " \t\n\r\u00a0\u2009\u202f$*_~`\"'“”{("
LATEX_MARK = bounded(
    rf"""
    \\
    (?:
          [,;:! (\[]
        | q?quad
        | left
        | boxed
        | fbox
        | {WRAPPERS}
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
    | (?: \b (?: nicht | keine? | pas | não \s+ é | non \s+ è | no \s+ es | niet | nie | не ) | 不 是? ) \s* $
    | ≠ \s* $
    | \\neq? \s* $
    | ! = \s* $
    """,
    re.IGNORECASE | re.VERBOSE,
)
MAX_MODIFIERS = 8
# "x = 12", "yields 12", "comes out to 12": the number is stated.
ASSERTED = bounded(
    rf"""
    (?:
          =
        | ≈
        | ≃
        | ≅
        | ≐
        | \\ (?: {RELATIONS} )
        | [∼≒≡→⇒⟶⟹↦]
        | - >
        | = >
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
# "is approximately 12": this word is skipped to find the "is".
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
# Text that makes the next number part of a calculation.
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
          )
        | (?: \b | \\ )
          (?: arc (?: sin | cos | tan ) | sinh? | cosh? | tanh? | cot | ln | log | lg | exp )
          (?:\s? _ \s? (?: \w | \{ [^{}]{1,8} \} ))?
          (?:\s? \^ \s? (?: \w | \{ [^{}]{1,8} \} ))?
          (?:\s? (?:\\left \s?)? \( )?
        | % \s+ of
        | \d \s+ (?: over | out \s+ of )
        | [\w)}$] \ ? [-+*/] \ ? \$
    )
    \s* $
    """,
    re.IGNORECASE | re.VERBOSE,
)


def stripped(lead: str) -> str:
    """Return the text before a number without marks and words such as "about", so that it ends with the words that state the number."""
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
