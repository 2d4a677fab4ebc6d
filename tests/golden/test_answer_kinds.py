"""Several letters, yes or no, several numbers, formulas: the rules agree with a person who reads the reply."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.grading.by_kind import graded_by_rule
from plumbline.grading.tolerance import Tolerance
from plumbline.rows.question import KIND_OF, Question

CASES = [json.loads(line) for line in Path(__file__).with_name("answer_kind_cases.jsonl").read_text(encoding="utf-8").splitlines()]
TOLERANCE = Tolerance(relative=0.05, absolute=None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['answer_kind']} {case['target']} {case['response'][:40]!r}")
def test_a_reply_is_read_as_a_person_reads_it(case: dict[str, Any]) -> None:
    question = Question(
        id="q",
        kind=KIND_OF[case["answer_kind"]],
        question="?",
        choices=case["choices"],
        target=case["target"],
        unit=case["unit"],
        key_points=(),
        cluster="q",
        answer_kind=case["answer_kind"],
        partial_credit=case["partial_credit"],
    )
    grade = graded_by_rule(case["response"], question, TOLERANCE)
    assert grade.outcome == case["outcome"], grade
    assert grade.score == (None if case["score"] is None else pytest.approx(case["score"]))
    if case["extracted"] is not None:
        assert grade.extracted == case["extracted"]
    if case["reading"] is not None:
        assert grade.reading == case["reading"]
    if grade.span is not None:
        start, end = grade.span
        assert 0 <= start < end <= len(case["response"])
