"""`plumbline check-benchmark` says what is read of a file, and needs neither DVC nor torch nor a repository."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plumbline.commands.check_benchmark import command
from plumbline.commands.known_questions import known_questions
from plumbline.comparing.graded_answers import grade_file
from plumbline.comparing.logs.recognise import read_logs
from plumbline.grading.tolerance import Tolerance
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/benchmarks"


def check(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def test_it_says_what_was_recognised_shows_three_questions_and_what_is_left_out() -> None:
    told = check(str(EXAMPLES / "theoremqa.json"))
    assert told.exit_code == 0
    for words in (
        "read as theoremqa, by Question, Answer and Answer_type",
        "5 rows: 4 questions in 4 clusters, 1 left out",
        "own/work1.json (mcq, yes_no): Is the work of friction over a closed path zero?",
        "(id 'own/graph1.json'): the question is asked with a picture",
        "benchmark_format: theoremqa",
    ):
        assert words in told.output


def test_faults_end_it_with_1_and_the_others_can_be_written(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (EXAMPLES / "arc.jsonl").read_text().splitlines()]
    rows[0]["answerKey"] = "E"
    (tmp_path / "b.json").write_text(json.dumps(rows))
    told = check(str(tmp_path / "b.json"), "--out", str(tmp_path / "mine.jsonl"))
    assert told.exit_code == 1
    assert "1 question cannot be graded" in told.output and "question 1 (id 'arc-Own_2026_1')" in told.output
    kept = list(read_jsonl(tmp_path / "mine.jsonl", Question))
    assert [question.id for question in kept] == ["arc-Own_2026_2", "arc-Own_2026_3"]
    assert check(str(tmp_path / "mine.jsonl")).exit_code == 0, "what it wrote can be read"


def test_the_file_that_is_checked_is_never_the_output(tmp_path: Path) -> None:
    mine, link = tmp_path / "mine.jsonl", tmp_path / "link.jsonl"
    mine.write_text((EXAMPLES / "arc.jsonl").read_text())
    link.symlink_to(mine)
    before = mine.read_bytes()
    for out in (mine, link, tmp_path / "." / "mine.jsonl"):
        told = check(str(mine), "--out", str(out))
        assert told.exit_code == 1 and "writing would replace it. Give another path" in told.output, told.output
        assert mine.read_bytes() == before


def test_of_two_questions_with_one_id_the_first_is_written(tmp_path: Path) -> None:
    row = {"id": "1", "kind": "numeric", "question": "x?", "choices": {}, "target": "1", "unit": None, "key_points": [], "cluster": "a"}
    rows = [row, {**row, "question": "y?"}, {**row, "id": "2"}]
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    told = check(str(tmp_path / "b.jsonl"), "--out", str(tmp_path / "mine.jsonl"))
    assert told.exit_code == 1
    assert [(one.id, one.question) for one in read_jsonl(tmp_path / "mine.jsonl", Question)] == [("1", "x?"), ("2", "x?")]


def test_right_choices_at_few_letters_are_warned_of(tmp_path: Path) -> None:
    row = {"question": "Which?", "choices": ["one", "two", "three", "four"], "subject": "physics"}
    rows = [{**row, "question": f"Which of these is {place}?", "answer": 1 + place % 2} for place in range(20)]
    (tmp_path / "b.json").write_text(json.dumps(rows))
    told = check(str(tmp_path / "b.json"))
    assert told.exit_code == 0 and "(A 0, B 10, C 10, D 0 of 20)" in told.output
    (tmp_path / "b.json").write_text(json.dumps([{**row, "answer": place % 4} for place, row in enumerate(rows)]))
    assert "not spread" not in check(str(tmp_path / "b.json")).output


def test_columns_are_named_on_the_command_line_and_come_back_as_yaml() -> None:
    words = ["question=problem", "correct=right", "distractors=wrong 1", "distractors=wrong 2", "tags=chapter"]
    told = check(str(EXAMPLES / "mapped.csv"), *(part for word in words for part in ("--column", word)))
    assert told.exit_code == 0 and "benchmark_format: mapped" in told.output
    line = next(line for line in told.output.splitlines() if line.startswith("  benchmark_columns:"))
    assert json.loads(line.split(":", 1)[1]) == {
        "question": "problem",
        "correct": "right",
        "distractors": ["wrong 1", "wrong 2"],
        "tags": ["chapter"],
    }


def test_what_cannot_be_read_is_one_sentence_and_exit_1(tmp_path: Path) -> None:
    for words in ([str(tmp_path / "none.json")], [str(EXAMPLES / "mapped.csv")], [str(EXAMPLES / "mapped.csv"), "--column", "question"]):
        told = check(*words)
        assert told.exit_code == 1 and "Traceback" not in told.output and told.output.count("\n") == 1


def test_it_loads_neither_dvc_nor_torch_nor_sympy() -> None:
    code = (
        "import sys; from plumbline.commands.check_benchmark import command; "
        "command([sys.argv[1]], standalone_mode=False); print([n for n in ('dvc', 'torch', 'transformers', 'sympy', 'anthropic') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(EXAMPLES / "ugphysics.jsonl")], capture_output=True, text=True, check=True, cwd=EXAMPLES.parents[1]
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_columns_that_are_not_known_are_answered_with_the_options_of_the_command(tmp_path: Path) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_text("Aufgabe,Loesung,falsch1,falsch2\nWas ist 1+1?,2,3,4\n")
    told = check(str(odd))
    assert told.exit_code == 1 and "params.yaml" not in told.output and "split." not in told.output
    assert "--column question=COLUMN --column target=COLUMN, with --column distractors=COLUMN for each wrong answer" in told.output
    told = check(str(odd), "--column", "Frage=Aufgabe")
    assert "'Frage' is no part of a question. The parts are question, target, choices" in told.output
    assert "choices, distractors and tags may be repeated for several columns" in told.output and told.output.count("\n") == 1
    told = check(str(odd), "--column", "question=Aufgabe", "--column", "target=Ergebnis")
    assert "the column 'Ergebnis' is not there" in told.output
    told = check(str(odd), "--column", "question=Aufgabe")
    assert "add --column kind=numeric or --column kind=explanation." in told.output
    assert (
        "--column names columns of any other shape, and --format is 'arc'; leave one"
        in check(str(odd), "--format", "arc", "--column", "question=Aufgabe").output
    )
    assert "name the columns with --column, such as question=COLUMN" in check(str(odd), "--format", "mapped").output
    words = ("question=Aufgabe", "correct=Loesung", "distractors=falsch1", "distractors=falsch2")
    assert check(str(odd), *(part for word in words for part in ("--column", word))).exit_code == 0
    assert "distractors=a, then distractors=b" in " ".join(check("--help").output.split())


@pytest.mark.parametrize("name", ["xl/workbook.xml", "content.xml"])
def test_a_spreadsheet_is_told_to_be_saved_as_csv(tmp_path: Path, name: str) -> None:
    path = tmp_path / "sheet.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "<x/>")
    told = check(str(path))
    assert told.exit_code == 1 and "sheet.xlsx: is a spreadsheet. Save the sheet as CSV" in told.output
    for read in (read_logs, known_questions, lambda path: grade_file(path, Tolerance(relative=0.05, absolute=None))):
        with pytest.raises(Refused, match="is a spreadsheet"):
            read(path)
