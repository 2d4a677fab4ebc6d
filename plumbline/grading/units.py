"""Read a unit as written (plain text or LaTeX) and convert with pint, behind a whitelist of names. Pure.

pint never sees free text: a name is looked up here first, because pint reads "H.P." as henry poise, "ms^-2" as per
square millisecond and "5 units" as micro-nits. Its registry holds only the definitions below, which load in
milliseconds where its own file takes half a second. An angle is a dimension here, so that turns and hertz convert to
radians per second, and it is dropped where one side does not write it (N m/rad, s^-1).
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pint import UnitRegistry

DEFINITIONS = """
meter = [length]
gram = [mass]
second = [time]
ampere = [current]
kelvin = [temperature]
mole = [substance]
candela = [luminosity]
radian = [angle]
bit = [information]
fraction = []
percent = 0.01 fraction
ppm = 1e-6 fraction
minute = 60 second
hour = 3600 second
day = 86400 second
week = 604800 second
year = 31557600 second
month = year / 12
fortnight = 14 day
decade = 10 year
century = 100 year
degree = 0.017453292519943295 radian
arcminute = degree / 60
arcsecond = degree / 3600
turn = 6.283185307179586 radian
steradian = radian ** 2
hertz = turn / second
becquerel = 1 / second
newton = 1000 gram * meter / second ** 2
dyne = 1e-5 newton
pound_force = 4.4482216152605 newton
kilogram_force = 9.80665 newton
joule = newton * meter
erg = 1e-7 joule
calorie = 4.184 joule
btu = 1055.05585262 joule
electron_volt = 1.602176634e-19 joule
watt = joule / second
watt_hour = 3600 joule
horsepower = 745.69987158227 watt
pascal = newton / meter ** 2
bar = 1e5 pascal
atmosphere = 101325 pascal
torr = 133.32236842105263 pascal
psi = 6894.757293168 pascal
coulomb = ampere * second
ampere_hour = 3600 coulomb
elementary_charge = 1.602176634e-19 coulomb
volt = joule / coulomb
ohm = volt / ampere
siemens = 1 / ohm
farad = coulomb / volt
weber = volt * second
tesla = weber / meter ** 2
gauss = 1e-4 tesla
henry = weber / ampere
lumen = candela * steradian
lux = candela * steradian / meter ** 2
gray = joule / 1000 / gram
diopter = 1 / meter
liter = 1e-3 meter ** 3
molar = mole / liter
angstrom = 1e-10 meter
inch = 0.0254 meter
foot = 0.3048 meter
yard = 0.9144 meter
mile = 1609.344 meter
nautical_mile = 1852 meter
light_year = 9460730472580800 meter
parsec = 3.0856775814913674e16 meter
astronomical_unit = 149597870700 meter
tonne = 1e6 gram
pound = 453.59237 gram
ounce = 28.349523125 gram
dalton = 1.6605390666e-24 gram
speed_of_light = 299792458 meter / second
standard_gravity = 9.80665 meter / second ** 2
fermi = 1e-15 meter
barn = 1e-28 meter ** 2
slug = 14593.902937206364 gram
quintal = 1e5 gram
curie = 3.7e10 becquerel
maxwell = 1e-8 weber
oersted = 79.57747154594767 ampere / meter
debye = 3.33564095198152e-30 coulomb * meter
poise = 0.1 pascal * second
knot = 0.5144444444444445 meter / second
byte = 8 bit
"""
# Offsets are applied here and not by pint: a degree Celsius in J/(kg °C) is a difference, alone it is a temperature.
TEMPERATURE_OFFSETS = {"celsius": (1.0, 273.15), "fahrenheit": (5 / 9, 459.67 * 5 / 9)}

# symbol -> (unit, may take a prefix). Symbols are case-sensitive, as SI is; names below are not.
SYMBOLS: dict[str, tuple[str, bool]] = {
    "m": ("meter", True), "g": ("gram", True), "s": ("second", True), "A": ("ampere", True), "K": ("kelvin", True),
    "mol": ("mole", True), "cd": ("candela", True), "rad": ("radian", True), "sr": ("steradian", False),
    "Hz": ("hertz", True), "Bq": ("becquerel", True), "N": ("newton", True), "dyn": ("dyne", False), "lbf": ("pound_force", False),
    "kgf": ("kilogram_force", False), "J": ("joule", True), "erg": ("erg", False), "cal": ("calorie", True), "Cal": ("kilocalorie", False),
    "BTU": ("btu", False), "Btu": ("btu", False), "eV": ("electron_volt", True), "ev": ("electron_volt", False), "W": ("watt", True), "Wh": ("watt_hour", True),
    "hp": ("horsepower", False), "HP": ("horsepower", False), "Pa": ("pascal", True), "bar": ("bar", True), "atm": ("atmosphere", False),
    "torr": ("torr", False), "Torr": ("torr", False), "mmHg": ("torr", False), "psi": ("psi", False), "C": ("coulomb", True),
    "Ah": ("ampere_hour", True), "V": ("volt", True), "Ω": ("ohm", True), "ohm": ("ohm", True), "ohms": ("ohm", True), "Ohm": ("ohm", True), "Ohms": ("ohm", True), "S": ("siemens", True), "F": ("farad", True), "Wb": ("weber", True),
    "T": ("tesla", True), "Gs": ("gauss", False), "H": ("henry", True), "lm": ("lumen", False), "lx": ("lux", False), "Gy": ("gray", True),
    "Ci": ("curie", True), "Sv": ("gray", True), "D": ("diopter", False), "L": ("liter", True), "l": ("liter", True), "M": ("molar", False), "Å": ("angstrom", False),
    "in": ("inch", False), "ft": ("foot", False), "yd": ("yard", False), "mi": ("mile", False), "ly": ("light_year", True), "pc": ("parsec", True),
    "AU": ("astronomical_unit", False), "au": ("astronomical_unit", False), "t": ("tonne", False), "lb": ("pound", False),
    "lbs": ("pound", False), "oz": ("ounce", False), "u": ("dalton", False), "amu": ("dalton", False), "Da": ("dalton", True),
    "min": ("minute", False), "mins": ("minute", False), "h": ("hour", False), "hr": ("hour", False), "hrs": ("hour", False), "Hr": ("hour", False), "Hrs": ("hour", False), "Min": ("minute", False), "Mins": ("minute", False), "d": ("day", False),
    "yr": ("year", False), "yrs": ("year", False), "sec": ("second", True), "secs": ("second", False), "°": ("degree", False),
    "deg": ("degree", False), "rev": ("turn", False), "revs": ("turn", False), "rot": ("turn", False), "%": ("percent", False), "ppm": ("ppm", False),
    "°C": ("celsius", False), "℃": ("celsius", False), "degC": ("celsius", False), "°F": ("fahrenheit", False), "℉": ("fahrenheit", False),
    "degF": ("fahrenheit", False), "°K": ("kelvin", False), "bit": ("bit", True), "B": ("byte", True), "kn": ("knot", False),
}  # fmt: skip
PREFIXES = {
    "Q": 30, "R": 27, "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3,
    "μ": -6, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
}  # fmt: skip
# "5 KN", "5 mw", "5 gpa": the case of a prefix is kept, except K and g, which are none; that of these symbols is not.
SMALL_SYMBOLS = {"w": "W", "j": "J", "wh": "Wh", "hz": "Hz", "pa": "Pa", "ev": "eV"}
# Names of units in words, singular and lower case; all take a prefix word and a plural.
NAMES = {
    "meter": "meter", "metre": "meter", "gram": "gram", "gramme": "gram", "second": "second", "ampere": "ampere", "amp": "ampere",
    "kelvin": "kelvin", "mole": "mole", "candela": "candela", "radian": "radian", "steradian": "steradian", "bit": "bit", "byte": "byte",
    "percent": "percent", "minute": "minute", "hour": "hour", "day": "day", "week": "week", "year": "year", "degree": "degree",
    "arcminute": "arcminute", "arcsecond": "arcsecond", "revolution": "turn", "rotation": "turn", "turn": "turn", "cycle": "turn", "hertz": "hertz",
    "becquerel": "becquerel", "newton": "newton", "dyne": "dyne", "joule": "joule", "erg": "erg", "calorie": "calorie",
    "electronvolt": "electron_volt", "watt": "watt", "horsepower": "horsepower", "pascal": "pascal", "bar": "bar", "atmosphere": "atmosphere",
    "torr": "torr", "coulomb": "coulomb", "volt": "volt", "ohm": "ohm", "siemens": "siemens", "mho": "siemens", "farad": "farad", "weber": "weber",
    "tesla": "tesla", "gauss": "gauss", "henry": "henry", "henries": "henry", "lumen": "lumen", "lux": "lux", "gray": "gray", "sievert": "gray",
    "diopter": "diopter", "dioptre": "diopter", "liter": "liter", "litre": "liter", "angstrom": "angstrom", "inch": "inch", "inches": "inch",
    "foot": "foot", "feet": "foot", "yard": "yard", "mile": "mile", "parsec": "parsec", "tonne": "tonne", "ton": "tonne", "pound": "pound",
    "ounce": "ounce", "dalton": "dalton", "knot": "knot", "celsius": "celsius", "fahrenheit": "fahrenheit", "lightyear": "light_year",
    "micron": "micrometer", "siemen": "siemens", "sec": "second",
    "month": "month", "fortnight": "fortnight", "decade": "decade", "century": "century", "centuries": "century", "fermi": "fermi", "barn": "barn", "slug": "slug",
    "quintal": "quintal", "curie": "curie", "maxwell": "maxwell", "oersted": "oersted", "debye": "debye", "poise": "poise",
}  # fmt: skip
PREFIX_NAMES = {
    "tera": 12, "giga": 9, "mega": 6, "kilo": 3, "hecto": 2, "deca": 1, "deci": -1, "centi": -2, "milli": -3, "micro": -6, "nano": -9,
    "pico": -12, "femto": -15, "atto": -18,
}  # fmt: skip
# Fixed spellings that are products or have a meaning of their own; each is (factor of ten, powers of units).
COMPOUNDS: dict[str, dict[str, int]] = {
    "Nm": {"newton": 1, "meter": 1}, "VA": {"volt": 1, "ampere": 1}, "Ns": {"newton": 1, "second": 1}, "Js": {"joule": 1, "second": 1}, "Vs": {"volt": 1, "second": 1},
    "As": {"ampere": 1, "second": 1}, "Ws": {"watt": 1, "second": 1}, "mph": {"mile": 1, "hour": -1}, "rpm": {"turn": 1, "minute": -1},
    "RPM": {"turn": 1, "minute": -1}, "rps": {"turn": 1, "second": -1}, "mps": {"meter": 1, "second": -1}, "cc": {"centimeter": 3},
    "fps": {"foot": 1, "second": -1}, "bps": {"bit": 1, "second": -1},
}  # fmt: skip
SCALED_COMPOUNDS = {"kmh": (3, {"meter": 1, "hour": -1}), "kmph": (3, {"meter": 1, "hour": -1}), "kph": (3, {"meter": 1, "hour": -1}),
    "kbps": (3, {"bit": 1, "second": -1}), "Mbps": (6, {"bit": 1, "second": -1}), "kNm": (3, {"newton": 1, "meter": 1}),
    "Kg": (3, {"gram": 1}), "KG": (3, {"gram": 1}), "kgs": (3, {"gram": 1}), "kms": (3, {"meter": 1}), "Km": (3, {"meter": 1}),
    "KM": (3, {"meter": 1}), "KJ": (3, {"joule": 1}), "kj": (3, {"joule": 1}), "KHz": (3, {"hertz": 1}), "khz": (3, {"hertz": 1}), "hz": (0, {"hertz": 1}),
    "KW": (3, {"watt": 1}), "KWh": (3, {"watt_hour": 1}), "KPa": (3, {"pascal": 1}), "mHg": (3, {"torr": 1}), "cmHg": (1, {"torr": 1}), "c": (0, {"speed_of_light": 1}),
    "kv": (3, {"volt": 1}), "mv": (-3, {"volt": 1}), "uv": (-6, {"volt": 1}), "μv": (-6, {"volt": 1}), "ma": (-3, {"ampere": 1}), "ua": (-6, {"ampere": 1}),
    "μa": (-6, {"ampere": 1}), "mf": (-3, {"farad": 1}), "uf": (-6, {"farad": 1}), "μf": (-6, {"farad": 1}), "nf": (-9, {"farad": 1}), "pf": (-12, {"farad": 1}),
    "mh": (-3, {"henry": 1}), "uh": (-6, {"henry": 1}), "μh": (-6, {"henry": 1}), "uc": (-6, {"coulomb": 1}), "μc": (-6, {"coulomb": 1}), "nc": (-9, {"coulomb": 1}), "kG": (3, {"gauss": 1}), "mG": (-3, {"gauss": 1}), "ksi": (3, {"psi": 1}),
    "gm": (0, {"gram": 1}), "gms": (0, {"gram": 1}), "cms": (-2, {"meter": 1}), "mms": (-3, {"meter": 1}), "kilo": (3, {"gram": 1}), "kilos": (3, {"gram": 1}),
    "kilohm": (3, {"ohm": 1}), "kilohms": (3, {"ohm": 1}), "megohm": (6, {"ohm": 1}), "megohms": (6, {"ohm": 1}),
    "pa": (0, {"pascal": 1}), "micron": (-6, {"meter": 1})}  # fmt: skip
DIMENSIONLESS_WORDS = {"", "1", "-", "none", "dimensionless", "unitless", "no unit", "no units", "number", "n/a", "ratio"}

WRAPPER = re.compile(
    r"""
    \\
    (?:
          mathrm
        | text
        | textrm
        | textnormal
        | textit
        | textbf
        | mathbf
        | mathit
        | mathsf
        | operatorname
        | rm
        | bf
        | it
        | unit
        | si
        | SI
        | mbox
        | hbox
        | left
        | right
        | displaystyle
        | tfrac
    )
    \*? (?![A-Za-z]) \s*
    """,
    re.VERBOSE,
)
SPACE = re.compile(r"\\[,;:! ]|\\(?:quad|qquad|thinspace|enspace|hspace\{[^{}]*\})(?![A-Za-z])|~|\s")
MARK = re.compile(r"\$+|\\[()\[\]]|\*\*(?!\d)|[{}]")
COMMANDS = [
    (re.compile(r"\^\s*\{?\s*\\(?:circ|degree)(?![A-Za-z])\s*\}?|\\(?:degree|textdegree|circ)(?![A-Za-z])"), "°"),
    (re.compile(r"\\(?:mu|micro|textmu|upmu)(?![A-Za-z])\s*"), "μ"),
    (re.compile(r"\\(?:Omega|ohm|upOmega)(?![A-Za-z])"), "Ω"),
    (re.compile(r"\\(?:AA|r\{A\}|angstrom)(?![A-Za-z])"), "Å"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\(?:cdot|times|ast|bullet)(?![A-Za-z])|[·×⋅∙*]"), "·"),
    (re.compile(r"º|˚"), "°"),
]
FRACTION = re.compile(r"\\[dtc]?frac\s*\{")
RAISED = re.compile(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
UNRAISE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
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
# "12 in total", "5 in kN": a preposition, unless what follows goes on about the length.
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
OVER_FIRST = re.compile(r"\s*(?:1\s*/|/|per\b)\s*")


class Unit(NamedTuple):
    """A product of whitelisted units."""

    powers: tuple[tuple[str, int], ...]
    """Sorted (unit, exponent) pairs, prefixes taken out."""
    exponent10: int
    """Prefixes, as one power of ten."""


class UnitText(NamedTuple):
    """What stands behind a number."""

    unit: Unit | None
    """None where nothing readable stands there."""
    end: int
    """Position after the unit in the text it was read from."""
    unknown: bool
    """Something unit-like (in a unit wrapper) stands there that the whitelist does not hold."""


@lru_cache(maxsize=1)
def registry() -> "UnitRegistry[Any]":
    """Return a pint registry that knows the definitions above and nothing else.

    Imported at the first conversion: pint takes as long to import as everything else that a light stage loads.
    """
    from pint import UnitRegistry

    units: UnitRegistry[Any] = UnitRegistry(None)  # pyright: ignore[reportArgumentType]
    for line in DEFINITIONS.strip().splitlines():
        units.define(line)
    return units


def flatten(text: str, start: int, stop: int, depth: int = 0) -> tuple[str, list[int]]:
    """Strip LaTeX from text[start:stop]; return plain unit notation and, per character, where its source ends."""
    plain: list[str] = []
    ends: list[int] = []

    def emit(piece: str, end: int) -> None:
        plain.extend(piece)
        ends.extend([end] * len(piece))

    position = start
    while position < stop:
        fraction = FRACTION.match(text, position, stop)
        if fraction and depth < 3:
            middle = closing(text, fraction.end(), stop)
            opened = text.find("{", middle, stop) if middle else -1
            if middle and opened >= 0 and not text[middle + 1 : opened].strip():
                last = closing(text, opened + 1, stop)
                if last:
                    for inner_start, inner_stop, joint in ((fraction.end(), middle, "/"), (opened + 1, last, "")):
                        inner, places = flatten(text, inner_start, inner_stop, depth + 1)
                        plain.extend(inner)
                        ends.extend(places)
                        emit(joint, inner_stop + 1)
                    position = last + 1
                    continue
        if match := WRAPPER.match(text, position, stop):
            position = match.end()
            continue
        if match := next((found for pattern, _ in COMMANDS if (found := pattern.match(text, position, stop))), None):
            emit(next(replacement for pattern, replacement in COMMANDS if pattern is match.re), match.end())
        elif match := SPACE.match(text, position, stop):
            emit("\n" if match[0] == "\n" else " ", match.end())
        elif match := MARK.match(text, position, stop):
            pass
        elif match := RAISED.match(text, position, stop):
            emit("^" + match[0].translate(UNRAISE), match.end())
        else:
            position += 1
            emit(text[position - 1], position)
            continue
        position = match.end()
    return "".join(plain), ends


def closing(text: str, position: int, stop: int) -> int | None:
    """Return the position of the brace that closes the group opened before `position`."""
    depth = 1
    while position < stop:
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return None


@lru_cache(maxsize=4096)
def look_up(name: str) -> Unit | None:
    """Return the unit that a name or symbol stands for, or None."""
    name = name.replace(" ", "")
    if name == "H.P.":
        name = "hp"
    if name in SYMBOLS:
        base = SYMBOLS[name][0]
        return Unit((("calorie", 1),), 3) if base == "kilocalorie" else Unit(((base, 1),), 0)
    if name in COMPOUNDS:
        powers = COMPOUNDS[name]
        if "centimeter" in powers:
            return Unit((("meter", 3),), -6)
        return Unit(tuple(sorted(powers.items())), 0)
    if name in SCALED_COMPOUNDS:
        scale, powers = SCALED_COMPOUNDS[name]
        return Unit(tuple(sorted(powers.items())), scale)
    for length in (2, 1):
        prefix, rest = name[:length], name[length:]
        if prefix in PREFIXES and rest in SYMBOLS and SYMBOLS[rest][1]:
            return Unit(((SYMBOLS[rest][0], 1),), PREFIXES[prefix])
    letter, rest = name[:1], SMALL_SYMBOLS.get(name[1:], name[1:])
    if rest in SYMBOLS and SYMBOLS[rest][1] and (letter in "K" or (rest != name[1:] and letter in {"g", *PREFIXES})):
        return Unit(((SYMBOLS[rest][0], 1),), {"K": 3, "g": 9, **PREFIXES}[letter])
    word = name.lower()
    for candidate in (word, word.removesuffix("s")):
        if candidate in NAMES and len(candidate) > 2:
            return Unit((("meter", 1),), -6) if candidate == "micron" else Unit(((NAMES[candidate], 1),), 0)
        for prefix, exponent in PREFIX_NAMES.items():
            if candidate.startswith(prefix) and candidate.removeprefix(prefix) in NAMES:
                return Unit(((NAMES[candidate.removeprefix(prefix)], 1),), exponent)
    return None


def exponent_in(match: re.Match[str]) -> int:
    """Return the exponent that POWER found."""
    return int((match[1] or match[2] or match[3]).replace(" ", ""))


def read_factor(plain: str, position: int, after_gap: bool) -> tuple[dict[str, int], int, int] | None:
    """Read one unit with its power; return (powers, power of ten, end)."""
    bracket = plain[position : position + 1]
    if bracket and bracket in "([" and after_gap:
        # "196 joules (J)" says the unit twice.
        return None
    if bracket and bracket in "([":
        inner = read_product(plain, position + 1)
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
    found = look_up(name)
    if found is None:
        return None
    powers, exponent10, power = dict(found.powers), found.exponent10, 1
    if words:
        power = 2 if words[1].lower().startswith("sq") else 3
    raised = POWER.match(plain, end) or SQUARED.match(plain, end)
    if raised:
        power = {"squared": 2, "cubed": 3}[raised[1].lower()] if raised.re is SQUARED else exponent_in(raised)
        end = raised.end()
    if name == "ms" and power < 0:
        # m s^-1 written without a gap: nobody means "per millisecond".
        return {"meter": 1, "second": power}, 0, end
    return {unit: value * power for unit, value in powers.items()}, exponent10 * power, end


def read_product(plain: str, position: int) -> tuple[dict[str, int], int, int] | None:
    """Read units joined by gaps, dots, dashes and slashes; what follows a slash is below it (J/kg K is J/(kg K))."""
    below = False
    per_cent = PER_CENT.match(plain, position)
    if per_cent:
        return {"percent": 1}, 0, per_cent.end()
    leading = OVER_FIRST.match(plain, position)
    if leading:
        below, position = True, leading.end()
    first = read_factor(plain, position, after_gap=False)
    if first is None:
        return None
    powers, exponent10, end = first
    total = {unit: -value if below else value for unit, value in powers.items()}
    exponent10 = -exponent10 if below else exponent10
    while separator := SEPARATOR.match(plain, end):
        if "\n" in separator[0]:
            break
        below = below or separator["over"] is not None
        factor = read_factor(plain, separator.end(), after_gap=separator["space"] is not None)
        if factor is None:
            break
        powers, shift, end = factor
        # J/kg K^-1: below the slash, a negative power says for itself where it belongs.
        flip = -1 if below and all(value > 0 for value in powers.values()) else 1
        for unit, value in powers.items():
            total[unit] = total.get(unit, 0) + flip * value
        exponent10 += flip * shift
    return total, exponent10, end


def read_unit(text: str, position: int) -> UnitText:
    """Read the unit that starts at `position`, marks and gaps of LaTeX skipped."""
    nothing = UnitText(None, position, False)
    if not BEGINS.match(text, position):
        return nothing
    segment = SEGMENT.match(text, position, min(len(text), position + MAX_UNIT_CHARACTERS))
    stop = segment.end() if segment else position
    if LATEX.search(text, position, stop):
        plain, ends = flatten(text, position, stop)
    else:
        plain, ends = text[position:stop], list(range(position + 1, stop + 1))
    found = read_product(plain, len(plain) - len(plain.lstrip(" \t")))
    if found:
        powers, exponent10, end = found
        following = plain[end : end + 1]
        if not (following.isalpha() or following in ("_", "\\")):
            unit = Unit(tuple(sorted((name, power) for name, power in powers.items() if power)), exponent10)
            return UnitText(unit, ends[end - 1], False)
    wrapper = WRAPPED_WORD.match(text, position, stop)
    return UnitText(None, wrapper.end(), True) if wrapper else nothing


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit | None:
    """Return the unit that a whole string stands for; None where it is not on the whitelist."""
    found = read_unit(text + " ", 0)
    rest, _ = flatten(text, found.end, len(text))
    return found.unit if found.unit is not None and not rest.strip(" .") else None


@lru_cache(maxsize=4096)
def dimensions(powers: tuple[tuple[str, int], ...]) -> tuple[float, tuple[tuple[str, float], ...]]:
    """Return (factor to base units, dimension) of a product of units, by pint."""
    product: Any = registry().Quantity(1.0, "")
    for name, power in powers:
        known = "kelvin" if name in TEMPERATURE_OFFSETS else name
        product = product * registry().Quantity(TEMPERATURE_OFFSETS[name][0] if name in TEMPERATURE_OFFSETS else 1.0, known) ** power
    base = product.to_base_units()
    return float(base.magnitude), tuple(sorted((str(name), float(power)) for name, power in base.dimensionality.items()))


def factor(unit: Unit) -> float:
    """Return the size of the unit in base units."""
    return dimensions(unit.powers)[0] * 10.0**unit.exponent10


def without_angle(unit: Unit) -> tuple[tuple[str, float], ...]:
    """Return the dimension of the unit, angles left out."""
    return tuple(pair for pair in dimensions(unit.powers)[1] if pair[0] != "[angle]")


def has_angle(unit: Unit) -> bool:
    """Say whether the unit counts radians, degrees, turns or hertz."""
    return any(name == "[angle]" for name, _ in dimensions(unit.powers)[1])


def drop_angle(unit: Unit) -> Unit:
    """Return the unit with turns counted as plain numbers: hertz as 1/s, revolutions as 1."""
    swapped = {"hertz": ("second", -1), "turn": ("fraction", 1), "radian": ("fraction", 1)}
    powers: dict[str, int] = {}
    for name, power in unit.powers:
        target, sign = swapped.get(name, (name, 1))
        powers[target] = powers.get(target, 0) + sign * power
    return Unit(tuple(sorted((name, power) for name, power in powers.items() if power)), unit.exponent10)


def same_dimension(one: Unit, other: Unit) -> bool:
    """Say whether values in one unit can be converted to the other."""
    return without_angle(one) == without_angle(other)


def convert(value: float, source: Unit, target: Unit) -> float | None:
    """Return the value in the target unit, or None where the dimensions differ."""
    if not same_dimension(source, target):
        return None
    if has_angle(source) != has_angle(target):
        source, target = drop_angle(source), drop_angle(target)
    scale, offset = temperature(source)
    absolute = value * factor(source) if offset is None else value * scale + offset
    scale, offset = temperature(target)
    return absolute / factor(target) if offset is None else (absolute - offset) / scale


def temperature(unit: Unit) -> tuple[float, float | None]:
    """Return (scale, offset) of a bare degree Celsius or Fahrenheit; (1, None) for every other unit."""
    if len(unit.powers) == 1 and unit.powers[0][1] == 1 and unit.powers[0][0] in TEMPERATURE_OFFSETS:
        return TEMPERATURE_OFFSETS[unit.powers[0][0]]
    return 1.0, None
