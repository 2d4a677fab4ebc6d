"""Read a formula in every way in which a person may mean it: with a subscript of several letters, or a unit after it. Pure."""

import re

from plumbline.grading.formula_trees import Tree, read_formula
from plumbline.grading.patterns import bounded
from plumbline.grading.unit_notation import parse_unit

# "mgh \text{ J}", "v\,\mathrm{m/s}": upright, after a gap. Without the gap it may be a factor, that is a letter of the formula.
UNIT = bounded(
    r"""
    (?P<gap> (?: \s | ~ | \\[,;:\ ] )* ) \\ (?: text | mathrm | textrm | rm ) \s* \{ (?P<inner> (?: \s | ~ | \\[,;:\ ] )* ) (?P<unit> [^{}]{1,20} ) \}
    (?P<power> \^ \{? -? \d \}? )? \s* $
    """,
    re.VERBOSE,
)
# "mgh J", "mgh [J]", "mgh joules": plain letters after a gap.
PLAIN_UNIT = bounded(
    r"""
    (?<= [\w)}\]'] ) (?: \s | ~ ){1,12}
    (?: \[ (?P<square> [^\s~\[\]]{1,20} ) \] | \( (?P<round> [^\s~()]{1,20} ) \) | (?P<bare> [^\s~]{1,20} (?: \s+ per \s+ [a-z]{4,12} )? ) ) \s* $
    """,
    re.VERBOSE,
)
NEVER_SYMBOLS = frozenset(
    ("J", "kJ", "MJ", "W", "kW", "MW", "N", "kN", "Pa", "kPa", "MPa", "Hz", "kHz", "eV", "keV", "MeV", "rad", "rad/s", "m/s", "m/s^2", "m/s²", "m/s^{2}",
     "km/h", "N/m", "N·m", "V/m", "W/m^2", "W/m²", "kg/m^3", "kg/m³")
)  # fmt: skip
"""Units that are hardly ever factors after a formula without gaps; `mg`, `m`, `s`, `T` and `C` often are factors."""
GAP_OF_FACTORS = bounded(r"[^\W\d] \s+ [^\W\d]", re.VERBOSE)
MIN_WORD = 5
"""Letters from which a run is a word: so many are never single symbols."""


def readings(formula: str) -> tuple[Tree, ...]:
    """The trees of a formula, the likeliest first. ValueError if it cannot be read in any way.

    `k_BT` is k_B T if it is typed as in LaTeX, and `T_max` is one symbol if it is typed as words. The text alone does not show which.
    """
    found: list[Tree] = []
    fault: ValueError | None = None
    for text in dict.fromkeys([without_unit(formula), without_plain_unit(formula), formula]):
        for one_letter in (True, False) if "\\" in text else (False, True):
            try:
                tree = read_formula(text, one_letter=one_letter)
            except ValueError as error:
                fault = fault or error
                continue
            if tree not in found:
                found.append(tree)
    if not found:
        assert fault is not None
        raise fault
    return tuple(found)


def without_unit(formula: str) -> str:
    """A formula without the upright unit after it."""
    match = UNIT.search(formula)
    if match is None or not (match["gap"] or match["inner"]) or not formula[: match.start()].strip():
        return formula
    written = match["unit"].strip() + (match["power"] or "")
    return formula if parse_unit(written) is None else formula[: match.start()]


def without_plain_unit(formula: str) -> str:
    """A formula without the unit in plain letters after it: a word, or letters that are hardly symbols.

    If gaps also separate the factors of the formula, as in `m g h J`, the letters stay: they may be a factor.
    """
    match = PLAIN_UNIT.search(formula)
    if match is None:
        return formula
    before, unit = formula[: match.start()], match["square"] or match["round"] or match["bare"]
    first = unit.split()[0]
    is_word = first.isalpha() and first.islower() and len(first) >= MIN_WORD
    if not is_word and (unit not in NEVER_SYMBOLS or GAP_OF_FACTORS.search(before)):
        return formula
    return formula if parse_unit(unit) is None else before


def has_decimal(tree: Tree) -> bool:
    """Whether a number of the tree has decimals, so that its precision is limited."""
    if tree[0] == "num":
        return any(mark in str(tree[1]) for mark in ".eE") and tree[1] != "e"
    return any(has_decimal(part) for part in tree[1:] if isinstance(part, list))


def rounding(tree: Tree) -> float:
    """The largest fraction by which a number of the tree may be rounded: one in its last decimal place. 0 if no number has decimals."""
    if tree[0] != "num":
        return max((rounding(part) for part in tree[1:] if isinstance(part, list)), default=0.0)
    if not has_decimal(tree):
        return 0.0
    digits, _, _ = str(tree[1]).lower().partition("e")
    number = float(digits)
    return 0.0 if number == 0 else 10.0 ** -len(digits.partition(".")[2]) / number
