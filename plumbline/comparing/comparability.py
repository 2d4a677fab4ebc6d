"""Which runs may be compared, and what a reader must know before comparing. Pure."""

from collections.abc import Sequence

from plumbline.comparing.bridges import Crossing, JudgeBridge, crossing
from plumbline.comparing.compared_run import Run
from plumbline.rows.question import KINDS, Kind

REFUSED_BY: dict[str, tuple[Kind, ...]] = {"benchmark": KINDS, "part": KINDS, "judge": ("explanation",)}
"""What must be equal, and the kinds that cannot be compared if it differs: other questions, another scale. A bridge spans two judges."""
MARKED_BY = ("prompt", "decoding", "context", "answering code", "grader", "base model")
"""What may differ on purpose, but must then be named: the adapter is not the only cause of a difference."""


def crossed(reference: Run, run: Run, bridges: Sequence[JudgeBridge]) -> Crossing | None:
    """The bridge from the judge of the reference to that of a run; None if they have the same judge, or no bridge."""
    return crossing(bridges, here=reference.identity["judge"], there=run.identity["judge"])


def refusal(reference: Run, run: Run, kind: Kind, *, bridges: Sequence[JudgeBridge] = ()) -> str | None:
    """Why comparing two runs on this kind would mean nothing; None if it means something."""
    for name, kinds in REFUSED_BY.items():
        if kind in kinds and reference.identity[name] != run.identity[name]:
            if name == "judge" and crossed(reference, run, bridges) is not None:
                continue
            return f"not comparable: {name} differs"
    for one in (reference, run):
        if not one.is_result:
            return f"not comparable: {one.name} is {one.state}"
    return None


def marks(runs: Sequence[Run], *, bridges: Sequence[JudgeBridge] = ()) -> list[str]:
    """What a reader must know before comparing, a sentence each."""
    found: list[str] = []
    reference = runs[0]
    for run in runs[1:]:
        refused = [name for name in REFUSED_BY if run.identity[name] != reference.identity[name]]
        marked = [name for name in MARKED_BY if run.identity[name] != reference.identity[name]]
        across = crossed(reference, run, bridges)
        if refused == ["judge"] and across is not None:
            found.append(
                f"{run.name}: another judge than {reference.name}; explanations are on two scales, not corrected and without a p value: "
                f"{across.words}"
            )
        elif refused:
            what = "explanations are not" if refused == ["judge"] else "nothing is"
            found.append(f"{run.name}: another {' and another '.join(refused)} than {reference.name}; {what} compared")
        if marked:
            found.append(
                f"{run.name}: another {', '.join(marked)} than {reference.name}; the adapter is not the only cause of a difference"
            )
    for run in runs:
        chose = run.evaluation.get("part", {}).get("chose_checkpoint", {"num_reported": 0})
        if chose["num_reported"]:
            found.append(
                f"{run.name}: {chose['num_reported']} of these questions chose its checkpoint, the best of {chose['num_evaluations']} evaluations; "
                "it looks better on this part than it is: compare such runs with each other, or on the final part"
            )
        if not run.evaluation["valid"]:
            found.append(f"{run.name} is not valid: {'; '.join(run.evaluation['invalid_because'])}")
        elif not run.evaluation["complete"]:
            found.append(
                f"{run.name} is not complete: {run.evaluation['incomplete_because']}; a dry run is not compared: "
                "train it to its end with `dvc exp run -S train.max_steps=null`"
            )
    return found


def comparable_runs(runs: Sequence[Run]) -> list[Run]:
    """The first run and the other results on the same questions. Only these can be shown question by question, if their answers are there."""
    first = runs[0]
    shown = [run for run in runs if run.is_result and run.answers_gone is None]
    if first not in shown:
        return []
    return [run for run in shown if all(run.identity[name] == first.identity[name] for name in ("benchmark", "part"))]
