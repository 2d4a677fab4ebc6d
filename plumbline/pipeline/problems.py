"""Say what is wrong with values that a model refused, in words for the person who wrote them. Pure."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

MAX_SHOWN_CHARACTERS = 60
"""Of a shown value; a longer one would hide the message about it."""

OPENINGS = (
    (re.compile(r"^Input should be (?=greater|less|a multiple)"), "give a number "),
    (re.compile(r"^Input should be "), "give "),
    (re.compile(r"^String should "), "give a text that should "),
    (re.compile(r"^(?:List|Tuple|Dictionary|Set) should "), "it should "),
)
"""How pydantic begins a message, and how we begin it."""


def problems_of(error: ValidationError, model: type[BaseModel], *, place: str = "") -> str:
    """Every problem, separated by semicolons. `place` goes before each name, such as the section of a file."""
    return "; ".join(problem_of(found, model, place=place) for found in error.errors())


def problem_of(found: Mapping[str, Any], model: type[BaseModel], *, place: str = "") -> str:
    """One problem as a phrase without a full stop. `found`: one of ValidationError.errors()."""
    name = ".".join(filter(None, [place, *map(str, found["loc"])]))
    match found["type"]:
        case "json_invalid":
            return f"not JSON ({found['ctx']['error']!s})"
        case "missing":
            return f"{name} is missing"
        case "extra_forbidden":
            return f"{name} is not a known key; {remedy_for(str(found['loc'][-1]), known_keys(model, found['loc'][:-1]))}"
        case "value_error" | "assertion_error":
            reason = str(found["ctx"]["error"]).rstrip(".")
            return f"{name}: {reason}" if name else reason
        case _:
            wanted = wanted_words(str(found["msg"]))
            return f"{name} is {shown(found['input'])}; {wanted}" if name else f"found {shown(found['input'])}; {wanted}"


def wanted_words(message: str) -> str:
    """What would be accepted, from pydantic's message: `Input should be a valid number, unable to ...` asks to `give a valid number`."""
    told = re.sub(r", (?:unable to|got a) .*$", "", message)
    for opening, ours in OPENINGS:
        if opening.search(told):
            return opening.sub(ours, told)
    return told[:1].lower() + told[1:]


def shown(value: Any) -> str:
    """A value in a message: a mapping or a long list by its type, a long text cut."""
    match value:
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return f"a list of {len(value)}" if len(repr(value)) > MAX_SHOWN_CHARACTERS else repr(value)
        case _:
            text = repr(value)
            return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]} ..."


def remedy_for(key: str, known: list[str]) -> str:
    """The key that was probably meant, or all known keys."""
    if not known:
        return "remove it"
    by_folded = {name.casefold(): name for name in known}  # TARGET is near target
    near = get_close_matches(key.casefold(), by_folded, n=1, cutoff=0.75)
    return f"did you mean {by_folded[near[0]]}?" if near else f"known keys: {', '.join(known)}"


def known_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The sorted keys of the model at a path inside `model`; if the path leaves the models, those of the nearest model above."""
    for part in path:
        field = model.model_fields.get(str(part)) or model.model_fields.get("root")
        model = (_inner_model(field.annotation) if field is not None else None) or model
    return sorted(model.model_fields)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The first model in a type such as `dict[str, Arm] | None`."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((found for one in get_args(annotation) if (found := _inner_model(one)) is not None), None)
