"""One small task whose answer a program can check, and what it checks. Pure."""

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from plumbline.pipeline.record import Record
from plumbline.rows.probe_results import Capability


class Wanted(StrEnum):
    """What an answer must be like, besides its content."""

    WORDS = "words"
    """Exactly `count` words."""
    LOWER = "lower"
    UPPER = "upper"
    BEGINS = "begins"
    """With `texts[0]`."""
    FIRST = "first"
    """The first word is `texts[0]`, in small or capital letters."""
    QUESTION = "question"
    """One sentence, which ends with a question mark."""
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
    """The word `texts[0]`, `count` times, and no other."""
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
    """One thing that is asked of the form of an answer."""

    wanted: Wanted
    count: int | None = None
    texts: tuple[str, ...] = ()


class NumberCheck(Record):
    """The number that the answer commits to, read as in the benchmark."""

    rule: Literal["number"] = "number"
    target: str


class ValueCheck(Record):
    """The asked value stands in the answer, and no other value of its sort."""

    rule: Literal["value"] = "value"
    target: str
    others: tuple[str, ...]


class FormCheck(Record):
    """All constraints hold at once, of one reading of the answer."""

    rule: Literal["form"] = "form"
    constraints: tuple[Constraint, ...]
    alone: bool
    """The task says where the answer begins or ends, or that there is nothing else: politeness around it is then wrong."""


class FunctionCheck(Record):
    """A Python function that can be parsed, with this name and number of arguments; it is never run."""

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
    """The answer does not decline, and speaks of what was asked."""

    rule: Literal["help"] = "help"
    words: tuple[str, ...]
    """One of them, or a word that begins like it, stands in an answer that helps; none stands in the question."""


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
    """What is asked, and what is right."""

    id: str
    capability: Capability
    cluster: str
    """Probes of one sort, which a model can or cannot do together."""
    prompt: str
    """The user's message, as it is sent."""
    reference: str
    """An answer that is right."""
    check: Check
