"""The child process that compares two formulas with sympy. Reads requests on standard input, writes verdicts to standard output.

Run as a file and in isolation by plumbline/grading/formula_judge.py. It gets trees, never text: nothing here parses or evaluates code.
"""

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
EXACT = 1e-12
MAX_BITS = 20_000
"""Of a power of two numbers; a larger one is a trap, or a slip."""
MAX_FACTORIAL = 1000
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan, "cot": sympy.cot, "sec": sympy.sec, "csc": sympy.csc,
    "arcsin": sympy.asin, "arccos": sympy.acos, "arctan": sympy.atan, "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh,
    "ln": sympy.log, "log": sympy.log, "exp": sympy.exp, "abs": sympy.Abs, "factorial": sympy.gamma,
}  # fmt: skip


def limit_memory(num_bytes: int) -> None:
    """Let the system refuse more memory than that, where it can."""
    if sys.platform != "linux":
        return  # macOS refuses a limit below what a process has mapped, and its processes map hundreds of gigabytes
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (num_bytes, num_bytes))


def build(tree: list[Any]) -> sympy.Expr:
    """The formula of a tree, by constructors alone. Symbols are positive, as lengths and masses are."""
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


def value_at(name: str, point: int) -> sympy.Basic:
    """The value of a symbol at a point, by hash: between 0.4 and 2.4, the same on every machine."""
    digest = hashlib.sha256(f"{point}:{name}".encode()).digest()
    return sympy.Rational(4, 10) + sympy.Rational(2 * int.from_bytes(digest[:4], "big"), 2**32)


def verdict(first: list[Any], second: list[Any], tolerance: float) -> str:
    """`equal`, `different`, or `undecided` where too few points have a value."""
    one, other = build(first), build(second)
    if any(formula.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo) for formula in (one, other)):
        # Divided by 0: it has no value, and is not equal even to itself.
        return "undecided"
    if one == other:
        return "equal"
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    num_read = 0
    for point in range(NUM_POINTS):
        places: dict[sympy.Basic, sympy.Basic | float] = {symbol: value_at(str(symbol), point) for symbol in symbols}
        values = [complex(formula.evalf(DIGITS, subs=places)) for formula in (one, other)]
        if any(value != value or abs(value) == float("inf") for value in values):
            continue
        num_read += 1
        if abs(values[0] - values[1]) > max(tolerance, EXACT) * max(abs(values[0]), abs(values[1])):
            return "different"
    return "equal" if num_read >= (MIN_POINTS if symbols else 1) else "undecided"


def main() -> None:
    """Answer one request a line until the input ends."""
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
