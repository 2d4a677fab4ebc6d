"""The grade stage: every arm, every due question once, log-probability verdicts next to the generated ones."""

from pathlib import Path

import pytest

from plumbline.grading.params import GradeParams
from plumbline.grading.run import most_likely_choice
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Question
from stages.grade import main

QUESTIONS = [
    Question(
        id="m1",
        kind="mcq",
        question="What does the slope of a velocity-time graph give?",
        choices={"A": "Displacement", "B": "Acceleration"},
        target="B",
        unit=None,
        key_points=(),
        cluster="slope",
    ),
    Question(id="n1", kind="numeric", question="Force?", choices={}, target="12", unit="N", key_points=(), cluster="force"),
    Question(id="e1", kind="explanation", question="Why?", choices={}, target="Because.", unit=None, key_points=(), cluster="why"),
]
PARAMS = GradeParams(relative_tolerance=0.05, absolute_tolerance=None)


def answer(question_id: str, arm: str, response: str, **changes: object) -> Answer:
    fields: dict[str, object] = {
        "id": question_id,
        "arm": arm,
        "response": response,
        "num_tokens": 3,
        "stopped": "eos",
        "choice_logprobs": {"A": -2.0, "B": -0.5} if question_id == "m1" else {},
        "complete": True,
    }
    return Answer.model_validate(fields | changes)


def run(
    folder: Path, base: list[Answer], tuned: list[Answer], questions: list[Question] | None = None, params: GradeParams = PARAMS
) -> list[Grade]:
    write_jsonl(folder / "benchmark.jsonl", questions or QUESTIONS)
    write_jsonl(folder / "answers/base.jsonl", base)
    write_jsonl(folder / "answers/tuned.jsonl", tuned)
    main(params, ["base", "tuned"], benchmark=folder / "benchmark.jsonl", answers=folder / "answers", graded=folder / "graded.jsonl")
    return list(read_jsonl(folder / "graded.jsonl", Grade))


def test_both_arms_are_graded_in_the_order_of_the_benchmark(tmp_path: Path) -> None:
    base = [answer("n1", "base", "12 J"), answer("e1", "base", "So."), answer("m1", "base", "Answer: A")]
    tuned = [answer("m1", "tuned", "Answer: B", complete=False), answer("n1", "tuned", "0.012 kN"), answer("e1", "tuned", "So.")]
    grades = run(tmp_path, base, tuned)
    assert [(grade.arm, grade.id, grade.outcome) for grade in grades] == [
        ("base", "m1", Outcome.INCORRECT),
        ("base", "n1", Outcome.INCORRECT),
        ("tuned", "m1", Outcome.CORRECT),
        ("tuned", "n1", Outcome.CORRECT),
    ]
    assert grades[1].flags == ("unit_mismatch",)
    assert grades[1].extracted is None
    assert grades[3].extracted == "12"
    assert grades[2].span == (8, 9)
    assert [grade.complete for grade in grades] == [True, True, False, True]


def test_log_probability_gives_a_verdict_of_its_own(tmp_path: Path) -> None:
    base = [answer("m1", "base", "Answer: A"), answer("n1", "base", "12")]
    tuned = [answer("m1", "tuned", "?", choice_logprobs={}), answer("n1", "tuned", "12")]
    grades = run(tmp_path, base, tuned, QUESTIONS[:2])
    assert (grades[0].outcome, grades[0].logprob_choice, grades[0].logprob_outcome) == (Outcome.INCORRECT, "B", Outcome.CORRECT)
    assert (grades[2].outcome, grades[2].logprob_choice, grades[2].logprob_outcome) == (Outcome.UNPARSED, None, None)
    assert grades[1].logprob_outcome is None


def test_equal_log_probabilities_go_to_the_first_letter() -> None:
    assert most_likely_choice({"B": -1.0, "A": -1.0, "C": -3.0}) == "A"


@pytest.mark.parametrize(
    ("tuned", "message"),
    [
        ([("n1", "tuned")], "no answer to 1 questions"),
        ([("m1", "tuned"), ("n1", "tuned"), ("n1", "tuned")], "two answers to n1"),
        ([("m1", "tuned"), ("n1", "tuned"), ("x9", "tuned")], "answer to x9, which the benchmark does not have"),
        ([("m1", "base"), ("n1", "tuned")], "is of arm 'base'"),
    ],
    ids=["missing", "twice", "unknown", "other arm"],
)
def test_answers_that_do_not_fit_the_benchmark_are_refused(tmp_path: Path, tuned: list[tuple[str, str]], message: str) -> None:
    base = [answer("m1", "base", "A"), answer("n1", "base", "12")]
    with pytest.raises(ValueError, match=message):
        run(tmp_path, base, [answer(question_id, arm, "12") for question_id, arm in tuned], QUESTIONS[:2])
    assert not (tmp_path / "graded.jsonl").exists()


def test_a_target_of_zero_without_an_absolute_tolerance_is_refused_with_what_to_set(tmp_path: Path) -> None:
    questions = [QUESTIONS[0], QUESTIONS[1].model_copy(update={"target": "0.0"})]
    answers = {arm: [answer("m1", arm, "Answer: A"), answer("n1", arm, "0.001 N")] for arm in ("base", "tuned")}
    with pytest.raises(Refused, match=r"Question n1 has target 0, .* Set grade\.absolute_tolerance, in N"):
        run(tmp_path, answers["base"], answers["tuned"], questions)
    assert not (tmp_path / "graded.jsonl").exists()
    tolerant = PARAMS.model_copy(update={"absolute_tolerance": 0.01})
    assert [grade.outcome for grade in run(tmp_path, answers["base"], answers["tuned"], questions, tolerant)[1::2]] == [Outcome.CORRECT] * 2
