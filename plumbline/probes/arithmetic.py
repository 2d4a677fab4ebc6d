"""Sums, differences, products and quotients of several sizes. Pure."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from plumbline.probes.probe import Draft, NumberCheck


class Sum(NamedTuple):
    """A problem in signs and in words, with its value."""

    signs: str
    words: str
    """The problem in words, as it follows "What is"."""
    value: int


def _plus(a: int, b: int) -> Sum:
    return Sum(f"{a} + {b}", f"the sum of {a} and {b}", a + b)


def _minus(a: int, b: int) -> Sum:
    return Sum(f"{a} - {b}", f"{a} minus {b}", a - b)


def _times(a: int, b: int) -> Sum:
    return Sum(f"{a} * {b}", f"{a} times {b}", a * b)


def _over(a: int, b: int) -> Sum:
    return Sum(f"{a * b} / {b}", f"{a * b} divided by {b}", a)


def _add_one_digit(random: Random) -> Sum:
    return _plus(random.randint(1, 9), random.randint(1, 9))


def _take_one_digit(random: Random) -> Sum:
    a = random.randint(3, 12)
    return _minus(a, random.randint(1, a - 1))


def _multiply_one_digit(random: Random) -> Sum:
    return _times(random.randint(2, 9), random.randint(2, 9))


def _add_tens(random: Random) -> Sum:
    return _plus(10 * random.randint(1, 9), 10 * random.randint(1, 9))


def _add_two_digits(random: Random) -> Sum:
    return _plus(random.randint(11, 89), random.randint(11, 89))


def _take_two_digits(random: Random) -> Sum:
    a = random.randint(40, 99)
    return _minus(a, random.randint(11, a - 5))


def _double(random: Random) -> Sum:
    a = random.randint(6, 60)
    return Sum(f"2 * {a}", f"twice {a}", 2 * a)


def _next(random: Random) -> Sum:
    a = random.randint(12, 90)
    return Sum(f"{a} + 1", f"the number that comes after {a}", a + 1)


def _half(random: Random) -> Sum:
    a = random.randint(3, 30)
    return Sum(f"{2 * a} / 2", f"half of {2 * a}", a)


def _add_ten(random: Random) -> Sum:
    return _plus(random.randint(11, 79), 10)


def _divide_small(random: Random) -> Sum:
    return _over(random.randint(2, 9), random.randint(2, 5))


def _divide(random: Random) -> Sum:
    return _over(random.randint(11, 49), random.randint(3, 9))


def _multiply_by_ten(random: Random) -> Sum:
    return _times(random.randint(11, 99), random.choice((10, 100)))


def _multiply_two_by_one(random: Random) -> Sum:
    return _times(random.randint(12, 98), random.randint(3, 9))


def _multiply_two_by_two(random: Random) -> Sum:
    return _times(random.randint(12, 98), random.randint(12, 98))


def _add_three(random: Random) -> Sum:
    a, b, c = (random.randint(2, 40) for _ in range(3))
    return Sum(f"{a} + {b} + {c}", f"{a} plus {b} plus {c}", a + b + c)


def _add_three_digits(random: Random) -> Sum:
    return _plus(random.randint(120, 890), random.randint(120, 890))


def _take_three_digits(random: Random) -> Sum:
    a = random.randint(400, 990)
    return _minus(a, random.randint(110, a - 20))


def _add_five_digits(random: Random) -> Sum:
    return _plus(random.randint(10_000, 89_000), random.randint(10_000, 89_000))


def _mixed(random: Random) -> Sum:
    a, b, c = random.randint(2, 9), random.randint(2, 9), random.randint(2, 40)
    return Sum(f"{a} * {b} + {c}", f"{a} times {b}, plus {c}", a * b + c)


def _brackets(random: Random) -> Sum:
    a, b, c = random.randint(2, 12), random.randint(2, 12), random.randint(2, 9)
    return Sum(f"({a} + {b}) * {c}", f"{c} times the sum of {a} and {b}", (a + b) * c)


SORTS: dict[str, Callable[[Random], Sum]] = {
    "add one digit": _add_one_digit,
    "take one digit": _take_one_digit,
    "multiply one digit": _multiply_one_digit,
    "next number": _next,
    "add ten": _add_ten,
    "half": _half,
    "add tens": _add_tens,
    "add two digits": _add_two_digits,
    "take two digits": _take_two_digits,
    "double": _double,
    "divide, small": _divide_small,
    "divide": _divide,
    "multiply by ten": _multiply_by_ten,
    "multiply two digits by one": _multiply_two_by_one,
    "multiply two digits": _multiply_two_by_two,
    "add three numbers": _add_three,
    "add three digits": _add_three_digits,
    "take three digits": _take_three_digits,
    "add five digits": _add_five_digits,
    "product and sum": _mixed,
    "brackets": _brackets,
}
"""Sorts from problems that a small model can do to problems that a large model may get wrong."""
WORDINGS = (
    "What is {signs}?",
    "Calculate {signs}.",
    "What is {words}?",
    "{signs} = ?",
    "How much is {words}?",
    "Work out {signs}. Give the result as a number.",
    "Please tell me the value of {signs}.",
    "Compute {words}.",
)


def draw(random: Random, sort: str) -> Draft:
    """One problem of a sort."""
    found = SORTS[sort](random)
    prompt = random.choice(WORDINGS).format(signs=found.signs, words=found.words)
    return Draft(sort, prompt, str(found.value), NumberCheck(target=str(found.value)))
