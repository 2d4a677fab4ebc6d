"""The child process that compares two formulas with sympy. Reads requests from standard input, writes verdicts to standard output.

plumbline/grading/formula_judge.py runs it as a file and in isolation. It gets trees, never text: nothing here parses or evaluates code.
"""

import cmath
import hashlib
import json
import math
import sys
from collections.abc import Callable
from typing import Any

import sympy

NUM_POINTS = 8
MIN_POINTS = 4
"""Points at which both formulas have a finite value; with fewer, nothing is decided."""
DIGITS = 30
EXACT = 1e-20
NOISE = 1e-20
"""Relative to the size of the terms: a sum that cancels leaves about 1e-30 of it."""
NUM_WIDE_POINTS = 24
MAX_BITS = 20_000
"""Limit for a power of two numbers; a larger one is a trap or a mistake."""
MAX_FACTORIAL = 1000
Place = dict[sympy.Basic, "sympy.Basic | float"]
"""A value for every symbol."""
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan, "cot": sympy.cot, "sec": sympy.sec, "csc": sympy.csc,
    "arcsin": sympy.asin, "arccos": sympy.acos, "arctan": sympy.atan, "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh,
    "ln": sympy.log, "log": sympy.log, "exp": sympy.exp, "abs": sympy.Abs, "factorial": sympy.gamma,
}  # fmt: skip


def limit_memory(num_bytes: int) -> None:
    """Let the system refuse more memory than this, if it can."""
    if sys.platform != "linux":
        return  # macOS refuses a limit below the mapped memory, and its processes map hundreds of gigabytes
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (num_bytes, num_bytes))


def build(tree: list[Any]) -> sympy.Expr:
    """The formula of a tree, built only with constructors. Symbols are positive, like lengths and masses."""
    operation = tree[0]
    if operation == "num":
        return sympy.pi if tree[1] == "pi" else sympy.Rational(tree[1])
    if operation == "sym":
        return sympy.Symbol(tree[1], positive=True)
    if operation == "fn":
        inner = build(tree[2])
        if tree[1] == "factorial" and inner.is_number and not 0 <= inner <= MAX_FACTORIAL:
            raise OverflowError("too large a factorial")
        return FUNCTIONS[tree[1]](inner + 1) if tree[1] == "factorial" else FUNCTIONS[tree[1]](inner)
    first, second = build(tree[1]), build(tree[2])
    if operation == "+":
        return first + second
    if operation == "*":
        return first * second
    if operation == "/":
        return first / second
    if first.is_number and second.is_number and first != 0:
        bits = abs(float(second.evalf(5))) * abs(math.log2(abs(float(first.evalf(5)))))
        if bits > MAX_BITS:
            raise OverflowError("too large a power")
    return first**second


def value_at(name: str, point: int) -> sympy.Expr:
    """The value of a symbol at a point, by hash: between 0.4 and 2.4, the same on every machine."""
    digest = hashlib.sha256(f"{point}:{name}".encode()).digest()
    return sympy.Rational(4, 10) + sympy.Rational(2 * int.from_bytes(digest[:4], "big"), 2**32)


def values_at(formulas: tuple[sympy.Expr, ...], places: Place) -> list[sympy.Expr] | None:
    """The values of formulas at a point, with all their digits; None if one has no value there."""
    values = [formula.evalf(DIGITS, subs=places) for formula in formulas]
    return values if all(cmath.isfinite(complex(value)) for value in values) else None


def size_at(formula: sympy.Expr, places: Place) -> float:
    """How large the terms of a formula are at a point, before they cancel. A rest below NOISE times this size is rounding."""
    if isinstance(formula, sympy.Add):
        return sum(size_at(term, places) for term in formula.args)
    if isinstance(formula, sympy.Mul):
        return math.prod(size_at(factor, places) for factor in formula.args)
    if isinstance(formula, sympy.Pow) and formula.exp.is_Integer and formula.exp > 0:
        return size_at(formula.base, places) ** int(formula.exp)
    return abs(complex(formula.evalf(DIGITS, subs=places)))


def points_of(symbols: list[sympy.Basic], *, wide: bool) -> list[Place]:
    """The points at which formulas are compared. `wide`: symbols of different sizes, so that every term is the largest somewhere."""
    near: list[Place] = [{symbol: value_at(str(symbol), point) for symbol in symbols} for point in range(NUM_POINTS)]
    if not wide:
        return near
    decades = range(NUM_POINTS, NUM_POINTS + NUM_WIDE_POINTS)
    sized: list[Place] = [{symbol: value_at(str(symbol), point) * decade_at(str(symbol), point) for symbol in symbols} for point in decades]
    ends: list[Place] = [{symbol: sympy.Rational(10) ** power for symbol in symbols} for power in (-3, 3)]
    return near + sized + ends


def decade_at(name: str, point: int) -> sympy.Expr:
    """A power of ten from 10^-3 to 10^3, by hash."""
    digest = hashlib.sha256(f"decade:{point}:{name}".encode()).digest()
    return sympy.Rational(10) ** (digest[0] % 7 - 3)


def depends(formula: sympy.Expr, symbol: sympy.Basic, symbols: list[sympy.Basic]) -> bool:
    """Whether the value changes with a symbol, even a little. x + y - y does not change with y."""
    slope = formula.diff(symbol)
    if slope == 0:
        return False
    for places in points_of(symbols, wide=False):
        found = values_at((slope,), places)
        if found is not None and abs(complex(found[0])) > NOISE * size_at(slope, places):
            return True
    return False


def is_algebraic(formula: sympy.Expr) -> bool:
    """Whether its symbols occur only in sums, products and powers of numbers. Then a rounded number changes the value little everywhere."""
    if any(function.free_symbols for function in formula.atoms(sympy.Function)):
        return False
    return all(power.exp.is_number for power in formula.atoms(sympy.Pow))


def num_terms(formula: sympy.Expr) -> int:
    """How many terms a formula has, multiplied out."""
    return len(sympy.Add.make_args(sympy.expand(formula)))


def verdict(first: list[Any], second: list[Any], tolerance: float) -> str:
    """`equal`, `different`, or `undecided` if too few points have a value, or the tolerance may hide a term."""
    one, other = build(first), build(second)
    if any(formula.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo) for formula in (one, other)):
        # Divided by 0: it has no value and does not even equal itself.
        return "undecided"
    if one == other:
        return "equal"
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    for symbol in sorted(one.free_symbols ^ other.free_symbols, key=str):
        if depends(one if symbol in one.free_symbols else other, symbol, symbols):
            return "different"
    is_exact = same_everywhere(one, other, 0.0, points_of(symbols, wide=False))
    if is_exact != "different" or tolerance == 0:
        return is_exact
    found = same_everywhere(one, other, tolerance, points_of(symbols, wide=is_algebraic(one) and is_algebraic(other)))
    return "undecided" if found == "equal" and symbols and num_terms(one) != num_terms(other) else found


def same_everywhere(one: sympy.Expr, other: sympy.Expr, tolerance: float, points: list[Place]) -> str:
    """Whether two formulas have the same value at the points where both have one. With too few points, `undecided`."""
    num_read = 0
    for places in points:
        values = values_at((one, other), places)
        if values is None:
            continue
        num_read += 1
        distance = abs(complex((values[0] - values[1]).evalf(DIGITS)))
        largest = max(abs(complex(value)) for value in values)
        if distance > max(tolerance, EXACT) * largest and distance > NOISE * (size_at(one, places) + size_at(other, places)):
            return "different"
    return "equal" if num_read >= (MIN_POINTS if points[0] else 1) else "undecided"


def main() -> None:
    """Answer one request per line until the input ends."""
    limit_memory(int(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            found = verdict(request["first"], request["second"], request["tolerance"])
        except (ArithmeticError, ValueError, TypeError, MemoryError, RecursionError, AttributeError):
            found = "undecided"
        sys.stdout.write(json.dumps({"verdict": found}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
