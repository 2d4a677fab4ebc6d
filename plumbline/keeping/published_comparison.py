"""Which declared comparison is published of a run: one choice for the card, its model-index and the Hub's evaluation results. Pure."""

from collections.abc import Mapping
from typing import Any

from plumbline.pipeline.refused import Refused
from plumbline.reporting.verdict import tuned_arm
from plumbline.rows.arms import Arms, Pair


def published_place(evaluation: Mapping[str, Any]) -> int:
    """Which of the declared comparisons says what the adapter is worth: of the arm that the verdict is about, the first against one without it.

    Refused where none does.
    """
    arms = Arms.model_validate(evaluation["arms"])
    pairs: list[Pair] = [(first, second) for first, second in evaluation["comparisons"]]
    tuned = tuned_arm(arms, pairs)
    place = next((place for place, (first, second) in enumerate(pairs) if second == tuned and not arms.root[first].is_trained), None)
    if place is None:
        raise Refused(
            "no declared comparison measures the adapter: add one such as [base, tuned] to comparisons in params.yaml, then `dvc repro`."
        )
    return place
