"""Split a benchmark into a part for choosing and a part for claiming. Pure.

A sweep that picks its winner by the questions it is then judged on reports luck as skill. The split is by cluster, so that
no template is in both parts, and by hash, so that a new question moves no other.
"""

from collections.abc import Sequence
from typing import Literal

from plumbline.hash_place import place_of
from plumbline.rows.question import Question

Part = Literal["all", "development", "final"]


def in_development(cluster: str, *, fraction: float) -> bool:
    """Whether the questions of a cluster belong to the development part; `fraction` of the clusters do."""
    return place_of(f"benchmark part:{cluster}") < fraction


def questions_of(questions: Sequence[Question], *, part: Part, development_fraction: float) -> list[Question]:
    """The questions of one part. ValueError if it is empty: a report on nothing would look like a report."""
    if part == "all":
        return list(questions)
    chosen = [
        question for question in questions if in_development(question.cluster, fraction=development_fraction) == (part == "development")
    ]
    if questions and not chosen:
        raise ValueError(
            f"report.part is {part!r}, but none of {len(questions)} questions is in it with "
            f"report.development_fraction = {development_fraction}; choose a fraction between 0 and 1, or part: all."
        )
    return chosen
