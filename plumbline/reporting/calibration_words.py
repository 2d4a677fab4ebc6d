"""What people's labels say about the judge, as words, as numbers and as a warning. Pure."""

from plumbline.judging.answer_length import LengthSlope
from plumbline.judging.disputed import Part
from plumbline.judging.people import Agreement, LabellerPair
from plumbline.reporting.calibration import Calibration, Correction, kappa_words
from plumbline.reporting.validity import Gate, Severity
from plumbline.reporting.words import points, span

PART_WORDS: dict[str, str] = {Part.AGREED: "both judges agree", Part.DISPUTED: "the judges disagree", Part.ONE_JUDGE: "one judge"}


def correction_words(correction: Correction) -> str:
    """The judged difference with the corrected one, as one would quote it."""
    judged = f"judged {points(correction.judged, sign=True)} points"
    found = correction.corrected
    if found is None:
        return f"{judged}; not corrected, because {correction.why_not}"
    labels = f"{correction.num_labels} human label{'' if correction.num_labels == 1 else 's'}"
    return f"{judged}; corrected by {labels} {points(found.delta, sign=True)} {span(found.ci95)}"


def verdict_addition(calibration: Calibration) -> str:
    """What the verdict adds about explanations: the corrected headline; empty without labels."""
    if not calibration.corrections:
        return ""
    headline = calibration.corrections[0]
    words = f"Explanations, {headline.second} against {headline.first}: {correction_words(headline)}."
    return f"{words} But {cannot}." if (cannot := calibration.cannot_tell) else words


def length_words(calibration: Calibration) -> str:
    """How the judge's error depends on the length of the answer; without labels, how its score does."""
    if (slope := calibration.error_on_length) is not None:
        more = f"{points(slope.per_doubling, sign=True)} points {span(slope.ci95)}"
        tail = "the judge's error depends on length" if slope.is_shown else "no dependence of the judge's error on length was detected"
        return f"Of two answers of an arm, the judge gives the one twice as long {more} more than people do (n = {slope.n}): {tail}."
    if (slope := calibration.score_on_length) is not None:
        return (
            f"Within an arm, an answer twice as long is scored {points(slope.per_doubling, sign=True)} points {span(slope.ci95)} higher "
            f"(n = {slope.n}). Long answers may be better answers: without human labels this does not measure the judge's error."
        )
    return ""


def labeller_words(pair: LabellerPair) -> str:
    """Two people on the same answers."""
    if not pair.num_shared:
        return f"{pair.first} and {pair.second} labelled no answer in common ({pair.num_only_first} and {pair.num_only_second} alone)."
    kappa = "kappa is not defined" if pair.kappa is None else f"weighted kappa {pair.kappa:.2f}"
    alone = f"; {pair.first} alone labelled {pair.num_only_first} answers, {pair.second} alone {pair.num_only_second}"
    return f"{pair.first} and {pair.second}: {kappa}, the same score for {100 * (pair.exact or 0):.0f} %, n = {pair.num_shared}{alone}."


def unlabelled_words(correction: Correction) -> str:
    """The strata without a labelled answer; empty if each has one."""
    found = correction.corrected
    if found is None or not found.unlabelled:
        return ""
    names = {"first": correction.first, "second": correction.second}
    strata = ", ".join(
        f"{one.num_answers} of {names[one.arm]} at {one.judge:g}{f' ({PART_WORDS[one.part]})' if one.part else ''}"
        for one in found.unlabelled
    )
    return f"No answer of these is labelled: {strata}. The interval allows any score for them."


def calibration_gates(calibration: Calibration) -> list[Gate]:
    """A warning if the judge's error depends on length; none without labels, because then the answers may be the cause."""
    slope = calibration.error_on_length
    if slope is None:
        return []
    text = (
        f"the judge's error depends on the length of the answer: one twice as long gets {points(slope.per_doubling, sign=True)} points "
        f"{span(slope.ci95)} more than people give it (n = {slope.n})"
    )
    ok = not slope.is_shown
    return [Gate(name="judge_length", severity=Severity.WARNING, ok=ok, value=slope.per_doubling, limit=None, text="" if ok else text)]


def calibration_numbers(calibration: Calibration) -> dict[str, object]:
    """For metrics/evaluation.json, unrounded."""
    numbers: dict[str, object] = {"num_labels": calibration.num_labels, "is_calibrated": calibration.uncalibrated is None}
    if calibration.score_on_length is not None:
        numbers["score_on_length"] = slope_numbers(calibration.score_on_length)
    if calibration.agreement is None:
        return numbers
    if calibration.parts:
        numbers["strata"] = [
            {"part": str(part), "num_answers": size, "num_labels": taken, "probability": taken / size}
            for part, (size, taken) in calibration.parts.items()
        ]
    return numbers | {
        "not_calibrated_because": calibration.uncalibrated,
        **agreement_numbers(calibration.agreement),
        "corrections": [correction_numbers(one) for one in calibration.corrections],
        "labellers": [
            {name: getattr(pair, name) for name in ("first", "second", "num_shared", "num_only_first", "num_only_second", "exact", "kappa")}
            for pair in calibration.labellers
        ],
        "error_on_length": None if calibration.error_on_length is None else slope_numbers(calibration.error_on_length),
    }


def slope_numbers(slope: LengthSlope) -> dict[str, object]:
    return {"per_doubling": slope.per_doubling, "ci95": list(slope.ci95), "n": slope.n}


def agreement_numbers(agreement: Agreement) -> dict[str, object]:
    return {
        "exact_agreement": agreement.exact,
        "weighted_kappa": agreement.kappa,
        "weighted_kappa_ci95": None if agreement.kappa_ci95 is None else list(agreement.kappa_ci95),
        "mean_absolute_error": agreement.mean_absolute_error,
        "bias": dict(agreement.bias),
        "sensitivity": dict(agreement.sensitivity),
        "specificity": dict(agreement.specificity),
    }


def correction_numbers(correction: Correction) -> dict[str, object]:
    """One pair of arms."""
    found = correction.corrected
    numbers: dict[str, object] = {
        "first": correction.first,
        "second": correction.second,
        "num_labels": correction.num_labels,
        "judged": correction.judged,
        "not_corrected_because": correction.why_not,
        "corrected": None,
    }
    if found is not None:
        names = {"first": correction.first, "second": correction.second}
        numbers["corrected"] = {
            "delta": found.delta,
            "ci95": list(found.ci95),
            "means": {correction.first: found.first, correction.second: found.second},
            "means_ci95": {correction.first: list(found.first_ci95), correction.second: list(found.second_ci95)},
            "without_labels": [
                {"arm": names[one.arm], "judge": one.judge, "num_answers": one.num_answers} | ({"part": one.part} if one.part else {})
                for one in found.unlabelled
            ],
        }
    return numbers


def page_of(calibration: Calibration) -> dict[str, object]:
    """What the page shows about the judge."""
    rows = [
        {
            "pair": f"{one.second} − {one.first}",
            "judged": points(one.judged, sign=True),
            "corrected": "–" if one.corrected is None else points(one.corrected.delta, sign=True),
            "interval": "" if one.corrected is None else span(one.corrected.ci95),
            "num_labels": one.num_labels,
            "note": unlabelled_words(one) if one.why_not is None else f"Not corrected: {one.why_not}.",
        }
        for one in calibration.corrections
    ]
    agreement = calibration.agreement
    notes = [] if agreement is None else [f"Agreement of judge and people: {kappa_words(agreement)}."]
    if agreement is not None and calibration.uncalibrated is not None:
        notes.append(f"The judge is uncalibrated: {calibration.uncalibrated}.")
    notes += [labeller_words(pair) for pair in calibration.labellers]
    notes += [words] if (words := length_words(calibration)) else []
    title = "The judge, measured by people" if agreement is not None else "The judge's scores and the length of answers"
    return {"title": title, "rows": rows, "notes": notes}
