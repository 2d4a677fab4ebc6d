"""Read targets: letters, yes or no, several numbers, a formula. Separate from reading answers, which takes longer to load. Pure."""

import re
from collections.abc import Mapping

from plumbline.grading.formula_readings import readings
from plumbline.grading.formula_trees import Tree
from plumbline.grading.numeric_target import Target, parse_target

MAX_NUMBERS = 50
OPENERS, CLOSERS = "[({", "])}"
YES, NO = frozenset({"yes", "true"}), frozenset({"no", "false"})
PAIRS = (("yes", "no"), ("true", "false"))
# "a <= b" is not an equation, and is not read.
RELATION = re.compile(r"\\approx|\\simeq|\\equiv|≈|(?<![<>!:])=(?!=)")
DELIMITERS = (r"\(", r"\)", r"\[", r"\]", "$$", "$")


def parse_letters(target: str, choices: Mapping[str, str]) -> frozenset[str]:
    """Read a target such as `A,C` or `ACD`. ValueError if a letter is not a choice, or occurs twice."""
    written = re.findall(r"[A-Za-z0-9]", target) if re.fullmatch(r"[\sA-Z,;&()\[\]]+", target) else []
    letters = frozenset(written)
    if not letters or len(letters) != len(written) or not letters <= choices.keys():
        raise ValueError(f"target {target!r}: not letters among the choices {sorted(choices)}. Write the right ones as A,C.")
    return letters


def is_pair(choices: Mapping[str, str]) -> bool:
    """Whether the choices are yes and no, or true and false, in any order."""
    return len(choices) == 2 and {text.strip().lower() for text in choices.values()} in [set(pair) for pair in PAIRS]


def split_numbers(target: str) -> list[str]:
    """The numbers of a target such as `1; 2`, `[1, 2]` or `(1, 2)`, as written."""
    bare = target.strip().strip("$").strip()
    bracketed = len(bare) > 1 and bare[0] in OPENERS and bare[-1] in CLOSERS
    inside = bare[1:-1] if bracketed else bare
    parts = inside.split(";") if ";" in inside else inside.split(",")
    return [part.strip() for part in parts]


def parse_numbers(target: str, unit: str | None) -> list[Target]:
    """Read a target of several numbers with one unit. ValueError if one of them is not a number."""
    written = split_numbers(target)
    if not 1 <= len(written) <= MAX_NUMBERS or not all(written):
        raise ValueError(f"target {target!r}: not a list of 1 to {MAX_NUMBERS} numbers. Write them as 1.5; 2; 3.")
    for number in written:
        # Without the unit, so that any text after a number is noticed.
        if not parse_target(number, None).open_unit:
            raise ValueError(f"target {target!r}: {number!r} is more than a number. Write only the numbers, and their unit under unit.")
    return [parse_target(number, unit) for number in written]


def parse_formula(target: str) -> tuple[Tree, ...]:
    """Read a target such as `\\frac{1}{2} m v^2` or `mgh` in every way in which it may be meant. ValueError if it cannot be read.

    Of an equation such as `E = mc^2`, the right side counts.
    """
    try:
        return readings(right_side(undelimited(target)))
    except ValueError as error:
        raise ValueError(
            f"target {target!r}: not a formula that can be read ({error}). "
            "Write it with + - * / ^, brackets, \\frac, \\sqrt and functions such as \\sin."
        ) from None


def undelimited(text: str) -> str:
    """A text without the marks around a formula."""
    text = text.strip()
    for mark in DELIMITERS:
        text = text.removeprefix(mark).removesuffix(mark).strip()
    return text


def right_side(text: str) -> str:
    """The text after the last equality sign."""
    return RELATION.split(text)[-1].strip()
