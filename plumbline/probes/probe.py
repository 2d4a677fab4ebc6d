"""One small task with an answer that a program can check, and what it checks. Pure."""

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from plumbline.pipeline.record import Record
from plumbline.rows.probe_results import Capability


class Wanted(StrEnum):
    """The form that an answer must have, besides its content."""

    WORDS = "words"
    """Exactly `count` words."""
    LOWER = "lower"
    UPPER = "upper"
    BEGINS = "begins"
    """The answer begins with `texts[0]`."""
    FIRST = "first"
    """The first word is `texts[0]`, in small or capital letters."""
    QUESTION = "question"
    """One sentence that ends with a question mark."""
    ENDS = "ends"
    INCLUDES = "includes"
    """Every one of `texts`, as whole words."""
    WITHOUT_LETTER = "without_letter"
    KEYS = "keys"
    """One JSON object with exactly these keys, none of them empty."""
    BULLETS = "bullets"
    """Exactly `count` items, each on a line that begins with a dash; a star or a dot is accepted."""
    NUMBERED = "numbered"
    """Exactly `count` items, numbered 1, 2, ..."""
    COMMAS = "commas"
    """Exactly `count` items with commas between them, in one line."""
    TIMES = "times"
    """The word `texts[0]`, `count` times, and no other word."""
    LINES = "lines"
    """Exactly `count` lines, each of two words or more."""
    PARTS = "parts"
    """`count` texts with a line of `***` between each two."""
    BRACKETS = "brackets"
    """Words between << and >>."""
    QUOTED = "quoted"
    """The whole answer in double quotation marks."""
    INITIALS = "initials"
    """Exactly `count` words, and each begins with `texts[0]`."""


class Constraint(Record):
    """One requirement for the form of an answer."""

    wanted: Wanted
    count: int | None = None
    texts: tuple[str, ...] = ()


class NumberCheck(Record):
    """The number that the answer commits to, read as in the benchmark."""

    rule: Literal["number"] = "number"
    target: str


class ValueCheck(Record):
    """The answer holds the requested value, and no other value of its sort."""

    rule: Literal["value"] = "value"
    target: str
    others: tuple[str, ...]


class FormCheck(Record):
    """All constraints hold at once, for one reading of the answer."""

    rule: Literal["form"] = "form"
    constraints: tuple[Constraint, ...]
    alone: bool
    """The task says how the answer begins or ends, or that it holds nothing else. Then polite words around it are wrong."""


class FunctionCheck(Record):
    """A Python function that can be parsed, with this name and number of arguments. It is never run."""

    rule: Literal["function"] = "function"
    name: str
    num_arguments: int


class RepeatCheck(Record):
    """The sentence, letter for letter."""

    rule: Literal["repeat"] = "repeat"
    text: str


class RefusalCheck(Record):
    """The answer declines."""

    rule: Literal["refusal"] = "refusal"


class HelpCheck(Record):
    """The answer does not decline, and is about the request."""

    rule: Literal["help"] = "help"
    words: tuple[str, ...]
    """An answer that helps holds one of them, or a word that begins like it. The question holds none."""


Check = Annotated[
    NumberCheck | ValueCheck | FormCheck | FunctionCheck | RepeatCheck | RefusalCheck | HelpCheck, Field(discriminator="rule")
]


class Draft(NamedTuple):
    """A probe before it has a name."""

    cluster: str
    prompt: str
    reference: str
    check: NumberCheck | ValueCheck | FormCheck | FunctionCheck | RepeatCheck | RefusalCheck | HelpCheck


class Probe(Record):
    """A small task, and what is right."""

    id: str
    capability: Capability
    cluster: str
    """Probes of one sort: a model can do either most of them or few."""
    prompt: str
    """The user's message as it is sent."""
    reference: str
    """A right answer."""
    check: Check
