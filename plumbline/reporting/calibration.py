"""What people's labels say about this run's judge, and about the differences that it judged. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from plumbline.judging.agreement import answer_key
from plumbline.judging.answer_length import LengthSlope, slope_on_length
from plumbline.judging.calibration import ArmName, Corrected, Label, corrected_difference
from plumbline.judging.disputed import Part, Stratum, part_of
from plumbline.judging.items import item_of
from plumbline.judging.people import (
    Agreement,
    LabelledAnswer,
    LabellerPair,
    agreement_with_people,
    label_weights,
    labeller_pairs,
    sampling_strata,
)
from plumbline.number_text import counted
from plumbline.reporting.human_label import HumanLabel
from plumbline.rows.answer import Answer
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import Question

MIN_LABELS = 60
"""Below this an interval of kappa says little: a few labels that all agree have no spread."""
LEAST_KAPPA = 0.4
"""The lower bound of kappa's interval reaches this ("moderate", Landis and Koch 1977) if a judge counts as calibrated."""
WIDEST = 0.30
"""The interval of each corrected difference is at most this wide, as a fraction of the scale."""
ArmPair = tuple[str, str]
AnswerOf = tuple[str, str, int | None]
"""Arm, and id of the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """The judged difference of two arms, and the same as corrected by labels."""

    first: str
    second: str
    judged: float
    """Mean of second minus first on the questions that the judge scored in both."""
    num_labels: int
    """Labelled answers of the two arms; equal answers count once."""
    corrected: Corrected | None
    why_not: str | None
    """Why nothing is corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """All that people's labels say."""

    num_labels: int
    """Labelled answers of this run; equal answers of two arms count once."""
    agreement: Agreement | None
    corrections: tuple[Correction, ...]
    """Of each declared pair of arms, in their order."""
    labellers: tuple[LabellerPair, ...]
    error_on_length: LengthSlope | None
    """Judge minus people on the length of the answer."""
    score_on_length: LengthSlope | None
    """Without labels: the judge's score on it."""
    parts: Mapping[Part, tuple[int, int]]
    """Answers and labels of each part, if a second judge judged some: labels / answers is the probability of a label. Equal answers count once."""

    @property
    def uncalibrated(self) -> str | None:
        """Why the judge does not count as calibrated, as part of a sentence; None if it does."""
        if self.agreement is None:
            return "no label of this run's answers"
        agreement = self.agreement
        if cannot := self.cannot_tell:
            return cannot
        if agreement.num_labels < MIN_LABELS:
            return (
                f"{counted(agreement.num_labels, 'labelled answer')}, {MIN_LABELS} are needed to know how far the judge agrees with people"
            )
        low = None if agreement.kappa_ci95 is None else agreement.kappa_ci95[0]
        if low is None:
            return "the labels show no spread: if all scores are equal, agreement means nothing"
        if low < LEAST_KAPPA:
            return f"the judge agrees too little with people ({kappa_words(agreement)}; its lower bound must reach {LEAST_KAPPA:g})"
        for one in self.corrections:
            if one.corrected is None:
                return f"the difference of {one.second} and {one.first} cannot be corrected: {one.why_not}"
            if one.corrected.width > WIDEST:
                return (
                    f"the corrected difference of {one.second} and {one.first} has an interval of {100 * one.corrected.width:.0f} points, but at most "
                    f"{100 * WIDEST:.0f} is allowed; `plumbline label-sheet plan --width {WIDEST:.2f}` says how many labels that takes"
                )
        return None

    @property
    def cannot_tell(self) -> str | None:
        """That the judge's scores say nothing about people's scores, if the labels show that."""
        agreement = self.agreement
        if agreement is None or agreement.num_labels < MIN_LABELS or agreement.kappa_ci95 is None:
            return None
        low, high = agreement.kappa_ci95
        if low > 0 or high >= LEAST_KAPPA:
            return None
        return f"the judge cannot tell right from wrong ({kappa_words(agreement)}): its scores agree with people's no better than chance"


def kappa_words(agreement: Agreement) -> str:
    """Kappa with its interval and n."""
    if agreement.kappa is None or agreement.kappa_ci95 is None:
        return f"no kappa, n = {agreement.num_labels}"
    low, high = agreement.kappa_ci95
    return f"weighted kappa {agreement.kappa:.2f} [{low:.2f}, {high:.2f}], n = {agreement.num_labels}"


@dataclass(frozen=True, slots=True)
class _Judged:
    """One answer that the judge scored."""

    id: str
    sample: int | None
    arm: str
    score: float
    key: str
    cluster: str
    length: int
    part: str


def calibrated_by_people(
    questions: Iterable[Question],
    answers: Iterable[Answer],
    judgements: Iterable[Judgement],
    labels: Iterable[HumanLabel],
    *,
    comparisons: Sequence[ArmPair],
    reported: Iterable[str],
    seed: int,
    second: Mapping[AnswerOf, float] | None = None,
) -> Calibration:
    """Compare the judge with the labels of this run's answers, and correct each declared difference on the reported questions.

    Labels of the other questions count as well: they show how the judge scores an arm, not what an arm scores.
    An answer with several labels counts with their mean. `second`: scores of a second judge. Labels may then be likelier
    for answers that the two dispute, so agreed, disputed and other answers are separate strata.
    """
    judged = _judged(questions, answers, judgements, second)
    strata = sampling_strata((row.key, row.arm, row.score, row.part) for row in judged)
    mine = [label for label in labels if label.answer_key in strata]
    given: dict[str, list[float]] = defaultdict(list)
    for label in mine:
        given[label.answer_key].append(label.score)
    weights = label_weights(strata, given)
    rows = [
        LabelledAnswer(
            key=row.key,
            arm=row.arm,
            judge=row.score,
            human=tuple(given[row.key]),
            weight=weights[row.key],
            cluster=row.cluster,
            length=row.length,
            part=row.part,
        )
        for row in judged
        if row.key in given
    ]
    of_part = set(reported)
    in_part = [row for row in judged if row.id in of_part]
    return Calibration(
        num_labels=len(given),
        parts={} if second is None else labels_by_part(strata, given),
        agreement=agreement_with_people(rows, seed=seed) if rows else None,
        corrections=tuple(_correction(pair, in_part, rows, seed=seed) for pair in comparisons if rows),
        labellers=tuple(labeller_pairs((label.answer_key, label.labeller, label.score) for label in mine)),
        error_on_length=slope_on_length(
            [row.judge - row.human_mean for row in rows],
            [row.length for row in rows],
            [row.arm for row in rows],
            clusters=[row.cluster for row in rows],
            weights=[row.weight for row in rows],
            seed=seed,
        ),
        score_on_length=None
        if rows
        else slope_on_length(
            [row.score for row in judged],
            [row.length for row in judged],
            [row.arm for row in judged],
            clusters=[row.cluster for row in judged],
            seed=seed,
        ),
    )


def _judged(
    questions: Iterable[Question], answers: Iterable[Answer], judgements: Iterable[Judgement], second: Mapping[AnswerOf, float] | None
) -> list[_Judged]:
    asked = {question.id: question for question in questions}
    said = {(answer.arm, answer.id, answer.sample): answer.response for answer in answers}
    found: list[_Judged] = []
    for judgement in judgements:
        if judgement.score is not None:
            item = item_of(asked[judgement.id], said[judgement.arm, judgement.id, judgement.sample])
            found.append(
                _Judged(
                    judgement.id,
                    judgement.sample,
                    judgement.arm,
                    judgement.score,
                    answer_key(item),
                    asked[judgement.id].cluster,
                    len(item.answer),
                    "" if second is None else part_of(judgement.score, second.get((judgement.arm, judgement.id, judgement.sample))),
                )
            )
    return found


def labels_by_part(strata: Mapping[str, Stratum], labelled: Iterable[str]) -> dict[Part, tuple[int, int]]:
    """Answers and labels of each part that has an answer."""
    sizes = Counter(part for _, _, part in strata.values())
    taken = Counter(strata[key][2] for key in set(labelled))
    return {part: (sizes[part], taken[part]) for part in Part if sizes[part]}


def _pairs(judged: Sequence[_Judged], pair: ArmPair) -> list[tuple[_Judged, _Judged]]:
    """The answers of both arms, question by question; of several samples those of one number, else each with each.

    A cluster holds its questions and all their samples, so that more samples are not taken for more questions.
    """
    rows: dict[str, dict[str, dict[int | None, _Judged]]] = {arm: defaultdict(dict) for arm in pair}
    for row in judged:
        if row.arm in rows:
            rows[row.arm][row.id][row.sample] = row
    found: list[tuple[_Judged, _Judged]] = []
    for name, before in rows[pair[0]].items():
        after = rows[pair[1]].get(name, {})
        numbers = [(one, one) for one in before] if before.keys() == after.keys() else product(before, after)
        found += [(before[one], after[other]) for one, other in numbers]
    return found


def _correction(pair: ArmPair, judged: Sequence[_Judged], rows: Sequence[LabelledAnswer], *, seed: int) -> Correction:
    first, second = pair
    pairs = _pairs(judged, pair)
    sides: dict[str, ArmName] = {first: "first", second: "second"}
    labels = [Label(sides[row.arm], row.judge, row.human_mean, row.weight, row.cluster, row.part) for row in rows if row.arm in sides]
    unlabelled = [arm for arm in pair if all(row.arm != arm for row in rows)]
    corrected = None
    if pairs and not unlabelled:
        corrected = corrected_difference(
            [before.score for before, _ in pairs],
            [after.score for _, after in pairs],
            labels,
            clusters=[before.cluster for before, _ in pairs],
            seed=seed,
            parts=([before.part for before, _ in pairs], [after.part for _, after in pairs]),
        )
    return Correction(
        first=first,
        second=second,
        judged=math.fsum(after.score - before.score for before, after in pairs) / len(pairs) if pairs else 0.0,
        num_labels=len({row.key for row in rows if row.arm in sides}),
        corrected=corrected,
        why_not=None
        if corrected is not None
        else f"no answer of {unlabelled[0]} is labelled"
        if unlabelled
        else "no question was judged in both",
    )
