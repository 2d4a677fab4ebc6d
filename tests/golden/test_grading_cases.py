"""Do the graders agree with a human reading? Cases of our own, and the real answers, if they are here."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.grading.mcq import grade_mcq
from plumbline.grading.numeric import grade_numeric
from plumbline.rows.outcome import Outcome

CASES = [json.loads(line) for line in (Path(__file__).parent / "grading_cases.jsonl").read_text(encoding="utf-8").splitlines()]
LABELS = {Outcome.CORRECT: "correct", Outcome.INCORRECT: "incorrect", Outcome.UNPARSED: "no_answer"}
# The tolerance of the one real case with a target of 0.
ABSOLUTE_TOLERANCE = 0.05


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['kind']}: {case['response'][:60]!r} for {case['target']} {case['unit'] or ''}"
)
def test_the_verdict_is_the_one_a_reader_gives(case: dict[str, Any]) -> None:
    if case["kind"] == "mcq":
        mcq = grade_mcq(case["response"], case["choices"], case["target"])
        assert (mcq.outcome, mcq.reading) == (case["outcome"], case["reading"])
    else:
        numeric = grade_numeric(case["response"], case["target"], case["unit"])
        assert numeric.outcome == case["outcome"], numeric
        assert set(case["flags"]) <= numeric.flags


def real_verdicts(shared: Path, kind: str) -> list[tuple[str, str]]:
    """Return (expected, given) of every real answer of a kind."""
    verdicts: list[tuple[str, str]] = []
    for line in (shared / "cases" / "grading" / "answers.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if case["kind"] != kind:
            continue
        if kind == "mcq":
            outcome = grade_mcq(case["response"], case["options"] or {}, case["gold"]).outcome
        else:
            absolute = ABSOLUTE_TOLERANCE if float(case["gold"]) == 0 else None
            outcome = grade_numeric(case["response"], case["gold"], case["unit"], absolute_tolerance=absolute).outcome
        verdicts.append((case["expected"], LABELS[outcome]))
    return verdicts


@pytest.mark.parametrize(("kind", "smallest_share"), [("numeric", 0.99), ("mcq", 0.97)])
def test_real_answers_score_as_people_scored_them(shared: Path, kind: str, smallest_share: float) -> None:
    verdicts = real_verdicts(shared, kind)
    right = sum((expected == "correct") == (given == "correct") for expected, given in verdicts)
    false_accepts = sum(expected != "correct" and given == "correct" for expected, given in verdicts)
    assert right / len(verdicts) >= smallest_share
    assert false_accepts / len(verdicts) <= 0.005


def test_real_multiple_choice_abstentions_are_told_from_errors(shared: Path) -> None:
    given = [verdict for expected, verdict in real_verdicts(shared, "mcq") if expected == "no_answer"]
    assert given.count("no_answer") / len(given) >= 0.95
