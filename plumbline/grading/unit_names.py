"""Look up the unit of a symbol or name (`kWh`, `metres`). This is the whitelist. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

# Symbol -> unit. Symbols are case-sensitive, as SI is; names below are not.
PREFIXED_SYMBOLS = {
    "m": "meter", "g": "gram", "s": "second", "A": "ampere", "K": "kelvin", "mol": "mole", "cd": "candela", "rad": "radian",
    "Hz": "hertz", "Bq": "becquerel", "N": "newton", "J": "joule", "cal": "calorie", "eV": "electron_volt", "W": "watt",
    "Wh": "watt_hour", "Pa": "pascal", "bar": "bar", "C": "coulomb", "Ah": "ampere_hour", "V": "volt", "Ω": "ohm", "ohm": "ohm",
    "ohms": "ohm", "Ohm": "ohm", "Ohms": "ohm", "S": "siemens", "F": "farad", "Wb": "weber", "T": "tesla", "H": "henry", "Gy": "gray",
    "Ci": "curie", "Sv": "gray", "L": "liter", "l": "liter", "ly": "light_year", "pc": "parsec", "Da": "dalton", "sec": "second",
    "bit": "bit", "B": "byte",
}  # fmt: skip
"""Units that may take a prefix."""
PLAIN_SYMBOLS = {
    "sr": "steradian", "dyn": "dyne", "lbf": "pound_force", "kgf": "kilogram_force", "erg": "erg", "BTU": "btu", "Btu": "btu",
    "ev": "electron_volt", "hp": "horsepower", "HP": "horsepower", "atm": "atmosphere", "torr": "torr", "Torr": "torr", "mmHg": "torr",
    "psi": "psi", "Gs": "gauss", "lm": "lumen", "lx": "lux", "D": "diopter", "M": "molar", "Å": "angstrom", "in": "inch", "ft": "foot",
    "yd": "yard", "mi": "mile", "AU": "astronomical_unit", "au": "astronomical_unit", "t": "tonne", "lb": "pound", "lbs": "pound",
    "oz": "ounce", "u": "dalton", "amu": "dalton", "min": "minute", "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour",
    "Hr": "hour", "Hrs": "hour", "Min": "minute", "Mins": "minute", "d": "day", "yr": "year", "yrs": "year", "secs": "second",
    "°": "degree", "deg": "degree", "rev": "turn", "revs": "turn", "rot": "turn", "%": "percent", "pct": "percent", "ppm": "ppm", "°C": "celsius",
    "℃": "celsius", "degC": "celsius", "°F": "fahrenheit", "℉": "fahrenheit", "degF": "fahrenheit", "°K": "kelvin", "kn": "knot",
}  # fmt: skip
"""Units that take no prefix."""
SYMBOLS = PREFIXED_SYMBOLS | PLAIN_SYMBOLS
PREFIXES = {
    "Q": 30, "R": 27, "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3,
    "μ": -6, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
}  # fmt: skip
# "5 KN", "5 mw", "5 gpa": the case of a prefix counts, except for K and g, which are not prefixes. The case of these symbols does not.
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
DIMENSIONLESS_WORDS = {"", "1", "-", "none", "dimensionless", "unitless", "no unit", "no units", "number", "n/a", "ratio", "unit", "units"}


class Unit(NamedTuple):
    """A product of whitelisted units."""

    powers: tuple[tuple[str, int], ...]
    """Sorted (unit, exponent) pairs, without prefixes."""
    exponent10: int
    """The prefixes as one power of ten."""

    @classmethod
    def of(cls, powers: Mapping[str, int], exponent10: int) -> "Unit":
        """Make it from unit -> exponent, in any order. Exponents of 0 are left out."""
        return cls(tuple(sorted((name, power) for name, power in powers.items() if power)), exponent10)


def product(exponent10: int = 0, **powers: int) -> Unit:
    """The product of units, each given with its exponent, times a power of ten."""
    return Unit(tuple(sorted(powers.items())), exponent10)


def single(unit: str, exponent10: int = 0) -> Unit:
    """One unit to the first power, times a power of ten."""
    return Unit(((unit, 1),), exponent10)


# Fixed spellings that are products, or that do not mean a prefix and a symbol.
COMPOUNDS = {
    "Nm": product(newton=1, meter=1), "VA": product(volt=1, ampere=1), "Ns": product(newton=1, second=1),
    "Js": product(joule=1, second=1), "Vs": product(volt=1, second=1), "As": product(ampere=1, second=1), "Ws": product(watt=1, second=1),
    "mph": product(mile=1, hour=-1), "rpm": product(turn=1, minute=-1), "RPM": product(turn=1, minute=-1),
    "rps": product(turn=1, second=-1), "mps": product(meter=1, second=-1), "cc": product(exponent10=-6, meter=3),
    "fps": product(foot=1, second=-1), "bps": product(bit=1, second=-1), "Cal": product(exponent10=3, calorie=1),
    "kmh": product(exponent10=3, meter=1, hour=-1), "kmph": product(exponent10=3, meter=1, hour=-1),
    "kph": product(exponent10=3, meter=1, hour=-1), "kbps": product(exponent10=3, bit=1, second=-1),
    "Mbps": product(exponent10=6, bit=1, second=-1), "kNm": product(exponent10=3, newton=1, meter=1), "Kg": product(exponent10=3, gram=1),
    "KG": product(exponent10=3, gram=1), "kgs": product(exponent10=3, gram=1), "kms": product(exponent10=3, meter=1),
    "Km": product(exponent10=3, meter=1), "KM": product(exponent10=3, meter=1), "KJ": product(exponent10=3, joule=1),
    "kj": product(exponent10=3, joule=1), "KHz": product(exponent10=3, hertz=1), "khz": product(exponent10=3, hertz=1),
    "hz": product(hertz=1), "KW": product(exponent10=3, watt=1), "KWh": product(exponent10=3, watt_hour=1),
    "KPa": product(exponent10=3, pascal=1), "mHg": product(exponent10=3, torr=1), "cmHg": product(exponent10=1, torr=1),
    "c": product(speed_of_light=1), "kv": product(exponent10=3, volt=1), "mv": product(exponent10=-3, volt=1),
    "uv": product(exponent10=-6, volt=1), "μv": product(exponent10=-6, volt=1), "ma": product(exponent10=-3, ampere=1),
    "ua": product(exponent10=-6, ampere=1), "μa": product(exponent10=-6, ampere=1), "mf": product(exponent10=-3, farad=1),
    "uf": product(exponent10=-6, farad=1), "μf": product(exponent10=-6, farad=1), "nf": product(exponent10=-9, farad=1),
    "pf": product(exponent10=-12, farad=1), "mh": product(exponent10=-3, henry=1), "uh": product(exponent10=-6, henry=1),
    "μh": product(exponent10=-6, henry=1), "uc": product(exponent10=-6, coulomb=1), "μc": product(exponent10=-6, coulomb=1),
    "nc": product(exponent10=-9, coulomb=1), "kG": product(exponent10=3, gauss=1), "mG": product(exponent10=-3, gauss=1),
    "ksi": product(exponent10=3, psi=1), "gm": product(gram=1), "gms": product(gram=1), "cms": product(exponent10=-2, meter=1),
    "mms": product(exponent10=-3, meter=1), "kilo": product(exponent10=3, gram=1), "kilos": product(exponent10=3, gram=1),
    "kilohm": product(exponent10=3, ohm=1), "kilohms": product(exponent10=3, ohm=1), "megohm": product(exponent10=6, ohm=1),
    "megohms": product(exponent10=6, ohm=1), "pa": product(pascal=1), "micron": product(exponent10=-6, meter=1),
}  # fmt: skip


@lru_cache(maxsize=4096)
def look_up(name: str) -> Unit | None:
    """Return the unit of a name or symbol; None if it is not on the whitelist."""
    name = name.replace(" ", "")
    if name == "H.P.":
        name = "hp"
    if name in SYMBOLS:
        return single(SYMBOLS[name])
    if name in COMPOUNDS:
        return COMPOUNDS[name]
    for length in (2, 1):
        prefix, rest = name[:length], name[length:]
        if prefix in PREFIXES and rest in PREFIXED_SYMBOLS:
            return single(PREFIXED_SYMBOLS[rest], PREFIXES[prefix])
    letter, rest = name[:1], SMALL_SYMBOLS.get(name[1:], name[1:])
    if rest in PREFIXED_SYMBOLS and (letter in "K" or (rest != name[1:] and letter in {"g", *PREFIXES})):
        return single(PREFIXED_SYMBOLS[rest], {"K": 3, "g": 9, **PREFIXES}[letter])
    word = name.lower()
    for candidate in (word, word.removesuffix("s")):
        if candidate in NAMES and len(candidate) > 2:
            return single("meter", -6) if candidate == "micron" else single(NAMES[candidate])
        for prefix, exponent10 in PREFIX_NAMES.items():
            if candidate.startswith(prefix) and candidate.removeprefix(prefix) in NAMES:
                return single(NAMES[candidate.removeprefix(prefix)], exponent10)
    return None
