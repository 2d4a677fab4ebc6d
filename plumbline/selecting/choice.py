"""Which questions of the development part choose the checkpoint. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from plumbline.hash_place import place_of
from plumbline.rows.question import Kind, Question

BY_RULE: tuple[Kind, ...] = ("mcq", "numeric")
"""Kinds that need no judge, so they can be graded while a model trains."""


def chosen_questions(development: Sequence[Question], *, num: int) -> list[Question]:
    """At most `num` questions that a rule grades, in the order of the benchmark: half of each kind if both have enough.

    They are chosen by hash, so a new question in the benchmark replaces at most one other. Each cluster gives one question before any gives
    a second: questions of one template tell less together.
    """
    ordered: dict[Kind, list[Question]] = {kind: spread_over_clusters([one for one in development if one.kind == kind]) for kind in BY_RULE}
    available: dict[Kind, int] = {kind: len(questions) for kind, questions in ordered.items()}
    shares = shares_of(available, num=num)
    taken = {question.id for kind, questions in ordered.items() for question in questions[: shares[kind]]}
    return [question for question in development if question.id in taken]


def shares_of(available: Mapping[Kind, int], *, num: int) -> dict[Kind, int]:
    """How many of each kind: the same number, or more of one if the other has too few. If `num` is odd, the first kind has one more."""
    shares: dict[Kind, int] = dict.fromkeys(available, 0)
    for _ in range(min(num, sum(available.values()))):
        fewest: Kind = min((kind for kind in available if shares[kind] < available[kind]), key=shares.__getitem__)
        shares[fewest] += 1
    return shares


def spread_over_clusters(questions: Sequence[Question]) -> list[Question]:
    """The first of every cluster, then the second of every cluster, each time by hash."""
    seen: Counter[str] = Counter()
    placed: list[tuple[int, float, Question]] = []
    for question in sorted(questions, key=place):
        placed.append((seen[question.cluster], place(question), question))
        seen[question.cluster] += 1
    return [question for _, _, question in sorted(placed, key=lambda one: one[:2])]


def place(question: Question) -> float:
    """Place of a question, by hash of its id."""
    return place_of(f"selection:{question.id}")
