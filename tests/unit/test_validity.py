"""If verdicts are missing, the report says how to get them: another run if a reply may still come, another setting or judge if none will."""

from collections.abc import Sequence

import pytest

from plumbline.judging.causes import RETRYABLE, JudgeCause
from plumbline.reporting.validity import NOT_DUE, cluster_gates, coverage_gates
from tests.fakes.evaluation_world import explanation, make_question


def text_of_base(causes: Sequence[str]) -> str:
    """What the gate says about 20 base explanations; all except those with these causes are scored."""
    questions = [make_question("explanation", number, num_clusters=5) for number in range(20)]
    rows = [
        explanation(question, "base", None if cause else 1.0, cause=cause or "scored")[1]
        for question, cause in zip(questions, [*causes, *[""] * (20 - len(causes))], strict=True)
    ]
    (gate,) = coverage_gates(rows, ["base"])
    assert gate.ok is (not causes)
    return gate.text


def test_full_coverage_says_nothing() -> None:
    assert text_of_base([]) == ""


@pytest.mark.parametrize("cause", sorted(RETRYABLE))
def test_where_a_reply_may_still_come_the_remedy_is_another_run(cause: str) -> None:
    assert text_of_base([cause]) == f"only 19 of 20 base explanations have a verdict ({cause}: 1); run dvc repro again"


@pytest.mark.parametrize("cause", sorted(set(JudgeCause) - RETRYABLE - NOT_DUE - {JudgeCause.SCORED, JudgeCause.NO_ANSWER}))
def test_where_none_will_come_another_run_is_not_called_a_remedy(cause: str) -> None:
    text = text_of_base([cause] * 5)
    assert text.startswith(f"only 15 of 20 base explanations have a verdict ({cause}: 5); {cause} is final")
    assert "dvc repro" not in text and "judge.epoch" in text and "judge.model" in text
    assert ("judge.max_tokens" in text) is (cause == JudgeCause.TRUNCATED)


def test_both_kinds_of_causes_get_their_remedy() -> None:
    text = text_of_base(["refused", "timed_out", "off_menu"])
    assert "run dvc repro again; off_menu, refused are final" in text


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ([5] * 4, "lie in 4 clusters: an interval of 95 % is known to hold from 6 on"),
        ([60, 1, 1, 1, 1, 1], "6 clusters, the largest of 60, and count as about 1.5 clusters of equal size: "),
        ([5] * 6, ""),
        ([1] * 12, ""),
        ([4, 4], ""),
    ],
)
def test_few_or_very_uneven_clusters_are_a_warning(sizes: list[int], told: str) -> None:
    clusters = [str(place) for place, size in enumerate(sizes) for _ in range(size)]
    questions = [
        make_question("numeric", number, num_clusters=1).model_copy(update={"cluster": name}) for number, name in enumerate(clusters)
    ]
    found = cluster_gates(questions)
    assert bool(found) == bool(told) and all(gate.name == "clusters_numeric" and told in gate.text and not gate.ok for gate in found)
