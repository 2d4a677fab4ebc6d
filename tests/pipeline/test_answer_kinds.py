"""The answer kinds from a benchmark file to the report: asked, graded, counted in their kind, and shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.answering.exam_prompt import PROMPT_VERSION, exam_prompt
from plumbline.answering.run import scored_choices
from plumbline.grading.params import GradeParams
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.reporting.decide import whole_evaluation_problems
from plumbline.reporting.gather import gather
from plumbline.retrieval.found import recall_at
from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.question import Question
from plumbline.splitting.benchmark import read_benchmark
from plumbline.splitting.overlap import LeftOutQuestion
from stages.grade import main as grade
from stages.report import main as report
from tests.fakes.evaluation_world import ANSWERING, JUDGING, PARAMS, World, make_world, read_outputs, write_world

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/benchmarks"
QUESTIONS = read_benchmark(EXAMPLES / "answer_kinds.jsonl", format_name="auto").questions
SAID = {
    "vectors": ("Answer: A", "Answer: A, C"),
    "friction": ("Yes", "No, nothing pulls at it."),
    "forces": ("5 N", "7 N; 5 N"),
    "roots": ("1 s", "t = 2 s or t = 1 s"),
    "speed": ("The answer is gh", "The answer is $v = \\sqrt{2gh}$."),
    "wavelength": ("2.05 m", "2.01 m"),
}
"""Id -> what base and tuned say."""


def answered(arm: str) -> list[Answer]:
    place = 0 if arm == "base" else 1
    return [
        Answer(
            id=question.id, arm=arm, response=SAID[question.id][place], num_tokens=9, stopped="eos", complete=True,
            choice_logprobs={"A": -2.0, "B": -0.1} if question.answer_kind == "yes_no" else {},
        )
        for question in QUESTIONS
    ]  # fmt: skip


def graded(folder: Path) -> list[Grade]:
    write_jsonl(folder / "benchmark.jsonl", QUESTIONS)
    for arm in ("base", "tuned"):
        write_jsonl(folder / f"answers/{arm}.jsonl", answered(arm))
    params = GradeParams(relative_tolerance=0.05, absolute_tolerance=None)
    grade(params, ["base", "tuned"], benchmark=folder / "benchmark.jsonl", answers=folder / "answers", graded=folder / "graded.jsonl")
    return list(read_jsonl(folder / "graded.jsonl", Grade))


PROMPTS = {
    "vectors": "Which of these are vectors?\nA) force\nB) energy\nC) momentum\nD) charge\n"
    "Several choices may be right. Answer with the letters of all right choices.",
    "friction": "Does friction act on a book that lies still on a level table?\nAnswer with yes or no.",
    "forces": "Two forces of 3 N and 4 N act at right angles. Give the sum of their sizes, then the size of their sum.\n"
    "Give all numbers in the order asked, with their unit, separated by semicolons.",
    "roots": "At which times is a ball, thrown up at 15 m/s with g = 10 m/s^2, at the height 10 m?\n"
    "Give all numbers with their unit, separated by semicolons.",
    "speed": "A stone falls from rest by the height h. Give its speed in terms of g and h.\nGive the answer as one formula.",
    "wavelength": "What is the wavelength of sound of 170 Hz at 340 m/s?\nGive the number with its unit.",
}


def test_each_kind_is_asked_for_in_its_own_words() -> None:
    assert PROMPT_VERSION == 1, "a new text of a prompt is a new version"
    instructions = ANSWERING.instructions.model_dump()
    assert {question.id: exam_prompt(question, instructions) for question in QUESTIONS} == PROMPTS
    assert exam_prompt(QUESTIONS[4], dict.fromkeys(instructions, "")) == QUESTIONS[4].question, "no instruction where the user wants none"
    assert [bool(scored_choices(question)) for question in QUESTIONS] == [False, True, False, False, False, False]


def test_answers_are_graded_by_their_kind_and_count_in_mcq_or_numeric(tmp_path: Path) -> None:
    grades = {(one.arm, one.id): one for one in graded(tmp_path)}
    assert {id: grades["tuned", id].outcome.value for id in SAID} == dict.fromkeys(SAID, "correct")
    assert {id: grades["base", id].outcome.value for id in SAID} == dict.fromkeys(SAID, "incorrect")
    assert grades["base", "vectors"].score == 0.5 and grades["tuned", "vectors"].score is None
    assert [grades["tuned", id].kind for id in SAID] == ["mcq", "mcq", "numeric", "numeric", "numeric", "numeric"]
    assert grades["tuned", "friction"].logprob_choice == "B" and grades["tuned", "friction"].logprob_outcome == "correct"
    assert "score" not in json.loads((tmp_path / "graded.jsonl").read_text().splitlines()[2]), (
        "a grade without partial credit has no such field"
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(num_mcq=0, num_numeric=0, num_explanation=0)
    made.questions, made.grades = QUESTIONS, graded(tmp_path / "graded")
    made.answers = {arm: answered(arm) for arm in ("base", "tuned")}
    return made


def test_the_report_counts_partial_credit_and_chance_and_shows_the_answers(world: World, tmp_path: Path) -> None:
    files = write_world(world, tmp_path)
    assert whole_evaluation_problems(gather(files, world.compared.arms, world.compared.comparisons)) == []
    report(PARAMS, ANSWERING, JUDGING, world.compared, files)
    scores: dict[str, Any]
    evaluation: dict[str, Any]
    scores, evaluation = read_outputs(files)
    assert evaluation["valid"], evaluation["invalid_because"]
    assert scores["mcq"] | {"n": 2} == {"base": 0.25, "tuned": 1.0, "delta": 0.75, "n": 2}
    assert scores["numeric"]["n"] == 4 and scores["numeric"]["tuned"] == 1.0
    assert evaluation["kinds"]["mcq"]["chance"] == pytest.approx((1 / 15 + 1 / 2) / 2, abs=1e-4)
    page = files.page.read_text(encoding="utf-8")
    for shown in ("A) force; C) momentum", '"a":"No"', "7; 5 N"):
        assert shown in page or shown.replace('":"', '": "') in page
    assert files.mcq_confusion.read_text().count("\n") == 1, "only one letter against one letter is a confusion"


def test_the_report_says_how_many_rows_no_arm_was_asked(world: World, tmp_path: Path) -> None:
    files = write_world(world, tmp_path)
    one = LeftOutQuestion(question_id="graph", where="b.json, question 5", reason="needs_picture", detail="a picture")
    with files.overlap.open("a", encoding="utf-8") as stream:
        stream.write(one.model_dump_json() + "\n")
    report(PARAMS, ANSWERING, JUDGING, world.compared, files)
    assert json.loads(files.evaluation.read_text())["part"]["left_out"] == {"needs_picture": 1}
    assert "1 row of the benchmark file was not asked: needs picture (1)." in files.page.read_text(encoding="utf-8")


def test_retrieval_is_measured_by_what_an_answer_needs() -> None:
    by_id = {question.id: question for question in QUESTIONS}
    assert recall_at(by_id["vectors"], ["A force pushes.", "The momentum stays."]) == [0.5, 1.0]
    assert recall_at(by_id["forces"], ["The sum is 7 N.", "5 N in all"]) == [0.5, 1.0]
    assert recall_at(by_id["speed"], ["v"]) is None and recall_at(by_id["friction"], ["no"]) is None
    [friction, *_] = read_benchmark(EXAMPLES / "sciq.jsonl", format_name="auto").questions
    support = friction.gold_passage or ""
    assert recall_at(friction, ["Copper lets current pass.", f"Chapter 2. {support}"]) == [0.0, 1.0]
    assert recall_at(friction, ["Friction is a force."]) == [0.0], "the words of the answer alone are not the passage"


def test_optional_fields_leave_no_trace_where_they_are_not_used() -> None:
    plain: dict[str, Any] = {
        "id": "q", "kind": "numeric", "question": "?", "choices": {}, "target": "5", "unit": None, "key_points": (), "cluster": "q",
    }  # fmt: skip
    assert json.loads(Question(**plain).model_dump_json()) == plain | {"key_points": []}
