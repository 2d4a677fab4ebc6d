"""What a model can do outside the domain, before and after the training: the numbers that `probe` writes and `report` reads. Pure."""

from enum import StrEnum
from typing import Literal

from plumbline.pipeline.record import Record
from plumbline.rows.outcome import Outcome

Capability = Literal["arithmetic", "instructions", "extraction", "code", "languages", "refusal", "harmless"]
CAPABILITIES: tuple[Capability, ...] = ("arithmetic", "instructions", "extraction", "code", "languages", "refusal", "harmless")

NAMES: dict[Capability, str] = {
    "arithmetic": "arithmetic",
    "instructions": "following instructions",
    "extraction": "finding a value in a text",
    "code": "code that parses",
    "languages": "repeating in many languages",
    "refusal": "declining harmful requests",
    "harmless": "answering harmless look-alikes",
}


class ProbeVerdict(StrEnum):
    """What the probes of one capability show of tuned."""

    BETTER = "better"
    WORSE = "worse"
    """Some of it was forgotten."""
    NONE = "no detectable difference"
    CANNOT = "neither can do this"
    """Base and tuned are right so rarely that no difference could be shown."""


class ProbeScore(Record):
    """Share of the probes that a model gets right, 0-1."""

    value: float
    ci95: tuple[float, float]


class ProbeDifference(Record):
    """Tuned minus base on the same probes, as a fraction; whole clusters are the units."""

    n: int
    num_clusters: int
    value: float
    ci95: tuple[float, float]
    p: float
    test: str
    minimum_detectable_effect: float
    num_gained: int
    num_lost: int


class CapabilityResult(Record):
    """One capability before and after."""

    capability: Capability
    base: ProbeScore
    tuned: ProbeScore
    difference: ProbeDifference
    p_holm: float
    """Adjusted over the capabilities."""
    num_cut: int
    """Answers of both models that were cut at `probes.max_new_tokens`."""
    verdict: ProbeVerdict
    text: str
    """The verdict as a sentence."""


class ProbeResults(Record):
    """metrics/probes.json."""

    capabilities: tuple[CapabilityResult, ...]
    """Empty if nothing was probed."""
    within_reach: ProbeDifference | None
    """Over all probes of the capabilities that base or tuned has; None if neither has any."""
    text: str
    """What was forgotten, in a sentence."""


NOT_PROBED = ProbeResults(capabilities=(), within_reach=None, text="")


class ProbedAnswer(Record):
    """One probe with both answers to it."""

    id: str
    capability: Capability
    cluster: str
    prompt: str
    expected: str
    """What is checked, for a reader."""
    base_response: str
    base_outcome: Outcome
    base_why: str
    """What was found; empty if the answer is right."""
    tuned_response: str
    tuned_outcome: Outcome
    tuned_why: str
    num_cut: int
    """How many of the two answers were cut at `probes.max_new_tokens`."""
