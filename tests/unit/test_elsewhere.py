"""Answers made elsewhere are an arm: one per question is taken, anything else is refused by line or by id."""

import json
from pathlib import Path

import pytest

from plumbline.answering.elsewhere import read_elsewhere
from plumbline.answering.run import take_answers
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.rows.answer import ELSEWHERE, Answer
from tests.fakes.evaluation_world import make_world, write_lines

WORLD = make_world(num_mcq=4, num_numeric=4, num_explanation=4, num_clusters=4)
ROWS = [{"id": question.id, "response": f"Answer: {number}"} for number, question in enumerate(WORLD.questions)]


def written(folder: Path, lines: list[str]) -> Path:
    path = folder / "api_answers.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_an_id_and_a_response_are_enough_in_any_order(tmp_path: Path) -> None:
    path = written(tmp_path, [*(json.dumps(row) for row in reversed(ROWS)), ""])
    answers = read_elsewhere(path, WORLD.questions, arm="api_model")
    assert [(answer.id, answer.response) for answer in answers] == [(row["id"], row["response"]) for row in ROWS]
    assert {(answer.arm, answer.engine, answer.num_tokens, answer.stopped) for answer in answers} == {("api_model", ELSEWHERE, None, "eos")}


def test_an_empty_response_is_an_answer(tmp_path: Path) -> None:
    path = written(tmp_path, [json.dumps(row | {"response": ""}) for row in ROWS])
    assert {answer.response for answer in read_elsewhere(path, WORLD.questions, arm="api_model")} == {""}


def test_our_own_answers_of_another_arm_are_taken_with_all_that_they_hold(tmp_path: Path) -> None:
    write_lines(tmp_path / "benchmark.jsonl", WORLD.questions)
    write_lines(tmp_path / "base.jsonl", WORLD.answers["base"])
    take_answers(tmp_path / "benchmark.jsonl", tmp_path / "base.jsonl", tmp_path / "answers/copy.jsonl", arm="copy")
    taken = list(read_jsonl(tmp_path / "answers/copy.jsonl", Answer))
    assert taken == [answer.model_copy(update={"arm": "copy", "engine": ELSEWHERE}) for answer in WORLD.answers["base"]]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["not json"], r"api_answers\.jsonl, line 1: not JSON .*A line is \{\"id\": \.\.\., \"response\": \.\.\.\}\."),
        ([json.dumps(ROWS[0]), '["a list"]'], r"line 2: found .*; give an object"),
        (['{"id": "mcq-0000"}'], r"line 1: response is missing"),
        (['{"id": 7, "response": "A"}'], r"line 1: id is 7; give a valid string"),
        (['{"id": "mcq-0000", "response": "A", "resp": "B"}'], r"line 1: resp is not a known key; known keys: .*response"),
        (['{"id": "mcq-0000", "response": "A", "response": "B"}'], r"line 1: the key 'response' occurs twice in one object; remove one"),
        (['{"id": "a", "response": "A", "choice_logprobs": {"A": -1.0, "A": -2.0}}'], r"line 1: the key 'A' occurs twice"),
        ([json.dumps(ROWS[0]), "", json.dumps(ROWS[0])], r"line 3: a second answer to 'mcq-0000'\. Keep one"),
        (
            [json.dumps(row) for row in [*ROWS, {"id": "stranger", "response": "A"}]],
            r"1 answers to questions that the benchmark does not have \('stranger'\)\. Use the ids in data/split/benchmark\.jsonl",
        ),
        (
            [json.dumps(row) for row in ROWS[:2]],
            r"no answer to 10 of 12 questions \('mcq-0002', .* \.\.\.\)\. Add them\. An empty response is an answer",
        ),
    ],
    ids=["no JSON", "a list", "no response", "a number", "another field", "twin keys", "twin keys inside", "twice", "stranger", "missing"],
)
def test_what_is_no_answer_to_each_question_is_refused_with_its_place(lines: list[str], said: str, tmp_path: Path) -> None:
    write_lines(tmp_path / "benchmark.jsonl", WORLD.questions)
    with pytest.raises(Refused, match=said):
        take_answers(tmp_path / "benchmark.jsonl", written(tmp_path, lines), tmp_path / "taken.jsonl", arm="api_model")
    assert not (tmp_path / "taken.jsonl").exists()


def test_a_file_that_is_not_there_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"nowhere\.jsonl, the weights of arm api_model, is not a file\. Give a file of answers"):
        read_elsewhere(tmp_path / "nowhere.jsonl", WORLD.questions, arm="api_model")
