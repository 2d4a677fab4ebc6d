"""How many human labels a run needs, in words. Reads nothing but the rows that it is given."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from plumbline.comparing.judged_rows import JudgedAnswer
from plumbline.judging.agreement import step_of
from plumbline.judging.label_plan import LabelPlan, planned_labels
from plumbline.judging.people import sampling_strata
from plumbline.reporting.human_label import HumanLabel
from plumbline.rows.arms import Pair


def labels_needed(rows: Sequence[JudgedAnswer], labels: Sequence[HumanLabel], *, comparisons: Sequence[Pair], width: float) -> str:
    """Say it for every declared comparison of judged arms. ValueError if the run has no such comparison."""
    scored = [row for row in rows if row.judgement.score is not None]
    judged = {row.answer.arm for row in scored}
    pairs = [pair for pair in comparisons if judged.issuperset(pair)]
    if not pairs:
        raise ValueError("this run has no declared comparison of two arms with judged explanations, so there is no difference to correct.")
    strata = sampling_strata((row.answer_key, row.answer.arm, row.judgement.score or 0.0, row.part) for row in scored)
    sizes = Counter((arm, step_of(score), part) for arm, score, part in strata.values())
    sizes.update({(row.answer.arm, step_of(row.judgement.score or 0.0), row.part): 0 for row in scored})
    given: dict[str, list[float]] = {}
    for label in labels:
        if label.answer_key in strata:
            given.setdefault(label.answer_key, []).append(label.score)
    known: dict[str, list[tuple[float, float, str]]] = {}
    for row in scored:
        if row.answer_key in given:
            known.setdefault(row.answer.arm, []).append((row.judgement.score or 0.0, fmean(given[row.answer_key]), row.part))
    lines: list[str] = []
    for first, second in pairs:
        scores = {
            arm: {(row.question.id, row.answer.sample): (row.judgement.score or 0.0, row.part) for row in scored if row.answer.arm == arm}
            for arm in (first, second)
        }
        clusters = {(row.question.id, row.answer.sample): row.question.cluster for row in scored}
        ids = [name for name in scores[first] if name in scores[second]]
        plan = planned_labels(
            (first, second),
            [(scores[first][name], scores[second][name]) for name in ids],
            [clusters[name] for name in ids],
            sizes=sizes,
            labels=known,
            width=width,
        )
        lines.append(plan_words(plan, (first, second), width=width, num_known=len(given)))
    return "\n".join(lines)


def plan_words(plan: LabelPlan, arms: tuple[str, str], *, width: float, num_known: int) -> str:
    """The plan of one pair of arms."""
    wanted = f"an interval {100 * width:.3g} points wide"
    if plan.num_labels is None:
        rest = "Add more questions." if plan.width_of_questions > width else "Labels with a smaller spread, or more questions, would help."
        need = (
            f"no number of labels gives {wanted}: with all {plan.num_answers} answers labelled it is "
            f"{100 * plan.width_if_all_labelled:.0f}. {rest}"
        )
    else:
        need = f"{plan.num_labels} labels for {wanted} (of {plan.num_answers} answers in all arms)."
    widths = ", ".join(f"{count}: {100 * found:.0f}" for count, found in plan.widths)
    known = (
        f"The spread within each score is that of the {num_known} labels so far; run this again with more."
        if num_known
        else "No answer is labelled yet, so the plan assumes that every other label is a step off the judge's score; run this again after the first 40."
    )
    return (
        f"{arms[1]} against {arms[0]}: {need}\n"
        f"  Width in points by labels: {widths}. The questions alone leave {100 * plan.width_of_questions:.0f}.\n"
        f"  {known}"
    )
