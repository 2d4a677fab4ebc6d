"""The probes of every capability, from a seed. No two are equal, and asking for more of them changes none of the earlier ones. Pure."""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from plumbline.pipeline.refused import Refused
from plumbline.probes import arithmetic, extraction, functions, instructions, languages, requests
from plumbline.probes.probe import Draft, Probe
from plumbline.rows.probe_results import CAPABILITIES, Capability

MOST_TRIES = 200
"""Most tries to make a probe that differs from all before it."""


class Maker(NamedTuple):
    """How the probes of a capability are made."""

    sorts: Sequence[str]
    """Sorts in turn, so that all have the same number of probes."""
    draw: Callable[[Random, str], Draft]


MAKERS: dict[Capability, Maker] = {
    "arithmetic": Maker(tuple(arithmetic.SORTS), arithmetic.draw),
    "instructions": Maker(tuple(instructions.SORTS), instructions.draw),
    "extraction": Maker(extraction.SORTS, extraction.draw),
    "code": Maker(functions.SORTS, functions.draw),
    "languages": Maker(languages.SORTS, languages.draw),
    "refusal": Maker(requests.REFUSALS, requests.draw_harmful),
    "harmless": Maker(requests.HELPS, requests.draw_harmless),
}


def make_capability(capability: Capability, *, num_probes: int, seed: int) -> list[Probe]:
    """The probes of one capability. Refused if there are not enough different ones."""
    maker, random = MAKERS[capability], Random(f"{seed}:{capability}")
    order = random.sample(list(maker.sorts), len(maker.sorts))
    probes: list[Probe] = []
    seen: set[str] = set()
    while len(probes) < num_probes:
        sort = order[len(probes) % len(order)]
        for _ in range(MOST_TRIES):
            draft = maker.draw(random, sort)
            if draft.prompt not in seen:
                break
        else:
            raise Refused(
                f"probes.num_per_capability is {num_probes}, but only about {len(probes)} probes of {capability} differ. "
                "Lower it in params.yaml."
            )
        seen.add(draft.prompt)
        probes.append(
            Probe(
                id=f"{capability}-{len(probes) + 1:03d}",
                capability=capability,
                cluster=f"{capability}: {draft.cluster}",
                prompt=draft.prompt,
                reference=draft.reference,
                check=draft.check,
            )
        )
    return probes


def make_probes(*, num_per_capability: int, seed: int) -> list[Probe]:
    """The probes of all capabilities, one capability after the other."""
    return [probe for capability in CAPABILITIES for probe in make_capability(capability, num_probes=num_per_capability, seed=seed)]
