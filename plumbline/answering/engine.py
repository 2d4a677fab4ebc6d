"""The seam between answering and what generates: one call, which every engine answers with the same records."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from plumbline.answering.sampling import Sampling


class Prompt(NamedTuple):
    """One question, rendered; once for each answer that is wanted."""

    id: str
    ids: list[int]
    continuations: dict[str, list[int]]
    """mcq: letter -> ids of the answer that names this choice, after prompt and header; empty for the other kinds."""
    header: Sequence[int] = ()
    """What the template writes between the prompt and an answer; given, not scored, when choices are."""
    group: str = ""
    """Prompts of one group begin with the same examples; units are made of one group."""
    sample: int | None = None
    """Number of the answer, from 1; None where each question has one."""
    sampling: Sampling | None = None
    """How its tokens are drawn; None: greedily."""

    @property
    def key(self) -> tuple[str, int | None]:
        """Which answer this asks for."""
        return self.id, self.sample


class Generated(NamedTuple):
    """What came out for one prompt."""

    id: str
    response: str
    num_tokens: int
    """The end of the turn included."""
    reached_eos: bool
    choice_logprobs: dict[str, float]
    """Nats per token."""
    sample: int | None = None
    """As in the prompt."""


class Engine(Protocol):
    """Text, greedy or drawn, how it ended, and the log-probability of each choice, for prompts given as token ids."""

    @property
    def name(self) -> str:
        """Written into every answer: answers of two engines are not compared."""
        ...

    @property
    def identity(self) -> Mapping[str, object]:
        """What else of the engine can change a text: stored answers of another identity are never reused."""
        ...

    def units(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        """Cut the prompts into what is answered whole or again; the same prompts give the same units, whoever asks."""
        ...

    def answer(self, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
        """Yield each unit's answers when they are there, in any order of units."""
        ...


def by_length(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Sort by group, length, id and sample: rows of a batch begin alike and are nearly equally long, and the order is the same for everyone."""
    return sorted(prompts, key=lambda prompt: (prompt.group, len(prompt.ids), prompt.id, prompt.sample or 0))
