"""What two judges of the same answers say, as words, as numbers and as a warning. Pure."""

from plumbline.judging.two_judges import MIN_CLUSTERS, MIN_QUESTIONS, JudgeAgreement, TwoDifferences
from plumbline.number_text import counted
from plumbline.reporting.panel import JudgeNamed, Panel
from plumbline.reporting.validity import Gate, Severity
from plumbline.reporting.words import arm_words, points, span
from plumbline.statistics import Comparison, Direction, Estimate

SHOWN = {
    Direction.BETTER: "better",
    Direction.WORSE: "worse",
    Direction.NONE: "no detectable difference",
    Direction.UNSCORED: "too few questions",
}
FEWEST_SCORED = 0.9
"""If the second judge scored less than this share, the report warns: what it could not score may be what it would dispute."""


def difference_words(found: Comparison) -> str:
    """A difference with its interval, as one would quote it."""
    return f"{points(found.delta, sign=True)} points {span(found.ci95)}"


def conclusion_words(found: TwoDifferences, panel: Panel) -> str:
    """What each judge concludes about one pair of arms, and how far they are apart; empty if there are too few questions."""
    if found.by_first is None or found.by_second is None or found.gap is None:
        return ""
    one, other = found.directions
    return (
        f"on the {found.n} questions that both judged, {arm_words(found.second_arm)} against {arm_words(found.first_arm)}: "
        f"{SHOWN[one]} according to {panel.first.name} ({difference_words(found.by_first)}), {SHOWN[other]} according to {panel.second.name} "
        f"({difference_words(found.by_second)}); the two differ by {difference_words(found.gap)}"
    )


def first_words(panel: Panel | None) -> str:
    """What a reader must know before the verdict: that the conclusion depends on the judge. Empty if it does not."""
    found = [one for one in panel.differences if one.depends_on_judge] if panel is not None else []
    if panel is None or not found:
        return ""
    return f"The conclusion on explanations depends on the judge: {'; '.join(conclusion_words(one, panel) for one in found)}."


def reserve_words(panel: Panel) -> str:
    """What agreement cannot show, with both judges by name."""
    return (
        f"The judges are {judge_words(panel.first)} and {judge_words(panel.second)}. A judge may prefer answers that are like its own, and two "
        "judges may share a fault. Their agreement does not exclude that, nor does their disagreement. People's labels do."
    )


def judge_words(judge: JudgeNamed) -> str:
    """A judge, with the name that its model gave if it is another one."""
    return judge.name if judge.returned in (None, judge.name) else f"{judge.name} (answering as {judge.returned})"


def panel_gates(panel: Panel | None) -> list[Gate]:
    """Warnings; none without a second judge."""
    if panel is None:
        return []
    pairs = [f"{one.second_arm} against {one.first_arm}" for one in panel.differences if one.depends_on_judge]
    num_due = sum(panel.causes.values())
    num_unscored = num_due - panel.causes.get("scored", 0) - panel.causes.get("no_answer", 0)
    share = num_unscored / num_due if num_due else 0.0
    several = ", " in panel.second.judge_id
    if not panel.num_questions and not panel.num_missing:
        absent = f"judge.second.share of {panel.share:g} drew no question: raise it"
    else:
        absent = (
            f"the second judge has no verdict on {panel.num_missing} answers to drawn questions: run `dvc repro judge`"
            if panel.num_missing
            else ""
        )
    return [
        Gate(name="second_judge_absent", severity=Severity.WARNING, ok=not absent, value=None, limit=None, text=absent),
        Gate(
            name="one_conclusion_of_two_judges",
            severity=Severity.WARNING,
            ok=not pairs,
            value=None,
            limit=None,
            text=f"the conclusion on explanations depends on the judge ({', '.join(pairs)})" if pairs else "",
        ),
        Gate(
            name="second_judge_unscored",
            severity=Severity.WARNING,
            ok=share <= 1 - FEWEST_SCORED and not several,
            value=share,
            limit=1 - FEWEST_SCORED,
            text=f"the second judge answered under several identities ({panel.second.judge_id}): raise judge.second.epoch"
            if several
            else f"the second judge gave no score to {num_unscored} of {num_due} answers; data/grades/second_judged.jsonl holds its replies"
            if share > 1 - FEWEST_SCORED
            else "",
        ),
    ]


def estimate_cell(found: Estimate | None) -> str:
    """A share in percent with its interval."""
    return "–" if found is None else f"{100 * found.mean:.0f} % {span(found.ci95)}"


def kappa_cell(found: JudgeAgreement) -> str:
    """Kappa with its interval."""
    if found.kappa is None:
        return "–"
    return f"{found.kappa:.2f}" + ("" if found.kappa_ci95 is None else f" [{found.kappa_ci95[0]:.2f}, {found.kappa_ci95[1]:.2f}]")


def agreement_row(name: str, found: JudgeAgreement) -> dict[str, object]:
    return {
        "name": name,
        "n": found.same_score.n,
        "same_score": estimate_cell(found.same_score),
        "same_finding": estimate_cell(found.same_finding),
        "num_points": 0 if found.same_finding is None else found.same_finding.n,
        "kappa": kappa_cell(found),
        "shift": points(found.shift, sign=True),
    }


def difference_row(found: TwoDifferences) -> dict[str, object]:
    one, other = found.directions
    alike = "; the two are not shown to differ" if one is not other and not found.depends_on_judge else ""
    is_enough = found.by_first is not None and found.by_second is not None and found.gap is not None
    return {
        "pair": f"{arm_words(found.second_arm)} − {arm_words(found.first_arm)}",
        "n": found.n,
        "by_first": "–" if found.by_first is None else difference_words(found.by_first),
        "by_second": "–" if found.by_second is None else difference_words(found.by_second),
        "gap": "–" if found.gap is None else difference_words(found.gap),
        "note": f"{SHOWN[one]}; {SHOWN[other]}{alike}" if is_enough else f"fewer than {MIN_QUESTIONS} questions or {MIN_CLUSTERS} clusters",
        "depends": found.depends_on_judge,
    }


def panel_page(panel: Panel | None) -> dict[str, object]:
    """What the page shows about two judges; empty if there is only one."""
    if panel is None:
        return {}
    rows = [agreement_row(arm_words(arm), found) for arm, found in panel.by_arm.items()]
    whole = [] if panel.whole is None else [agreement_row("all arms", panel.whole)]
    unscored = {cause: count for cause, count in panel.causes.items() if cause not in ("scored", "no_answer")}
    notes = [
        f"Each question was drawn with probability {panel.share:g}, whatever was answered: {panel.num_questions} of this part. "
        "The first judge's scores are the scores of this report; the second one changes none of them.",
        reserve_words(panel),
    ]
    if unscored:
        notes.append(
            f"The second judge gave no score to {counted(sum(unscored.values()), 'answer')}: {', '.join(f'{c} {n}' for c, n in unscored.items())}."
        )
    return {
        "first": panel.first.name,
        "second": panel.second.name,
        "agreement": [*rows, *whole],
        "differences": [difference_row(one) for one in panel.differences],
        "notes": notes,
    }


def interval_of(found: Estimate | None) -> dict[str, object] | None:
    return None if found is None else {"value": found.mean, "ci95": list(found.ci95), "n": found.n, "num_units": found.num_units}


def agreement_numbers(found: JudgeAgreement) -> dict[str, object]:
    return {
        "same_score": interval_of(found.same_score),
        "same_finding": interval_of(found.same_finding),
        "weighted_kappa": found.kappa,
        "weighted_kappa_ci95": None if found.kappa_ci95 is None else list(found.kappa_ci95),
        "mean_shift": found.shift,
    }


def delta_numbers(found: Comparison | None) -> dict[str, object] | None:
    return None if found is None else {"value": found.delta, "ci95": list(found.ci95), "p": found.p_value}


def panel_numbers(panel: Panel | None) -> dict[str, object]:
    """For metrics/evaluation.json, unrounded; empty if there is only one judge, so that such a run keeps its bytes."""
    if panel is None:
        return {}
    numbers: dict[str, object] = {
        "first": {"name": panel.first.name, "judge_id": panel.first.judge_id, "model_returned": panel.first.returned},
        "second": {"name": panel.second.name, "judge_id": panel.second.judge_id, "model_returned": panel.second.returned},
        "share": panel.share,
        "num_questions": panel.num_questions,
        "causes": dict(panel.causes),
        "agreement": None if panel.whole is None else agreement_numbers(panel.whole),
        "agreement_by_arm": {arm: agreement_numbers(found) for arm, found in panel.by_arm.items()},
        "differences": [
            {
                "reference": one.first_arm,
                "arm": one.second_arm,
                "n": one.n,
                "num_clusters": one.num_clusters,
                "by_first": delta_numbers(one.by_first),
                "by_second": delta_numbers(one.by_second),
                "second_minus_first": delta_numbers(one.gap),
                "conclusions": [str(direction) for direction in one.directions],
                "depends_on_judge": one.depends_on_judge,
            }
            for one in panel.differences
        ],
        "num_replies": panel.num_replies,
        "input_tokens": panel.input_tokens,
        "output_tokens": panel.output_tokens,
        "cost_usd": panel.cost_usd,
    }
    return {"second_judge": numbers}
