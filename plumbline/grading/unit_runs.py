"""Read SI symbols that are written without a gap: `kgm`, `NC`, `Wm`, `JkgK`. Pure."""

from functools import lru_cache

# Symbols that people write one after the other, longest first. Only usual ones have a prefix here: more of them would match words.
PARTS = (
    "mol", "MPa", "kPa", "mPa", "GPa", "MeV", "keV", "rad", "atm", "cal", "kg", "km", "cm", "mm", "nm", "kN", "kJ", "kW", "kV", "MJ", "Pa", "Hz",
    "Wb", "eV", "m", "s", "g", "A", "K", "N", "J", "W", "C", "V", "Ω", "T", "F", "H", "L",
)  # fmt: skip
MAX_PARTS = 5
# Runs that are also a prefix and a symbol: terametre or tesla metre, millikelvin or metre kelvin. The target decides.
AMBIGUOUS = frozenset({"Tm", "mK"})


@lru_cache(maxsize=4096)
def split_run(name: str) -> tuple[str, ...] | None:
    """Return the symbols in a run of letters; None if it is not a run of at least two."""
    if not 2 <= len(name) <= 12:
        return None
    parts = _split(name, MAX_PARTS)
    if parts is None or len(parts) < 2:
        return None
    # Small letters alone spell words ("gs"), unless one symbol has two letters ("kgm").
    if name.islower() and not any(len(part) > 1 for part in parts):
        return None
    return parts


def _split(name: str, most: int) -> tuple[str, ...] | None:
    if not name:
        return ()
    if most == 0:
        return None
    for part in PARTS:
        if name.startswith(part):
            rest = _split(name[len(part) :], most - 1)
            if rest is not None:
                return (part, *rest)
    return None
