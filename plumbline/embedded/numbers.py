"""Numbers and worked steps of the embedded world: small operand tables that a small model can learn. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plumbline.embedded.relations import Operand, Relation
from plumbline.hash_place import place_of

ONES = (2, 3, 4, 5, 6, 7, 8, 9)
TENS = (10, 20, 30, 40, 50, 60)

Values = tuple[int, ...]


@dataclass(frozen=True)
class Shown:
    """How a number is written in a question, and the step that brings it to its SI unit."""

    text: str
    value: str
    """The number as it enters the calculation."""
    step: str
    """`m = 3000 g = 3 kg`, or empty if there is nothing to convert."""
    exponent: int
    """Power of ten that the calculation carries along."""


SMALLER_UNITS: Mapping[str, tuple[str, int]] = {
    "kg": ("g", 1000),
    "A": ("mA", 1000),
    "V": ("mV", 1000),
    "m": ("cm", 100),
    "J": ("mJ", 1000),
    "N": ("mN", 1000),
}
"""SI unit -> unit that needs a division, and the divisor."""
KILO_UNITS: Mapping[str, str] = {"m": "km", "J": "kJ", "W": "kW", "N": "kN", "ohm": "kohm", "Hz": "kHz", "V": "kV"}
"""SI unit -> unit a thousand times larger; the calculation carries 10^3 along."""
MINUTES = (120, 180, 300)


def operand_tuples(relation: Relation) -> list[Values]:
    """All operand values of a relation, in SI units, in a fixed order."""
    if relation.shape == "product":
        minutes = [(a, t) for a in ONES for t in MINUTES] if relation.operands[1].symbol == "t" else []
        return [(a, b) for a in ONES for b in ONES + TENS] + [(a, b) for a in TENS for b in ONES] + minutes
    if relation.shape == "quotient":
        return [(q * d, d) for d in ONES for q in ONES + TENS]
    if relation.shape == "half_square":
        return [(m, v) for m in (2, 4, 6, 8, 10, 12, 14, 16, 18) for v in (2, 3, 4, 5, 10)]
    if relation.shape == "triple":
        return [(a, b, c) for a in (2, 3, 4) for b in (2, 3, 10) for c in ONES]
    if relation.shape == "enlarge":
        return [(a,) for a in range(2, 61)]
    if relation.shape == "reduce":
        return [(a * relation.factor,) for a in range(2, 61)]
    raise AssertionError(f"{relation.id}: no operands for shape {relation.shape}")


def is_held_out(relation: Relation, values: Sequence[int], *, seed: int, fraction: float = 0.2) -> bool:
    """Whether these operands belong only to the benchmark: by hash, so that no drawing order can leak one."""
    return place_of(f"{seed}:{relation.id}:{','.join(map(str, values))}") < fraction


def show_plain(operand: Operand, value: int) -> Shown:
    """`3 kg`."""
    return Shown(f"{value} {operand.unit}", str(value), "", 0)


def show_smaller(operand: Operand, value: int) -> Shown:
    """`3000 g`, converted to `3 kg` in its own step."""
    unit, divisor = SMALLER_UNITS[operand.unit]
    text = f"{value * divisor} {unit}"
    return Shown(text, str(value), f"{operand.symbol} = {text} = {value} {operand.unit}", 0)


def show_kilo(operand: Operand, value: int) -> Shown:
    """`3 kJ`, converted to `3 x 10^3 J` in its own step."""
    text = f"{value} {KILO_UNITS[operand.unit]}"
    return Shown(text, f"{value} x 10^3", f"{operand.symbol} = {text} = {value} x 10^3 {operand.unit}", 3)


def show_minutes(operand: Operand, value: int) -> Shown:
    """`2 min`, converted to `120 s` in its own step."""
    text = f"{value // 60} min"
    return Shown(text, str(value), f"{operand.symbol} = {text} = {value} {operand.unit}", 0)


def show_scientific(operand: Operand, value: int, exponent: int) -> Shown:
    """`3 x 10^5 kg`."""
    return Shown(f"{value} x 10^{exponent} {operand.unit}", f"{value} x 10^{exponent}", "", exponent)


def result_of(relation: Relation, values: Sequence[int]) -> int:
    """The result in SI units; exact by the choice of operands."""
    if relation.shape == "product":
        return values[0] * values[1]
    if relation.shape == "quotient":
        assert values[0] % values[1] == 0, f"{relation.id}: {values} does not divide"
        return values[0] // values[1]
    if relation.shape == "half_square":
        assert values[0] % 2 == 0, f"{relation.id}: half of {values[0]} is not an integer"
        return values[0] * values[1] ** 2 // 2
    if relation.shape == "triple":
        return values[0] * values[1] * values[2]
    if relation.shape == "enlarge":
        return values[0] * relation.factor
    return values[0] // relation.factor


def worked_step(relation: Relation, values: Sequence[int], shown: Sequence[Shown]) -> str:
    """`F = m a = 3 x 4 = 12 N`, with the conversions before it, one per line."""
    result = str(result_of(relation, values))
    exponent = sum(number.exponent for number in shown)
    power = f" x 10^{exponent}" if exponent else ""
    numbers = [number.value for number in shown]
    if relation.shape in ("enlarge", "reduce"):
        sign = "x" if relation.shape == "enlarge" else "/"
        return f"{relation.symbol} = {shown[0].text} = {values[0]} {sign} {relation.factor} {relation.unit} = {result} {relation.unit}"
    if relation.shape == "product":
        middle = " x ".join(numbers)
    elif relation.shape == "quotient":
        middle = " / ".join(numbers)
    elif relation.shape == "half_square":
        middle = f"1/2 x {values[0]} x {values[1]}^2 = {values[0] // 2} x {values[1] ** 2}"
    else:
        middle = f"{' x '.join(numbers)} = {values[0] * values[1]} x {values[2]}"
    steps = [number.step for number in shown if number.step]
    return "\n".join([*steps, f"{relation.symbol} = {relation.formula} = {middle} = {result}{power} {relation.unit}"])


def answer_of(relation: Relation, values: Sequence[int], shown: Sequence[Shown]) -> str:
    """The result without its unit, as the worked step writes it: `12`, or `12 x 10^5`."""
    exponent = sum(number.exponent for number in shown)
    return f"{result_of(relation, values)}" + (f" x 10^{exponent}" if exponent else "")
