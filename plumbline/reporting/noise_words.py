"""The noise floor in plain words, and as numbers. Pure."""

from collections.abc import Sequence

from plumbline.reporting.ledger import KIND_NAMES
from plumbline.reporting.noise_floor import KindFloor, NoiseFloor
from plumbline.reporting.validity import Gate, Severity
from plumbline.reporting.words import arm_title, joined, points, span
from plumbline.rows.question import Kind

DIGITS = 4


def noise_gates(noise: NoiseFloor | None, reference: str | None) -> list[Gate]:
    """A warning if the arm that was asked again is not the reference of the first comparison, or if no arm was asked again."""
    if noise is None or noise.plan.reason is not None:
        return []
    text = ""
    if noise.reason is not None:
        text = f"there is no noise floor: {noise.reason}"
    elif reference is not None and noise.arm != reference:
        text = (
            f"the noise floor is that of {noise.arm}, but the first comparison is against {reference}: set noise_floor.weights and "
            f"noise_floor.context to those of {reference}"
        )
    return [Gate(name="noise_floor", severity=Severity.WARNING, ok=not text, value=None, limit=None, text=text)]


def noise_sentence(noise: NoiseFloor | None) -> str:
    """What the second asking found, in a short paragraph; empty if it was not tried."""
    if noise is None:
        return ""
    if noise.arm is None:
        return f"There is no noise floor: {noise.reason}."
    plan, asked = noise.plan, sum(one.num_asked for one in noise.kinds.values())
    total = sum(one.num_questions for one in noise.kinds.values())
    changed = sum(one.num_changed for one in noise.kinds.values())
    batches = (
        "in other batches" if plan.batch_size is None else f"in other batches ({plan.batch_size} at a time, short and long ones mixed)"
    )
    which = f"all {asked}" if asked == total else f"{asked} of the {total}"
    told = [f"{arm_title(noise.arm)} answered {which} questions a second time on {plan.engine}, {batches}."]
    if not changed and asked == total:
        return f"{told[0]} No text changed: no difference here comes from how the questions were batched."
    told.append(f"{changed} text{'' if changed == 1 else 's'} changed." if changed else "No text changed.")
    told += [floor_words(kind, one) for kind, one in noise.kinds.items() if one.floor]
    if still := [KIND_NAMES[kind] for kind, one in noise.kinds.items() if one.floor == 0]:
        told.append(f"On {joined(still)} every text was the same.")
    if unasked := [KIND_NAMES[kind] for kind, one in noise.kinds.items() if not one.num_asked]:
        told.append(f"On {joined(unasked)} no question was asked again, so there is no floor: raise noise_floor.fraction.")
    if unknown := [KIND_NAMES[kind] for kind, one in noise.kinds.items() if one.floor is None and one.num_asked]:
        told.append(f"On {joined(unknown)} there is no floor: a judge that is a model would have to be paid again.")
    return " ".join(told)


def floor_words(kind: Kind, found: KindFloor) -> str:
    """What moved on one kind, and what follows."""
    comparison, floor = found.comparison, found.floor
    assert comparison is not None and floor is not None
    moved = comparison.num_first_only + comparison.num_second_only
    what = (
        f"none of {comparison.n} scores moved"
        if not moved
        else f"{moved} of {comparison.n} scores moved (+{comparison.num_second_only} −{comparison.num_first_only}), "
        f"together {points(comparison.delta, sign=True)} points {span(comparison.ci95)}"
    )
    few = "; to lower this, raise noise_floor.fraction" if found.num_asked < found.num_questions else ""
    return f"On {KIND_NAMES[kind]} {what}: no difference up to {points(floor)} points is claimed{few}."


def noise_rows(noise: NoiseFloor | None) -> list[dict[str, object]]:
    """A line per kind for the page; empty if no text changed, as the sentence then says."""
    if noise is None or not any(one.num_changed for one in noise.kinds.values()):
        return []
    return [
        {
            "kind": KIND_NAMES[kind],
            "asked": one.num_asked,
            "changed": one.num_changed,
            "up": "–" if one.comparison is None else one.comparison.num_second_only,
            "down": "–" if one.comparison is None else one.comparison.num_first_only,
            "value": "–" if one.comparison is None else points(one.comparison.delta, sign=True),
            "interval": "" if one.comparison is None else span(one.comparison.ci95),
            "floor": "–" if one.floor is None else points(one.floor),
        }
        for kind, one in noise.kinds.items()
    ]


def noise_numbers(noise: NoiseFloor) -> dict[str, object]:
    """What metrics/evaluation.json holds under `noise_floor`."""
    return {
        "arm": noise.arm,
        "none_because": noise.reason,
        "engine": noise.plan.engine,
        "batch_size": noise.plan.batch_size,
        "kinds": {kind: kind_numbers(one) for kind, one in noise.kinds.items()},
    }


def kind_numbers(found: KindFloor) -> dict[str, object]:
    """The floor of one kind; the change and its interval are null if the second answers have no scores."""
    comparison = found.comparison
    return {
        "num_questions": found.num_questions,
        "num_asked": found.num_asked,
        "num_texts_changed": found.num_changed,
        "n": 0 if comparison is None else comparison.n,
        "num_first_only": None if comparison is None else comparison.num_first_only,
        "num_again_only": None if comparison is None else comparison.num_second_only,
        "change": None if comparison is None else rounded(comparison.delta),
        "ci95": None if comparison is None else rounded_all(comparison.ci95),
        "method": None if comparison is None else comparison.ci_method,
        "floor": None if found.floor is None else rounded(found.floor),
    }


def rounded(value: float) -> float:
    return round(value, DIGITS) + 0.0


def rounded_all(values: Sequence[float]) -> list[float]:
    return [rounded(value) for value in values]
