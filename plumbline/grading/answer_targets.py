"""Read the targets of the answer kinds: letters, yes or no, several numbers, a formula. Apart from how answers are read, which takes longer to load. Pure."""

import re
from collections.abc import Mapping

from plumbline.grading.formula_readings import readings
from plumbline.grading.formula_trees import Tree
from plumbline.grading.numeric_target import Target, parse_target

MAX_NUMBERS = 50
OPENERS, CLOSERS = "[({", "])}"
YES, NO = frozenset({"yes", "true"}), frozenset({"no", "false"})
PAIRS = (("yes", "no"), ("true", "false"))
# "a <= b" is no equation, and is not read.
RELATION = re.compile(r"\\approx|\\simeq|\\equiv|≈|(?<![<>!:])=(?!=)")
DELIMITERS = (r"\(", r"\)", r"\[", r"\]", "$$", "$")


def parse_letters(target: str, choices: Mapping[str, str]) -> frozenset[str]:
    """Read a target such as `A,C` or `ACD`. ValueError where a letter is no choice, or stands twice."""
    written = re.findall(r"[A-Za-z0-9]", target) if re.fullmatch(r"[\sA-Z,;&()\[\]]+", target) else []
    letters = frozenset(written)
    if not letters or len(letters) != len(written) or not letters <= choices.keys():
        raise ValueError(f"target {target!r}: not letters among the choices {sorted(choices)}; write the right ones as A,C.")
    return letters


def is_pair(choices: Mapping[str, str]) -> bool:
    """Whether the choices are yes and no, or true and false, in whichever order."""
    return len(choices) == 2 and {text.strip().lower() for text in choices.values()} in [set(pair) for pair in PAIRS]


def split_numbers(target: str) -> list[str]:
    """The numbers of a target such as `1; 2`, `[1, 2]` or `(1, 2)`, as written."""
    bare = target.strip().strip("$").strip()
    bracketed = len(bare) > 1 and bare[0] in OPENERS and bare[-1] in CLOSERS
    inside = bare[1:-1] if bracketed else bare
    parts = inside.split(";") if ";" in inside else inside.split(",")
    return [part.strip() for part in parts]


def parse_numbers(target: str, unit: str | None) -> list[Target]:
    """Read a target of several numbers that share one unit. ValueError where one is no number."""
    written = split_numbers(target)
    if not 1 <= len(written) <= MAX_NUMBERS or not all(written):
        raise ValueError(f"target {target!r}: not a list of 1 to {MAX_NUMBERS} numbers; write them as 1.5; 2; 3.")
    for number in written:
        # Without the unit, so that whatever stands behind a number is seen.
        if not parse_target(number, None).open_unit:
            raise ValueError(f"target {target!r}: {number!r} is more than a number; write the numbers alone, their unit under unit.")
    return [parse_target(number, unit) for number in written]


def parse_formula(target: str) -> tuple[Tree, ...]:
    """Read a target, in every way in which it may be meant, such as `\\frac{1}{2} m v^2`, `mgh` or `E = mc^2`, of which the right side counts. ValueError where it cannot be read."""
    try:
        return readings(right_side(undelimited(target)))
    except ValueError as error:
        raise ValueError(
            f"target {target!r}: not a formula that is read ({error}); write it with + - * / ^, brackets, \\frac, \\sqrt and functions such as \\sin."
        ) from None


def undelimited(text: str) -> str:
    """A text without the marks that set a formula apart."""
    text = text.strip()
    for mark in DELIMITERS:
        text = text.removeprefix(mark).removesuffix(mark).strip()
    return text


def right_side(text: str) -> str:
    """What stands behind the last sign of equality."""
    return RELATION.split(text)[-1].strip()
