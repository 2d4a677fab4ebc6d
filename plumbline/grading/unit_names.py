"""Look up the unit that a symbol or name stands for (`kWh`, `metres`); this is the whitelist. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

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


class Unit(NamedTuple):
    """A product of whitelisted units."""

    powers: tuple[tuple[str, int], ...]
    """Sorted (unit, exponent) pairs, prefixes taken out."""
    exponent10: int
    """Prefixes, as one power of ten."""

    @classmethod
    def of(cls, powers: Mapping[str, int], exponent10: int) -> "Unit":
        """From exponents by unit, in any order; those of 0 are left out."""
        return cls(tuple(sorted((name, power) for name, power in powers.items() if power)), exponent10)


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
