"""Does the tuned model show what `publish.require` asks for? Every requirement must be met. Pure.

Together they are one claim, so none needs a correction for the others. If one of them is not true, the claim is made only if the test of that one errs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.number_text import signed
from plumbline.reporting.calibration import Calibration, Correction
from plumbline.reporting.claims import verdict_above
from plumbline.reporting.ledger import KIND_NAMES, KindLedger
from plumbline.reporting.probes import probes_found
from plumbline.reporting.publish_params import NotWorseThan, PublishParams, Subject
from plumbline.reporting.publish_words import kind_sentence
from plumbline.reporting.verdict import mirrored
from plumbline.rows.arms import Pair
from plumbline.rows.probe_results import NOT_PROBED, ProbeResults
from plumbline.rows.question import Kind
from plumbline.statistics import Verdict, verdict_at
from plumbline.training.forgetting import Forgetting

STRENGTH = {Verdict.WORSE: 0, Verdict.NOT_ENOUGH: 1, Verdict.NOT_WORSE: 2, Verdict.BETTER: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that must be shown, and what was."""

    name: Subject
    margin: float | None
    """The loss that is allowed; None if the arm must be better."""
    verdict: Verdict
    ok: bool
    value: float | None
    ci95: tuple[float, float] | None
    """Of the difference, tuned minus reference. Of `general` it is in nats a token, and more is worse."""
    missing: float
    """How far the deciding bound is from where it must be, or the difference from the noise floor; 0 if it is met, or nothing was compared."""
    n: int
    text: str
    """The verdict as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishGate:
    """What the evaluation says about publishing."""

    pair: Pair | None
    """(reference, tuned arm); None if no kind is required."""
    requirements: tuple[Requirement, ...]

    @property
    def ok(self) -> bool:
        return all(requirement.ok for requirement in self.requirements)

    @property
    def unmet(self) -> tuple[Requirement, ...]:
        return tuple(requirement for requirement in self.requirements if not requirement.ok)


def publish_gate(
    params: PublishParams,
    pair: Pair | None,
    ledgers: Mapping[Kind, KindLedger],
    forgetting: Forgetting,
    calibration: Calibration | None,
    probes: ProbeResults = NOT_PROBED,
) -> PublishGate | None:
    """Every requirement with its verdict; None if nothing is required. `pair`: the one that decides."""
    if not params.require:
        return None
    found: list[Requirement] = []
    for name in params.require:
        if name == "general":
            found.append(of_general(params, forgetting))
        elif name == "probes":
            found.append(of_probes(params, probes))
        else:
            assert pair is not None
            found.append(of_kind(name, params.margin(name), pair, ledgers.get(name), corrected_for(name, pair, calibration)))
    return PublishGate(pair=pair, requirements=tuple(found))


def corrected_for(kind: Kind, pair: Pair, calibration: Calibration | None) -> Correction | None:
    """The judged difference of the pair as corrected by people's labels; None if nothing is judged, or no one has labelled."""
    if kind != "explanation" or calibration is None:
        return None
    return next((one for one in calibration.corrections if {one.first, one.second} == set(pair) and one.corrected is not None), None)


def of_kind(kind: Kind, margin: float | None, pair: Pair, ledger: KindLedger | None, correction: Correction | None) -> Requirement:
    """The declared comparison on one kind. If people's labels correct the judge, the claim must hold before and after the correction."""
    found = None if ledger is None else ledger.pairs.get(pair) or ledger.pairs.get((pair[1], pair[0]))
    if found is None or found.comparison is None or found.p_holm is None:
        why = "the benchmark has no such questions" if ledger is None else "no question has a score in both arms"
        text = f"On {KIND_NAMES[kind]} there is not enough evidence: {why}."
        return Requirement(
            name=kind, margin=margin, verdict=Verdict.NOT_ENOUGH, ok=False, value=None, ci95=None, missing=0.0, n=0, text=text
        )
    assert ledger is not None
    comparison = found.comparison if pair in ledger.pairs else mirrored(found.comparison)
    value, ci95, p_value, who = comparison.delta, comparison.ci95, found.p_holm, ""
    verdict = verdict_above(found.floor, value, ci95, p_value, margin)
    if correction is not None and correction.corrected is not None:
        sign = 1 if correction.second == pair[1] else -1
        bounds = sorted(sign * bound for bound in correction.corrected.ci95)
        # A corrected interval has no test: excluding 0 is all that it can show.
        by_people = verdict_above(found.floor, sign * correction.corrected.delta, (bounds[0], bounds[1]), 0.0, margin)
        if STRENGTH[by_people] < STRENGTH[verdict]:
            verdict, value, ci95, p_value = by_people, sign * correction.corrected.delta, (bounds[0], bounds[1]), 0.0
            who = f" as corrected by {correction.num_labels} human labels"
    wanted = {Verdict.BETTER} if margin is None else {Verdict.BETTER, Verdict.NOT_WORSE}
    return Requirement(
        name=kind,
        margin=margin,
        verdict=verdict,
        ok=verdict in wanted,
        value=value,
        ci95=ci95,
        missing=0.0 if verdict in wanted else max(0.0, -(margin or 0.0) - ci95[0], found.floor - value if ci95[0] > 0 else 0.0),
        n=comparison.n,
        text=kind_sentence(kind, pair, verdict, margin, value, ci95, p_value, comparison, who, found.floor),
    )


def of_general(params: PublishParams, forgetting: Forgetting) -> Requirement:
    """How much less likely base's own answers to general prompts are to tuned: more is worse."""
    wanted, margin = params.require["general"], params.margin("general")
    low, high = forgetting.increase_low, forgetting.increase_high
    # As a gain, so that the verdict reads it as it reads a score. It has no test: excluding 0 is all that it can show.
    verdict = Verdict.NOT_ENOUGH if low is None or high is None else verdict_at((-high, -low), 0.0, margin)
    ok = verdict in ({Verdict.BETTER, Verdict.NOT_WORSE} if isinstance(wanted, NotWorseThan) else {Verdict.BETTER})
    bounds = None if low is None or high is None else (low, high)
    interval = "no interval" if bounds is None else f"[{signed(bounds[0], 3)}, {signed(bounds[1], 3)}]"
    said = {
        Verdict.BETTER: "tuned is better than base",
        Verdict.NOT_WORSE: f"tuned is not worse than base by {margin or 0:g} nats a token or more",
        Verdict.WORSE: "tuned is worse than base",
        Verdict.NOT_ENOUGH: f"there is not enough evidence that tuned is {'better' if margin is None else 'not worse'} than base",
    }[verdict]
    text = f"On {forgetting.num_prompts} general prompts {said}: its loss on base's own answers changed by {signed(forgetting.increase, 3)} nats a token {interval}."
    limit = margin or 0.0
    missing = 0.0 if ok or bounds is None else max(0.0, bounds[1] - limit)
    if not ok and bounds is not None:
        text += f" The upper bound must lie below {limit:g}, and is {missing:.3f} too high."
    return Requirement(
        name="general",
        margin=margin,
        verdict=verdict,
        ok=ok,
        value=forgetting.increase,
        ci95=bounds,
        missing=missing,
        n=forgetting.num_prompts,
        text=text,
    )


def of_probes(params: PublishParams, probes: ProbeResults) -> Requirement:
    """What base or tuned can do outside the domain, as far as it is probed."""
    margin, found = params.margin("probes"), probes.within_reach
    verdict, missing, text = probes_found(probes, margin)
    return Requirement(
        name="probes",
        margin=margin,
        verdict=verdict,
        ok=verdict in ({Verdict.BETTER} if margin is None else {Verdict.BETTER, Verdict.NOT_WORSE}),
        value=None if found is None else found.value,
        ci95=None if found is None else found.ci95,
        missing=missing,
        n=0 if found is None else found.n,
        text=text,
    )


def gate_record(params: PublishParams, gate: PublishGate) -> dict[str, object]:
    """What metrics/evaluation.json holds under `publish`: what was required, and what was shown."""
    return {
        "required": params.model_dump(),
        "reference": None if gate.pair is None else gate.pair[0],
        "arm": None if gate.pair is None else gate.pair[1],
        "ok": gate.ok,
        "requirements": [
            {
                "name": one.name,
                "margin": one.margin,
                "verdict": one.verdict,
                "ok": one.ok,
                "value": None if one.value is None else round(one.value, 4) + 0.0,
                "ci95": None if one.ci95 is None else [round(bound, 4) + 0.0 for bound in one.ci95],
                "missing": round(one.missing, 4) + 0.0,
                "n": one.n,
                "text": one.text,
            }
            for one in gate.requirements
        ],
    }
