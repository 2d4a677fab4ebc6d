"""Which key of a row plays which part, and the names that people give them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Columns:
    """The keys of a row: either one that holds turns, or one for what is asked and one for the answer."""

    messages: str | None = None
    """A list of turns: `role` and `content`, or ShareGPT's `from` and `value`."""
    instruction: str | None = None
    input: str | None = None
    """What the instruction is about: a second part of what is asked."""
    output: str | None = None
    system: str | None = None
    """Text that stands before the first question."""
    history: str | None = None
    """Earlier exchanges as pairs of texts."""

    @property
    def used(self) -> frozenset[str]:
        """Keys that are read."""
        return frozenset(name for name in asdict(self).values() if name)

    @property
    def needed(self) -> tuple[str, ...]:
        """Keys without which a row cannot be read."""
        return tuple(name for name in (self.messages, self.instruction, self.output) if name)

    def parts(self) -> Mapping[str, str]:
        """Part -> key, as `clean.columns` of params.yaml has it."""
        return {part: name for part, name in asdict(self).items() if name}


ALPACA = Columns(instruction="instruction", input="input", output="output", system="system", history="history")
MESSAGES = Columns(messages="messages", system="system")
SHAREGPT = Columns(messages="conversations", system="system")
PROMPT_COMPLETION = Columns(instruction="prompt", output="completion", system="system")
FORMATS = {"alpaca": ALPACA, "messages": MESSAGES, "sharegpt": SHAREGPT, "prompt_completion": PROMPT_COMPLETION}
"""The values of `clean.format` that fix the keys of JSON lines."""

TURNS = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat", "data")
ASKED = ("instruction", "question", "prompt", "query", "problem", "message_1", "user", "human")
ANSWERED = ("output", "response", "answer", "completion", "solution", "message_2", "assistant", "target", "reply", "generation")
SYSTEMS = ("system", "system_prompt")
NAMED = {
    ("messages",): "messages",
    ("conversations",): "ShareGPT",
    ("data",): "UltraChat",
    ("instruction", "output"): "Alpaca",
    ("prompt", "completion"): "prompt and completion",
    ("prompt", "response"): "prompt and response",
    ("question", "answer"): "question and answer",
    ("instruction", "response"): "Dolly",
    ("question", "response"): "OpenOrca",
    ("message_1", "message_2"): "CAMEL",
    ("problem", "solution"): "problem and solution",
    ("query", "response"): "query and response",
}


def name_of(columns: Columns) -> str:
    """What people call rows with these keys."""
    return NAMED.get(tuple(name.strip().lower() for name in columns.needed), " and ".join(columns.needed))


def possible_columns(names: frozenset[str]) -> Iterator[Columns]:
    """Every possible reading of rows with these keys. Capitals do not matter; if `Question` and `question` are there, the latter is read."""
    written = {name.strip().lower(): name for name in sorted(names)}  # capitals come first, so that lower case stays
    system = next((written[name] for name in SYSTEMS if name in written), None)
    for turns in TURNS:
        if turns in written:
            yield Columns(messages=written[turns], system=system)
    asked = [name for name in ASKED if name in written]
    if not asked and "input" in written:
        asked = ["input"]  # `input` and `output` without another question
    for question in asked:
        about = next((written[name] for name in ("input", "context") if name in written and name != question), None)
        for answer in ANSWERED:
            if answer in written and not pairs_with_another(question, answer):
                yield Columns(
                    instruction=written[question],
                    input=about,
                    output=written[answer],
                    system=system,
                    history=written.get("history"),
                )


def pairs_with_another(question: str, answer: str) -> bool:
    """Whether one of the two names belongs to another one: only `message_2` answers `message_1`."""
    pairs = {"message_1": "message_2", "user": "assistant", "human": "assistant"}
    return pairs.get(question, answer) != answer or (answer == "message_2" and question != "message_1")
