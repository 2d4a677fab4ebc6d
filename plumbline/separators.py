"""Find the separator of a table from its header and its first records. Pure."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice

SEPARATORS = (",", ";", "\t", "|")
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+")
SAID = re.compile(r'\ufeff?"?sep=(.)"?\r?\n?')
"""A first line with which Excel names the separator."""
HEAD_CHARACTERS = 1 << 16
"""How many characters of a table are looked at to find its separator."""
NUM_LOOKED_AT = 50
"""How many records below the header are looked at."""


def headers_of(text: str) -> dict[str, list[str]]:
    """Separator -> the names that it gives in the first line, for each that gives several.

    First come those that give the first records the width of the header, then those with the most names, commas before others.
    """
    if said := SAID.match(text):
        text = text[said.end() :]
    found: dict[str, tuple[float, list[str]]] = {}
    for separator in SEPARATORS:
        records = csv.reader(text.splitlines(keepends=True), delimiter=separator)
        try:
            names = [name.strip() for name in next(records, [])]
            if len(names) > 1:
                found[separator] = (share_of_width(records, len(names)), names)
        except csv.Error:
            continue
    ranked = sorted(found.items(), key=lambda one: (-one[1][0], -len(one[1][1])))
    return {separator: names for separator, (_, names) in ranked}


def share_of_width(records: Iterator[list[str]], width: int) -> float:
    """The share of the first records that have this many fields; 1 without records. It stops at what csv cannot read."""
    widths: list[int] = []
    with suppress(csv.Error):
        for cells in islice(records, NUM_LOOKED_AT):
            widths += [len(cells)] if cells else []
    return sum(number == width for number in widths) / len(widths) if widths else 1.0


def separator_of(text: str, is_known: Callable[[Sequence[str]], bool]) -> str | None:
    """The separator of a table: of those that fit, one that gives known names. None if the first line holds one name."""
    if said := SAID.match(text):
        return said[1]
    headers = headers_of(text)
    return next((separator for separator, names in headers.items() if is_known(names)), next(iter(headers), None))


def is_said(cells: Sequence[str], separator: str) -> bool:
    """Whether a first record is the line with which Excel names the separator, and not a header."""
    return separator.join(cells) == f"sep={separator}"


def with_point(cell: str, separator: str) -> str:
    """A cell that is a number, as it is read: spreadsheets separate cells with semicolons if the comma is the decimal mark."""
    return cell.replace(",", ".") if separator == ";" and DECIMAL_COMMA.fullmatch(cell.strip()) else cell


def two_readings(number: str, separator: str) -> str | None:
    """Why `1,234` between semicolons has two readings, with a remedy; None if it has one."""
    if separator != ";" or not THOUSANDS.fullmatch(number):
        return None
    return (
        f"{number!r} in a table with semicolons is {number.replace(',', '.', 1)} or {number.replace(',', '')}; "
        "write it with a point, or without the comma."
    )
