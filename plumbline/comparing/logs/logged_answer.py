"""One answer as another tool logged it, and the log that holds it. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from string import ascii_uppercase

from plumbline.rows.question import Question

GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""Correct, partial, incorrect, no answer: the letters of Inspect, which its users also write into tables."""
NO_ANSWER = "N"


class Tool(StrEnum):
    """What wrote a log."""

    INSPECT = "Inspect"
    LM_EVAL = "lm-evaluation-harness"
    EVALSCOPE = "EvalScope"
    BATCH = "a batch service"
    TABLE = "a table"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedScore:
    """What one scorer of the tool said about an answer."""

    value: float | None
    """On the scale of the tool; None if it gave no score, or one that is not a number."""
    unread: str | None = None
    """The score as logged, if it is not a number."""
    extracted: str | None = None
    """What the scorer read as the answer."""
    explanation: str = ""
    is_no_answer: bool = False
    """The scorer found no answer: wrong, and counted as unparsed."""
    is_fraction: bool = False
    """Whether it is a letter or a boolean of the tool: then it is in 0 to 1, whatever the scale of its numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAnswer:
    """One answer to one question."""

    where: str
    """File and line, or file and sample, for messages."""
    line: int
    """Line of the file, from 1, or the number of the sample."""
    task: str
    id: str
    """Of the question, in its task."""
    question: str = ""
    """Empty if the log does not hold it."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Label -> text."""
    target: str = ""
    unit: str | None = None
    key_points: tuple[str, ...] = ()
    kind: str | None = None
    """If the log says it."""
    known: Question | None = None
    """The question as a benchmark has it; None if no benchmark was given."""
    response: str | None
    """None if the request failed, or if the log does not hold it."""
    has_one_response: bool = True
    """False if the tool scored several responses together: they are not graded again."""
    scores: Mapping[str, LoggedScore] = field(default_factory=dict)
    """By name, the tool's main score first."""
    is_cut: bool = False
    failure: str | None = None
    """Why the tool has no answer."""
    repeat: str = ""
    """Which one this is, if a table has several answers to one question."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """What the log says about the question: metadata, columns."""
    fingerprint: str = ""
    """Equal if two logs ask the same; empty if the log cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The answers of one model to one task, or to several."""

    path: PurePath
    tool: Tool
    model: str
    answers: tuple[LoggedAnswer, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the scores depend on besides the model, as the log has it."""
    warnings: tuple[str, ...] = ()
    """What a reader must know about the run that was logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogArm:
    """All answers of one model, or of one model under one setting."""

    name: str
    answers: tuple[LoggedAnswer, ...]
    tools: frozenset[Tool]
    settings: Mapping[str, str]
    warnings: tuple[str, ...]
    paths: tuple[str, ...]


def number_of(value: object) -> float | None:
    """A logged value as a number; None if it is not a number, or NaN."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        try:
            return float(value) if math.isfinite(value) else None
        except OverflowError:
            return None
    if isinstance(value, str):
        try:
            found = float(value)
        except ValueError:
            return None
        return found if math.isfinite(found) else None
    return None


def score_of_value(value: object, *, extracted: str | None = None, explanation: str = "") -> LoggedScore:
    """A number as a score; anything else is kept as text. A missing value is not a score."""
    number = number_of(value)
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    unread = None if number is not None or missing else repr(value)[:60]
    return LoggedScore(value=number, unread=unread, extracted=extracted, explanation=explanation, is_fraction=isinstance(value, bool))


def scalars(content: object) -> dict[str, str]:
    """The texts, numbers and booleans of an object, as text."""
    if not isinstance(content, Mapping):
        return {}
    return {str(name): str(value) for name, value in content.items() if isinstance(value, str | int | float | bool) and value != ""}


def text_of(content: object) -> str:
    """The text of a message's content: a text, or the text parts of a list. Thinking is not part of the answer. TypeError for another shape."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(part, Mapping) for part in content):
        raise TypeError("the content of a message is neither a text nor a list of parts")
    parts = [part.get("text") for part in content if part.get("type") in (None, "text", "output_text")]
    return "\n".join(part for part in parts if isinstance(part, str))


def texts_of(given: object) -> list[str]:
    """The texts of a list; empty without a list. TypeError for anything else."""
    if given is not None and not isinstance(given, list):
        raise TypeError("a list is expected")
    return [str(text) for text in given or []]


def lettered(texts: list[str]) -> dict[str, str]:
    """Choices by label."""
    return {label_of(place): text for place, text in enumerate(texts)}


def label_of(place: int) -> str:
    """The label of a choice by its place from 0: a letter, and after Z a number from 1, as in Inspect."""
    return ascii_uppercase[place] if place < len(ascii_uppercase) else str(place - len(ascii_uppercase) + 1)
