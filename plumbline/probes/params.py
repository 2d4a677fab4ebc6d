"""Settings of the probes: section `probes` of params.yaml."""

from pydantic import Field

from plumbline.pipeline.record import Params
from plumbline.rows.probe_results import CAPABILITIES, Capability

LONG: tuple[Capability, ...] = ("code", "instructions")
"""Capabilities with longer answers; for the others, the beginning decides."""


class ProbesParams(Params):
    """How many small tasks base and tuned get in addition to the benchmark."""

    num_per_capability: int = Field(ge=0)
    """Probes of each capability; 0 means none."""
    max_new_tokens: int = Field(ge=1)
    """Most tokens of an answer; a cut answer is checked as it is."""
    max_new_tokens_long: int = Field(ge=1)
    """The same for code and instructions, which need more."""
    batch_size: int = Field(ge=1)
    seed: int
    """Seed of the tasks and, if there is no exact test, of the permutations."""

    def limit(self, capability: Capability) -> int:
        """The most tokens of an answer."""
        return self.max_new_tokens_long if capability in LONG else self.max_new_tokens

    def limits(self) -> dict[int, int]:
        """Most tokens of an answer -> how many probes have it."""
        found: dict[int, int] = {}
        for capability in CAPABILITIES:
            found[self.limit(capability)] = found.get(self.limit(capability), 0) + self.num_per_capability
        return found
