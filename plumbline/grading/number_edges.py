"""Text directly before or after a number that makes it no separate value. Pure."""

import re

from plumbline.grading.latex_commands import RELATIONS, WRAPPERS
from plumbline.grading.patterns import bounded

# Text that must not come directly before a number: it would be part of a name, an index, a power or a decimal.
GLUED = bounded(
    r"""
    (?:
          [A-Za-z\d_^]
        | [_^] \s* \{? \s* [+-]?
        | [\d] \.
        | \d \s? : \s?
        | (?: [A-Za-z] ['′’]{0,3} | (?<![A-Za-z\\]) [A-Za-z] ['′’]{0,3} \s ) \(
    )
    $
    """,
    re.VERBOSE,
)
# Letters before a number that are not part of a name: `\\approx12`, `\\left(5`.
COMMAND = bounded(
    rf"""
    \\ (?: {RELATIONS} | {WRAPPERS} | (?: times | cdot | div | leq? | geq? | neq? | pm | mp | q?quad | propto | therefore ) (?![A-Za-z]) ) \s* $
    """,
    re.VERBOSE,
)
LEFT_BRACKET = bounded(r"\\(?:left|[bB]igg?l?)\s?(?=[(\[]$)")
# An ordinal, an adjective, a clock time, a count of digits, or a number that the next word changes ("5 tenths", "5 squared").
NOT_A_VALUE = bounded(
    r"""
      (?: st | nd | rd | th ) \b
    | - [A-Za-z]
    | : \s? \d
    | \\? _ [\d{]
    | [ \t-]+
      (?:
            squared
          | cubed
          | dozens?
          | halves
          | thirds?
          | quarters?
          | (?: fif | six | seven | eigh | nin | ten | hundred | thousand | million | billion )
            ths?
      )
      (?![A-Za-z])
    | \s+ (?: over | out \s+ of ) \s+ \d
    | \s*
      (?:
            decimals?
          | decimal \s+ (?: places? | digits? )
          | significant
          | sig \.? \s* figs?
          | d \. p \.
      )
      (?![A-Za-z])
    | \s* (?:\\text \{)? [-\s]? dimensional
    """,
    re.VERBOSE,
)
OPERATOR = bounded(
    r"(?:×|·|\*\*\s?(?=[-+]?[\d(.\\{])|\*\*(?=[A-Za-z])|\*(?!\*)|/|\+|\^|\\times|\\cdot|\\div|\\pm(?=\s*[A-Za-z\\])|[xX]\s*[\d(])"
)
CLOSERS = bounded(r"(?:[ \t]|\$|~|\\[,;:! ]|\\q?quad(?![A-Za-z])|\\[)\]]|\}|\*\*(?!\s?[-+]?[\d(.\\{]|[A-Za-z])|`)*")
# "|5|" and "\left|5\right|": the bars of an absolute value touch what they hold.
LEFT_BAR = bounded(r"(?:\\left\s?|\\)?(?:\||‖)$|\\l?[vV]ert\s?$")
RIGHT_BAR = bounded(r"(?:\\right\s?|\\)?(?:\||‖)[ \t]*|\\r?[vV]ert(?![A-Za-z])[ \t]*")
# "5 m_1", "5 \hbar", "5x": the number is multiplied by a symbol.
SYMBOL = bounded(
    r"""
    (?:
          [A-Za-zα-ωΑ-Ωħ] (?![A-Za-z'’])
        | [A-Za-zα-ω]{1,4} [_^]
        | (?: mg[hlLrR] | gh | mv[rR] | kx | q[EVvB] | qvB | nRT | RT | GMm? | IR | BIL? ) (?![A-Za-z])
        | \\
          (?!
                approx
              | sim
              | cong
              | text
              | mathrm
              | quad
              | qquad
              | [,;:! )\]]
              | to \b
              | rightarrow
              | Rightarrow
              | implies
              | Longrightarrow
              | longrightarrow
              | leq
              | geq
              | le \b
              | ge \b
              | right
              | [bB]igg?r?
              | pm
              | mp
              | end
              | newline
              | \\
              | times
              | cdot
              | div
              | hline
              | because
              | therefore
              | boxed
              | \w* space
              | label
              | tag
              | ldots
              | dots
              | and
              | %
              | &
          )
          [A-Za-z]+
    )
    """,
    re.VERBOSE,
)
WORD_OPERATOR = bounded(r"(?:times|multiplied\s+by|divided\s+by|plus|minus|of\s+(?:the|its|that|this|their|what))\b", re.IGNORECASE)
# "5 N - this is" continues the sentence, "5 N - the friction" may not.
SUBTRACTS = bounded(r"\s*-\s*(?!(?:this|that|which|it|because|since|so|as|not|note|due|see)\b)\$?[\w\\(]", re.IGNORECASE)
# A bracket directly after a number that holds more than its unit is a factor, or a doubt about the last digits: neither is read.
TOUCHING = bounded(r"(?:\\left\s?)?\((?:[^()\n]{0,60}[\d+*/^=]|\s?[A-Za-zα-ω]\s?\))")
# Text that may follow a number without a gap in Japanese and Korean; other letters there are unknown units.
PARTICLES = "でだとをがはにの입이"
