"""Ways of writing an answer that graders misread, each with its near misses: cases of our own, and those of the reports, if they are here."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric
from plumbline.grading.numeric_target import parse_target
from plumbline.rows.outcome import Outcome

CASES = [json.loads(line) for line in (Path(__file__).parent / "grading_families.jsonl").read_text(encoding="utf-8").splitlines()]


def outcome(kind: str, response: str, choices: dict[str, str], target: str, unit: str | None) -> Outcome:
    """Grade one case."""
    return grade_mcq(response, choices, target).outcome if kind == "mcq" else grade_numeric(response, target, unit).outcome


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['family']}: {case['response'][:50]!r} for {case['target']} {case['unit'] or ''}"
)
def test_each_way_of_writing_an_answer_is_read_as_a_reader_reads_it(case: dict[str, Any]) -> None:
    assert outcome(case["kind"], case["response"], case["choices"], case["target"], case["unit"]) == case["outcome"]


@pytest.mark.parametrize("family", sorted({case["family"] for case in CASES}))
def test_what_is_right_for_its_target_is_wrong_for_another(family: str) -> None:
    right = [case for case in CASES if case["family"] == family and case["outcome"] == "correct"]
    assert right
    for case in right:
        if case["kind"] == "mcq":
            labels = list(case["choices"]) or list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            others = [labels[labels.index(case["target"]) - 1]]
        else:
            value = parse_target(case["target"], None).value
            others = [str(1.2 * value), str(-value), str(10 * value)]
        for other in others:
            given = outcome(case["kind"], case["response"], case["choices"], other, case["unit"])
            # Without the options, a letter past J is a label only if the target is past J too.
            assert given == Outcome.INCORRECT or (given == Outcome.UNPARSED and not case["choices"] and case["kind"] == "mcq"), (
                case,
                other,
            )


def test_every_reported_case_is_read_as_expected(shared: Path) -> None:
    path = shared / "cases" / "reports" / "grading.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    wrong: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        kind = "mcq" if case["function"] == "grade_mcq" else "numeric"
        try:
            given = str(outcome(kind, case["response"], case["choices"], case["target"], case["unit"]))
        except ValueError:
            given = case["expected"] if case["kind"].startswith("unknown-or-scaled") else "ValueError"
        if given != case["expected"]:
            wrong.append(f"{case['name']}: {given}, not {case['expected']}")
    assert not wrong
