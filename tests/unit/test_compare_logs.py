"""Logs of other tools are read as those tools wrote them, and counted by the ledger of the pipeline."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from plumbline.commands.compare_logs import LogOutputs, LogQuestions, main
from plumbline.commands.grade import main as grade
from plumbline.comparing.logs.arms import arms_of
from plumbline.comparing.logs.log_grades import ScoreParams
from plumbline.comparing.logs.recognise import read_logs
from plumbline.comparing.logs.zip_members import read_member
from plumbline.grading.run import Tolerance

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "tests/data/logs"
"""Made by the tools themselves: tests/data/logs/make."""
EXAMPLES = ROOT / "examples/logs"
TOLERANCE = Tolerance(relative=0.05, absolute=None)
HEAVY = {
    "torch",
    "transformers",
    "dvc",
    "huggingface_hub",
    "datasets",
    "anthropic",
    "matplotlib",
    "inspect_ai",
    "lm_eval",
    "evalscope",
    "ray",
}


def compare(*logs: str | Path, folder: Path, **changes: Any) -> tuple[str, dict[str, Any]]:
    """The words, and the kinds of the numbers."""
    questions = {name: changes.pop(name) for name in ("match", "benchmark", "comparisons", "slice_by") if name in changes}
    outputs = LogOutputs(numbers=folder / "numbers.json", verdicts=folder / "verdicts.jsonl", page=folder / "page.html")
    text = main([str(log) for log in logs], scores=ScoreParams(**changes), questions=LogQuestions(**questions), outputs=outputs)
    return text, json.loads((folder / "numbers.json").read_text(encoding="utf-8"))["kinds"]


def verdicts(folder: Path) -> dict[tuple[str, str], float | None]:
    rows = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()]
    return {(row["arm"], row["id"]): row["score"] for row in rows}


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def eval_log(path: Path, samples: Sequence[Mapping[str, object]], **header: object) -> Path:
    """A log of Inspect in its older form, written here."""
    spec = {"task": "bread", "model": "baker", "dataset": {"samples": len(samples)}, "config": {"epochs": 1}}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({"status": "success", "eval": spec, **header}))
        for sample in samples:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
    return path


def sample(name: str, value: object, **changes: object) -> dict[str, object]:
    made: dict[str, object] = {"id": name, "epoch": 1, "input": f"What is {name}?", "target": "yes", "scores": {"judge": {"value": value}}}
    return {**made, "output": {"choices": [{"message": {"content": "yes"}, "stop_reason": "stop"}]}, **changes}


# ---- real logs


@pytest.mark.parametrize("path", sorted((LOGS / "inspect").rglob("*.eval")), ids=lambda path: f"{path.parent.name}/{path.stem[26:41]}")
def test_the_mean_of_what_is_read_is_what_inspect_reported(path: Path) -> None:
    [log] = read_logs(path)
    archive = zipfile.ZipFile(path)
    header = json.loads(read_member(path, archive, archive.getinfo("header.json")))
    for reported in header["results"]["scores"]:
        values = [answer.scores[reported["name"]].value for answer in log.answers]
        assert None not in values
        assert sum(value or 0 for value in values) / len(values) == pytest.approx(reported["metrics"]["accuracy"]["value"])


@pytest.mark.parametrize("model", ["first", "second"])
def test_the_mean_of_what_is_read_is_what_the_harness_reported(model: str) -> None:
    [results] = (LOGS / "lm_eval" / model).rglob("results_*.json")
    reported = json.loads(results.read_text(encoding="utf-8"))["results"]
    logs = {log.answers[0].task: log for log in read_logs(LOGS / "lm_eval" / model)}
    names = {"acc": "acc,none", "acc_norm": "acc_norm,none"}
    seen = 0
    for task, log in logs.items():
        for name in log.answers[0].scores:
            values = [answer.scores[name].value or 0 for answer in log.answers]
            assert sum(values) / len(values) == pytest.approx(reported[task][names.get(name, name)])
            seen += 1
    assert seen == 4


def test_logs_of_inspect_give_flips_exact_tests_clusters_and_holm(tmp_path: Path) -> None:
    text, kinds = compare(LOGS / "inspect/first", LOGS / "inspect/second", folder=tmp_path, cluster="topic")
    [letters] = kinds["mcq"]["comparisons"]
    assert (letters["reference"], letters["arm"], letters["n"]) == ("mockllm/first", "mockllm/second", 6)
    assert (letters["num_reference_only"], letters["num_arm_only"], letters["test"]) == (1, 1, "mcnemar_exact_clustered")
    assert kinds["mcq"]["num_clusters"] == 4 and kinds["mcq"]["chance"] == 0.25 and letters["p_holm"] == 1.0
    assert kinds["numeric"]["arms"]["mockllm/second"]["correct"] == 4 and "p by Holm holds for all 2 comparisons together" in text
    assert "task physics_numbers: scores as logged under match; also logged: includes" in text
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Which of these is a vector?" in page and "mockllm/second" in page and "tilted score interval over clusters" in page


def test_several_samples_of_a_question_are_one_question_with_their_mean(tmp_path: Path) -> None:
    first = next((LOGS / "inspect/first").glob("*numbers*"))
    text, kinds = compare(first, LOGS / "inspect/twice", folder=tmp_path)
    assert kinds["numeric"]["n"] == 5 and kinds["numeric"]["arms"]["mockllm/twice"]["n"] == 5
    found = verdicts(tmp_path)
    assert [found["mockllm/twice", f"n{place}"] for place in range(1, 6)] == [1.0, 0.5, 1.0, 0.5, 0.5]
    assert "epochs differs: mockllm/first 1, mockllm/twice 2" in text


def test_filters_of_the_harness_are_scores_of_one_answer(tmp_path: Path) -> None:
    logs = f"first={LOGS / 'lm_eval/first'}", f"second={LOGS / 'lm_eval/second'}"
    _, strict = compare(*logs, folder=tmp_path)
    assert strict["numeric"]["arms"]["first"]["correct"] == 2 and strict["numeric"]["arms"]["first"]["unparsed"] == 2, "[invalid]"
    text, flexible = compare(*logs, folder=tmp_path, names=("exact_match,flexible-extract",))
    assert flexible["numeric"]["arms"]["first"]["correct"] == 4
    assert flexible["mcq"]["arms"] == strict["mcq"]["arms"] and "under exact_match,flexible-extract" in text
    with pytest.raises(ValueError, match=r"--score bleu: no log has such a score\. The scores are acc, acc_norm, exact_match,flexible"):
        compare(*logs, folder=tmp_path, names=("bleu",))


def test_likelihoods_of_choices_become_letters(tmp_path: Path) -> None:
    logs = f"first={LOGS / 'lm_eval/first'}", f"second={LOGS / 'lm_eval/second'}"
    _, kinds = compare(*logs, folder=tmp_path, regrade=True)
    _, logged = compare(*logs, folder=tmp_path)
    assert kinds["mcq"]["comparisons"] == logged["mcq"]["comparisons"]
    assert kinds["mcq"]["arms"]["first"]["tiers"] != logged["mcq"]["arms"]["first"]["tiers"], "graded here"


def test_logs_of_two_tools_are_matched_by_their_questions_and_graded_alike(tmp_path: Path) -> None:
    text, kinds = compare(LOGS / "inspect/first", f"harness={LOGS / 'lm_eval/second'}", folder=tmp_path, cluster="topic")
    assert kinds["mcq"]["comparisons"][0]["n"] == 6 and kinds["numeric"]["comparisons"][0]["n"] == 5
    assert "graded by the graders of Plumbline: the logs have no score of the same name" in text
    _, inside = compare(LOGS / "inspect/first", LOGS / "inspect/second", folder=tmp_path, cluster="topic", regrade=True)
    assert kinds["numeric"]["comparisons"][0]["value"] == inside["numeric"]["comparisons"][0]["value"]


def test_reviews_of_evalscope_are_read(tmp_path: Path) -> None:
    text, kinds = compare(LOGS / "evalscope/first", LOGS / "evalscope/second", folder=tmp_path)
    assert kinds["mcq"]["comparisons"][0]["num_arm_only"] == 1 and "scores as logged under accuracy" in text
    assert "scores as logged under Rouge-L-R" in text, "the main score of the tool leads"
    _, kinds = compare(LOGS / "evalscope/first", LOGS / "evalscope/second", folder=tmp_path, regrade=True)
    assert kinds["numeric"]["arms"]["second"]["correct"] == 4 and kinds["numeric"]["arms"]["second"]["unparsed"] == 1


def test_a_log_names_its_arm_and_a_folder_has_one_for_each_model(tmp_path: Path) -> None:
    assert [arm.name for arm in arms_of([str(LOGS / "inspect")])] == ["mockllm/first", "mockllm/second", "mockllm/twice"]
    assert [arm.name for arm in arms_of([f"a={LOGS / 'inspect/first'}", str(LOGS / "lm_eval/first")])] == ["a", "i82qcls7"]
    assert [arm.name for arm in arms_of([str(LOGS / "lm_eval/first"), str(LOGS / "lm_eval/second")])] == ["first", "second"]
    with pytest.raises(ValueError, match=r"holds answers of mockllm/first, mockllm/second, mockllm/twice\. Give it without a name"):
        arms_of([f"all={LOGS / 'inspect'}"])
    with pytest.raises(ValueError, match=r"two logs would both be called x\. Name them: first=PATH second=PATH"):
        arms_of([f"x={LOGS / 'lm_eval/first'}", f"x={LOGS / 'lm_eval/second'}"])


def test_a_field_of_the_logs_slices_the_comparison(tmp_path: Path) -> None:
    text, _ = compare(LOGS / "inspect/first", LOGS / "inspect/second", folder=tmp_path, slice_by="topic")
    slices = {(row["kind"], row["tag"]): row for row in json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))["slices"]}
    assert {tag: row["n"] for (kind, tag), row in slices.items() if kind == "numeric"} == {"mechanics": 2, "optics": 1, "electricity": 2}
    assert "mcq          units  mockllm/second - mockllm/first: too few questions (2)" in text
    assert "By tag" in (tmp_path / "page.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"--slice page: no answer has such a field\. The fields are task, topic"):
        compare(LOGS / "inspect/first", LOGS / "inspect/second", folder=tmp_path, slice_by="page")


def test_several_tasks_of_one_kind_are_compared_each(tmp_path: Path) -> None:
    rows = [
        {"id": f"q{place}", "arm": arm, "score": 0 if arm == "a" and place < 12 else 1, "task": f"t{place // 12}"}
        for arm in "ab"
        for place in range(24)
    ]
    text, kinds = compare(write(tmp_path / "scores.jsonl", rows), folder=tmp_path)
    assert kinds["explanation"]["n"] == 24 and "t0  b - a: +1.000" in text and "t1  b - a: +0.000" in text
    assert "right only in a: 0, only in b: 12  pairs 12" in text


# ---- batches and tables


def test_outputs_of_a_batch_are_graded_with_the_benchmark(tmp_path: Path) -> None:
    logs = EXAMPLES / "batch_first.jsonl", EXAMPLES / "batch_second.jsonl"
    _, kinds = compare(*logs, folder=tmp_path, benchmark=ROOT / "examples/benchmark.jsonl")
    assert kinds["mcq"]["arms"]["baker-second"]["unjudged"] == 1, "a request that failed is no wrong answer"
    assert kinds["numeric"]["num_clusters"] == 4 and kinds["numeric"]["arms"]["baker-first"]["correct"] == 5
    with pytest.raises(ValueError, match=r"no score is in all logs .* --benchmark FILE"):
        compare(*logs, folder=tmp_path)
    strange = write(tmp_path / "strange.jsonl", [{"custom_id": "nowhere", "response": {"body": {"choices": []}}}])
    with pytest.raises(ValueError, match=r"line 1: no choices, output or content"):
        compare(logs[0], strange, folder=tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        {"response": {"status_code": 200, "body": {"model": "m", "choices": [{"message": {"content": "B"}, "finish_reason": "stop"}]}}},
        {"response": {"status_code": 200, "body": {"model": "m", "output": [{"type": "reasoning"}, {"type": "message", "content": [{"type": "output_text", "text": "B"}]}]}}},
        {"result": {"type": "succeeded", "message": {"model": "m", "content": [{"type": "text", "text": "B"}], "stop_reason": "end_turn"}}},
    ],
    ids=["chat", "responses", "messages"],
)  # fmt: skip
def test_each_form_of_a_batch_is_read(tmp_path: Path, body: dict[str, object]) -> None:
    [log] = read_logs(write(tmp_path / "batch.jsonl", [{"custom_id": "gas", **body}]))
    assert [(answer.id, answer.response, answer.is_cut) for answer in log.answers] == [("gas", "B", False)] and log.model == "m"


def test_a_table_of_scores_needs_nothing_else(tmp_path: Path) -> None:
    text, kinds = compare(EXAMPLES / "scores.csv", folder=tmp_path, cluster="template")
    [found] = kinds["explanation"]["comparisons"]
    assert (found["n"], found["value"], found["num_arm_only"], found["test"]) == (8, 0.375, 3, "sign_flip_permutation_clustered")
    assert "all questions: scores as logged under score" in text
    wide = tmp_path / "wide.csv"
    wide.write_text("id,arm,score\nq1,first,7\nq1,second,10\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 2: the score is 7, outside of 0 to 1\. Give the scale with --score-range LOW HIGH"):
        compare(wide, folder=tmp_path)
    compare(wide, folder=tmp_path, low=0.0, high=10.0)
    assert verdicts(tmp_path) == {("first", "q1"): 0.7, ("second", "q1"): 1.0}


def test_the_page_says_its_verdict_in_sentences_and_not_letter_by_letter(tmp_path: Path) -> None:
    rows = [f"q{number},{arm},{int(arm == 'second')}" for number in range(20) for arm in ("first", "second")]
    table = tmp_path / "scores.csv"
    table.write_text("\n".join(["id,arm,score", *rows]) + "\n", encoding="utf-8")
    compare(table, folder=tmp_path)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<p class="verdict">Second is better on explanations by 100 points [' in page


def test_the_index_that_pandas_writes_is_no_field(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(",id,score,topic\n0,a,True,x\n1,b,False,y\n", encoding="utf-8")
    assert [(one.scores["score"].value, dict(one.fields)) for one in arms_of([str(path)])[0].answers] == [
        (1.0, {"topic": "x"}),
        (0.0, {"topic": "y"}),
    ]


def test_answers_of_a_table_get_the_ledger_that_grade_gives(tmp_path: Path) -> None:
    path = ROOT / "examples/answers_from_elsewhere.csv"
    due = grade(path, tolerance=TOLERANCE, numbers=tmp_path / "due.json")
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("q6")]
    ruled = tmp_path / "ruled.csv"
    ruled.write_text("\n".join(rows) + "\n", encoding="utf-8")
    text, kinds = compare(ruled, folder=tmp_path)
    expected = json.loads((tmp_path / "due.json").read_text(encoding="utf-8"))["kinds"]
    assert kinds["mcq"] == expected["mcq"] and kinds["numeric"] == expected["numeric"]
    assert [line for line in due.splitlines() if "numeric " in line] == [line for line in text.splitlines() if "numeric " in line]


# ---- what a log says against itself


def test_a_cut_answer_is_counted_and_shown_as_cut(tmp_path: Path) -> None:
    cut = sample("a", "I", output={"choices": [{"message": {"content": "It is"}, "stop_reason": "max_tokens"}]})
    log = eval_log(tmp_path / "log.eval", [cut, sample("b", "C")])
    compare(f"first={log}", f"second={log}", folder=tmp_path)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count('"cut":1') == 2 and page.count('<td data-label="Cut off">1</td>') == 2


def test_texts_without_key_points_stay_unjudged_next_to_what_can_be_graded(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "arm": arm, "kind": "numeric", "question": "Force?", "reference": "12", "unit": "N", "response": "12 N"} for arm in "xy"
    ] + [{"id": "b", "arm": arm, "kind": "explanation", "question": "Why?", "reference": "So.", "response": "Because."} for arm in "xy"]
    text, kinds = compare(write(tmp_path / "answers.jsonl", rows), folder=tmp_path)
    assert kinds["numeric"]["arms"]["x"]["correct"] == 1 and kinds["explanation"]["arms"]["x"]["unjudged"] == 1
    assert "Unjudged because they have no `key_points`: 2 explanations" in text
    with pytest.raises(ValueError, match=r"line 1: a text is graded by key points, but there are none"):
        compare(write(tmp_path / "texts.jsonl", rows[2:]), folder=tmp_path)
    letters = [{"id": "a", "arm": arm, "question": "Which? (A) x (B) y", "reference": "B", "response": "A"} for arm in "xy"]
    with pytest.raises(ValueError, match=r"its reference 'B' is taken as a text, .* add a column kind \(mcq, numeric or explanation\), or"):
        compare(write(tmp_path / "letters.jsonl", letters), folder=tmp_path)
    _, kinds = compare(write(tmp_path / "kind.jsonl", [{**row, "kind": "mcq"} for row in letters]), folder=tmp_path)
    assert kinds["mcq"]["arms"]["x"]["incorrect"] == 1, "the remedy works"


def test_a_failed_sample_is_unjudged_and_a_run_that_ended_early_is_said(tmp_path: Path) -> None:
    whole = eval_log(tmp_path / "whole.eval", [sample("a", "C"), sample("b", "I")])
    failed = sample("b", None, scores={}, output={"choices": []}, error={"message": "boom"})
    cut = eval_log(tmp_path / "cut.eval", [sample("a", "C"), failed], status="error")
    text, kinds = compare(f"whole={whole}", f"cut={cut}", folder=tmp_path)
    assert kinds["explanation"]["arms"]["cut"]["unjudged"] == 1 and kinds["explanation"]["arms"]["whole"]["unjudged"] == 0
    assert "its status is error" in text and "1 sample failed: unjudged" in text


@pytest.mark.parametrize(
    ("value", "score"),
    [("C", 1.0), ("I", 0.0), ("P", 0.5), ("N", 0.0), (True, 1.0), (0.25, 0.25), ("0.75", 0.75), (float("nan"), None), (None, None)],
    ids=str,
)
def test_values_of_inspect_are_read_as_inspect_means_them(tmp_path: Path, value: object, score: float | None) -> None:
    log = eval_log(tmp_path / "log.eval", [sample("a", value)])
    compare(f"first={log}", f"second={log}", folder=tmp_path)
    assert verdicts(tmp_path)["second", "a"] == score


def test_a_scorer_with_several_values_gives_several_scores(tmp_path: Path) -> None:
    log = eval_log(tmp_path / "log.eval", [sample("a", {"style": 0.5, "truth": "C"})])
    text, _ = compare(f"first={log}", f"second={log}", folder=tmp_path, names=("judge/truth",))
    assert verdicts(tmp_path)["first", "a"] == 1.0 and "also logged: judge/style" in text


def test_a_long_text_is_found_where_inspect_put_it(tmp_path: Path) -> None:
    long = sample("a", "C", input="attachment://0f", attachments={"0f": "A long question?"})
    [log] = read_logs(eval_log(tmp_path / "log.eval", [long]))
    assert log.answers[0].question == "A long question?"


def test_a_log_that_is_one_json_file_is_read_alike(tmp_path: Path) -> None:
    path = next((LOGS / "inspect/first").glob("*choices*"))
    archive = zipfile.ZipFile(path)
    members = {member.filename: json.loads(read_member(path, archive, member)) for member in archive.infolist()}
    content = members["header.json"] | {"samples": [one for name, one in members.items() if name.startswith("samples/")]}
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps(content, indent=2), encoding="utf-8")
    assert [answer.scores for answer in read_logs(whole)[0].answers] == [answer.scores for answer in read_logs(path)[0].answers]


# ---- refusals


HARNESS = {"doc_id": 0, "doc": {"question": "Q"}, "target": "1", "resps": [["1"]], "filter": "none", "metrics": ["acc"], "acc": 1.0}
REFUSED = {
    "no log": ("x.txt", "hello", r"x\.txt: no known tool writes logs with the ending \.txt\. Give a \.eval"),
    "half a zip": ("x.eval", "PK", r"x\.eval is not a zip file, but a log of Inspect is one\."),
    "foreign object": ("x.jsonl", '{"name": 1}\n', r"x\.jsonl, line 1: no known tool writes such an object\. Its keys are name\. Give a \.eval"),
    "no object": ("x.jsonl", "\n[1]\n", r"x\.jsonl, entry 1: '1' is not an object"),
    "cut line": ("x.jsonl", json.dumps(HARNESS) + '\n{"doc_id": 1, "do', r"x\.jsonl, line 2: not JSON .* remove this line"),
    "no resps": ("x.jsonl", json.dumps(HARNESS) + '\n{"doc_id": 1}\n', r"line 2: no doc, target, resps\. Give samples_\*\.jsonl"),
    "twice": ("x.jsonl", (json.dumps(HARNESS) + "\n") * 2, r"line 2: this is a second acc for doc_id 0; the first is in line 1"),
    "no review": ("x.jsonl", '{"sample_score": {}}\n', r"line 1: no sample_score with a score\. Give a file of the folder reviews/"),
    "requests": ("x.jsonl", '{"custom_id": "a", "body": {}}\n', r"line 1: neither response nor error\. .* not the file of its requests"),
    "unclosed quote": ("x.csv", 'id,score,note\na,1,"open\nb,0,\n', r"x\.csv, line 2: not readable as a table .* Close each quote"),
    "another encoding": ("x.csv", "id,score\n\udce9,1\n", r"x\.csv: not UTF-8 \(byte 9\)\. Save the file as UTF-8\.$"),
    "another object": ("x.json", '{\n "rows": []\n}', r"x\.json: no known tool writes such an object over several lines\. Its keys are rows\. Give"),
    "too many cells": ("x.csv", "id,score\na,1,2\n", r"x\.csv, line 2: 3 cells below 2 columns"),
    "column twice": ("x.csv", "id,score,score\na,1,2\n", r"x\.csv, line 1: the column 'score' is there twice"),
    "no score": ("x.csv", "id,note\na,1\n", r"x\.csv, line 2: neither score nor response"),
    "no id": ("x.csv", "score,note\n1,a\n", r"x\.csv, line 2: neither id nor question"),
    "empty table": ("x.csv", "id,score\n", r"x\.csv has no rows"),
    "same id": ("x.csv", "id,score\na,1\na,0\n", r"x\.csv, line 3: this is a second answer of x to 'a'; the first is at .*line 2"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), REFUSED.values(), ids=list(REFUSED))
def test_a_log_that_cannot_be_read_is_refused_with_its_line_and_a_remedy(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ValueError, match=message):
        arms_of([str(path)])


def test_a_damaged_member_is_refused_by_name(tmp_path: Path) -> None:
    path = next((LOGS / "inspect/first").glob("*choices*"))
    content = bytearray(path.read_bytes())
    member = zipfile.ZipFile(path).getinfo("samples/c2_epoch_1.json")
    place = member.header_offset + 80
    content[place : place + 40] = bytes(40)
    (tmp_path / "bad.eval").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.eval: samples/c2_epoch_1\.json cannot be unpacked"):
        read_logs(tmp_path / "bad.eval")


def test_logs_of_other_questions_are_not_compared(tmp_path: Path) -> None:
    ours = eval_log(tmp_path / "ours.eval", [sample("a", "C")])
    other = eval_log(tmp_path / "other.eval", [sample("a", "C", input="Something else?")])
    with pytest.raises(ValueError, match=r"sample a: question 'a' is not the one of .*ours\.eval, sample a.* --match question"):
        compare(f"ours={ours}", f"other={other}", folder=tmp_path)
    far = eval_log(tmp_path / "far.eval", [sample("b", "C")])
    with pytest.raises(ValueError, match=r"ours and far have no question in common, matched by id\. .* --match question"):
        compare(f"ours={ours}", f"far={far}", folder=tmp_path)
    with pytest.raises(ValueError, match="two logs are needed, but there is only baker"):
        compare(ours, folder=tmp_path)
    with pytest.raises(ValueError, match=r"--cluster page: no answer has such a field. The fields are task"):
        compare(f"ours={ours}", f"again={ours}", folder=tmp_path, cluster="page")


def test_choices_in_another_order_are_the_same_question(tmp_path: Path) -> None:
    """Inspect can shuffle the choices of each run: the letter of the target moves with them."""
    first = sample("a", "C", choices=["mass", "force"], target="B", output={"choices": [{"message": {"content": "ANSWER: B"}}]})
    second = sample("a", "C", choices=["force", "mass"], target="A", output={"choices": [{"message": {"content": "ANSWER: A"}}]})
    logs = f"first={eval_log(tmp_path / '1.eval', [first])}", f"second={eval_log(tmp_path / '2.eval', [second])}"
    compare(*logs, folder=tmp_path, regrade=True)
    assert set(verdicts(tmp_path).values()) == {1.0}


def test_the_command_loads_nothing_but_the_small_packages(tmp_path: Path) -> None:
    """So that `pip install 'plumbline[logs]'` is enough."""
    code = (
        "import sys; from click.testing import CliRunner; from plumbline.commands.main import plumbline\n"
        f"done = CliRunner().invoke(plumbline, ['compare-logs', {str(LOGS / 'inspect')!r}, '--page', {str(tmp_path / 'page.html')!r}])\n"
        "assert done.exit_code == 0, done.output\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "pyarrow" in loaded and "jinja2" in loaded and not loaded & HEAVY
