"""One module finds the separator of a table's cells for rows, benchmarks and logs, and one finds keys that occur twice."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from plumbline.commands.check_benchmark import command as check_benchmark
from plumbline.comparing.graded_answers import grade_file
from plumbline.comparing.logs.recognise import read_logs
from plumbline.grading.tolerance import Tolerance
from plumbline.pipeline.refused import Refused
from plumbline.retrieval.corpus_files import text_of_row
from plumbline.separators import HEAD_CHARACTERS, headers_of, separator_of, two_readings, with_point
from plumbline.splitting.benchmark import read_benchmark
from plumbline.splitting.benchmark_columns import BenchmarkColumns
from plumbline.twin_keys import TwinKey, elements_of, object_without_twins

MARKS = pytest.mark.parametrize("mark", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
ENDINGS = pytest.mark.parametrize("ending", ["csv", "tsv"])


def any_names(_: object) -> bool:
    return True


def table(path: Path, rows: list[list[str]], mark: str, *, encoding: str = "utf-8") -> Path:
    """As a spreadsheet writes it: a cell that holds the mark, a quote or a line break is put in quotes."""
    lines = [mark.join(f'"{cell}"' if mark in cell or "\n" in cell else cell for cell in row) for row in rows]
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path


GPQA = [
    ["Question", "Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"],
    ["Which is a force, say?", "weight; on Earth", "mass", "time|place", "a\tlength"],
    ["Which is a\nvector?", "velocity", "speed, say", "work", "power"],
]


@MARKS
@ENDINGS
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_benchmark_is_read_alike_whatever_stands_between_its_cells(tmp_path: Path, mark: str, ending: str, encoding: str) -> None:
    first = read_benchmark(table(tmp_path / "plain.csv", GPQA, ","), format_name="auto").questions
    found = read_benchmark(table(tmp_path / f"b.{ending}", GPQA, mark, encoding=encoding), format_name="auto")
    assert found.shape == "gpqa" and found.questions == first and len(first) == 2


@MARKS
def test_own_columns_are_read_whatever_stands_between_them(tmp_path: Path, mark: str) -> None:
    rows = [["Nr", "Aufgabe, Frage", "Ergebnis"], ["1", "Wie viel ist 1+1, bitte?", "2"], ["2", "Wie viel ist 2+2; bitte?", "4"]]
    columns = BenchmarkColumns(question="Aufgabe, Frage", target="Ergebnis", kind="numeric", id="Nr")
    found = read_benchmark(table(tmp_path / "b.csv", rows, mark), format_name="mapped", columns=columns)
    assert [(one.id, one.target) for one in found.questions] == [("1", "2"), ("2", "4")]


@MARKS
@ENDINGS
def test_a_log_is_read_alike_whatever_stands_between_its_cells(tmp_path: Path, mark: str, ending: str) -> None:
    rows = [["id", "arm", "score", "note"], ["a", "x", "0.5", "so, so; or | not"], ["b", "x", "1", ""]]
    [log] = read_logs(table(tmp_path / f"log.{ending}", rows, mark, encoding="utf-8-sig"))
    assert [(one.id, one.scores["score"].value, one.fields.get("note")) for one in log.answers] == [
        ("a", 0.5, "so, so; or | not"),
        ("b", 1.0, None),
    ]


@MARKS
def test_answers_are_graded_whatever_stands_between_their_cells(tmp_path: Path, mark: str) -> None:
    rows = [["question", "response", "reference", "kind"], ["How many, say?", "It is 3,5; surely", "3.5", "numeric"]]
    [graded] = grade_file(table(tmp_path / "a.csv", rows, mark, encoding="utf-8-sig"), Tolerance(relative=0.05, absolute=None)).graded
    assert graded.outcome == "correct"


def test_the_comma_between_semicolons_is_the_decimal_mark(tmp_path: Path) -> None:
    rows = [["id", "frage", "wert", "spiel"], ["a", "Wie schnell?", "9,81", "0,02"], ["b", "Wie weit?", "1,234", "0,02"]]
    columns = BenchmarkColumns(question="frage", target="wert", id="id", tolerance="spiel", kind="numeric")
    with pytest.raises(
        Refused, match=r"record 2 \(id 'b'\): target '1,234' in a table with semicolons is 1\.234 or 1234; write it with a point"
    ):
        read_benchmark(table(tmp_path / "b.csv", rows, ";"), format_name="mapped", columns=columns)
    [found] = read_benchmark(table(tmp_path / "b.csv", rows[:2], ";"), format_name="mapped", columns=columns).questions
    assert found.target == "9,81" and found.tolerance is not None and found.tolerance.relative == 0.02
    [log] = read_logs(table(tmp_path / "log.csv", [["id", "score"], ["a", "0,75"], ["b", ""], ["c", "-1,5"]], ";"))
    assert [one.scores["score"].value for one in log.answers] == [0.75, None, -1.5]
    answers = [["question", "response", "reference", "kind"], ["How far?", "1234", "1,234", "numeric"]]
    for read in (read_logs, lambda path: grade_file(path, Tolerance(relative=0.05, absolute=None))):
        with pytest.raises(ValueError, match=r"line 2: reference '1,234' in a table with semicolons"):
            read(table(tmp_path / "answers.csv", answers, ";"))
    assert two_readings("1,234", ",") is None and two_readings("12,34", ";") is None
    assert with_point("0,5", ",") == "0,5" and with_point("a,5", ";") == "a,5"


def test_records_of_another_width_say_which_mark_needs_quotes(tmp_path: Path) -> None:
    told = CliRunner().invoke(check_benchmark, [str(table(tmp_path / "b.csv", [*GPQA, ["a;b", "c"]], ";"))])
    assert told.exit_code == 1 and "record 3: 2 cells under 5 columns. Put a cell that holds ';' in quotes." in told.output
    with pytest.raises(Refused, match=r"line 3: 3 cells below 2 columns\. Quote cells that hold a ';'"):
        read_logs(table(tmp_path / "log.csv", [["id", "score"], ["a", "1"], ["b", "1", "c"]], ";"))


def test_names_that_are_known_decide_then_the_width_of_the_records() -> None:
    text = "a,b;c\n1,2;3\n4,5;6\n"
    assert separator_of(text, any_names) == "," and separator_of(text, lambda names: "c" in names) == ";"
    assert list(headers_of("a,b;c\n1;2\n3;4\n")) == [";", ","], "every record has two cells between semicolons"
    assert separator_of("one\n1,2\n", any_names) is None
    assert separator_of("", any_names) is None
    assert separator_of('a;b\n"' + "x" * HEAD_CHARACTERS, any_names) == ";", "a quote that does not close in the head"


@MARKS
def test_the_line_with_which_excel_says_the_mark_is_no_header(tmp_path: Path, mark: str) -> None:
    first = [f"sep={mark}".encode(), b"\r\n"]
    path = table(tmp_path / "b.csv", GPQA, mark)
    plain = read_benchmark(path, format_name="auto").questions
    path.write_bytes(b"\xef\xbb\xbf" + b"".join(first) + path.read_bytes())
    assert read_benchmark(path, format_name="auto").questions == plain
    log = table(tmp_path / "log.csv", [["id", "score"], ["a", "1"]], mark)
    log.write_bytes(b"".join(first) + log.read_bytes())
    assert [one.id for one in read_logs(log)[0].answers] == ["a"]
    answers = table(tmp_path / "a.csv", [["question", "response", "reference", "kind"], ["How many?", "3", "3", "numeric"]], mark)
    answers.write_bytes(b"".join(first) + answers.read_bytes())
    assert len(grade_file(answers, Tolerance(relative=0.05, absolute=None)).graded) == 1


TWINS = '{"id": "a", "score": 1, "score": 0}'


@pytest.mark.parametrize("listed", [False, True])
def test_twin_keys_of_a_log_are_refused_by_place(tmp_path: Path, listed: bool) -> None:
    good = '{"id": "b", "score": 1}'
    path = tmp_path / "log.jsonl"
    path.write_text(f"[{good}, {TWINS}]" if listed else f"{good}\n{TWINS}\n", encoding="utf-8")
    place = "entry 2" if listed else "line 2"
    with pytest.raises(Refused, match=rf"log\.jsonl, {place}: the key 'score' occurs twice in one object; remove one of them\.$"):
        read_logs(path)


def test_twin_keys_of_answers_are_refused_by_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"question": "?", "response": "1", "response": "2", "reference": "1", "kind": "numeric"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 1: the key 'response' occurs twice"):
        grade_file(path, Tolerance(relative=0.05, absolute=None))


def test_twin_keys_in_a_cell_and_in_a_corpus_are_refused_by_place(tmp_path: Path) -> None:
    said = r"choices: the key 'A' occurs twice in one object"
    cell = '{""A"": ""x"", ""A"": ""y""}'
    path = tmp_path / "a.csv"
    path.write_text(f'id,question,response,reference,kind,choices\n1,Which?,A,A,mcq,"{cell}"\n', encoding="utf-8")
    columns = BenchmarkColumns(question="question", choices="choices", target="reference")
    for read, place in (
        (read_logs, "line 2"),
        (lambda path: grade_file(path, Tolerance(relative=0.05, absolute=None)), "line 2"),
        (lambda path: read_benchmark(path, format_name="mapped", columns=columns), "record 1"),
    ):
        with pytest.raises(ValueError, match=f"{place}.*{said}"):
            read(path)
    with pytest.raises(Refused, match=r"corpus\.jsonl, line 3: the key 'text' occurs twice in one object"):
        text_of_row('{"text": "a", "text": "b"}', "corpus.jsonl, line 3")


def test_each_element_of_a_list_is_looked_at_by_itself() -> None:
    text = '[ {"a": 1} ,\n {"b": {"c": 1, "c": 2}}, "x", [] ]'
    found = [(number, type(one) if isinstance(one, TwinKey) else one) for number, one in elements_of(text)]
    assert found == [(1, {"a": 1}), (2, TwinKey), (3, "x"), (4, [])]
    assert [*elements_of("[]")] == [] and [*elements_of("[ ]")] == []
    with pytest.raises(TwinKey, match="the key 'k' occurs twice"):
        json.loads('[{"k": 1, "l": 2, "k": 1}]', object_pairs_hook=object_without_twins)
