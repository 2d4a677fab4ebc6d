"""What each run gained in its domain, and what it forgot elsewhere: one line and one point per run. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from plumbline.comparing.compared_run import Run, differing, told_value
from plumbline.comparing.comparison_tables import in_columns
from plumbline.number_text import signed
from plumbline.reporting.ledger import compare_pairs
from plumbline.reporting.words import points, span
from plumbline.statistics import SIGNIFICANCE

NOT_SHOWN = ("train.seed",)
"""Parameters that do not name a point: runs that differ only in their seed are next to each other."""
MOST_NAMED = 2


class Amount(NamedTuple):
    """A difference between tuned and base of one run, with its 95 % interval."""

    value: float
    ci95: tuple[float, float] | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOff:
    """One run."""

    name: str
    label: str
    """What differs between it and the others; its name if nothing does."""
    is_replayed: bool
    """Whether answers of base were among its training rows."""
    gain: Amount
    """In the domain, over all questions of all kinds, as a fraction."""
    probes: Amount | None
    """On what base or tuned can do outside the domain, as a fraction; None if it was not probed, or they can do none of it."""
    nats: Amount | None
    """How much less likely base's own answers to general prompts are, in nats a token: more is worse."""


def trade_offs(runs: Sequence[Run], *, seed: int, num_resamples: int) -> list[TradeOff]:
    """The runs that are results and in which an adapter was compared with the weights that it was trained on."""
    found: list[TradeOff] = []
    for run, values in zip(runs, differing(runs), strict=True):
        gain = gain_of(run, seed=seed, num_resamples=num_resamples) if run.is_result and is_of_training(run) else None
        if gain is None:
            continue
        replay = run.params.get("train", {}).get("replay_fraction") or 0.0
        found.append(
            TradeOff(
                name=run.name,
                label=label_of(run.name, values),
                is_replayed=replay > 0,
                gain=gain,
                probes=probes_of(run.evaluation),
                nats=nats_of(run.evaluation),
            )
        )
    return found


def is_of_training(run: Run) -> bool:
    """Whether the compared arm is the adapter and its reference is base: otherwise the difference is not a gain of the training."""
    weights = {name: str(arm["weights"]).rsplit("/", 1)[-1] for name, arm in run.evaluation["arms"].items()}
    return weights[run.arm] == "adapter" and weights[run.reference_arm] == "base"


def gain_of(run: Run, *, seed: int, num_resamples: int) -> Amount | None:
    """The compared arm against the reference of its own run; None if no question has both scores."""
    before, after = replace(run, arm=run.reference_arm).scored(), run.scored()
    pairs = [(row.score, after[key].score, row.cluster) for key, row in before.items() if key in after]
    found = compare_pairs(pairs, seed=seed, num_resamples=num_resamples, level=SIGNIFICANCE)
    return None if found is None else Amount(found.delta, found.ci95, found.n)


def probes_of(evaluation: dict[str, Any]) -> Amount | None:
    """The probes within reach, as the report has them."""
    found = (evaluation.get("probes") or {}).get("within_reach")
    return None if found is None else Amount(found["value"], (found["ci95"][0], found["ci95"][1]), found["n"])


def nats_of(evaluation: dict[str, Any]) -> Amount | None:
    """Forgetting by likelihood; an older report has it only among its checks, without an interval."""
    found = evaluation.get("forgetting")
    if found is not None:
        low, high = found["increase_low"], found["increase_high"]
        return Amount(found["increase"], None if low is None else (low, high), found["num_prompts"])
    gate = next((gate for gate in evaluation["gates"] if gate["name"] == "forgetting_nats"), None)
    return None if gate is None or gate["value"] is None else Amount(gate["value"], None, 0)


def label_of(name: str, values: dict[str, Any]) -> str:
    """The parameters by which a run differs, in short; its name if there are none or many."""
    named = {key: value for key, value in values.items() if key not in NOT_SHOWN}
    if not named or len(named) > MOST_NAMED:
        return name
    return ", ".join(f"{key.rsplit('.', 1)[-1].replace('_', ' ')} {told_value(value)}" for key, value in named.items())


def trade_off_rows(found: Sequence[TradeOff]) -> list[dict[str, str]]:
    """The table of the page."""
    return [
        {
            "name": one.name,
            "label": one.label,
            "replay": "on" if one.is_replayed else "off",
            "gain": points(one.gain.value, sign=True),
            "gain_interval": span(one.gain.ci95) if one.gain.ci95 else "",
            "gain_n": str(one.gain.n),
            "probes": "\N{EN DASH}" if one.probes is None else points(one.probes.value, sign=True),
            "probes_interval": span(one.probes.ci95) if one.probes is not None and one.probes.ci95 else "",
            "probes_n": "" if one.probes is None else str(one.probes.n),
            "nats": "\N{EN DASH}" if one.nats is None else signed(one.nats.value),
            "nats_interval": ""
            if one.nats is None or one.nats.ci95 is None
            else f"[{signed(one.nats.ci95[0])}, {signed(one.nats.ci95[1])}]",
        }
        for one in found
    ]


def trade_off_table(found: Sequence[TradeOff]) -> str:
    """The same for a terminal; empty if fewer than two runs have a gain."""
    if len(found) < 2:
        return ""
    lines = [["", "replay", "gain in the domain", "on the probes", "nats of general text"]]
    lines += [
        [
            f"{row['name']} ({row['label']})" if row["label"] != row["name"] else row["name"],
            row["replay"],
            f"{row['gain']} {row['gain_interval']}",
            f"{row['probes']} {row['probes_interval']}".strip(),
            f"{row['nats']} {row['nats_interval']}".strip(),
        ]
        for row in trade_off_rows(found)
    ]
    return "\nGained and forgotten, tuned against base of each run, in points and nats a token:\n" + in_columns(lines)
