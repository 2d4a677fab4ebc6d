"""Answers from elsewhere are graded by the same graders, counted by the same outcomes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plumbline.commands.check_benchmark import command as check_benchmark
from plumbline.commands.grade import NUM_RESAMPLES, SEED, command, main
from plumbline.commands.known_questions import known_questions
from plumbline.comparing.answers_ledger import answer_ledgers, pairs_of
from plumbline.comparing.graded_answers import GradedAnswer, grade_file
from plumbline.grading.run import GradeFiles, grade_files
from plumbline.grading.tolerance import Tolerance
from plumbline.judging.params import JudgeParams
from plumbline.judging.run import JudgeFiles, judge_explanations
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.reporting.ledger import KindLedger, ledgers
from plumbline.reporting.scored import join_verdicts
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import Kind
from plumbline.splitting.benchmark import read_benchmark
from tests.fakes.evaluation_world import World, make_world, write_world

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "answers_from_elsewhere.csv"
TOLERANCE = Tolerance(relative=0.05, absolute=None)
KEY_POINTS_JUDGE = {"backend": "key_points", "num_canary_questions": 0}


def graded(path: Path, out: Path, **changes: Any) -> tuple[str, list[GradedAnswer]]:
    text = main(path, out=out, tolerance=TOLERANCE, **changes)
    return text, list(read_jsonl(out, GradedAnswer))


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def exported(world: World) -> list[dict[str, object]]:
    """The answers of a world as another tool would hand them over."""
    questions = {question.id: question for question in world.questions}
    rows: list[dict[str, object]] = []
    for arm in world.arms:
        for answer in world.answers[arm]:
            question = questions[answer.id]
            rows.append(
                {
                    **question.model_dump(include={"id", "kind", "question", "unit", "choices", "key_points", "cluster"}, mode="json"),
                    "reference": question.target,
                    "response": answer.response,
                    "arm": arm,
                }
            )
    return rows


def of_the_pipeline(world: World, folder: Path) -> dict[Kind, KindLedger]:
    """What `grade`, `judge` and `report` make of the same answers."""
    files = write_world(world, folder)
    grades = grade_files(GradeFiles(benchmark=files.benchmark, answers=files.answers, graded=files.graded), TOLERANCE)
    fields = dict.fromkeys(JudgeParams.model_fields) | {"epoch": 1} | KEY_POINTS_JUDGE
    judge = JudgeParams.model_validate(fields)
    judge_explanations(judge, JudgeFiles(questions=files.benchmark, answers=files.answers, judged=files.judged))
    judgements = list(read_jsonl(files.judged, Judgement))
    scored = join_verdicts(world.questions, [*world.answers["base"], *world.answers["tuned"]], grades, judgements)
    return ledgers(world.questions, scored, comparisons=world.comparisons, overlapping=(), seed=SEED, num_resamples=NUM_RESAMPLES)


def test_the_example_is_graded_as_a_reader_would(tmp_path: Path) -> None:
    text, rows = graded(EXAMPLE, tmp_path / "graded.jsonl")
    outcomes = {(row.id, row.arm): row.outcome.value for row in rows}
    assert outcomes == {
        ("q1", "first"): "correct",
        ("q1", "second"): "correct",
        ("q2", "first"): "incorrect",
        ("q2", "second"): "correct",
        ("q3", "first"): "correct",
        ("q3", "second"): "incorrect",
        ("q4", "first"): "correct",
        ("q4", "second"): "unparsed",
        ("q5", "first"): "incorrect",
        ("q5", "second"): "correct",
        ("q6", "first"): "unjudged",
    }
    assert "numeric      second - first: +0.000" in text
    assert "unjudged 1" in text


def test_csv_and_json_lines_of_the_same_answers_give_the_same_verdicts(tmp_path: Path) -> None:
    row = {"question": "Force?", "response": "0.012 kN", "reference": "12", "kind": "numeric", "unit": "N"}
    choice = {"question": "Which?", "response": "(B)", "reference": "B", "kind": "mcq", "choices": {"A": "mass", "B": "force"}}
    lines, table = tmp_path / "answers.jsonl", tmp_path / "answers.csv"
    lines.write_text("".join(json.dumps(fields) + "\n" for fields in (row, choice)), encoding="utf-8")
    table.write_text(
        'question,response,reference,kind,unit,choices\nForce?,0.012 kN,12,numeric,N,\nWhich?,(B),B,mcq,,"{""A"": ""mass"", ""B"": ""force""}"\n',
        encoding="utf-8",
    )
    first, second = graded(lines, tmp_path / "a.jsonl"), graded(table, tmp_path / "b.jsonl")
    assert first[0] == second[0]
    assert [row.outcome for row in first[1]] == [row.outcome for row in second[1]] == ["correct", "correct"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no rows"),
        ('{"question": "Q", "response": "R", "reference": "x", "kind": "numeric"}\n', "line 1: target 'x': not a number"),
        ('{"question": "Q", "response": "R", "reference": "1", "kind": "essay"}\n', "line 1"),
        ('{"question": "Q", "response": "R", "reference": "0", "kind": "numeric"}\n', "absolute_tolerance"),
        ('{"question": "Q", "response": "R", "reference": "1", "kind": "numeric"}\n' * 2, "line 2: this is a second answer"),
        ("not json\n", "not readable"),
        ("\n[1, 2]\n", r"answers\.jsonl, line 2: '\[1, 2\]' is not a JSON object"),
        ("12\n", "line 1: '12' is not a JSON object"),
    ],
    ids=["empty", "bad reference", "bad kind", "zero", "twice", "no JSON", "a list", "a number"],
)
def test_a_file_that_cannot_be_graded_is_refused_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        graded(path, tmp_path / "graded.jsonl")
    assert not (tmp_path / "graded.jsonl").exists()


def test_an_empty_answer_is_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("question,response,reference,kind\nForce?,,12,numeric\n", encoding="utf-8")
    assert graded(path, tmp_path / "graded.jsonl")[1][0].outcome == "unparsed"


@pytest.fixture(scope="module")
def world() -> World:
    made = make_world(num_mcq=60, num_numeric=60, num_explanation=40, num_clusters=10)
    # A judge by key points needs something to find: each third explanation says both.
    for arm in made.arms:
        for place, answer in enumerate(made.answers[arm]):
            if answer.id.startswith("explanation") and int(answer.id[-4:]) % (3 if arm == "tuned" else 5) == 0:
                made.answers[arm][place] = answer.model_copy(
                    update={"response": "The total momentum is conserved because no outer force acts on them."}
                )
    return made


def test_our_own_answers_get_the_numbers_of_the_pipeline(world: World, tmp_path: Path) -> None:
    due = of_the_pipeline(world, tmp_path / "run")
    found = grade_file(write_rows(tmp_path / "answers.jsonl", exported(world)), TOLERANCE)
    by_kind = answer_ledgers(found, comparisons=pairs_of(found.graded, ()), seed=SEED, num_resamples=NUM_RESAMPLES)
    assert list(by_kind) == list(due) == ["mcq", "numeric", "explanation"]
    for kind, ledger in by_kind.items():
        assert (ledger.n, ledger.num_clusters, ledger.chance) == (due[kind].n, due[kind].num_clusters, due[kind].chance)
        assert ledger.num_clusters == 10 and ledger.headline.p_holm == due[kind].headline.p_holm is not None
        assert ledger.headline.comparison == due[kind].headline.comparison is not None
        for arm, counts in ledger.arms.items():
            other = due[kind].arms[arm]
            assert (counts.estimate, counts.failures_as_zero, counts.failures_as_one) == (
                other.estimate, other.failures_as_zero, other.failures_as_one,
            )  # fmt: skip
            assert (counts.readings, counts.tiers, counts.flags) == (other.readings, other.tiers, other.flags)
    explained = by_kind["explanation"].arms["tuned"].estimate
    assert explained is not None and 0 < explained.mean < 1


def test_a_row_of_id_and_response_is_enough_next_to_the_benchmark(world: World, tmp_path: Path) -> None:
    rows = exported(world)
    whole = main(write_rows(tmp_path / "whole.jsonl", rows), tolerance=TOLERANCE, numbers=tmp_path / "whole.json")
    short = write_rows(tmp_path / "short.jsonl", [{name: row[name] for name in ("id", "arm", "response")} for row in rows])
    benchmark = {question.id: question for question in world.questions}
    assert main(short, tolerance=TOLERANCE, benchmark=benchmark, numbers=tmp_path / "short.json") == whole
    assert (tmp_path / "short.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    kinds = json.loads((tmp_path / "short.json").read_text())["kinds"]
    assert kinds["mcq"]["chance"] == 0.25 and kinds["mcq"]["comparisons"][0]["reference"] == "base"
    assert "truncated" not in kinds["mcq"]["arms"]["base"], "no file of answers says what was cut"


def test_what_no_arm_answered_still_counts_among_the_questions(world: World, tmp_path: Path) -> None:
    rows = [row for row in exported(world) if row["kind"] == "mcq" and not (row["arm"] == "tuned" and str(row["id"]).endswith("7"))]
    benchmark = {question.id: question for question in world.questions}
    short = write_rows(tmp_path / "short.jsonl", [{name: row[name] for name in ("id", "arm", "response")} for row in rows])
    text = main(short, tolerance=TOLERANCE, benchmark=benchmark)
    assert "mcq          60 questions in 10 clusters; blind guessing scores 0.250" in text
    assert "tuned        n 54" in text and "unanswered 6" in text and "pairs 54" in text and "numeric" not in text


def test_clusters_widen_the_interval_and_their_absence_is_said(world: World, tmp_path: Path) -> None:
    rows = [row for row in exported(world) if row["kind"] != "explanation"]
    without = [{name: value for name, value in row.items() if name != "cluster"} for row in rows]
    one = write_rows(tmp_path / "clustered.jsonl", rows)
    other = write_rows(tmp_path / "independent.jsonl", without)
    clustered = main(one, tolerance=TOLERANCE, numbers=tmp_path / "one.json")
    independent = main(other, tolerance=TOLERANCE, numbers=tmp_path / "other.json")
    assert "in 10 clusters" in clustered and "No row has a cluster" not in clustered
    assert "clusters" not in independent.splitlines()[0] and "give them one `cluster`" in independent
    methods = [json.loads((tmp_path / name).read_text())["kinds"]["mcq"]["comparisons"][0]["test"] for name in ("one.json", "other.json")]
    assert methods == ["mcnemar_exact_clustered", "mcnemar_exact"]


def test_any_number_of_arms_is_compared_with_the_first_or_as_declared(world: World, tmp_path: Path) -> None:
    rows = [row for row in exported(world) if row["kind"] == "mcq"]
    third = [{**row, "arm": "third"} for row in rows if row["arm"] == "tuned"]
    path = write_rows(tmp_path / "answers.jsonl", [*rows, *third])
    text = main(path, tolerance=TOLERANCE)
    assert "tuned - base" in text and "third - base" in text and "third - tuned" not in text
    assert "p by Holm holds for all 2 comparisons together" in text
    assert "third - tuned: +0.000" in main(path, tolerance=TOLERANCE, comparisons=[("tuned", "third")])
    with pytest.raises(ValueError, match=r"no answer is from arm 'fourth'\. The arms are base, tuned, third"):
        main(path, tolerance=TOLERANCE, comparisons=[("base", "fourth")])
    with pytest.raises(ValueError, match="cannot be compared with itself"):
        main(path, tolerance=TOLERANCE, comparisons=[("base", "base")])


QUESTION = {"id": "q", "question": "Why?", "kind": "explanation", "reference": "No force acts.", "key_points": ["no force acts"]}


def test_an_explanation_is_judged_by_its_key_points_and_not_without(tmp_path: Path) -> None:
    said = {**QUESTION, "response": "It keeps going because no force acts on it."}
    bare = {name: value for name, value in said.items() if name != "key_points"} | {"id": "r"}
    text, rows = graded(write_rows(tmp_path / "answers.jsonl", [said, bare]), tmp_path / "graded.jsonl")
    assert [(row.outcome, row.score, row.reading) for row in rows] == [("correct", 1.0, "scored"), ("unjudged", None, "no_key_points")]
    assert "Unjudged because they have no `key_points`: 1 explanation." in text and "failures as 0: 0.500, as 1: 1.000" in text
    table = tmp_path / "answers.csv"
    table.write_text(
        'id,question,kind,reference,key_points,response\nq,Why?,explanation,No force acts.,"[""no force acts""]",It keeps going because no force acts on it.\n'
    )
    assert graded(table, tmp_path / "of_csv.jsonl")[1][0].score == 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cluster": "two"}, r"line 2: cluster is 'two', but 'one' in an earlier row of the same question"),
        ({"reference": "13"}, r"line 2: reference is '13', but '12' in line 1 for the same question"),
        ({"unit": "J"}, r"line 2: unit is 'J', but 'N' in line 1"),
    ],
    ids=["cluster", "reference", "unit"],
)
def test_rows_that_do_not_agree_on_a_question_are_refused(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    row = {"question": "Force?", "response": "12 N", "reference": "12", "unit": "N", "kind": "numeric", "cluster": "one", "arm": "a"}
    path = write_rows(tmp_path / "answers.jsonl", [row, {**row, "arm": "b", **changes}])
    with pytest.raises(ValueError, match=message):
        main(path, tolerance=TOLERANCE)
    # The remedies: correct one of them, or another id for another question.
    main(write_rows(path, [row, {**row, "arm": "b"}]), tolerance=TOLERANCE)
    main(write_rows(path, [{**row, "id": "1"}, {**row, "id": "2", **changes}]), tolerance=TOLERANCE)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "nowhere", "response": "A"}, "line 1: id 'nowhere' is not a question of the benchmark"),
        ({"response": "A"}, "line 1 has the keys response; needed are id, response"),
        ({"id": "mcq-0001", "response": "A", "reference": "D"}, "line 1: reference is 'D', but 'B' in the benchmark"),
    ],
    ids=["unknown", "no id", "another reference"],
)
def test_a_row_that_the_benchmark_does_not_know_or_contradicts_is_refused(
    world: World, tmp_path: Path, row: dict[str, str], message: str
) -> None:
    benchmark = {question.id: question for question in world.questions}
    with pytest.raises(ValueError, match=message):
        main(write_rows(tmp_path / "answers.jsonl", [row]), tolerance=TOLERANCE, benchmark=benchmark)


def test_the_answer_kinds_of_a_benchmark_are_graded_as_in_the_pipeline(tmp_path: Path) -> None:
    questions = read_benchmark(EXAMPLE.parent / "benchmarks/answer_kinds.jsonl", format_name="auto").questions
    said = {"vectors": "A", "friction": "no", "forces": "7 N; 5 N", "roots": "2 s and 1 s", "speed": "sqrt(2gh)", "wavelength": "2.05 m"}
    answers = write_rows(tmp_path / "answers.jsonl", [{"id": id, "response": text} for id, text in said.items()])
    _, rows = graded(answers, tmp_path / "graded.jsonl", benchmark={question.id: question for question in questions})
    assert {row.id: (row.outcome.value, row.score) for row in rows} == {
        "vectors": ("incorrect", 0.5),
        "friction": ("correct", 1.0),
        "forces": ("correct", 1.0),
        "roots": ("correct", 1.0),
        "speed": ("correct", 1.0),
        "wavelength": ("incorrect", 0.0),
    }
    row = {
        "question": "Vectors?",
        "response": "A, C",
        "reference": "A,C",
        "kind": "mcq",
        "choices": questions[0].choices,
        "answer_kind": "letters",
    }
    _, [alone] = graded(write_rows(tmp_path / "one.jsonl", [row]), tmp_path / "graded.jsonl")
    assert alone.outcome.value == "correct"


# ---- files that people have


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "prompt,output,gold,model\nHow?,1,1,a\n",
            r"a\.csv has the columns prompt, output, gold, model; needed are question, response, reference, kind\. Rename",
        ),
        ("question;response;reference\nHow?;3,5;3,5\n", r"has the columns question, response, reference; needed are .*\. Rename"),
        ("question,reference,kind\nHow?,1,numeric\n", r"has the columns question, reference, kind; needed are question, response"),
        ("question,response,reference,kind\nHow?,1,1,\n", r"line 2: kind is missing$"),
        (
            "question,response,reference,kind\nHow?,3,5,3,numeric\n",
            r"line 2: 5 cells below 4 columns\. Put a cell that holds a comma in quotes",
        ),
        ("question,response,reference,kind,topic\nHow?,1,1,numeric,x\n", r"line 2: topic is not a known key; known keys: .*question"),
        (
            "question,response,reference,kind,choices\nHow?,B,B,mcq,x|y\n",
            r"line 2: choices is 'x\|y', which is not JSON\. Write it like \{",
        ),
    ],
    ids=["own names", "semicolons", "no response", "an empty kind", "a comma", "unknown", "choices"],
)
def test_a_table_of_other_columns_is_told_what_it_has_and_what_is_needed(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said) as refused:
        grade_file(path, TOLERANCE)
    assert "Field required" not in str(refused.value)


def test_a_line_of_other_keys_is_told_what_it_has(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [{"prompt": "How?", "output": "1"}])
    with pytest.raises(ValueError, match=r"a\.jsonl, line 1 has the keys prompt, output; needed are question, response, reference, kind\."):
        grade_file(path, TOLERANCE)
    with pytest.raises(ValueError, match=r"needed are id, response\."):
        grade_file(path, TOLERANCE, benchmark={})


# ---- the questions of --benchmark


def test_a_benchmark_of_any_shape_that_is_recognised_gives_the_questions(tmp_path: Path) -> None:
    choices = {"label": ["A", "B"], "text": ["it is light", "it is cold"]}
    rows = [{"id": "q1", "question": "Why does ice float?", "choices": choices, "answerKey": "A"}]
    known = known_questions(write_rows(tmp_path / "arc.jsonl", rows))
    assert list(known) == ["arc-q1"] and known["arc-q1"].target == "A"
    answers = write_rows(
        tmp_path / "a.jsonl", [{"id": "arc-q1", "response": "A", "arm": "x"}, {"id": "arc-q1", "response": "B", "arm": "y"}]
    )
    ended = CliRunner().invoke(command, [str(answers), "--benchmark", str(tmp_path / "arc.jsonl")])
    assert ended.exit_code == 0 and "y - x: -1.000" in ended.output


def test_a_benchmark_of_no_known_shape_is_told_the_command_that_makes_one(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "odd.jsonl", [{"Frage": "How?", "Antwort": "1"}])
    with pytest.raises(
        Refused, match=r"the columns \['Antwort', 'Frage'\].* `plumbline check-benchmark FILE --column .*--out mine\.jsonl`"
    ) as refused:
        known_questions(path)
    assert "params.yaml" not in str(refused.value) and "pydantic" not in str(refused.value)
    remedy = ("question=Frage", "target=Antwort", "kind=numeric")
    words = [str(path), *(part for word in remedy for part in ("--column", word)), "--out", str(tmp_path / "mine.jsonl")]
    assert CliRunner().invoke(check_benchmark, words).exit_code == 0
    assert [question.target for question in known_questions(tmp_path / "mine.jsonl").values()] == ["1"], "the remedy works"


def test_two_questions_with_one_id_are_no_benchmark(tmp_path: Path) -> None:
    row = {"id": "q", "kind": "numeric", "choices": {}, "target": "1", "unit": None, "key_points": [], "cluster": "c"}
    path = write_rows(tmp_path / "own.jsonl", [row | {"question": "How?"}, row | {"question": "Why?"}])
    with pytest.raises(Refused, match=r"line 2: the id 'q' is also at .*line 1\. Give each question its own id"):
        known_questions(path)
