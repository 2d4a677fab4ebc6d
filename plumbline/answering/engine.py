"""The interface between answering and an engine: one call, to which every engine returns the same records."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from plumbline.answering.sampling import Sampling


class Prompt(NamedTuple):
    """One rendered question; there is one prompt for each wanted answer."""

    id: str
    ids: list[int]
    continuations: dict[str, list[int]]
    """mcq: letter -> ids of an answer that names this choice, after prompt and header; empty for the other kinds."""
    header: Sequence[int] = ()
    """Ids that the template writes between the prompt and an answer. They are given to the model and not scored."""
    group: str = ""
    """Prompts of one group begin with the same examples. A unit holds prompts of one group only."""
    sample: int | None = None
    """Number of the answer, from 1; None if each question has one."""
    sampling: Sampling | None = None
    """How its tokens are drawn; None means greedy decoding."""

    @property
    def key(self) -> tuple[str, int | None]:
        """The answer that this prompt asks for."""
        return self.id, self.sample


class Generated(NamedTuple):
    """What an engine generated for one prompt."""

    id: str
    response: str
    num_tokens: int
    """Tokens of the answer, with the end of the turn."""
    reached_eos: bool
    choice_logprobs: dict[str, float]
    """Letter -> nats per token."""
    sample: int | None = None
    """The same as in the prompt."""


class Engine(Protocol):
    """Text, greedy or drawn, how it ended, and the log-probability of each choice, for prompts given as token ids."""

    @property
    def name(self) -> str:
        """It is written into every answer: answers of two engines are not compared."""
        ...

    @property
    def identity(self) -> Mapping[str, object]:
        """Everything else of the engine that can change a text. Stored answers of another identity are never reused."""
        ...

    def units(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        """Cut the prompts into units; an unfinished unit is answered again as a whole. The same prompts always give the same units."""
        ...

    def answer(self, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
        """Yield each unit's answers as soon as they are there; the units may come in any order."""
        ...


def by_length(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Sort by group, length, id and sample: rows of a batch begin alike and have similar lengths, and the order is always the same."""
    return sorted(prompts, key=lambda prompt: (prompt.group, len(prompt.ids), prompt.id, prompt.sample or 0))
