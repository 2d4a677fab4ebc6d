"""Find the quantities of a text: numbers with their units, and whether each is stated or only calculated with. Pure."""

import math
import re
from typing import NamedTuple

from plumbline.grading.compound_quantities import Quantity, join_parts
from plumbline.grading.number_tokens import AND_A_PART, PARTS, SCALES, Number, read_number, read_scale
from plumbline.grading.patterns import bounded
from plumbline.grading.units import UnitText, read_unit

START = bounded(
    r"""
      [\d.√π½⅓⅔¼¾⅕⅖⅗⅘⅙⅛]
    | \\ [dtc]? frac (?![A-Za-z])
    | \\sqrt (?![A-Za-z])
    | \\pi (?![A-Za-z])
    | \x0c rac (?=\{)
    | \t frac (?=\{)
    | \b sqrt \(
    | \b pi \b
    """,
    re.VERBOSE,
)
# What must not stand directly before a number: it would be part of a name, an index, a power or a decimal.
GLUED = bounded(
    r"""
    (?:
          [A-Za-z\d_^]
        | [_^] \s* \{? \s* [+-]?
        | [\d] \.
        | \\log _?
        | \d \s? : \s?
        | [A-Za-z] ['′’]{0,3} \s? (?:\\left \s?)? \(
    )
    $
    """,
    re.VERBOSE,
)
# An ordinal, an adjective, a clock time, a count of digits; a number that a word behind it makes another one ("5 tenths", "5 squared").
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
OPERATOR = bounded(r"(?:×|·|\*(?!\*)|/|\+|\^|\\times|\\cdot|\\div|\\pm(?=\s*[A-Za-z\\])|[xX]\s*[\d(])")
CLOSERS = bounded(r"(?:[ \t]|\$|~|\\[,;:! ]|\\q?quad(?![A-Za-z])|\\[)\]]|\}|\*\*|`)*")
SYMBOL = bounded(
    r"""
    (?:
          [A-Za-zα-ωΑ-Ωħ] (?![A-Za-z'’])
        | [A-Za-zα-ω]{1,4} [_^]
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
PLUS_MINUS = bounded(
    r"""
    (?: [ \t] | \$ | ~ | \\ [,;:! ] | \} )*
    (?:
          ±
        | \\pm (?![A-Za-z])
        | \+ / -
        | \+ -
        | plus [\s-]+ or [\s-]+ minus \b
        | plus [-/] minus \b
        | give \s+ or \s+ take \b
    )
    """,
    re.VERBOSE,
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
OF_A = bounded(r"[ \t]+of\s+an?(?=\s+[A-Za-z])")
TO = bounded(
    r"""
    (?: [ \t] | \$ | ~ | \\ [,;:! ] )*
    (?: -{1,2} | — | \b to \b | \\text \{ \s* to \s* \} | \\sim | ~ )
    (?: [ \t] | \$ | \\ [,;:! ] )* (?=[\d.\\+-])
    """,
    re.VERBOSE,
)
BETWEEN = bounded(r"(?:\bbetween|\bfrom)\s*\$?\s*$", re.IGNORECASE)
AND = bounded(r"(?:[ \t]|\$)*\band\b(?:[ \t]|\$)*(?=[\d.\\+-])")
# "5 N - this is" goes on with the sentence, "5 N - the friction" may not.
SUBTRACTS = bounded(r"\s*-\s*(?!(?:this|that|which|it|because|since|so|as|not|note|due|see)\b)\$?[\w\\(]", re.IGNORECASE)
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
DIGITS = bounded(r"[\d.,]*")
GROUP = bounded(r"\s*(?:\[[^\]\n]{0,10}\])?\s*\{")
PERCENT_SIGN = bounded(r"\s*\\?%")
BRACKET = bounded(r"\s*(?:\\right)?\)")
TIMES = bounded(r"\s*(?:×|\\times|·|\\cdot|\*|[xX])\s*")
OPENING_WORD = bounded(
    r"""
    [\s$*_~`\"'“{(]{0,12} (?: exactly \s+ | about \s+ | approximately \s+ )?
    (?:(?P<sign> minus | negative ) \s+)?
    (?:an? \s+ (?= hundred | thousand | million | billion | trillion | half ))?
    (?P<word>[A-Za-z]+)
    """,
    re.IGNORECASE | re.VERBOSE,
)
HALF_OF_A = bounded(r"\s+(?:of\s+)?an?(?=\s+[A-Za-z])", re.IGNORECASE)
# A number in words that goes on: "two thirds", "five point two", "twenty-five".
SPELLED_ON = bounded(
    r"""
    [\s-]+
    (?:
          and
        | point
        | over
        | halves
        | half
        | thirds?
        | quarters?
        | (?: four | fif | six | seven | eigh | nin | ten | hundred | thousand ) ths?
        | times
        | plus
        | minus
        | zero
        | one
        | two
        | three
        | four
        | five
        | six
        | seven
        | eight
        | nine
        | ten
        | eleven
        | twelve
        | \w+ teen
        | twenty
        | thirty
        | forty
        | fifty
        | sixty
        | seventy
        | eighty
        | ninety
        | dozens?
        | squared
        | cubed
    )
    \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
NUMBER_WORDS = {
    "zero": 0.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0,
    "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "half": 0.5, **SCALES,
}  # fmt: skip


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


def find_quantities(text: str, *, at_start_asserted: bool = False) -> list[Quantity]:
    """Return the quantities of a text in order, those left out that are part of a larger expression.

    at_start_asserted: the text follows "the answer is", so a number that opens it is stated.
    """
    found: list[Quantity] = []
    position = 0
    while match := START.search(text, position):
        start = match.start()
        position = match.end()
        before = text[max(0, start - 60) : start]
        # "1h30min": the letter before 30 is the unit of the part before.
        touching = bool(found) and found[-1].end == start and found[-1].unit is not None
        # "90 s (1 min 30 s)": a bracket after a unit calls no function.
        bracketed = bool(found) and found[-1].unit is not None and text[found[-1].end : start] in ("(", " (")
        if GLUED.search(before) and not touching and not bracketed:
            digits = DIGITS.match(text, start)
            position = max(after_groups(text, position) if match[0][0] in "\\\x0c\t" else position, digits.end() if digits else position)
            continue
        sign = sign_before(text, start)
        word = sign_word_before(text, start) if sign is None else None
        begin = next((place for place in (sign, word and word[0]) if place is not None), start)
        number = read_number(text, start if word else begin)
        if number is None:
            position = max(position, after_groups(text, position) if match[0][0] in "\\\x0c\t" else position)
            continue
        position = max(position, number.end)
        if word:
            number = number._replace(value=word[1] * number.value)
        quantity = complete(text, number, begin)
        if quantity is None or (bracketed and quantity.unit is None):
            continue
        if touching and GLUED.search(before) and len(join_parts(text, [found[-1], quantity])) == 2:
            continue
        binary = sign is None and word is None and CALCULATED.search(before)
        lead = stripped(text[max(0, begin - 120) : begin])
        if DENIED.search(lead, max(0, len(lead) - 40)):
            position = max(position, quantity.end)
            continue
        opening = at_start_asserted and not lead.strip()
        stated = not binary and (opening or ASSERTED.search(lead, max(0, len(lead) - 40)) is not None)
        if binary:
            # The tail of a sum or product: its value is not this number.
            position = max(position, quantity.end)
            continue
        found.append(quantity._replace(asserted=stated))
        position = max(position, quantity.end)
    return join_parts(text, found)


def after_groups(text: str, position: int) -> int:
    """Return the end of the brace groups that follow: a fraction with symbols in it holds no value of its own."""
    while group := GROUP.match(text, position):
        depth, place = 1, group.end()
        while place < len(text) and depth and place < group.end() + 300:
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            place += 1
        if depth:
            return position
        position = place
    return position


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


class Spread(NamedTuple):
    """A range or a plus-minus, read as its centre."""

    centre: float
    half_width: float
    end: int
    unit: UnitText


def read_spread(text: str, begin: int, number: Number, unit: UnitText) -> Spread | None:
    """Read "5-10 N", "5 N to 10 N", "between 5 and 10 N", "10 ± 0.2 N" and "(1.60 ± 0.02) × 10^-19 C"."""
    between = BETWEEN.search(text, max(0, begin - 20), begin) is not None
    for after in (number.end, unit.end):
        match = PLUS_MINUS.match(text, after)
        second = read_number(text, match.end()) if match else None
        if second is not None:
            percent = PERCENT_SIGN.match(text, second.end)
            half_width = abs(number.value * second.value) / 100 if percent else abs(second.value)
            return scaled(text, number.value, half_width, percent.end() if percent else second.end, unit)
        match = TO.match(text, after) or (AND.match(text, after) if between else None)
        second = read_number(text, match.end()) if match else None
        if match is None or second is None:
            continue
        joint = match[0].strip("$ \t")
        if joint.startswith("-") and joint != match[0] and not between:
            # "5 - 3" subtracts; "5-10" is a range.
            continue
        low, high = sorted((number.value, second.value))
        return scaled(text, (low + high) / 2, (high - low) / 2, second.end, unit)
    return None


def scaled(text: str, centre: float, half_width: float, end: int, first_unit: UnitText) -> Spread:
    """Add what stands behind a spread: a bracket, a power of ten that multiplies both, the unit."""
    bracket = BRACKET.match(text, end)
    times = bracket and TIMES.match(text, bracket.end())
    scale = read_number(text, times.end()) if times else None
    if scale:
        centre, half_width, end = centre * scale.value, half_width * abs(scale.value), scale.end
    elif bracket:
        end = bracket.end()
    unit = read_unit(text, end)
    if unit.unit is None and first_unit.unit is not None:
        unit = first_unit._replace(end=end)
    return Spread(centre, half_width, end, unit)


def complete(text: str, number: Number, begin: int) -> Quantity | None:
    """Add unit, range and plus-minus to a number; None where it turns out to be an ordinal, an adjective or part of a product."""
    if NOT_A_VALUE.match(text, number.end):
        return None
    unit = read_unit(text, number.end)
    of_a = OF_A.match(text, number.end) if unit.unit is None else None
    if of_a:
        # "0.5 of a metre"
        unit = read_unit(text, of_a.end())
    part = AND_A_PART.match(text, unit.end) if unit.unit else None
    if part:
        # "2 hours and a half"
        number, unit = number._replace(value=number.value + math.copysign(PARTS[part[1]], number.value)), unit._replace(end=part.end())
    value, half_width, end = number.value, None, number.end
    spread = read_spread(text, begin, number, unit)
    if spread:
        value, half_width, end, unit = spread
    end = max(end, unit.end) if unit.unit or unit.unknown else end
    follow = CLOSERS.match(text, end)
    place = follow.end() if follow else end
    if SYMBOL.match(text, place) and not prose_letter(text, place, end):
        return None
    if text[number.end : number.end + 1] == "!" and text[number.end + 1 : number.end + 2].strip():
        return None
    if unit.unit is None and text[number.end : number.end + 1].isalpha():
        # 2GM, 5x: letters that touch the number and are no unit are symbols.
        return None
    if OPERATOR.match(text, place) or WORD_OPERATOR.match(text, place):
        return None
    if half_width is None and SUBTRACTS.match(text, place):
        return None
    return Quantity(value, begin, end, unit.unit, unit.unknown, False, half_width, number.scale)


def prose_letter(text: str, place: int, end: int) -> bool:
    """Say whether the lone letter at `place` is a word of the sentence ("12 N a day", "5 N. I ...") and not a symbol."""
    return text[place] in "aAI" and place > end and text[place + 1 : place + 2] == " "


def word_quantity(text: str) -> Quantity | None:
    """Read a number word that opens a statement: "zero", "minus five newtons", "two million joules", "half a metre"."""
    match = OPENING_WORD.match(text)
    name = match["word"].lower() if match else ""
    if match is None or name not in NUMBER_WORDS:
        return None
    value, end = NUMBER_WORDS[name], match.end()
    part = AND_A_PART.match(text, end)
    if part:
        value, end = value + PARTS[part[1]], part.end()
    scale, end = read_scale(text, end)
    value *= scale
    if SPELLED_ON.match(text, end):
        return None
    of_a = HALF_OF_A.match(text, end) if name == "half" else None
    unit = read_unit(text, of_a.end() if of_a else end)
    if name in ("one", "half", *SCALES) and end == match.end() and not unit.unit and re.match(r"\s+[A-Za-z]", text[end:]):
        return None
    if match["sign"]:
        value = -value
    return Quantity(
        value,
        match.start("sign") if match["sign"] else match.start("word"),
        unit.end if unit.unit else end,
        unit.unit,
        False,
        True,
        None,
        scale,
    )
