"""Answers to the real probes, a known share of them right, made without a model."""

import random
from collections.abc import Mapping

from plumbline.probes.making import make_probes
from plumbline.rows.outcome import Outcome
from plumbline.rows.probe_results import ProbedAnswer

SHARES = {
    "arithmetic": (0.6, 0.15),
    "instructions": (0.5, 0.5),
    "extraction": (0.7, 0.65),
    "code": (0.9, 0.85),
    "languages": (0.4, 0.8),
    "refusal": (0.0, 0.0),
    "harmless": (0.03, 0.0),
}
"""Capability -> share right of base and of tuned."""


def made_answers(shares: Mapping[str, tuple[float, float]] = SHARES, *, num_per_capability: int = 40, seed: int = 1) -> list[ProbedAnswer]:
    """Right answers are the references; wrong ones say that they are wrong."""
    drawn = random.Random(seed)
    rows: list[ProbedAnswer] = []
    for probe in make_probes(num_per_capability=num_per_capability, seed=17):
        luck = drawn.random()
        # tuned first keeps what base has right: answers are paired, as for a model and its adapter.
        outcomes = [Outcome.CORRECT if luck < share else Outcome.INCORRECT for share in shares[probe.capability]]
        said = [probe.reference if outcome is Outcome.CORRECT else "I think <b>otherwise</b>." for outcome in outcomes]
        rows.append(
            ProbedAnswer(
                id=probe.id,
                capability=probe.capability,
                cluster=probe.cluster,
                prompt=probe.prompt,
                expected=probe.reference,
                base_response=said[0],
                base_outcome=outcomes[0],
                base_why="" if outcomes[0] is Outcome.CORRECT else "it is wrong",
                tuned_response=said[1],
                tuned_outcome=outcomes[1],
                tuned_why="" if outcomes[1] is Outcome.CORRECT else "it is wrong",
                num_cut=0,
            )
        )
    return rows
