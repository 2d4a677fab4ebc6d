"""How much of the answers the passages hold, per kind of question. Pure."""

from collections.abc import Mapping, Sequence

from plumbline.retrieval.found import recall_at
from plumbline.rows.context import ContextPassage
from plumbline.rows.question import Question
from plumbline.statistics import mean_estimate

DIGITS = 4

Numbers = dict[str, object]
Passages = Mapping[str, Sequence[ContextPassage]]


def recalls_at(questions: Sequence[Question], passages: Passages) -> dict[str, list[float]]:
    """Question id -> recall in the first 1, 2, ... of its passages. Questions that name nothing needed are left out."""
    found = {question.id: recall_at(question, [passage.text for passage in passages[question.id]]) for question in questions}
    return {id: shares for id, shares in found.items() if shares is not None}


def final_recall(shares: Sequence[float]) -> float:
    """Recall in all passages; 0 if none was found."""
    return shares[-1] if shares else 0.0


def recall_numbers(questions: Sequence[Question], recalls: Mapping[str, Sequence[float]], *, k: int) -> Numbers:
    """Per kind: n, mean with 95 % interval over clusters, and the mean in the first 1 to k passages."""
    numbers: Numbers = {}
    for kind in dict.fromkeys(question.kind for question in questions):
        measured = [question for question in questions if question.kind == kind and question.id in recalls]
        if not measured:
            numbers[kind] = {"n": 0}
            continue
        shares = [recalls[question.id] for question in measured]
        estimate = mean_estimate([final_recall(one) for one in shares], clusters=[question.cluster for question in measured])
        at = {str(place): sum(final_recall(one[:place]) for one in shares) / len(shares) for place in range(1, k + 1)}
        numbers[kind] = {
            "n": estimate.n,
            "mean": round(estimate.mean, DIGITS),
            "ci95_low": round(estimate.ci95[0], DIGITS),
            "ci95_high": round(estimate.ci95[1], DIGITS),
            "at": {place: round(mean, DIGITS) for place, mean in at.items()},
        }
    return numbers
