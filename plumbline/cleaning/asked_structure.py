"""Say whether a question asks for the structure that its answer has: JSON, a value of code, a list of numbers. Pure."""

import re

from plumbline.cleaning.classification import Classified
from plumbline.cleaning.codes import Notice, OutputClass
from plumbline.cleaning.structured_value import Members, Value, Written

ASKS_FOR_JSON = re.compile(r"\bJSON\b")
# Speed: most answers are text, and only the questions of structured ones are searched, so a long pattern costs little.
SPEAKS_OF_CODE = re.compile(
    r"""
      \b (?: python | numpy | pandas | javascript | typescript | repr | comprehension | tuples? | dict(?:ionary)? | arrays?
           | code | snippet | programme? | yaml | regex | interpreter )s? \b
    | \b print \s* \(
    | \b (?: function | method | expression ) [ ] (?: returns? | gives? | prints? | outputs? ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
SPEAKS_OF_NUMBERS = re.compile(
    r"""
    \b (?: lists? | matrix | matrices | vertices | vertex | coordinates? | points? | sequences? | series | sets? | intervals?
         | roots? | eigenvalues? | components? | pairs? | ranges? | sort(?:ed|s)? | row | column ) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
LISTED = (OutputClass.JSON_LIST, OutputClass.PYTHON_LITERAL)


def asked_notice(question: str, output: object, seen: Classified) -> Notice | None:
    """The flag of an output that stays unchanged because its question asks for that form; None if it must become text."""
    if not isinstance(output, str) or (seen.value is None and seen.kind != OutputClass.BROKEN_JSON):
        return None
    if "JSON" in question and ASKS_FOR_JSON.search(question):
        return Notice.JSON_REQUESTED
    if seen.value is None or seen.faults:
        return None
    if SPEAKS_OF_CODE.search(question):
        return Notice.STRUCTURE_REQUESTED
    is_list = seen.kind in LISTED and isinstance(seen.value, list) and not isinstance(seen.value, Members)
    return Notice.STRUCTURE_REQUESTED if is_list and holds_numbers(seen.value) and SPEAKS_OF_NUMBERS.search(question) else None


def holds_numbers(value: Value) -> bool:
    """Whether a value is a number, or a list of only numbers, at any depth."""
    if isinstance(value, list) and not isinstance(value, Members):
        return bool(value) and all(holds_numbers(item) for item in value)
    return isinstance(value, Written) and any(character.isdigit() for character in value)
