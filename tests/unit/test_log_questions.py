"""Which questions logs ask, and what a score of theirs means: nothing is silently replaced, merged or scaled."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from plumbline.commands.compare_logs import LogOutputs, LogQuestions, main
from plumbline.commands.compare_logs import command as compare_logs
from plumbline.commands.grade import command as grade
from plumbline.comparing.logs.arms import arms_of, differing_settings
from plumbline.comparing.logs.log_grades import ScoreParams
from plumbline.comparing.logs.logged_answer import LogArm, Tool
from plumbline.comparing.logs.matching import matched
from plumbline.comparing.logs.recognise import read_logs
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question
from tests.unit.test_compare_logs import LOGS, compare, eval_log, sample, verdicts, write


def benchmark(path: Path, *texts: str) -> Path:
    made = [
        Question(id=str(place), kind="numeric", question=text, choices={}, target="1", unit=None, key_points=(), cluster="c")
        for place, text in enumerate(texts)
    ]
    path.write_text("".join(one.model_dump_json() + "\n" for one in made), encoding="utf-8")
    return path


# ---- a benchmark of other questions


def test_a_benchmark_of_other_questions_is_refused_with_both_texts(tmp_path: Path) -> None:
    rows = [{"id": place, "question": f"What is force {place}?", "response": "1", "arm": arm} for arm in "xy" for place in range(3)]
    log = write(tmp_path / "log.jsonl", rows)
    other = benchmark(tmp_path / "other.jsonl", *(f"What is mass {place}?" for place in range(3)))
    with pytest.raises(Refused, match=r"log\.jsonl, line 1: '0' asks 'What is force 0\?', but the benchmark asks 'What is mass 0\?'"):
        compare(log, folder=tmp_path, benchmark=other)


@pytest.mark.parametrize(
    "logged",
    ["What is  force 0?", "Answer with a number.\n\nwhat is force 0?\nAnswer:", "What is force", ""],
    ids=["spaces", "a prompt", "its beginning", "none"],
)
def test_the_question_of_a_benchmark_stands_in_the_prompt_of_a_log(tmp_path: Path, logged: str) -> None:
    log = write(tmp_path / "log.jsonl", [{"id": "0", "question": logged, "response": "1", "arm": arm} for arm in "xy"])
    _, kinds = compare(log, folder=tmp_path, benchmark=benchmark(tmp_path / "b.jsonl", "What is force 0?"))
    assert kinds["numeric"]["arms"]["x"]["correct"] == 1


def test_repeats_stay_repeats_with_a_benchmark(tmp_path: Path) -> None:
    rows = [{"id": "0", "epoch": str(epoch), "response": said, "arm": arm} for arm in "xy" for epoch, said in enumerate(("1", "2"))]
    _, kinds = compare(write(tmp_path / "log.jsonl", rows), folder=tmp_path, benchmark=benchmark(tmp_path / "b.jsonl", "What is force 0?"))
    assert kinds["numeric"]["n"] == 1 and kinds["numeric"]["arms"]["x"]["score"]["value"] == 0.5


# ---- two questions of one text


@pytest.mark.parametrize("second", [{"id": "b"}, {"target": "no"}], ids=["id", "target"])
def test_two_questions_of_one_text_are_not_samples_of_one(tmp_path: Path, second: dict[str, object]) -> None:
    log = tmp_path / "x.json"
    samples = [sample("a", "C", input="Which?"), sample("a", "I", input="Which?") | second | {"epoch": 2}]
    log.write_text(json.dumps({"status": "success", "eval": {"task": "t", "model": "m"}, "samples": samples}, indent=2), encoding="utf-8")
    with pytest.raises(
        Refused, match=r"sample [ab]: the question 'Which\?' is also at .*sample a, under another id or with another target"
    ):
        compare(f"x={log}", f"y={log}", folder=tmp_path, match="question")


def test_two_tasks_with_one_question_are_matched_by_id(tmp_path: Path) -> None:
    row = {"id": "a", "question": "Which?", "score": 1}
    log = write(tmp_path / "x.jsonl", [{**row, "task": task, "arm": arm} for arm in "xy" for task in ("short", "long")])
    with pytest.raises(Refused, match=r"line 2: the question 'Which\?' is also at .*line 1.* Match the logs with --match id"):
        compare(log, folder=tmp_path, match="question")
    compare(log, folder=tmp_path, match="id")
    assert len(verdicts(tmp_path)) == 4


def test_tables_with_other_choices_under_one_id_ask_two_questions(tmp_path: Path) -> None:
    row = {"id": "a", "question": "Which is true?", "kind": "mcq", "reference": "A", "response": "A"}
    first = write(tmp_path / "first.jsonl", [{**row, "choices": ["ice floats", "ice sinks"]}])
    second = write(tmp_path / "second.jsonl", [{**row, "choices": ["the sun is hot", "the sun is cold"]}])
    with pytest.raises(Refused, match=r"question 'a' is not the one of .* or has other choices or another target"):
        compare(first, second, folder=tmp_path)
    moved = write(tmp_path / "moved.jsonl", [{**row, "choices": ["ice sinks", "ice floats"], "reference": "B", "response": "B"}])
    compare(first, moved, folder=tmp_path)
    assert set(verdicts(tmp_path).values()) == {1.0}, "the letters moved, the question is the same"


# ---- cells of a table


def test_booleans_of_a_table_are_scores_and_an_empty_response_is_a_wrong_answer(tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_text("id,arm,score\n0,x,True\n0,y,False\n1,x,false\n1,y,TRUE\n", encoding="utf-8")
    compare(scores, folder=tmp_path)
    assert verdicts(tmp_path) == {("x", "0"): 1.0, ("x", "1"): 0.0, ("y", "0"): 0.0, ("y", "1"): 1.0}
    said = tmp_path / "said.csv"
    said.write_text("id,arm,kind,question,reference,response\n0,x,numeric,Force?,12,\n0,y,numeric,Force?,12,12\n", encoding="utf-8")
    _, kinds = compare(said, folder=tmp_path)
    assert kinds["numeric"]["arms"]["x"]["unparsed"] == 1 and kinds["numeric"]["arms"]["y"]["correct"] == 1


def test_zero_is_an_id_an_arm_and_a_task(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", [{"id": 0, "task": 0, "response": "1", "arm": arm} for arm in (0, 1)])
    _, kinds = compare(log, folder=tmp_path, benchmark=benchmark(tmp_path / "b.jsonl", "What is force 0?"))
    assert list(kinds["numeric"]["arms"]) == ["0", "1"]
    assert [(log.model, log.answers[0].id, log.answers[0].task) for log in read_logs(log)] == [("0", "0", "0"), ("1", "0", "0")]


# ---- scales and slices


@pytest.mark.parametrize(("value", "score"), [("C", 1.0), ("P", 0.5), ("I", 0.0), (True, 1.0), (7, 0.7), ("7", 0.7)], ids=str)
def test_a_scale_is_of_numbers_and_not_of_letters_or_booleans(tmp_path: Path, value: object, score: float) -> None:
    log = eval_log(tmp_path / "log.eval", [sample("a", value)])
    compare(f"first={log}", f"second={log}", folder=tmp_path, low=0.0, high=10.0)
    assert verdicts(tmp_path)["second", "a"] == score


def test_a_slice_that_two_logs_see_otherwise_is_refused_as_a_cluster_is(tmp_path: Path) -> None:
    rows = [{"id": "a", "arm": arm, "score": 1, "topic": topic} for arm, topic in (("x", "optics"), ("y", "waves"))]
    log = write(tmp_path / "log.jsonl", rows)
    for given in ({"slice_by": "topic"}, {"cluster": "topic"}):
        with pytest.raises(Refused, match=r"line 2: topic is 'waves', but 'optics' elsewhere for the same question\. Correct one of them"):
            compare(log, folder=tmp_path, **given)
    compare(log, folder=tmp_path)
    assert json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))["slices"] == []


# ---- outputs


def test_no_output_replaces_what_is_read_or_another_output(tmp_path: Path) -> None:
    rows = [{"id": "0", "question": "What is force 0?", "response": "1", "arm": arm} for arm in "xy"]
    logs = tmp_path / "logs"
    logs.mkdir()
    log, asked = write(logs / "log.jsonl", rows), benchmark(tmp_path / "b.jsonl", "What is force 0?")
    link = tmp_path / "link.jsonl"
    link.symlink_to(log)
    before = log.read_bytes(), asked.read_bytes()
    for given in (log, logs):
        for output in (log, link, asked):
            for outputs in (LogOutputs(verdicts=output), LogOutputs(numbers=output), LogOutputs(page=output)):
                with pytest.raises(Refused, match=r"is an input .*, and writing would replace it\. Give another path"):
                    main([str(given)], scores=ScoreParams(), questions=LogQuestions(benchmark=asked), outputs=outputs)
    one = LogOutputs(verdicts=tmp_path / "out", numbers=tmp_path / "out")
    with pytest.raises(Refused, match=r"are the same file\. Give each output its own path"):
        main([str(log)], scores=ScoreParams(), questions=LogQuestions(benchmark=asked), outputs=one)
    assert (log.read_bytes(), asked.read_bytes()) == before and not (tmp_path / "out").exists()


def test_the_results_next_to_the_samples_of_the_harness_are_read_too(tmp_path: Path) -> None:
    shutil.copytree(LOGS / "lm_eval", tmp_path / "lm_eval")
    [results] = (tmp_path / "lm_eval/first").rglob("results_*.json")
    logs = [str(tmp_path / "lm_eval/first"), str(tmp_path / "lm_eval/second")]
    with pytest.raises(Refused, match="is an input"):
        main(logs, scores=ScoreParams(), questions=LogQuestions(), outputs=LogOutputs(numbers=results))


@pytest.mark.parametrize("option", ["--out", "--json"])
def test_grade_does_not_replace_the_answers_or_the_benchmark(tmp_path: Path, option: str) -> None:
    answers, asked = write(tmp_path / "a.jsonl", [{"id": "0", "response": "1", "arm": "x"}]), benchmark(tmp_path / "b.jsonl", "Force?")
    before = answers.read_bytes(), asked.read_bytes()
    for output in (answers, asked):
        ended = CliRunner().invoke(grade, [str(answers), "--benchmark", str(asked), option, str(output)])
        assert ended.exit_code == 1 and "writing would replace it" in ended.output
    assert (answers.read_bytes(), asked.read_bytes()) == before


# ---- tables that people have


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "None", "N/A"])
def test_a_score_that_is_missing_leaves_its_answer_unjudged(tmp_path: Path, cell: str) -> None:
    log = table(tmp_path / "log.csv", f"id,arm,score,question\na,x,1,Q1?\nb,x,{cell},Q2?\na,y,0,Q1?\nb,y,1,Q2?\n")
    _, kinds = compare(log, folder=tmp_path)
    assert verdicts(tmp_path) == {("x", "a"): 1.0, ("x", "b"): None, ("y", "a"): 0.0, ("y", "b"): 1.0}
    assert kinds["explanation"]["arms"]["x"]["unjudged"] == 1 and kinds["explanation"]["comparisons"][0]["n"] == 1


def test_letters_of_inspect_are_scores_in_a_table_too(tmp_path: Path) -> None:
    log = table(tmp_path / "log.csv", "id,model,score\na,x,C\nb,x,I\na,y,P\nb,y,N\n")
    compare(log, folder=tmp_path, low=0.0, high=10.0)
    assert verdicts(tmp_path) == {("x", "a"): 1.0, ("x", "b"): 0.0, ("y", "a"): 0.5, ("y", "b"): 0.0}


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_score_names_a_column_of_a_table_and_model_is_the_arm(tmp_path: Path, suffix: str) -> None:
    rows = [{"id": name, "model": arm, "correct": arm == "x"} for arm in "xy" for name in "ab"]
    if suffix == "jsonl":
        log = write(tmp_path / "log.jsonl", rows)
    else:
        log = table(tmp_path / "log.csv", "id,model,correct\n" + "".join(f"{','.join(map(str, row.values()))}\n" for row in rows))
    compare(log, folder=tmp_path, names=("correct",))
    assert verdicts(tmp_path) == {("x", "a"): 1.0, ("x", "b"): 1.0, ("y", "a"): 0.0, ("y", "b"): 0.0}


def test_a_table_without_a_score_is_told_its_columns_and_the_option(tmp_path: Path) -> None:
    log = table(tmp_path / "log.csv", "id,model,accuracy\na,x,1\n")
    with pytest.raises(Refused, match=r"line 2: neither score nor response\. The columns are id, model, accuracy\. .* --score NAME"):
        compare(log, folder=tmp_path)
    log = table(tmp_path / "log.csv", "qid,arm,score\na,x,1\n")
    with pytest.raises(Refused, match=r"neither id nor question\. The columns are qid, arm, score\."):
        compare(log, folder=tmp_path)


@pytest.mark.parametrize("num_choices", [2, 26, 30])
def test_every_choice_of_a_log_is_kept_and_what_our_grader_cannot_read_is_said(tmp_path: Path, num_choices: int) -> None:
    texts = [f"option {place}" for place in range(num_choices)]
    last = {2: "B", 26: "Z", 30: "4"}[num_choices]
    logs = [
        eval_log(tmp_path / f"{name}.eval", [sample("a", value, choices=texts, target=last, output=said(last))])
        for name, value in (("x", "C"), ("y", "I"))
    ]
    [answer] = read_logs(logs[0])[0].answers
    assert list(answer.choices.values()) == texts and answer.choices[last] == texts[-1], "Inspect counts on with numbers behind Z"
    words, kinds = compare(*(f"{path.stem}={path}" for path in logs), folder=tmp_path, regrade=True)
    assert kinds["mcq"]["n"] == 1
    assert ("30 choices, but answers with at most 26 are graded here" in words) == (num_choices == 30)
    if num_choices == 30:
        assert verdicts(tmp_path) == {("x", "a"): 1.0, ("y", "a"): 0.0}, "the scores of the tool are taken"


def said(text: str) -> dict[str, object]:
    return {"choices": [{"message": {"content": text}, "stop_reason": "stop"}], "completion": text}


def test_likelihoods_of_thirty_choices_name_the_most_probable(tmp_path: Path) -> None:
    row = {
        "doc_id": 0, "doc": {"question": "Q"}, "target": "27", "filter": "none", "metrics": ["acc"], "acc": 1.0,
        "resps": [[[-1.0 if place == 27 else -5.0, "False"]] for place in range(30)],
        "arguments": {f"gen_args_{place}": {"arg_0": "Q", "arg_1": f" option {place}"} for place in range(30)},
    }  # fmt: skip
    [answer] = read_logs(write(tmp_path / "samples_t_2026-01-01T00-00-00.000000.jsonl", [row]))[0].answers
    assert answer.response == answer.target == "2" and answer.choices["2"] == "option 27" and len(answer.choices) == 30


@pytest.mark.parametrize("column", ["epoch", "repeat"])
def test_repeats_of_a_table_are_averaged_and_a_row_twice_is_refused(tmp_path: Path, column: str) -> None:
    rows = "a,x,1,1\na,x,2,0\na,y,1,1\na,y,2,1\n"
    compare(table(tmp_path / "log.csv", f"id,arm,{column},score\n{rows}"), folder=tmp_path)
    assert verdicts(tmp_path) == {("x", "a"): 0.5, ("y", "a"): 1.0}
    with pytest.raises(Refused, match=r"line 6: this is a second answer of x to 'a'"):
        compare(table(tmp_path / "log.csv", f"id,arm,{column},score\n{rows}a,x,2,1\n"), folder=tmp_path)


def test_a_score_that_is_no_number_is_named_once_and_regrade_only_where_it_can_work(tmp_path: Path) -> None:
    log = table(tmp_path / "log.csv", "id,arm,score\na,x,good\na,y,bad\n")
    with pytest.raises(Refused, match=r"line 2: the score is 'good', not a number\. Write 1 and 0") as refused:
        compare(log, folder=tmp_path)
    assert "--regrade" not in str(refused.value)
    log = table(tmp_path / "log.csv", "id,arm,score,response,reference\na,x,good,2,2\na,y,bad,3,2\n")
    with pytest.raises(Refused, match="--regrade"):
        compare(log, folder=tmp_path)


# ---- a tool that logs its prompt as the question


@pytest.mark.parametrize("turned", [False, True])
def test_a_question_is_found_in_the_prompt_that_another_tool_logs(tmp_path: Path, turned: bool) -> None:
    logs = [LOGS / "evalscope/first", LOGS / "inspect/second"]
    text, kinds = compare(*(reversed(logs) if turned else logs), folder=tmp_path)
    assert (kinds["mcq"]["n"], kinds["mcq"]["comparisons"][0]["n"], kinds["numeric"]["comparisons"][0]["n"]) == (6, 6, 5)
    assert "is matched with" not in text


def test_of_the_questions_in_a_prompt_the_last_one_is_asked_and_its_choices_must_agree(tmp_path: Path) -> None:
    prompt = "Example: Which unit is that of power? watt\n\nWhich unit is that of force?"
    log = eval_log(tmp_path / "a.eval", [sample("a", "C", input=prompt)])
    names = ("Which unit is that of power?", "Which unit is that of force?")
    other = write(tmp_path / "b.jsonl", [{"id": place, "question": text, "score": 0} for place, text in enumerate(names)])
    [one] = [one for one in matched(arms_of([f"a={log}", f"b={other}"]), None) if len(one.answers) == 2]
    assert one.answers["b"][0].question == names[1]
    odd = write(tmp_path / "c.jsonl", [{"id": 0, "question": names[1], "choices": ["newton", "ampere"], "score": 0}])
    with pytest.raises(Refused, match="have no question in common"):
        matched(arms_of([f"a={log}", f"c={odd}"]), None)


def test_two_prompts_around_one_question_are_matched_with_none(tmp_path: Path) -> None:
    samples = [sample(name, "C", input=f"{name}: Which unit is that of force?") for name in ("short", "long")]
    log = eval_log(tmp_path / "a.eval", [*samples, sample("both", "C", input="What is both?")])
    other = write(
        tmp_path / "b.jsonl", [{"id": text, "question": text, "score": 0} for text in ("Which unit is that of force?", "What is both?")]
    )
    found = matched(arms_of([f"a={log}", f"b={other}"]), None)
    assert [one.sample.question for one in found if len(one.answers) == 2] == ["What is both?"]


def test_a_kind_in_which_no_question_is_paired_is_named_with_both_texts(tmp_path: Path) -> None:
    first = [{"id": "n", "question": "How much?", "reference": "2", "response": "2"}]
    letters = {"kind": "mcq", "choices": ["x", "y"], "reference": "A", "response": "A"}
    rows = [{"arm": arm, "kind": "numeric", **first[0]} for arm in "xy"]
    rows += [{"arm": arm, "id": arm, "question": f"Which one of {arm}?", **letters} for arm in "xy"]
    text, _ = compare(write(tmp_path / "log.jsonl", rows), folder=tmp_path)
    assert (
        "! mcq: none of the 1 question of x is matched with one of y; the first one of x begins 'Which one of x?', that of y 'Which one of y?'"
        in text
    )


def test_settings_that_one_tool_alone_logs_are_one_sentence(tmp_path: Path) -> None:
    inspect = LogArm(
        name="a",
        answers=(),
        tools=frozenset({Tool.INSPECT}),
        settings={"t: epochs": "1", "t: limit": "5", "t: solver": "s"},
        warnings=(),
        paths=(),
    )
    harness = replace(inspect, name="b", tools=frozenset({Tool.LM_EVAL}), settings={"t: limit": "6", "t: n-shot": "0"})
    assert differing_settings([inspect, harness]) == [
        "t: limit differs: a 5, b 6",
        "Inspect and lm-evaluation-harness log different settings: 3 settings of one of them could not be compared",
    ]
    other = replace(inspect, name="c", settings={"t: epochs": "1", "t: limit": "5"})
    assert differing_settings([inspect, other]) == ["t: solver differs: a s, c has none"], "within one tool none is a value"
    assert differing_settings([inspect, replace(harness, settings={})]) == []


# ---- what is said at the end


@pytest.mark.parametrize("name", ["grade", "compare-logs"])
def test_every_file_that_was_written_is_named(tmp_path: Path, name: str) -> None:
    rows = [
        {"id": "a", "arm": arm, "kind": "numeric", "question": "How much?", "reference": "2", "response": response}
        for arm, response in (("x", "2"), ("y", "3"))
    ]
    given = [str(write(tmp_path / "a.jsonl", rows)), "--out", str(tmp_path / "v.jsonl"), "--json", str(tmp_path / "n.json")]
    ended = CliRunner().invoke(grade if name == "grade" else compare_logs, given)
    assert ended.exit_code == 0, ended.output
    assert f"verdicts: {tmp_path / 'v.jsonl'}\n" in ended.output and f"numbers: {tmp_path / 'n.json'}\n" in ended.output
    assert "numeric      1 question\n" in ended.output and "right only in x: 1, only in y: 0" in ended.output
    if name == "compare-logs":
        ended = CliRunner().invoke(compare_logs, [given[0], "--page", str(tmp_path / "p.html")])
        assert ended.output.endswith(f"page: {tmp_path / 'p.html'}\n")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--relative-tolerance", "5", "5 is not a fraction of the target. Give a number from 0 to below 1; 0.05 is 5 percent."),
        ("--relative-tolerance", "-0.1", "is not a fraction"),
        ("--relative-tolerance", "nan", "is not a fraction"),
        ("--absolute-tolerance", "-1", "is not a distance from the target"),
        ("--absolute-tolerance", "inf", "is not a distance from the target"),
    ],
)
def test_a_tolerance_that_is_none_is_refused(option: str, value: str, said: str) -> None:
    for command in (grade, compare_logs):
        ended = CliRunner().invoke(command, ["a.csv", option, value])
        assert ended.exit_code == 2 and said in " ".join(ended.output.replace("│", " ").split())
