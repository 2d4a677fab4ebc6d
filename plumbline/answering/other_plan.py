"""Another batch plan for the same questions: other batches, other neighbours, other padding. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from plumbline.answering.engine import Engine, Generated, Prompt
from plumbline.hash_place import place_of

SMALLEST = 2
"""Questions per batch if the arms answer one by one: batches of one would be the same plan again."""


def is_asked_again(id: str, *, fraction: float) -> bool:
    """Whether a question is among the share (0-1) that is asked a second time."""
    return place_of(f"asked again: {id}") < fraction


def other_batch_size(batch_size: int, batch_fraction: float) -> int:
    """Questions per batch of the second asking: a share (0-1) of the first batch size."""
    return SMALLEST if batch_size == 1 else max(1, round(batch_size * batch_fraction))


class OtherPlan:
    """An engine that mixes short and long prompts in a batch; the plan of the arms sorts them by length."""

    def __init__(self, engine: Engine) -> None:
        """Plan for an engine, with batches as large as the engine's own."""
        self._engine = engine

    @property
    def name(self) -> str:
        """The name of the engine."""
        return self._engine.name

    @property
    def identity(self) -> Mapping[str, object]:
        """The identity of the engine, with the plan: no answer of the first asking is reused."""
        return {**self._engine.identity, "plan": "mixed"}

    def units(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        """Batches of one group each, ordered by hash."""
        size = max((len(unit) for unit in self._engine.units(prompts)), default=1)
        mixed = sorted(prompts, key=lambda prompt: (prompt.group, place_of(f"mixed: {prompt.id}"), prompt.id, prompt.sample or 0))
        groups = [list(group) for _, group in groupby(mixed, key=lambda prompt: prompt.group)]
        return [group[start : start + size] for group in groups for start in range(0, len(group), size)]

    def answer(self, units: Sequence[Sequence[Prompt]], *, max_new_tokens: int) -> Iterator[list[Generated]]:
        """Let the engine answer them."""
        return self._engine.answer(units, max_new_tokens=max_new_tokens)
