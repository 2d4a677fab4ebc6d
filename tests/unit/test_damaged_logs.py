"""A log in which any value has any other shape is read, or refused with its file and place: never another exception."""

import copy
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plumbline.comparing.logs.arms import arms_of
from plumbline.comparing.logs.log_grades import ScoreParams, graded_logs
from plumbline.comparing.logs.matching import matched
from plumbline.comparing.logs.recognise import read_logs
from plumbline.pipeline.refused import Refused
from tests.unit.test_compare_logs import LOGS

CHAT = {"model": "m", "choices": [{"message": {"content": "B"}, "finish_reason": "stop"}]}
OUTPUT = [{"type": "message", "content": [{"type": "output_text", "text": "B"}]}]
MESSAGE = {"model": "m", "content": [{"type": "text", "text": "B"}], "stop_reason": "end_turn"}
ROWS: dict[str, dict[str, Any]] = {
    "chat": {"custom_id": "a", "response": {"status_code": 200, "body": CHAT}},
    "responses": {"custom_id": "a", "response": {"status_code": 200, "body": {"model": "m", "output": OUTPUT, "incomplete_details": None}}},
    "messages": {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}},
    "harness": {
        "doc_id": 0, "doc": {"question": "Q", "choices": {"text": ["x", "y"]}}, "target": "1", "resps": [[[-1.0, "False"]], [[-2.0, "True"]]],
        "arguments": {"gen_args_0": {"arg_0": "Q", "arg_1": "x"}, "gen_args_1": {"arg_0": "Q", "arg_1": "y"}}, "filter": "none",
        "filtered_resps": ["x"], "metrics": ["acc"], "acc": 1.0, "doc_hash": "h",
    },
    "harness text": {"doc_id": 0, "doc": {"question": "Q"}, "target": "1", "resps": [["1"]], "filter": "none", "metrics": ["acc"], "acc": 1.0},
    "review": {
        "index": 0, "input": "Q", "target": "B", "messages": [{"role": "user", "content": "Q"}],
        "sample_score": {
            "sample_id": 0, "group_id": 0, "sample_metadata": {"topic": "x"},
            "score": {"value": {"acc": 1.0}, "prediction": "B", "extracted_prediction": "B", "main_score_name": "acc", "explanation": "", "status": "success"},
        },
    },
    "table": {
        "id": "a", "question": "Q", "response": "B", "reference": "A", "kind": "mcq", "unit": None, "choices": {"A": "x", "B": "y"}, "key_points": ["p"],
        "task": "t", "arm": "one", "score": 1, "score_f": 0.5, "cluster": "c",
    },
}  # fmt: skip
SAMPLE: dict[str, Any] = {
    "id": "a", "epoch": 1, "input": [{"role": "user", "content": [{"type": "text", "text": "Q"}]}], "choices": ["x", "y"], "target": ["A"],
    "output": {"choices": [{"message": {"content": "A"}, "stop_reason": "stop"}], "completion": ""}, "attachments": {"0f": "text"},
    "scores": {"judge": {"value": {"style": 0.5}, "answer": "A", "explanation": "so"}}, "metadata": {"topic": "x"}, "error": {"message": "m"},
}  # fmt: skip
HEADER: dict[str, Any] = {
    "status": "success", "invalidated": False,
    "eval": {
        "task": "t", "model": "m", "dataset": {"samples": 1}, "config": {"epochs": 1, "limit": 3}, "scorers": [{"name": "match", "options": {}}],
        "packages": {"inspect_ai": "1"}, "task_args": {"x": 1},
    },
}  # fmt: skip
DEEP: Any = "deep"
SHAPES: list[Any] = [
    None,
    [],
    {},
    "",
    "x",
    0,
    -1.5,
    True,
    ["x"],
    [None],
    [[]],
    {"x": 1},
    {"x": None},
    [{}],
    10**400,
    float("nan"),
    "1e999",
    DEEP,
]


def damaged(row: Any) -> Iterator[tuple[str, Any]]:
    """The row with one value of another shape, or without it; every value, at any depth."""
    for path in paths_of(row):
        for shape in SHAPES:
            yield f"{path} = {str(shape)[:20]!r}", changed(row, path, shape)
        yield f"{path} left out", changed(row, path, None, left_out=True)


def paths_of(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*above, key)
        yield from paths_of(one, (*above, key))


def changed(row: Any, path: tuple[Any, ...], shape: Any, *, left_out: bool = False) -> Any:
    found = copy.deepcopy(row)
    holder = found
    for key in path[:-1]:
        holder = holder[key]
    if left_out:
        del holder[path[-1]]
    else:
        holder[path[-1]] = shape
    return found


def written(row: Any) -> str:
    """As JSON; the deep shape as a list of 100,000 lists."""
    return json.dumps(row).replace('"deep"', "[" * 100_000 + "]" * 100_000)


def held(path: Path, what: str, place: str) -> None:
    """Read and graded, or refused with the file and the place. Any other exception goes through, and `what` is printed above it."""
    print(what)
    try:
        arms = arms_of([str(path)])
        graded_logs(matched(arms, None), [arm.name for arm in arms], ScoreParams())
    except Refused as refused:
        assert path.name in str(refused) or "no score is in all logs" in str(refused), (what, refused)
        assert "another shape" not in str(refused) or place in str(refused), (what, refused)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_with_a_value_of_another_shape_is_read_or_refused_with_its_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(written(ROWS[name]) + "\n", encoding="utf-8")
    assert read_logs(path), "the whole row is read"
    for what, row in damaged(ROWS[name]):
        path.write_text(
            f"{json.dumps(ROWS[name] | {'custom_id': 'b', 'doc_id': 9, 'id': 'b', 'question': 'R'})}\n{written(row)}\n", encoding="utf-8"
        )
        held(path, what, "line 2")


def test_a_sample_or_header_of_inspect_with_another_shape_is_read_or_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{\n" + written(HEADER | {"samples": [SAMPLE]})[1:], encoding="utf-8")
    assert read_logs(path), "the whole row is read"
    for what, sample in damaged(SAMPLE):
        path.write_text("{\n" + written(HEADER | {"samples": [SAMPLE | {"id": "b"}, sample]})[1:], encoding="utf-8")
        held(path, what, "sample 2")
    for what, header in damaged(HEADER | {"samples": [SAMPLE]}):
        path.write_text("{\n" + written(header)[1:], encoding="utf-8")
        held(path, what, "x.json")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"custom_id": "a", "response": {"body": {"choices": [{"message": None}]}}},
            "line 1: a value in it has another shape than a batch",
        ),
        ({"custom_id": "a", "response": {"body": {"choices": ["x"]}}}, "line 1: a value in it has another shape"),
        ({"custom_id": "a", "response": {"body": {"choices": {"x": 1}}}}, "line 1: a value in it has another shape"),
        (
            {"custom_id": "a", "response": {"body": {"choices": [{"message": {"content": {"text": "B"}}}]}}},
            "neither a text nor a list of parts",
        ),
        ({"custom_id": "a", "response": {"body": {"output": ["x"]}}}, "line 1: a value in it has another shape"),
        ({"custom_id": "a", "result": {"type": "succeeded", "message": "x"}}, "line 1: a value in it has another shape"),
        ({"custom_id": "a", "result": {"type": "succeeded"}}, "line 1: a value in it has another shape"),
        (ROWS["harness"] | {"resps": None}, "line 1: a value in it has another shape than lm-evaluation-harness"),
        (ROWS["harness"] | {"resps": 1}, "line 1: a value in it has another shape"),
        (changed(ROWS["review"], ("messages",), ["x"]), "line 1: a value in it has another shape than EvalScope"),
        (changed(ROWS["review"], ("sample_score", "score", "value"), "x"), "line 1: a value in it has another shape"),
    ],
)
def test_a_damaged_answer_is_never_an_empty_answer(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(Refused, match=message):
        read_logs(path)


def test_a_score_of_400_digits_is_not_on_any_scale(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"id": "a", "score": 10**400}) + "\n", encoding="utf-8")
    arms = arms_of([str(path)])
    with pytest.raises(Refused, match=r"x\.jsonl, line 1: the score is 10000.*, not a number"):
        graded_logs(matched(arms, None), ["x"], ScoreParams())


@pytest.mark.parametrize("member", ["header.json", "samples/a_epoch_1.json"])
@pytest.mark.parametrize("content", [b'{"eval": {"ta', b"[]", b"\xff", b"[" * 100_000], ids=["cut", "a list", "no text", "deep"])
def test_a_member_that_is_not_an_object_is_named(tmp_path: Path, member: str, content: bytes) -> None:
    path = tmp_path / "x.eval"
    with zipfile.ZipFile(path, "w") as archive:
        for name, whole in (("header.json", HEADER), ("samples/a_epoch_1.json", SAMPLE)):
            archive.writestr(name, content if name == member else json.dumps(whole))
    with pytest.raises(Refused, match=rf"x\.eval, {member}: .*Copy the log again"):
        read_logs(path)


def test_the_summary_of_the_harness_and_an_empty_log_are_called_what_they_are(tmp_path: Path) -> None:
    [results] = (LOGS / "lm_eval/first").rglob("results_*.json")
    with pytest.raises(
        Refused, match=r"is the summary of lm-evaluation-harness, which holds no answers\. Give samples_\*\.jsonl next to it"
    ):
        read_logs(results)
    for name in ("a.eval", "a.jsonl", "a.csv"):
        (tmp_path / name).touch()
        with pytest.raises(Refused, match=rf"{name} is empty\. Copy the log again"):
            read_logs(tmp_path / name)
