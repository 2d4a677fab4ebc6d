"""Where the uncertainty of a mean comes from, as words, table cells and numbers. Pure."""

from plumbline.answering.sampling import sampling_words
from plumbline.reporting.validity import Gate, Severity
from plumbline.reporting.variance_split import VarianceSplit, needed_to_halve, standard_error
from plumbline.rows.answer_params import AnswerParams

LITTLE = 0.1
"""If a part has less than this share of the variance, more samples or trainings hardly help: without it the standard error is 5 % smaller."""


def in_points(error: float) -> str:
    """A standard error in points, with one digit."""
    return f"{100 * error:.1f}"


def parts_of(split: VarianceSplit) -> dict[str, str]:
    """The parts as cells; a dash for a part that is not known."""
    return {
        "error": in_points(standard_error(split.total)),
        "questions": in_points(standard_error(split.questions)),
        "sampling": "–" if split.sampling is None else in_points(standard_error(split.sampling)),
        "seeds": "–" if split.seeds is None else in_points(standard_error(split.seeds)),
    }


def advice(split: VarianceSplit) -> str:
    """What would make the standard error smaller: more samples, more trainings, or only more questions."""
    if split.total <= 0:
        return "No spread was seen."
    repeats = [("sample", split.sampling, split.num_samples), ("training", split.seeds, float(split.num_seeds))]
    told = [of_part(noun, part, count, split.total) for noun, part, count in repeats if part is not None]
    what = "it" if split.seeds is None else "all of it but the part of the trainings"
    text = "; ".join([*told, f"4 times as many questions would halve {what}"])
    return f"{text[0].upper()}{text[1:]}."


def of_part(noun: str, part: float, count: float, total: float) -> str:
    """What more samples, or more trainings, would bring."""
    if part < LITTLE * total:
        return f"more {noun}s would hardly help"
    if (enough := needed_to_halve(total, part, count)) is not None:
        return f"{enough} {noun}s instead of {count:.3g} would halve the standard error"
    left = standard_error(total - part + part / 4)
    return f"{round(4 * count)} {noun}s instead of {count:.3g} would halve the part of the {noun}s, which leaves {in_points(left)}"


def split_numbers(split: VarianceSplit) -> dict[str, object]:
    """The parts as standard errors, fractions of 1, which add up as squares; null for a part that is not known."""

    def rounded(part: float | None) -> float | None:
        return None if part is None else round(standard_error(part), 4) + 0.0

    return {
        "n": split.n,
        "num_units": split.num_units,
        "num_samples": round(split.num_samples, 4) + 0.0,
        "num_seeds": split.num_seeds,
        "standard_error": rounded(split.total),
        "questions": rounded(split.questions),
        "sampling": rounded(split.sampling),
        "seeds": rounded(split.seeds),
        "samples_to_halve": None if split.sampling is None else needed_to_halve(split.total, split.sampling, split.num_samples),
        "seeds_to_halve": None if split.seeds is None else needed_to_halve(split.total, split.seeds, float(split.num_seeds)),
    }


def split_row(kind: str, what: str, split: VarianceSplit) -> dict[str, object]:
    """A row of the table."""
    return {
        "kind": kind,
        "what": what,
        "n": split.n,
        "samples": f"{split.num_samples:.3g}",
        "trainings": str(split.num_seeds),
        **parts_of(split),
        "advice": advice(split),
    }


def drawing_gates(answering: AnswerParams) -> list[Gate]:
    """A warning if each question has one answer and that one was drawn; a run that draws nothing has no such gate."""
    if not answering.is_sampled or answering.num_samples > 1:
        return []
    text = sampling_words(answering.num_samples, answering.temperature)
    return [Gate(name="one_drawn_answer", severity=Severity.WARNING, ok=False, value=None, limit=None, text=text)]
