"""What was forgotten, by capability: rows of the page, the warning, and what publishing may require. Pure."""

from collections.abc import Sequence

from plumbline.number_text import signed
from plumbline.reporting.publish_words import in_points
from plumbline.reporting.validity import Gate, Severity
from plumbline.reporting.words import joined, p_words, points, span
from plumbline.rows.outcome import Outcome
from plumbline.rows.probe_results import NAMES, ProbedAnswer, ProbeResults, ProbeVerdict
from plumbline.statistics import Direction, Verdict, verdict_at

MOST_CHANGED = 3
"""Changed answers of a capability that the page shows; the others are in data/probes/answers.jsonl."""
MOST_CHARACTERS = 400
DIRECTIONS = {ProbeVerdict.BETTER: Direction.BETTER, ProbeVerdict.WORSE: Direction.WORSE}


def probe_rows(results: ProbeResults) -> list[dict[str, object]]:
    """The table: a row per capability."""
    return [
        {
            "name": NAMES[one.capability],
            "n": one.difference.n,
            "clusters": one.difference.num_clusters,
            "base": points(one.base.value),
            "base_interval": span(one.base.ci95),
            "tuned": points(one.tuned.value),
            "tuned_interval": span(one.tuned.ci95),
            "delta": points(one.difference.value, sign=True),
            "interval": span(one.difference.ci95),
            "note": f"p {p_words(one.p_holm)}, +{one.difference.num_gained} \N{MINUS SIGN}{one.difference.num_lost}",
            "direction": DIRECTIONS.get(one.verdict, Direction.NONE),
            "verdict": one.text,
        }
        for one in results.capabilities
    ]


def changed_answers(rows: Sequence[ProbedAnswer]) -> list[dict[str, object]]:
    """The first probes of each capability that only one model has right, the lost ones before the gained ones."""
    shown: list[dict[str, object]] = []
    for capability, name in NAMES.items():
        changed = [row for row in rows if row.capability == capability and is_right(row.base_outcome) != is_right(row.tuned_outcome)]
        changed.sort(key=lambda row: not is_right(row.base_outcome))
        if changed:
            shown.append({"name": name, "num_changed": len(changed), "rows": [changed_row(row) for row in changed[:MOST_CHANGED]]})
    return shown


def changed_row(row: ProbedAnswer) -> dict[str, object]:
    """Both answers, the longer ones cut, and what is wrong with the wrong one."""
    lost = is_right(row.base_outcome)
    return {
        "change": "lost" if lost else "gained",
        "prompt": row.prompt,
        "expected": row.expected,
        "base": cut(row.base_response),
        "tuned": cut(row.tuned_response),
        "why": row.tuned_why if lost else row.base_why,
    }


def is_right(outcome: Outcome) -> bool:
    return outcome is Outcome.CORRECT


def cut(text: str) -> str:
    """A text for the page, cut if it is long."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS].rstrip()} \N{HORIZONTAL ELLIPSIS}"


def probes_gate(results: ProbeResults) -> list[Gate]:
    """A warning if a capability was forgotten; no gate if none was probed."""
    lost = [one for one in results.capabilities if one.verdict is ProbeVerdict.WORSE]
    if not results.capabilities:
        return []
    told = joined(
        [f"{NAMES[one.capability]} ({points(one.difference.value, sign=True)} points {span(one.difference.ci95)})" for one in lost] or [""]
    )
    text = f"tuned has forgotten some of {told}; try train.replay_fraction=0.05, a lower learning rate or fewer epochs"
    worst = min(one.difference.value for one in results.capabilities)
    return [Gate(name="forgotten_capabilities", severity=Severity.WARNING, ok=not lost, value=worst, limit=None, text=text if lost else "")]


def probes_found(results: ProbeResults, margin: float | None) -> tuple[Verdict, float, str]:
    """The verdict on all probes within reach, what is missing, and the sentence. One claim and one test: nothing is adjusted."""
    found = results.within_reach
    if found is None:
        return (
            Verdict.NOT_ENOUGH,
            0.0,
            "On the probes there is not enough evidence: neither base nor tuned is right often enough on any capability.",
        )
    verdict = verdict_at(found.ci95, found.p, margin)
    said = {
        Verdict.BETTER: "tuned is better than base",
        Verdict.NOT_WORSE: f"tuned is not worse than base by {in_points(margin or 0.0)} points or more",
        Verdict.WORSE: "tuned is worse than base",
        Verdict.NOT_ENOUGH: f"there is not enough evidence that tuned is {'better' if margin is None else 'not worse'} than base",
    }[verdict]
    amount = f"{in_points(found.value, sign=True)} points [{in_points(found.ci95[0])}, {in_points(found.ci95[1])}]"
    text = f"On {found.n} probes of what base or tuned can do {said}: {amount}."
    missing = max(0.0, -(margin or 0.0) - found.ci95[0])
    met = verdict is Verdict.BETTER or (verdict is Verdict.NOT_WORSE and margin is not None)
    if not met:
        text += f" The lower bound must lie above {signed(-100 * (margin or 0.0), 1)}, and is {in_points(missing)} points too low."
    return verdict, 0.0 if met else missing, text
