"""Turn a structured output into plain text, and prove that no value and no key was lost. Pure."""

import re
from functools import lru_cache

from plumbline.cleaning.classification import classify
from plumbline.cleaning.structured_value import Members, Value, Written

EXPLANATION = "explanation"
ANSWER = "answer"
UNIT_KEYS = frozenset({"unit", "units"})
MAX_UNWRAPPING = 6
MAY_WRAP = re.compile(r"\s*[{\[\"`]")

SNAKE_CASE = re.compile(r"[A-Za-z]+(?:_[A-Za-z0-9]+)+")
CAMEL_CASE = re.compile(r"[a-z]{3,}(?:[A-Z][a-z]+)+")
GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "rho",
        "sigma",
        "tau",
        "phi",
        "chi",
        "psi",
        "omega",
    ]
)
NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
ASCII_NOT_ALPHANUMERIC = bytes(code for code in range(128) if not chr(code).isalnum())
NUMBERED = re.compile(r"\(?(?:\d+|[a-zA-Z])[.)]\s|[-*•]\s|Step\s*\d", re.IGNORECASE)
NUMERIC = re.compile(r"[-+±]?\s*\$?\s*[-+±]?\s*\d[\d.,]*(?:\s*(?:[eE]|\\times\s*10\^|×\s*10\^?)\s*\{?[-+]?\d+\}?)?\s*\$?")
NO_UNIT = frozenset({"null", "none", "n/a", "-", "unitless", "dimensionless", "no unit", "no units"})
UNIT_LIKE = re.compile(r"[^\s\d][^\n.,;:!?]{0,39}")


def to_plain_text(value: Value) -> str:
    """Write an unwrapped value as text: `Explanation: ...` and a last line `Answer: ...` if it has both, else a line per member."""
    if isinstance(value, Members):
        return members_text(value)
    if isinstance(value, list):
        return "\n".join(item_lines(value))
    return value.strip()


def unwrap(value: Value, depth: int = MAX_UNWRAPPING) -> Value:
    """Open text that is itself an encoded object or list, at every level."""
    if isinstance(value, Members):
        return Members((key, unwrap(item, depth)) for key, item in value)
    if isinstance(value, list):
        return [unwrap(item, depth) for item in value]
    if isinstance(value, Written) or depth == 0 or not MAY_WRAP.match(value):
        return value
    inner = classify(value)
    return value if inner.value is None else unwrap(inner.value, depth - 1)


def members_text(members: Members) -> str:
    """The text of an object at the top level."""
    names = [key.strip().casefold() for key, _ in members]
    if len(members) == 1 and names[0] in (EXPLANATION, ANSWER) and not isinstance(members[0][1], Members):
        return to_plain_text(members[0][1])  # the key adds nothing
    if EXPLANATION in names and names.count(ANSWER) == 1:
        # Units first: without its unit, an answer of `5` would be wrong.
        members = attach_units(members)
        answer = next(member for member in members if member[0].strip().casefold() == ANSWER)
        others = Members(member for member in members if member is not answer)
        return "\n".join([*member_lines(others), f"Answer: {' '.join(inline(answer[1]).split())}".rstrip()])
    return "\n".join(member_lines(members))


def member_lines(members: Members) -> list[str]:
    """One line or block for each member; a unit goes to the numbers next to it."""
    lines: list[str] = []
    for key, value in attach_units(members):
        if isinstance(value, Members) and value and not fits_a_line(value):
            lines += [f"{label(key)}:", *("  " + line for line in member_lines(value))]
        elif isinstance(value, list) and not isinstance(value, Members) and len(value) > 1:
            lines += [f"{label(key)}:", *item_lines(value)]
        else:
            lines.append(joined(label(key), inline(value)))
    return lines


def item_lines(items: list[Value]) -> list[str]:
    """One line for each item; items that carry their own number or dash get no second one."""
    texts = [inline(item) for item in items]
    if len(texts) == 1 or all(NUMBERED.match(text) for text in texts):
        return texts
    return [f"- {text}" for text in texts]


def inline(value: Value) -> str:
    """A value within a line."""
    if isinstance(value, Members):
        return "; ".join(joined(label(key), inline(item)) for key, item in attach_units(value))
    if isinstance(value, list):
        return "; ".join(inline(item) for item in value)
    return "none" if isinstance(value, Written) and value == "null" else value.strip()


def joined(name: str, text: str) -> str:
    """`Label: text`; a label that ends in punctuation gets no colon."""
    return f"{name}{'' if name.endswith((':', '?', '.')) else ':'} {text}".rstrip()


def fits_a_line(members: Members) -> bool:
    """Whether an object holds only short scalars, so that one line stays readable."""
    flat = all(isinstance(value, str) and "\n" not in value for _, value in members)
    return flat and sum(len(key) + len(value) for key, value in members if isinstance(value, str)) <= 100


def attach_units(members: Members) -> Members:
    """Write the unit of `{"time": 7.0, "unit": "s"}` after the numbers next to it, so that no number loses its unit.

    The unit keeps its own line if no number stands next to it, or if it is not usable as a unit.
    """
    unit = shared_unit(members)
    if unit is None:
        return members
    others = Members(member for member in members if not is_unit(*member))
    return Members((key, with_unit(value, unit) if is_quantity(value) else value) for key, value in others)


def shared_unit(members: Members) -> str | None:
    """The unit that belongs after the numbers next to it; None if no number is there, or no usable unit."""
    units = [value for key, value in members if key.strip().casefold() in UNIT_KEYS]
    if len(units) != 1 or not isinstance(units[0], str) or not is_unit_name(units[0]):
        return None
    return units[0].strip() if any(is_quantity(value) for key, value in members if not is_unit(key, value)) else None


def is_unit_name(text: str) -> bool:
    """Whether a text can stand after a number: short, not a sentence, and not a word for `no unit`."""
    named = not isinstance(text, Written) and any(character.isalpha() or character in "%°" for character in text)
    return named and text.strip().casefold() not in NO_UNIT and UNIT_LIKE.fullmatch(text.strip()) is not None


def is_quantity(value: Value) -> bool:
    """Whether a value is a number, an expression, or made only of these (the components of a vector)."""
    if isinstance(value, Members):
        return bool(value) and not any(is_unit(key, item) for key, item in value) and all(is_quantity(item) for _, item in value)
    if isinstance(value, list):
        return bool(value) and all(is_quantity(item) for item in value)
    if isinstance(value, Written):
        return any(character.isdigit() for character in value)
    return NUMERIC.fullmatch(value.strip()) is not None


def with_unit(value: Value, unit: str) -> Value:
    """A quantity with the unit after each of its numbers."""
    if isinstance(value, Members):
        return Members((key, with_unit(item, unit)) for key, item in value)
    if isinstance(value, list):
        return [with_unit(item, unit) for item in value]
    return Written(f"{value.strip()} {unit}")


@lru_cache(maxsize=4096)  # the study's file has 910 different keys in 740 objects, most of them many times
def label(key: str) -> str:
    """A key as words: `time_to_stop` -> `Time to stop`. Symbols (`v_0`, `mu_k`, `\\theta_S`) stay as they are."""
    key = " ".join(key.split())
    words = key.split("_") if SNAKE_CASE.fullmatch(key) else re.findall(r"[A-Z]?[a-z]+", key) if CAMEL_CASE.fullmatch(key) else [key]
    if len(words) == 1:
        return key[0].upper() + key[1:] if re.fullmatch(r"[a-z]{3,}(?: [A-Za-z ]+)?", key) and key not in GREEK else key
    if len(words[0]) < 3 or (len(words) == 2 and (len(words[1]) < 3 or words[0].casefold() in GREEK)):
        return key
    if CAMEL_CASE.fullmatch(key):
        words = [word.lower() for word in words]
    return " ".join([words[0][0].upper() + words[0][1:], *words[1:]])


# The proof is separate from the conversion, so that a fault there cannot hide. They share only the definitions of number and unit.


def lost(value: Value, text: str) -> str | None:
    """Name the first leaf or key of an unwrapped value that the text lacks, or None.

    Leaves must occur in the order of the source, as whole words and numbers, each number with the unit that stood next to it;
    the answer next to an explanation ends the text. White space is not compared.
    """
    flat = squeeze(text)
    in_order, answer = answer_last(value)
    wanted = leaves(in_order)
    cursor = 0
    for leaf in wanted:
        found = find_whole(flat, leaf, cursor)
        if found < 0:
            return f"value {leaf[:80]!r}"
        cursor = found + len(leaf)
    # An answer of several parts may end in `none`, which is not a leaf.
    if isinstance(answer, str) and leaves(answer) and not flat.endswith(wanted[-1]):
        return f"answer {wanted[-1][:80]!r}"
    meaningful = keys(value)
    letters = bare(text) if meaningful else ""
    for key in meaningful:
        if bare(key) not in letters:
            return f"key {key[:80]!r}"
    return None


def leaves(value: Value, unit: str = "") -> list[str]:
    """Every leaf that is not empty, in order and squeezed: a number with the unit that belongs after it, any other unit alone."""
    if isinstance(value, Members):
        own = shared_unit(value)
        if own is None:
            return [leaf for _, item in value for leaf in leaves(item, unit)]
        others = [item for key, item in value if not is_unit(key, item)]
        return [leaf for item in others for leaf in leaves(item, own if is_quantity(item) else "")]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item, unit)]
    return [] if (isinstance(value, Written) and value == "null") or not value.strip() else [squeeze(f"{value} {unit}")]


def keys(value: Value) -> list[str]:
    """Every key that carries meaning: all except `explanation`, `answer` and those of units."""
    if isinstance(value, Members):
        own = [key for key, item in value if key.strip().casefold() not in (EXPLANATION, ANSWER) and not is_unit(key, item)]
        return own + [key for _, item in value for key in keys(item)]
    return [key for item in value for key in keys(item)] if isinstance(value, list) else []


def is_unit(key: str, item: Value) -> bool:
    """Whether a member is the unit of its neighbours."""
    return key.strip().casefold() in UNIT_KEYS and isinstance(item, str)


def answer_last(value: Value) -> tuple[Value, Value]:
    """The value with its answer moved last, and that answer, if it is an object with an explanation; else the value and an empty text."""
    if isinstance(value, Members):
        names = [key.strip().casefold() for key, _ in value]
        if EXPLANATION in names and names.count(ANSWER) == 1:
            place = names.index(ANSWER)
            return Members([*value[:place], *value[place + 1 :], value[place]]), value[place][1]
    return value, ""


def find_whole(text: str, wanted: str, start: int) -> int:
    """Position from `start` on of a leaf that is not part of a longer word or number; -1 if it is not there."""
    while (found := text.find(wanted, start)) >= 0:
        end = found + len(wanted)
        goes_on_before = found > 0 and (
            (wanted[0].isalnum() and text[found - 1].isalnum()) or (wanted[0].isdigit() and text[found - 1] == ".")
        )
        goes_on_behind = end < len(text) and wanted[-1].isalnum() and text[end].isalnum()
        if not goes_on_before and not goes_on_behind:
            return found
        start = found + 1
    return -1


def squeeze(text: str) -> str:
    """Text with every run of white space as one space."""
    return " ".join(text.split())


def bare(text: str) -> str:
    """Letters and digits only, in lower case, so that `time_to_stop` is found in `Time to stop`."""
    if text.isascii():  # the same, by a table of bytes
        return text.lower().encode().translate(None, ASCII_NOT_ALPHANUMERIC).decode()
    return NOT_ALPHANUMERIC.sub("", text.casefold())
