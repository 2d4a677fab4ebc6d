"""Choose the comparison of a run that is published: one choice for the card, its model-index and the Hub's evaluation results. Pure."""

from collections.abc import Mapping
from typing import Any

from plumbline.pipeline.refused import Refused
from plumbline.reporting.verdict import tuned_arm
from plumbline.rows.arms import Arms, Pair


def published_place(evaluation: Mapping[str, Any]) -> int:
    """Which comparison measures the adapter: the first one of the verdict's arm against an arm without the adapter.

    Refused if there is none.
    """
    arms = Arms.model_validate(evaluation["arms"])
    pairs: list[Pair] = [(first, second) for first, second in evaluation["comparisons"]]
    tuned = tuned_arm(arms, pairs)
    place = next((place for place, (first, second) in enumerate(pairs) if second == tuned and not arms.root[first].is_trained), None)
    if place is None:
        raise Refused(
            "No declared comparison measures the adapter. Add one such as [base, tuned] to comparisons in params.yaml, then run `dvc repro`."
        )
    return place
