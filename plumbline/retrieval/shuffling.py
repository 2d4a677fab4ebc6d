"""Give each question the passages of another one, to see what a context costs just by being there. Pure."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from plumbline.rows.question import Question


def donors(questions: Sequence[Question], *, seed: int) -> dict[str, str | None]:
    """Question id -> id of the question of the same kind that lends its passages; never itself.

    Each question lends once. The lender is from another cluster unless one cluster holds more than half of the kind's questions.
    None for the only question of a kind.
    """
    lent: dict[str, str | None] = {}
    for kind in dict.fromkeys(question.kind for question in questions):
        alike = [question for question in questions if question.kind == kind]
        sizes = Counter(question.cluster for question in alike)
        # Clusters are kept together, the largest first: a step of its size leads out of every cluster.
        ordered = sorted(alike, key=lambda one: (-sizes[one.cluster], position(one.cluster, seed), position(one.id, seed)))
        step = max(sizes.values()) % len(ordered) or 1
        for place, question in enumerate(ordered):
            lender = ordered[(place + step) % len(ordered)]
            lent[question.id] = lender.id if len(ordered) > 1 else None
    return {question.id: lent[question.id] for question in questions}


def position(name: str, seed: int) -> bytes:
    """Place of a name in a random order that is the same on every machine."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
