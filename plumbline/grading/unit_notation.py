"""Read a unit as written after a number: powers, products, slashes, words. Pure."""

import re
from functools import lru_cache
from typing import NamedTuple

from plumbline.grading.unit_names import PREFIX_NAMES, Unit, look_up
from plumbline.grading.unit_plain_text import flatten
from plumbline.grading.unit_runs import AMBIGUOUS, split_run

NAME = re.compile(r"°\s?[CFK](?![A-Za-z])|H\.P\.|°|[A-Za-zμΩÅ℃℉]+|%")
POWER = re.compile(
    r"""
      \s? (?: \^ | \* \* ) \s* (?: \( \s* ([+-]? \s? \d) \s* \) | ([+-]? \s? \d) (?! \d | \. \d ) )
    | ([+-]? [1-6]) (?! \d | [.,] \d )
    """,
    re.VERBOSE,
)
PREFIX_APART = re.compile(r"([A-Za-z]+)[ -]([A-Za-z]+)")
SQUARED = re.compile(r"\s+(squared|cubed)(?![A-Za-z])", re.IGNORECASE)
SEPARATOR = re.compile(
    r"""
      \s* (?P<over> / | \b per \b ) \s*
    | \s* (?P<times>·) \s*
    | (?P<dot>\.) (?=[A-Za-zμΩ])
    | (?P<dash>-) (?=[A-Za-zμΩ])
    | (?P<space>\s+)
    | (?=°)
    """,
    re.VERBOSE,
)
# Units that are also English words: after a gap they belong to the sentence ("5 kg in", "3 m a second later").
NEVER_AFTER_A_GAP = {"in", "a", "A", "at", "as", "As", "c", "d", "t", "u", "l", "B", "D", "M"}
MAX_UNIT_CHARACTERS = 90
FIRST_EASTERN = "\u2e80"
# "12 in total", "5 in kN": a preposition, unless the next words are about a length.
IN_WITH_MORE = re.compile(
    r"""
    [ \t]+
    (?!
        (?:
              long
            | wide
            | tall
            | high
            | deep
            | thick
            | apart
            | above
            | below
            | from
            | to
            | of
            | and
            | or
            | by
            | per
            | in
            | is
            | at
            | on
        )
        \b
    )
    [A-Za-z(\\$]
    """,
    re.VERBOSE,
)
# A quick look before any work: most numbers in a derivation have no unit.
BEGINS = re.compile(
    r"""
    (?: [ \t\u00a0\u2009\u202f~${}*] | \\ [,;:! )\]] | \\q?quad (?![A-Za-z]) ){0,12}
    (?: [A-Za-zμΩÅ℃℉°º˚%/(\[] | \\ [A-Za-z%] | \^ \s? \{? \s? \\circ | 1 \s? / )
    """,
    re.VERBOSE,
)
SEGMENT = re.compile(r"(?:\\[;!]|[^\n=<>≈≃?!;\"“”])*")
LATEX = re.compile(r"[\\${}~*º˚·×⋅∙⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹]")
WRAPPED_WORD = re.compile(
    r"""
    (?: \s | \\ [,;:! ] | ~ | \$ ){0,12} \\ (?: mathrm | text | textrm | unit | si ) \s? \{
    [\s~]{0,4} ([A-Za-z] [^{}]*) \}
    """,
    re.VERBOSE,
)
WORDED_POWER = re.compile(r"(square(?=\s)|cubic(?=\s)|sq\.?|cu\.?(?=\s))\s*", re.IGNORECASE)
DEGREE_KIND = re.compile(r"\s+(celsius|centigrade|fahrenheit|kelvin|[CFK])(?![A-Za-z])", re.IGNORECASE)
SECOND_WORD = re.compile(r"[\s-]+(years?|volts?|units?|miles?|hours?|tons?)(?![A-Za-z])", re.IGNORECASE)
PER_CENT = re.compile(r"\s*per\s+cent(?![A-Za-z])", re.IGNORECASE)
# m^3kg^-1s^-2: after a power, the next symbol needs no gap.
AFTER_A_POWER = re.compile(r"(?<=[\d)])(?=[A-Za-zμΩ])")
LETTERS = re.compile(r"([A-Za-zμΩ]+)(?:\^-?\d)?")
# Small letters for a unit that needs a capital are more often symbols in a formula: mv^2, ma.
LENIENT = frozenset({"mv", "ma", "mh", "mf", "uv", "ua", "uc", "uf", "uh", "kv"})
# If these touch the number, they may as well be weight, thermal energy or time: 2mg, 3kT, 2t, 2g.
SYMBOLS_AS_UNITS = frozenset({"mg", "kT", "pV", "PV", "as", "at", "mT", "g", "t", "u", "c", "d", "h"})
OVER_FIRST = re.compile(r"\s*(?:1\s*/|/|per\b)\s*")


class UnitText(NamedTuple):
    """The text after a number, read as a unit."""

    unit: Unit | None
    """None if there is no readable unit."""
    end: int
    """Position after the unit in the text."""
    unknown: bool
    """There is something like a unit, in a unit wrapper, that is not on the whitelist."""
    other: Unit | None = None
    """The second reading of a run of symbols that is also a prefix and a symbol (W/mK)."""
    symbolic: bool = False
    """The letters may as well be symbols of a formula (mv^2, NA)."""


def exponent_in(match: re.Match[str]) -> int:
    """Return the exponent that POWER found."""
    return int((match[1] or match[2] or match[3]).replace(" ", ""))


def read_factor(plain: str, position: int, after_gap: bool, runs: bool) -> tuple[dict[str, int], int, int] | None:
    """Read one unit with its power; return (powers, power of ten, end)."""
    bracket = plain[position : position + 1]
    if bracket and bracket in "([" and after_gap:
        # "196 joules (J)" names the unit twice.
        return None
    if bracket and bracket in "([":
        inner = read_product(plain, position + 1, runs)
        if inner is None or plain[inner[2] : inner[2] + 1] != {"(": ")", "[": "]"}[bracket]:
            return None
        powers, exponent10, end = inner[0], inner[1], inner[2] + 1
        raised = POWER.match(plain, end)
        if raised is None or raised[3]:
            return powers, exponent10, end
        power = exponent_in(raised)
        return {unit: value * power for unit, value in powers.items()}, exponent10 * power, raised.end()
    words = WORDED_POWER.match(plain, position)
    start = words.end() if words else position
    match = NAME.match(plain, start)
    if match is None:
        return None
    name, end = match[0], match.end()
    if (after_gap and name in NEVER_AFTER_A_GAP) or (name == "in" and IN_WITH_MORE.match(plain, end)):
        return None
    if name.lower() in ("degree", "degrees", "deg", "°"):
        kind = DEGREE_KIND.match(plain, end)
        if kind:
            name, end = "°" + kind[1][0].upper(), kind.end()
    if name.lower() in ("light", "electron", "astronomical", "nautical", "watt", "kilowatt", "metric"):
        pair = SECOND_WORD.match(plain, end)
        joined = pair and {"light": "ly", "electron": "eV", "astronomical": "AU", "watt": "Wh", "kilowatt": "kWh", "metric": "t"}.get(
            name.lower()
        )
        if pair and joined:
            name, end = joined, pair.end()
    apart = PREFIX_APART.match(plain, start) if name.lower() in PREFIX_NAMES else None
    if apart:
        name, end = apart[1] + apart[2], apart.end()
    found, run, power = look_up(name), split_run(name), 1
    if found is None and run is None:
        return None
    if words:
        power = 2 if words[1].lower().startswith("sq") else 3
    raised = POWER.match(plain, end) or SQUARED.match(plain, end)
    if raised:
        power = {"squared": 2, "cubed": 3}[raised[1].lower()] if raised.re is SQUARED else exponent_in(raised)
        end = raised.end()
    if run and (
        found is None or (runs and name in AMBIGUOUS) or (power != 1 and found == run_unit(run, 1)) or (power < 0 and run[-1] == "s")
    ):
        # `Nm^-1` is N m^-1: a power belongs to the last symbol.
        found, power = run_unit(run, power), 1
    elif name == "ms" and power < 0:
        # `ms^-1` is m s^-1 without a space, never "per millisecond".
        return {"meter": 1, "second": power}, 0, end
    assert found is not None
    return {unit: value * power for unit, value in found.powers}, found.exponent10 * power, end


def run_unit(run: tuple[str, ...], power: int) -> Unit:
    """Return the product of a run of symbols, with the last one to a power."""
    powers: dict[str, int] = {}
    exponent10 = 0
    for place, symbol in enumerate(run):
        found = look_up(symbol)
        assert found is not None, symbol
        factor = power if place == len(run) - 1 else 1
        exponent10 += factor * found.exponent10
        for unit, value in found.powers:
            powers[unit] = powers.get(unit, 0) + factor * value
    return Unit.of(powers, exponent10)


def read_product(plain: str, position: int, runs: bool) -> tuple[dict[str, int], int, int] | None:
    """Read units joined by gaps, dots, dashes and slashes. Units after a slash are all below it (J/kg K is J/(kg K))."""
    below = False
    per_cent = PER_CENT.match(plain, position)
    if per_cent:
        return {"percent": 1}, 0, per_cent.end()
    leading = OVER_FIRST.match(plain, position)
    if leading:
        below, position = True, leading.end()
    first = read_factor(plain, position, after_gap=False, runs=runs)
    if first is None:
        return None
    powers, exponent10, end = first
    total = {unit: -value if below else value for unit, value in powers.items()}
    exponent10 = -exponent10 if below else exponent10
    while separator := SEPARATOR.match(plain, end) or AFTER_A_POWER.match(plain, end):
        if "\n" in separator[0]:
            break
        named = separator.groupdict()
        below = below or named.get("over") is not None
        factor = read_factor(plain, separator.end(), after_gap=named.get("space") is not None, runs=runs)
        if factor is None:
            break
        powers, shift, end = factor
        # J/kg K^-1: after a slash, a negative power means that the unit is already below it.
        flip = -1 if below and all(value > 0 for value in powers.values()) else 1
        for unit, value in powers.items():
            total[unit] = total.get(unit, 0) + flip * value
        exponent10 += flip * shift
    return total, exponent10, end


def read_unit(text: str, position: int) -> UnitText:
    """Read the unit that starts at `position`, after marks and gaps of LaTeX."""
    nothing = UnitText(None, position, False)
    if not BEGINS.match(text, position):
        return nothing
    segment = SEGMENT.match(text, position, min(len(text), position + MAX_UNIT_CHARACTERS))
    stop = segment.end() if segment else position
    if LATEX.search(text, position, stop):
        plain, ends = flatten(text, position, stop)
    else:
        plain, ends = text[position:stop], list(range(position + 1, stop + 1))
    first = len(plain) - len(plain.lstrip(" \t"))
    found = read_product(plain, first, False)
    if found:
        powers, exponent10, end = found
        following = plain[end : end + 1]
        if not ((following.isalpha() and following < FIRST_EASTERN) or following in ("_", "\\")):
            unit = Unit.of(powers, exponent10)
            again = read_product(plain, first, True) if any(run in plain for run in AMBIGUOUS) else None
            other = Unit.of(again[0], again[1]) if again and again[2] == end else None
            name = LETTERS.fullmatch(plain, first, end)
            run = split_run(name[1]) if name else None
            symbolic = name is not None and (
                name[1] in LENIENT or (run is not None and not look_up(name[1]) and all(len(part) == 1 for part in run))
            )
            return UnitText(unit, ends[end - 1], False, other if other != unit else None, symbolic)
    wrapper = WRAPPED_WORD.match(text, position, stop)
    return UnitText(None, wrapper.end(), True) if wrapper else nothing


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit | None:
    """Return the unit of a whole string; None if it is not on the whitelist."""
    found = read_unit(text + " ", 0)
    rest, _ = flatten(text, found.end, len(text))
    if found.other is not None and text.strip("$ ") not in AMBIGUOUS:
        # W/mK and Tm/A, as everyone writes thermal conductivity and the magnetic constant.
        found = found._replace(unit=found.other)
    return found.unit if found.unit is not None and not rest.strip(" .") else None
