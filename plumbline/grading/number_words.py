"""Read a number in words at the beginning of a statement: "zero", "minus five newtons", "half a metre". Pure."""

import re

from plumbline.grading.compound_quantities import Quantity
from plumbline.grading.decimals import AND_A_PART, PARTS
from plumbline.grading.number_scales import SCALES, read_scale
from plumbline.grading.patterns import bounded
from plumbline.grading.unit_notation import read_unit

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
# A number in words that continues: "two thirds", "five point two", "twenty-five".
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


def word_quantity(text: str) -> Quantity | None:
    """Read a number word at the beginning of a statement: "zero", "minus five newtons", "two million joules", "half a metre"."""
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
