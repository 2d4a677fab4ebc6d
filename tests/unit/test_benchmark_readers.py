"""Benchmarks as people have them: recognised by their columns, read whole, refused by place, or left out with the reason."""

import csv
import gzip
import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from plumbline.pipeline.refused import Refused
from plumbline.splitting.benchmark import Benchmark, read_benchmark, read_questions
from plumbline.splitting.benchmark_columns import BenchmarkColumns
from plumbline.splitting.known_shapes import NAMES, SHAPES
from plumbline.splitting.question_faults import fault_of
from plumbline.splitting.recognition import knows
from plumbline.splitting.row_values import Row, hashed_order
from plumbline.splitting.shown_questions import question_lines, shown_questions

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples/benchmarks"
FILES = {
    "scibench.json": "scibench",
    "arc.jsonl": "arc",
    "sciq.jsonl": "sciq",
    "mmlu.jsonl": "mmlu",
    "mmlu.csv": "mmlu",
    "mmlu_pro.jsonl": "mmlu_pro",
    "gpqa.csv": "gpqa",
    "jeebench.json": "jeebench",
    "theoremqa.json": "theoremqa",
    "ugphysics.jsonl": "ugphysics",
    "inspect_samples.jsonl": "inspect",
    "lm_eval_samples.jsonl": "lm_eval",
    "answer_kinds.jsonl": "plumbline",
}
MAPPED = BenchmarkColumns(question="problem", correct="right", distractors=["wrong 1", "wrong 2"], tags=["chapter"], id="nr")


def read(name: str, **changes: Any) -> Benchmark:
    return read_benchmark(EXAMPLES / name, **{"format_name": "auto", **changes})


def by_id(name: str) -> dict[str, Any]:
    return {question.id: question for question in read(name).questions}


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def written(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_every_shape_has_an_example_and_a_row_in_the_documentation() -> None:
    page = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    assert {*FILES, "mapped.csv"} == {path.name for path in EXAMPLES.iterdir()}
    assert {shape.name for shape in SHAPES} - set(FILES.values()) == {"study"}, "examples of the study are in tests/pipeline/test_split.py"
    for name in (*NAMES, "mapped"):
        assert f"| `{name}` |" in page, f"docs/formats.md has no row for {name}"
    for name in (*FILES, "mapped.csv"):
        assert name in page, f"docs/formats.md does not name the example {name}"


@pytest.mark.parametrize(("name", "shape"), FILES.items())
def test_an_example_is_recognised_and_every_row_is_accounted_for(name: str, shape: str) -> None:
    found = read(name)
    assert found.shape == shape
    assert len(found.questions) + len(found.left_out) == found.num_rows
    assert all(fault_of(question) is None for question in found.questions)
    by_name = read(name, format_name=shape)
    assert by_name.questions == found.questions


@pytest.mark.parametrize("name", FILES)
def test_one_shape_alone_fits_the_rows_of_another(name: str) -> None:
    rows = read_rows_of(EXAMPLES / name)
    assert [shape.name for shape in SHAPES if all(shape.fits(row.content) for row in rows)] == [FILES[name]]


def read_rows_of(path: Path) -> list[Row]:
    from plumbline.splitting.benchmark_files import read_rows

    return [row for row in read_rows(path, knows) if isinstance(row, Row)]


def test_what_each_reader_makes_of_its_example() -> None:
    sci = by_id("scibench.json")
    assert sci["workbook-2.1(a)"].cluster == sci["workbook-2.1(b)"].cluster == "workbook-2.1"
    assert (sci["workbook-5.7"].target, sci["workbook-5.7"].unit) == ("1.25", r"10^5 \mathrm{~Pa}")
    arc = by_id("arc.jsonl")
    assert list(arc["arc-Own_2026_2"].choices) == ["1", "2", "3"] and arc["arc-Own_2026_2"].target == "2"
    assert arc["arc-Own_2026_3"].choices["B"] == "copper"
    friction, motion, power = read("sciq.jsonl").questions
    assert friction.choices[friction.target] == "friction" and power.gold_passage is None
    assert friction.gold_passage is not None and friction.gold_passage.startswith("A book") and friction.cluster == motion.cluster
    assert read("mmlu.jsonl").questions[0].target == "B" and read("mmlu.csv").questions[1].target == "C"
    jee = by_id("jeebench.json")
    assert (jee["Own-Paper-1-2"].answer_kind, jee["Own-Paper-1-2"].target, jee["Own-Paper-1-2"].partial_credit) == ("letters", "A,C", "jee")
    assert jee["Own-Paper-1-4"].tolerance.absolute == 0.01
    theorem = by_id("theoremqa.json")
    assert theorem["own/roots1.json"].target == "2; 3" and theorem["own/work1.json"].answer_kind == "yes_no"
    physics = by_id("ugphysics.jsonl")
    assert physics["ClassicalMechanics-1-EN"].target == r"\sqrt{2gh}"
    assert (physics["Electrodynamics-4-EN"].answer_kind, physics["Electrodynamics-4-EN"].unit) == ("numbers", "A")
    samples = by_id("inspect_samples.jsonl")
    assert samples["s2"].question == "How many seconds has an hour?" and samples["s2"].unit == "s"
    assert samples["s4"].target == "A,C" and samples["s3"].kind == "explanation"


def test_what_no_arm_can_be_asked_is_left_out_with_its_reason() -> None:
    assert [(one.id, one.reason) for one in read("theoremqa.json").left_out] == [("own/graph1.json", "needs_picture")]
    [equation] = read("ugphysics.jsonl").left_out
    assert equation.reason == "answer_kind_not_read" and "'EQ'" in equation.detail and "question 5" not in equation.where
    assert equation.where.endswith("ugphysics.jsonl, line 5")


def test_a_question_that_stands_twice_is_asked_once(tmp_path: Path) -> None:
    rows = lines_of(EXAMPLES / "mmlu.jsonl")
    found = read_benchmark(written(tmp_path / "b.jsonl", [*rows, rows[0]]), format_name="auto")
    assert [one.reason for one in found.left_out] == ["repeats_question"] and len(found.questions) == 2
    with pytest.raises(Refused, match=r"line 3 .*the id .* is also at line 1"):
        read_benchmark(written(tmp_path / "b.jsonl", [*rows, rows[0] | {"answer": 3}]), format_name="auto")


def test_documents_of_the_harness_are_read_by_their_own_shape(tmp_path: Path) -> None:
    documents = lines_of(EXAMPLES / "mmlu.jsonl")
    logged = [{"doc_id": number, "doc": doc, "target": "B", "arguments": [["Question ...", " A"]]} for number, doc in enumerate(documents)]
    found = read_benchmark(written(tmp_path / "samples.jsonl", logged), format_name="auto")
    assert found.shape == "lm_eval of mmlu" and found.questions == read("mmlu.jsonl").questions


def test_free_answers_of_the_harness_are_numbers_where_the_target_is_one(tmp_path: Path) -> None:
    row = {
        "doc_id": 7,
        "doc": {"question": "?"},
        "target": "Two and two.\n#### 4",
        "arguments": {"gen_args_0": {"arg_0": "What is 2 + 2?", "arg_1": {}}},
    }
    [question] = read_benchmark(written(tmp_path / "samples.jsonl", [row]), format_name="auto").questions
    assert (question.kind, question.target) == ("numeric", "4")


def test_the_order_of_choices_depends_on_the_question_alone() -> None:
    choices, target = hashed_order("q1", "right", ["x", "y", "z"])
    assert choices[target] == "right" and hashed_order("q1", "right", ["z", "y", "x"]) == (choices, target)
    places = [hashed_order(f"q{number}", "right", ["x", "y", "z"])[1] for number in range(400)]
    assert all(70 <= places.count(letter) <= 130 for letter in "ABCD"), "the right choice stands anywhere"


def changed(name: str, change: Callable[[list[dict[str, Any]]], object], folder: Path) -> Path:
    path, target = EXAMPLES / name, folder / name
    if path.suffix == ".csv":
        with path.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        change(rows)
        with target.open("w", newline="") as stream:
            table = csv.DictWriter(stream, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        return target
    rows = json.loads(path.read_text()) if path.suffix == ".json" else lines_of(path)
    change(rows)
    target.write_text(json.dumps(rows) if path.suffix == ".json" else "".join(json.dumps(row) + "\n" for row in rows))
    return target


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("arc.jsonl", lambda rows: rows[0].update(answerKey="E"), r"line 1 .*target 'E' is not among the choices"),
        ("arc.jsonl", lambda rows: rows[0]["choices"].update(text=["a", 1]), r"line 1 .*not text"),
        ("sciq.jsonl", lambda rows: rows[2].update(distractor2=""), r"line 3: distractor2 is missing or empty"),
        ("mmlu.jsonl", lambda rows: rows[0].update(answer=4), r"line 1: answer is 4\. Give the place of the right one of 4"),
        ("mmlu_pro.jsonl", lambda rows: rows[0].update(answer="D"), r"line 1: answer 'D' is not the option at answer_index 2"),
        ("scibench.json", lambda rows: rows[1].update(answer_number=""), r"question 2: answer_number is missing or empty"),
        ("ugphysics.jsonl", lambda rows: rows[2].update(answers="perhaps"), r"line 3: answers is 'perhaps' for answer_type TF"),
        ("gpqa.csv", lambda rows: rows[0].update({"Incorrect Answer 2": ""}), r"record 1: Incorrect Answer 2 is missing or empty"),
        ("jeebench.json", lambda rows: rows[0].update(type="Matrix"), r"question 1: type is 'Matrix'\. Accepted are MCQ"),
        ("jeebench.json", lambda rows: rows[1].update(gold="AE"), r"question 2 .*target 'A,E': not letters among"),
        ("theoremqa.json", lambda rows: rows[1].update(Answer="maybe"), r"question 2 .*Answer is 'maybe' for Answer_type bool"),
        (
            "inspect_samples.jsonl",
            lambda rows: rows[0].update(input=3, target="B"),
            r"line 1 .*input is neither text nor a list of messages",
        ),
        ("lm_eval_samples.jsonl", lambda rows: rows[0].update(target="5"), r"line 1: target is '5'\. Give the place of one of 2"),
        ("lm_eval_samples.jsonl", lambda rows: rows[0].update(arguments={}), r"line 1: arguments hold no prompt"),
        ("answer_kinds.jsonl", lambda rows: rows[0].update(target="A,E"), r"line 1 .*not letters among the choices"),
        ("answer_kinds.jsonl", lambda rows: rows[1].update(target="perhaps"), r"line 2 .*target 'perhaps' is not among"),
        ("answer_kinds.jsonl", lambda rows: rows[2].update(target="15 cm; 2"), r"line 3 .*'15 cm' is more than a number"),
        ("answer_kinds.jsonl", lambda rows: rows[2].update(kind="mcq"), r"line 3 .*answer_kind numbers on a question of kind mcq"),
        ("answer_kinds.jsonl", lambda rows: rows[4].update(target="a <= b"), r"line 5 .*not a formula that can be read"),
        (
            "answer_kinds.jsonl",
            lambda rows: rows[4].update(partial_credit="jee"),
            r"line 5 .*partial_credit on a question with one right answer",
        ),
        (
            "answer_kinds.jsonl",
            lambda rows: rows[5].update(tolerance=1.5),
            r"line 6 .*tolerance.relative is 1.5; give a number less than 1",
        ),
        ("answer_kinds.jsonl", lambda rows: rows[5].update(tolerance={}), r"line 6 .*tolerance without a number"),
        ("answer_kinds.jsonl", lambda rows: rows[5].update(target="0"), r"line 6 .*Write tolerance.absolute"),
        ("answer_kinds.jsonl", lambda rows: rows[5].update(tags="optics"), r"line 6 .*tags is 'optics'\. Give a list"),
    ],
)
def test_a_row_that_cannot_be_a_question_is_refused_by_place(
    name: str, change: Callable[[list[dict[str, Any]]], object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=words):
        read_benchmark(changed(name, change, tmp_path), format_name="auto")


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("scibench.json", lambda rows: rows[1].update(answer_number="ten"), "target 'ten': not a number"),
        ("scibench.json", lambda rows: rows[2].update(unit="N i-hat"), "unit 'N i-hat'"),
        ("theoremqa.json", lambda rows: rows[2].update(Answer="[2, x]"), "target 'x': not a number"),
        ("theoremqa.json", lambda rows: rows[2].update(Answer="[[1, 2], [3, 4]]"), "a list of lists"),
        ("theoremqa.json", lambda rows: rows[3].update(Question="Which is larger?"), "no choices (A)"),
        ("jeebench.json", lambda rows: rows[1].update(question="Match the lists."), "no choices (A)"),
        ("ugphysics.jsonl", lambda rows: rows[0].update(answers="\\int_0^1 x dx"), "not a formula that can be read"),
        ("inspect_samples.jsonl", lambda rows: rows[2].update(target=["one", "two"]), "2 targets, and any of them is right"),
    ],
)
def test_what_no_rule_reads_in_a_published_benchmark_is_left_out(
    name: str, change: Callable[[list[dict[str, Any]]], object], reason: str, tmp_path: Path
) -> None:
    before, found = read(name), read_benchmark(changed(name, change, tmp_path), format_name="auto")
    assert len(found.left_out) == len(before.left_out) + 1 and len(found.questions) == len(before.questions) - 1
    assert any(reason in one.detail for one in found.left_out)


def test_different_problems_are_all_named_at_once_up_to_twenty_each_with_its_rows(tmp_path: Path) -> None:
    plain = {"kind": "numeric", "question": "How many?", "choices": {}, "target": "x", "unit": None, "key_points": [], "cluster": "c"}
    with pytest.raises(Refused) as refused:
        read_benchmark(written(tmp_path / "b.jsonl", [plain | {"id": f"q{number}"} for number in range(8)]), format_name="auto")
    path = tmp_path / "b.jsonl"
    assert str(refused.value).startswith(f"{path}: 8 rows (lines 1, 2, 3, 4, 5 and 3 more): target 'x': not a number.")
    assert "\n" not in str(refused.value)
    # Line 24 has a problem of its own, 25 that of line 3, and 26 that of line 22, which is the first without a line.
    targets = [*(f"x{number}" for number in range(24)), "x2", "x21"]
    rows = [plain | {"id": f"q{number}", "target": target} for number, target in enumerate(targets)]
    with pytest.raises(Refused) as refused:
        read_benchmark(written(path, rows), format_name="auto")
    heading, *lines = str(refused.value).split("\n  ")
    assert heading == f"{path}: 26 rows cannot be asked:" and str(path) not in "".join(lines)
    assert len(lines) == 21 and lines[0].startswith("line 1 (id 'q0'): target 'x0': not a number")
    assert lines[2].startswith("2 rows (lines 3, 25): target 'x2'") and lines[-1] == "and 4 more problems in 5 rows"
    with pytest.raises(Refused, match=r"b\.jsonl, line 1 \(id 'q0'\): target 'x0': not a number"):
        read_benchmark(written(path, rows[:1]), format_name="auto")


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("", "b.jsonl", "holds no row"),
        ("[]", "b.json", "holds no row"),
        ('{"a": 1}\n{"a": ', "b.jsonl", "line 2: not JSON"),
        ('{"a": 1}\n[1]\n', "b.jsonl", "line 2: [1] is not an object"),
        ('[{"a": 1},\n 2]', "b.json", "question 2: 2 is not an object"),
        ('[{"a": 1},\n {"b": }]', "b.json", "line 2: not JSON"),
        ('Question,Answer\n"open,1\n2,3\n', "b.csv", "not readable as CSV"),
        ("Question,Answer\n1,2,3\n", "b.csv", "record 1: 3 cells under 2 columns. Put a cell that holds ',' in quotes"),
        ("Frage;Antwort\n1\n", "b.csv", "record 1: 1 cell under 2 columns. Put a cell that holds ';' in quotes"),
        (
            '{"data": [{"question": "?"}]}\n',
            "b.json",
            "line 1: the rows stand under the key 'data'. Write that list alone, as `jq '.[\"data\"]'`",
        ),
        ('{\n "data": [{"question": "?"}]\n}\n', "b.json", "line 1: the rows stand under the key 'data'"),
        ('{\n "a": 1\n}\n{\n "a": 2\n}\n', "b.jsonl", "holds objects over several lines. Write one object per line, as `jq -c .` does"),
        (
            "Frage\n1,2\n",
            "b.csv",
            "record 1: 2 cells, but the header names one column, 'Frage'. Put commas, semicolons, tabs or bars between",
        ),
        ('{"input": "a", "target": "b", "target": "c"}\n', "b.jsonl", "line 1: the key 'target' occurs twice in one object"),
        ('[{"input": "a", "target": {"x": 1, "x": 2}}, 3]', "b.json", "question 1: the key 'x' occurs twice in one object"),
        ("Question,Question\n1,2\n", "b.csv", "'Question' occurs twice"),
        ('{"colour": "red"}\n', "b.jsonl", "the columns ['colour'] match no known shape"),
        ('{"input": "a", "target": "b"}\n{"input": "a"}\n', "b.jsonl", "line 2: this row has the columns ['input'] and lacks what 1 of 2"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_what_is_read(content: str, name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        read_benchmark(tmp_path / name, format_name="auto")
    assert words in str(refused.value) and name in str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b\x08\x00", "is gzip data that ends early or is damaged"),
        (b"\x28\xb5\x2f\xfd\x00", "is zstd data that ends early or is damaged"),
        (b"BZh91AY&SY", "is bzip2 data. Unpack it and give the unpacked file, or pack it as gzip or zstd"),
        (b"PK\x03\x04 [Content_Types].xml", "is an Excel workbook. Save it as CSV (UTF-8) and give that"),
        (b"%PDF-1.7", "is a PDF. Give the rows as JSON lines or CSV"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "is a Git LFS pointer. Run `git lfs pull`"),
        (b"<!DOCTYPE html>", "is HTML or XML, perhaps an error page. Download the data again"),
        ('{"a": 1}'.encode("utf-16"), "is UTF-16, UTF-32 or binary. Save it as UTF-8"),
        ("größer".encode("cp1252"), "not UTF-8 (byte 2). Save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_text_says_what_it_is(content: bytes, words: str, tmp_path: Path) -> None:
    for name in ("b.jsonl", "b.csv"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Refused) as refused:
            read_benchmark(tmp_path / name, format_name="auto")
        assert words in str(refused.value)


def test_a_letter_that_is_no_choice_is_named_in_mmlu_without_a_header(tmp_path: Path) -> None:
    rows = [f"What is {place}?,a,b,c,d,{'ABCD'[place % 4]}" for place in range(8)]
    rows[5] = "What is 5?,a,b,c,d,E"
    rows[6] = "What is 6?,a,b,c,A"
    (tmp_path / "b.csv").write_text("\n".join(rows) + "\n")
    found = read_questions(tmp_path / "b.csv", format_name="auto")
    assert found.shape == "mmlu" and len(found.questions) == 7 and found.num_rows == 8
    with pytest.raises(Refused, match=r"record 6 .*target 'E' is not among the choices .*\n  record 7: 5 cells under 6 columns"):
        read_benchmark(tmp_path / "b.csv", format_name="auto")


def test_the_number_behind_the_reasoning_of_gsm8k_is_the_target_of_a_mapped_column(tmp_path: Path) -> None:
    path = written(tmp_path / "b.jsonl", [{"question": "How many?", "answer": "Six and six.\n#### 1,200"}])
    [found] = read_benchmark(
        path, format_name="mapped", columns=BenchmarkColumns(question="question", target="answer", kind="numeric")
    ).questions
    assert found.target == "1,200"


def test_two_shapes_that_fit_alike_are_refused_with_the_line_to_add(tmp_path: Path) -> None:
    row = {"input": "?", "target": "1", "problem_text": "?", "answer_number": "1"}
    with pytest.raises(Refused, match=r"fit 2 shapes alike\. Set `benchmark_format: scibench` or `benchmark_format: inspect`"):
        read_benchmark(written(tmp_path / "b.jsonl", [row]), format_name="auto")


def as_parquet(table: pyarrow.Table, path: Path) -> None:
    pyarrow.parquet.write_table(table, path)


def as_arrow_file(table: pyarrow.Table, path: Path) -> None:
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def as_arrow_stream(table: pyarrow.Table, path: Path) -> None:
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


TABLES: dict[str, Callable[[pyarrow.Table, Path], None]] = {"b.parquet": as_parquet, "b.arrow": as_arrow_file, "b.bin": as_arrow_stream}


def zstd_of(content: bytes) -> bytes:
    return pyarrow.Codec("zstd").compress(content, asbytes=True)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("suffix", "packed"), [(".gz", gzip.compress), (".zst", zstd_of)], ids=["gzip", "zstd"])
def test_a_packed_file_is_read_as_the_file_inside(name: str, suffix: str, packed: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / f"{name}{suffix}"
    path.write_bytes(packed((EXAMPLES / name).read_bytes()))
    found = read_benchmark(path, format_name="auto")
    assert found.questions == read(name).questions
    assert [one.id for one in found.left_out] == [one.id for one in read(name).left_out]


@pytest.mark.parametrize("table_name", TABLES)
@pytest.mark.parametrize("name", ["sciq.jsonl", "mmlu.jsonl", "mmlu_pro.jsonl", "scibench.json"])
def test_the_same_rows_are_read_alike_from_tables_of_columns_and_json_lists(name: str, table_name: str, tmp_path: Path) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    rows = json.loads(text) if name.endswith(".json") else lines_of(EXAMPLES / name)
    expected = read(name).questions
    TABLES[table_name](pyarrow.Table.from_pylist(rows), tmp_path / table_name)
    assert read_benchmark(tmp_path / table_name, format_name="auto").questions == expected
    (tmp_path / "b.json").write_text(json.dumps(rows, indent=2), encoding="utf-8-sig")
    assert read_benchmark(tmp_path / "b.json", format_name="auto").questions == expected


def test_an_arrow_stream_may_be_packed_and_the_other_tables_may_not(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist(lines_of(EXAMPLES / "sciq.jsonl"))
    for name, write in TABLES.items():
        write(table, tmp_path / name)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert read_benchmark(tmp_path / "b.bin.gz", format_name="auto").questions == read("sciq.jsonl").questions
    with pytest.raises(Refused, match=r"b\.parquet\.gz: is Parquet in gzip. Unpack it and give the file inside"):
        read_benchmark(tmp_path / "b.parquet.gz", format_name="auto")
    with pytest.raises(Refused, match=r"b\.arrow\.gz: is an Arrow file in gzip. Unpack it"):
        read_benchmark(tmp_path / "b.arrow.gz", format_name="auto")


def test_cells_that_json_does_not_know_are_their_text(tmp_path: Path) -> None:
    schema = pyarrow.schema([("question", pyarrow.string()), ("answer", pyarrow.decimal128(5, 2)), ("float", pyarrow.float32())])
    table = pyarrow.table([["How long, in m?", "How heavy, in kg?"], [Decimal("1.50"), None], [0.1, float("nan")]], schema=schema)
    for target, expected in (("answer", "1.50"), ("float", "0.1")):
        columns = BenchmarkColumns(question="question", target=target, kind="numeric")
        for name, write in TABLES.items():
            write(table, tmp_path / name)
            found = read_questions(tmp_path / name, format_name="mapped", columns=columns)
            assert [question.target for question in found.questions] == [expected]
            assert [fault.where.rpartition(", ")[2] for fault in found.unread] == ["record 2"], "missing, not NaN"


@pytest.mark.parametrize(("name", "mark"), [("b.parquet", b"PAR1"), ("b.arrow", b"ARROW1\0\0"), ("b.bin", b"\xff\xff\xff\xff")])
def test_a_damaged_table_says_what_to_do(name: str, mark: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(mark + b" and no more")
    with pytest.raises(Refused, match=r"cannot be read .*It may be cut off: download or write it again"):
        read_benchmark(tmp_path / name, format_name="auto")


def test_columns_that_are_named_make_questions(tmp_path: Path) -> None:
    found = read("mapped.csv", columns=MAPPED)
    assert [(question.id, question.choices[question.target], question.tags) for question in found.questions] == [
        ("1", "refraction", ("chapter: optics",)),
        ("2", "gravity", ("chapter: mechanics",)),
    ]
    table = tmp_path / "b.csv"
    with table.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["q", "options", "a", "value", "u", "part", "slack"])
        rows.writerow(["Which?", '["x", "y", "z"]', "2", "5", "m", "p1", "0.02"])
    chosen = BenchmarkColumns(question="q", choices="options", target="a", first_index=1, cluster="part")
    [question] = read_benchmark(table, format_name="mapped", columns=chosen).questions
    assert (question.choices, question.target, question.cluster) == ({"A": "x", "B": "y", "C": "z"}, "B", "p1")
    [question] = read_benchmark(
        table, format_name="auto", columns=BenchmarkColumns(question="q", target="value", unit="u", kind="numeric", tolerance="slack")
    ).questions
    assert question.tolerance is not None
    assert (question.kind, question.target, question.unit, question.tolerance.relative) == ("numeric", "5", "m", 0.02)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"question": "text"}, "the column 'text' of split.benchmark_columns is not there"),
        ({"question": "problem"}, "Add `target: COLUMN` and `kind: numeric`"),
        ({"question": "problem", "kind": "numeric"}, "Add `target: COLUMN`"),
        ({"question": "problem", "choices": ["right", "wrong 1"]}, "Give choices and target, or correct and distractors"),
        ({"question": "problem", "choices": ["right", "wrong 1"], "target": "nr"}, "Add `first_index: 0` or `first_index: 1`"),
        ({"question": "problem", "target": "right", "answer_kind": "yes_no"}, "Give yes, no, true or false"),
        ({"question": "problem", "target": "nr", "kind": "numeric", "tolerance": "right"}, "a fraction from 0 and below 1"),
    ],
)
def test_columns_that_do_not_make_a_question_say_what_to_add(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        read("mapped.csv", columns=BenchmarkColumns.model_validate(columns))
    assert words in str(refused.value) and re.search(r"mapped\.csv.* records? 1\b", str(refused.value).replace("(", " "), re.DOTALL)


def test_a_format_and_columns_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(Refused, match="Set it to mapped, or the columns to null"):
        read("mapped.csv", format_name="arc", columns=MAPPED)
    with pytest.raises(Refused, match="In place of `benchmark_columns: null` write the columns"):
        read("mapped.csv", format_name="mapped")


def test_three_questions_are_shown_one_of_each_sort_first() -> None:
    found = read_questions(EXAMPLES / "answer_kinds.jsonl", format_name="auto").questions
    assert [question.answer_kind for question in shown_questions(found)] == ["letters", "yes_no", "numbers"]
    assert [question.id for question in shown_questions(read("mmlu_pro.jsonl").questions)] == ["mmlu-pro-1", "mmlu-pro-2"]
    told = "\n".join(question_lines(found[0]))
    assert "vectors (mcq, letters): Which of these are vectors?" in told and "answer: A,C" in told and "tags: topic: mechanics" in told


TABLE = "question;A;B;C;D;answer\nUnit of force?;N;J;W;Pa;A\n"


@pytest.mark.parametrize("name", ["exam.txt", "exam", "exam.csv.download", "exam.jsonl"])
def test_a_table_is_read_under_any_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TABLE)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(TABLE.encode()))
    for path in (tmp_path / name, tmp_path / f"{name}.gz"):
        assert read_benchmark(path, format_name="auto").shape == "mmlu"


def test_json_lines_are_read_under_the_name_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "exam.csv").write_text((EXAMPLES / "arc.jsonl").read_text(encoding="utf-8"), encoding="utf-8")
    assert read_benchmark(tmp_path / "exam.csv", format_name="auto").questions == read("arc.jsonl").questions


def test_a_table_of_a_spreadsheet_in_windows_1252_says_the_line_and_the_command(tmp_path: Path) -> None:
    path = tmp_path / "exam.csv"
    path.write_bytes(TABLE.encode() + "Maß der Größe?;N;J;W;Pa;A\n".encode("cp1252"))
    with pytest.raises(Refused) as refused:
        read_benchmark(path, format_name="auto")
    assert str(refused.value).startswith(f"{path}, line 3: not UTF-8 (byte 52). Save it as UTF-8.")
    assert f"run `iconv -f WINDOWS-1252 -t UTF-8 {path} > {tmp_path / 'exam_utf8.csv'}`" in str(refused.value)


def test_western_letters_in_a_row_are_still_windows_1252(tmp_path: Path) -> None:
    path = tmp_path / "exam.csv"
    path.write_bytes(TABLE.encode() + "Which are umlauts?;ÄÖÜ;æøå;Pa;„Öl“;A\nWhich?;ÄÖÜ;N;J;W;A\n".encode("cp1252"))
    with pytest.raises(Refused, match="It looks like Windows-1252"):
        read_benchmark(path, format_name="auto")


def test_a_quote_that_is_not_closed_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "exam.csv").write_text(TABLE + '"Unit of work?;N;J;W;Pa;B\n' + "Unit?;N;J;W;Pa;B\n" * 3)
    with pytest.raises(Refused, match=r"exam\.csv, line 3: the record that begins there is not readable as CSV .* Close every quote"):
        read_benchmark(tmp_path / "exam.csv", format_name="auto")


@pytest.mark.parametrize(
    ("encoding", "asked"), [("gb18030", "力的单位是什么?"), ("cp1251", "Единица силы?"), ("shift_jis", "力の単位は何ですか?")]
)
def test_a_table_in_another_alphabet_is_never_taken_for_windows_1252(encoding: str, asked: str, tmp_path: Path) -> None:
    (tmp_path / "exam.csv").write_bytes(TABLE.encode() + f"{asked};N;J;W;Pa;A\n".encode(encoding))
    with pytest.raises(Refused, match="not UTF-8") as refused:
        read_benchmark(tmp_path / "exam.csv", format_name="auto")
    assert "1252" not in str(refused.value)
