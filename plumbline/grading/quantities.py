"""Find the quantities of a text: numbers with their units, and whether each is stated or only part of a calculation. Pure."""

import math
import re

from plumbline.grading.bracketed_quantities import is_factor, is_one_bracket
from plumbline.grading.compound_quantities import Quantity, join_parts
from plumbline.grading.decimals import AND_A_PART, OPENS_WITH_COMMA, PARTS, Number
from plumbline.grading.number_context import ASSERTED, CALCULATED, DENIED, stripped
from plumbline.grading.number_edges import (
    CLOSERS,
    COMMAND,
    GLUED,
    LEFT_BAR,
    LEFT_BRACKET,
    NOT_A_VALUE,
    OPERATOR,
    PARTICLES,
    RIGHT_BAR,
    SUBTRACTS,
    SYMBOL,
    TOUCHING,
    WORD_OPERATOR,
)
from plumbline.grading.number_signs import sign_before, sign_word_before
from plumbline.grading.number_tokens import read_number
from plumbline.grading.patterns import bounded
from plumbline.grading.spreads import read_spread
from plumbline.grading.unit_notation import SYMBOLS_AS_UNITS, read_unit

START = bounded(
    r"""
      [\d.√π½⅓⅔¼¾⅕⅖⅗⅘⅙⅛]
    | \\ [dtc]? frac (?![A-Za-z])
    | \\sqrt (?![A-Za-z])
    | \\pi (?![A-Za-z])
    | \\ (?: left | [bB]igg?l? ) \s? [(\[]
    | [(\[] (?= \s? [-+\d.√π\\(\[] )
    | , (?= \d )
    | \x0c rac (?=\{)
    | \t frac (?=\{)
    | \b sqrt \(
    | \b pi \b
    """,
    re.VERBOSE,
)
OF_A = bounded(r"[ \t]+of\s+an?(?=\s+[A-Za-z])")
DIGITS = bounded(r"[\d.,]*")
GROUP = bounded(r"\s*(?:\[[^\]\n]{0,10}\])?\s*\{")


def find_quantities(text: str, *, at_start_asserted: bool = False) -> list[Quantity]:
    """Return the quantities of a text in order, without those that are part of a larger expression.

    at_start_asserted: the text follows "the answer is", so a number at its beginning is stated.
    """
    found: list[Quantity] = []
    position = 0
    while match := START.search(text, position):
        start = match.start()
        position = match.end()
        before = LEFT_BRACKET.sub("", text[max(0, start - 60) : start])
        if match[0] == "," and not OPENS_WITH_COMMA.search(before):
            continue
        # "1h30min": the letter before 30 is the unit of the part before.
        touching = bool(found) and found[-1].end == start and found[-1].unit is not None
        # "90 s (1 min 30 s)": a bracket after a unit is not a function call.
        bracketed = bool(found) and found[-1].unit is not None and text[found[-1].end : start] in ("(", " (")
        is_glued = GLUED.search(before) is not None and not COMMAND.search(before)
        opens_group = match[0][-1] in "(["
        if opens_group and is_glued:
            # f(2): the inside is read separately, or not at all.
            continue
        if is_glued and not touching and not bracketed:
            digits = DIGITS.match(text, start)
            position = max(after_groups(text, position) if match[0][0] in "\\\x0c\t" else position, digits.end() if digits else position)
            continue
        sign = sign_before(text, start)
        word = sign_word_before(text, start) if sign is None else None
        begin = next((place for place in (sign, word and word[0]) if place is not None), start)
        number = read_number(text, start if word else begin)
        if opens_group and (number is None or is_one_bracket(text, start, number)):
            # "(12 N)", "(12)": the bracket adds nothing, and its inside comes next.
            continue
        if number is None:
            position = max(position, after_groups(text, position) if match[0][0] in "\\\x0c\t" else position)
            continue
        position = max(position, number.end)
        if word:
            number = number._replace(value=word[1] * number.value)
        quantity = complete(text, number, begin)
        if quantity is None or (bracketed and quantity.unit is None):
            continue
        if touching and is_glued and len(join_parts(text, [found[-1], quantity])) == 2:
            continue
        binary = (sign is None and word is None and CALCULATED.search(before)) or is_factor(text, begin, quantity)
        lead = stripped(text[max(0, begin - 120) : begin])
        if DENIED.search(lead, max(0, len(lead) - 40)):
            position = max(position, quantity.end)
            continue
        opening = at_start_asserted and not lead.strip()
        stated = not binary and (opening or ASSERTED.search(lead, max(0, len(lead) - 40)) is not None)
        if binary:
            # The end of a sum or product: its value is not this number.
            position = max(position, quantity.end)
            continue
        found.append(quantity._replace(asserted=stated))
        position = max(position, quantity.end)
    return join_parts(text, found)


def after_groups(text: str, position: int) -> int:
    """Return the end of the brace groups that follow: a fraction with symbols has no value."""
    while group := GROUP.match(text, position):
        depth, place = 1, group.end()
        while place < len(text) and depth and place < group.end() + 300:
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            place += 1
        if depth:
            return position
        position = place
    return position


def complete(text: str, number: Number, begin: int) -> Quantity | None:
    """Add unit, range and plus-minus to a number; None if it turns out to be an ordinal, an adjective or part of a product."""
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
    if unit.unit is None and TOUCHING.match(text, number.end):
        return None
    if unit.unit is None and text[number.end : number.end + 1].isalpha() and text[number.end] not in PARTICLES:
        # 2GM, 5x: letters that touch the number are symbols if they are not a unit.
        return None
    place = after_bar(text, begin, place)
    if OPERATOR.match(text, place) or WORD_OPERATOR.match(text, place):
        return None
    if half_width is None and SUBTRACTS.match(text, place):
        return None
    # "\\frac{1}{2}m": a fraction with letters that touch it may as well be a product with a symbol.
    touches = text[begin : begin + 1] == "\\" and text[number.end : number.end + 1].isalpha()
    symbolic = unit.symbolic or touches or (text[number.end : number.end + 1].isalpha() and text[number.end : unit.end] in SYMBOLS_AS_UNITS)
    return Quantity(value, begin, end, unit.unit, unit.unknown, False, half_width, number.scale, unit.other, symbolic)


def after_bar(text: str, begin: int, place: int) -> int:
    """Return the place behind the bar of an absolute value, as in "|5|-10"; `place` if there is no such bar. A row of a table has other bars too."""
    right = RIGHT_BAR.match(text, place)
    if right is None or not LEFT_BAR.search(text, max(0, begin - 8), begin):
        return place
    line = text[:place].rpartition("\n")[2] + text[place:].partition("\n")[0]
    return right.end() if line.count("|") <= 2 else place


def prose_letter(text: str, place: int, end: int) -> bool:
    """Say whether the lone letter at `place` is a word of the sentence ("12 N a day", "5 N. I ...") and not a symbol."""
    return text[place] in "aAI" and place > end and text[place + 1 : place + 2] == " "
