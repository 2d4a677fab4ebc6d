"""`plumbline check-benchmark` says what is read of a file, and needs neither DVC nor torch nor a repository."""

import csv
import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plumbline.cleaning.recognition import refuse_no_file
from plumbline.commands.check_benchmark import command
from plumbline.commands.known_questions import known_questions
from plumbline.comparing.graded_answers import grade_file
from plumbline.comparing.logs.recognise import read_logs
from plumbline.grading.tolerance import Tolerance
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.refused import InputRefused, Refused
from plumbline.rows.question import Question
from plumbline.splitting.fault_lines import MAX_PLACES, MAX_PROBLEMS
from plumbline.splitting.known_shapes import NAMES

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
    assert (
        "1 row cannot be asked. Correct it, or leave it out with --leave-out LIST --out FILE" in told.output
        and "question 1 (id 'arc-Own_2026_1')" in told.output
    )
    kept = list(read_jsonl(tmp_path / "mine.jsonl", Question))
    assert [question.id for question in kept] == ["arc-Own_2026_2", "arc-Own_2026_3"]
    assert check(str(tmp_path / "mine.jsonl")).exit_code == 0, "what it wrote can be read"


def broken_rows(folder: Path) -> Path:
    """MMLU in JSON lines with 30 good rows, and 25 in which something is wrong: each third line or so."""
    good = [{"question": f"What is {n}?", "choices": ["a", "b", "c", "d"], "answer": n % 4, "subject": "physics"} for n in range(30)]
    lines = [json.dumps(row) for row in good]
    bad = [
        json.dumps({**good[0], "question": "No answer?", "answer": None}),
        json.dumps({"question": "No key?", "choices": ["a", "b"]}),
        '{"question": "Cut',
        '{"question": "Twins?", "choices": ["a", "b"], "answer": 0, "answer": 1}',
        json.dumps({**good[0], "question": "Far?", "answer": 9}),
    ]
    for place in range(25):
        lines.insert(2 * place + 1, bad[place % 5])
    path = folder / "mmlu.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_bad_row_is_named_and_the_good_ones_are_counted(tmp_path: Path) -> None:
    told = check(str(broken_rows(tmp_path)))
    assert told.exit_code == 1
    for words in (
        "55 rows: 30 questions in 30 clusters, 0 left out, 25 that cannot be asked.",
        "25 rows cannot be asked. Correct them, or leave them out with --leave-out LIST --out FILE:",
        "\n  5 rows (lines 2, 12, 22, 32, 42): lacks the place of the right choice under answer, which 35 of 45 rows have as mmlu",
        "\n  5 rows (lines 6, 16, 26, 36, 46): not JSON",
        "\n  5 rows (lines 8, 18, 28, 38, 48): the key 'answer' occurs twice in one object; remove one of them",
        "\n  5 rows (lines 10, 20, 30, 40, 50): answer is 9. Give the place of the right one of 4 choices, from 0",
    ):
        assert words in told.output, words
    assert told.output.count(str(tmp_path)) == 1, "the path is said once"


def test_a_problem_that_rows_share_is_one_line_and_the_first_problems_are_named_as_the_help_says(tmp_path: Path) -> None:
    row = {"id": "1", "kind": "numeric", "question": "x?", "choices": {}, "unit": None, "key_points": [], "cluster": "a"}
    path = tmp_path / "b.jsonl"
    path.write_text("".join(json.dumps({**row, "id": str(number), "tagret": "1"}) + "\n" for number in range(12)))
    told = check(str(path))
    assert told.exit_code == 1 and told.output.count("\n") == 1
    assert told.output.count("did you mean target?") == told.output.count(str(path)) == 1
    assert f"{path}: 12 rows (lines 1, 2, 3, 4, 5 and 7 more): not a question: target is missing" in told.output
    rows = [{**row, "target": "1"}, *({**row, "id": f"q{number}", "target": f"x{number}"} for number in range(23))]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    told = check(str(path))
    assert told.output.count("not a number") == MAX_PROBLEMS and "\n  and 3 more problems in 3 rows\n" in told.output
    path.write_text("".join(json.dumps({**row, "target": "1"}) + "\n" for _ in range(3)))
    assert "2 rows (lines 2, 3): the id '1' is also at line 1. Give each question its own." in check(str(path)).output
    for text in (" ".join(check("--help").output.split()), " ".join((EXAMPLES.parents[1] / "docs/formats.md").read_text().split())):
        assert f"a line for each of the first {MAX_PROBLEMS} problems, with the first {MAX_PLACES} rows that have it" in text


def test_rows_that_are_left_out_for_one_reason_are_one_line(tmp_path: Path) -> None:
    rows = json.loads((EXAMPLES / "theoremqa.json").read_text())
    pictures = [{**one, "id": f"{one['id']}-{number}"} for one in rows if one.get("Picture") for number in range(7)]
    (tmp_path / "b.json").write_text(json.dumps([*rows, *pictures]))
    told = check(str(tmp_path / "b.json"))
    assert told.exit_code == 0 and told.output.count("asked with a picture") == 1
    assert "8 rows (questions 5, 6, 7, 8, 9 and 3 more): the question is asked with a picture" in told.output


def test_bad_rows_are_left_out_where_that_is_asked_for_and_a_list_names_each(tmp_path: Path) -> None:
    path, out, left = broken_rows(tmp_path), tmp_path / "mine.jsonl", tmp_path / "left.jsonl"
    told = check(str(path), "--out", str(out), "--leave-out", str(left))
    assert told.exit_code == 0, told.output
    assert f"25 rows left out, each with its place and reason: {left}" in told.output and f"benchmark: {out}" in told.output
    rows = [json.loads(line) for line in left.read_text().splitlines()]
    assert sorted(int(row["where"].split("line ")[1]) for row in rows) == [2 * place + 2 for place in range(25)]
    assert {row["reason"] for row in rows} == {"cannot_be_asked"} and all(row["detail"] for row in rows)
    assert len(list(read_jsonl(out, Question))) == 30 and check(str(out)).exit_code == 0
    told = check(str(path), "--leave-out", str(left))
    assert told.exit_code == 1 and "Give --out FILE, too" in told.output
    told = check(str(path), "--out", str(out), "--leave-out", str(path))
    assert told.exit_code == 1 and "writing would replace it" in told.output


def test_a_file_of_bad_rows_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    path.write_text(json.dumps({"question": "?", "choices": ["a", "b"], "answer": 9}) + "\n")
    told = check(str(path), "--out", str(tmp_path / "out.jsonl"), "--leave-out", str(tmp_path / "left.jsonl"))
    assert told.exit_code == 1 and "answer is 9" in told.output and not (tmp_path / "out.jsonl").exists()


EXAMPLE_FILES = sorted(path.name for path in EXAMPLES.iterdir())


@pytest.mark.parametrize("format_name", NAMES)
@pytest.mark.parametrize("name", EXAMPLE_FILES)
def test_a_shape_that_is_named_is_read_or_refused_in_plain_words(name: str, format_name: str) -> None:
    told = check(str(EXAMPLES / name), "--format", format_name)
    assert "Traceback" not in told.output and "Error" not in told.output and not isinstance(told.exception, Exception), told.output
    alone = check(str(EXAMPLES / name))
    if told.exit_code == 0:
        assert told.output == alone.output, "what another shape takes for its own is nonsense"
        return
    assert told.output.count("\n") == 1 and any(place in told.output for place in ("line 1", "record 1", "question 1"))
    assert f"no row of the file has all that {format_name} needs" in told.output
    if alone.exit_code == 0:
        looks = alone.output.split("read as ")[1].split(",")[0]
        assert f"They look like {looks}: set --format to auto" in told.output
    else:
        assert "--column question=COLUMN" in told.output


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
    assert "--column question=COLUMN --column target=COLUMN --column kind=numeric. In place of numeric write explanation" in told.output
    assert "--column correct=COLUMN in place of target, with --column distractors=COLUMN for each wrong answer" in told.output
    told = check(str(odd), "--column", "Frage=Aufgabe")
    assert "'Frage' is not a part of a question. The parts are question, target, choices" in told.output
    assert "choices, distractors and tags may be repeated for several columns" in told.output and told.output.count("\n") == 1
    told = check(str(odd), "--column", "question=Aufgabe", "--column", "target=Ergebnis")
    assert "the column 'Ergebnis' is not there" in told.output
    told = check(str(odd), "--column", "question=Aufgabe")
    assert "Add --column target=COLUMN and --column kind=numeric or --column kind=explanation, or --column kind=COLUMN with" in told.output
    assert (
        "--column names columns of another shape, but --format is 'arc'. Leave one"
        in check(str(odd), "--format", "arc", "--column", "question=Aufgabe").output
    )
    assert "Name the columns with --column, such as question=COLUMN" in check(str(odd), "--format", "mapped").output
    words = ("question=Aufgabe", "correct=Loesung", "distractors=falsch1", "distractors=falsch2")
    assert check(str(odd), *(part for word in words for part in ("--column", word))).exit_code == 0
    assert "distractors=a, then distractors=b" in " ".join(check("--help").output.split())


@pytest.mark.parametrize("name", ["xl/workbook.xml", "content.xml"])
def test_a_spreadsheet_is_told_to_be_saved_as_csv(tmp_path: Path, name: str) -> None:
    path = tmp_path / "sheet.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "<x/>")
    told = check(str(path))
    assert told.exit_code == 1 and "sheet.xlsx is a spreadsheet. Save the sheet as CSV" in told.output
    for read in (read_logs, known_questions, lambda path: grade_file(path, Tolerance(relative=0.05, absolute=None))):
        with pytest.raises(Refused, match="is a spreadsheet"):
            read(path)


OWN_ROW = {
    "id": "a",
    "kind": "numeric",
    "question": "How far?",
    "choices": {},
    "target": "3",
    "unit": "m",
    "key_points": [],
    "cluster": "a",
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"question": "What is $\frac{1}{2} m v^2$?"}, "question holds a LaTeX command that lost its backslash (`\\frac`)"),
        ({"question": "Light moves at $3 \times 10^8$ m/s. How far?"}, "lost its backslash (`\\times`)"),
        ({"kind": "mcq", "choices": {"A": "$\rho$", "B": "$\\beta$"}, "target": "A"}, "choice A holds a LaTeX command"),
        ({"kind": "explanation", "key_points": ["the factor $\beta$"]}, "a key point holds a LaTeX command"),
        ({"question": "How\0 far?"}, "question holds the control character U+0000. Remove it."),
        ({"question": "How \x1b[31mfar?"}, "question holds the control character U+001B. Remove it."),
        ({"question": "How far \ud83d?"}, "cannot be read: it holds half of a character, the escape \\ud83d alone"),
    ],
)
def test_a_damaged_text_is_refused_and_never_asked(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (OWN_ROW | changes, OWN_ROW | {"id": "b"})))
    told = check(str(path))
    assert told.exit_code == 1 and "1 row cannot be asked" in told.output
    assert "line 1" in told.output and words in told.output and "\x1b" not in told.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Page one.\fNewton law",
            "the control character U+000C, a page break. Remove it, or write a line break. If it stands for the `\\f` of",
        ),
        ("Page one.\vNewton law", "U+000B, a vertical tab. Remove it, or write a line break"),
        ("y = \tan(t)", "lost its backslash (`\\tan`): JSON and Python read"),
        ("y = \tan(t)", "If a tab is meant there, put a space after it."),
        ("$\rho$ is what?", "(`\\rho`)"),
        ("$\\langle x\rangle$ is what?", "(`\\rangle`)"),
        ("$$x\rangle$$", "(`\\rangle`)"),
        ("Which?\right?", None),
        ("Which\rangle is larger?\rThe first.", None),
        ("a\tb\rc", None),
        (r"$\frac{1}{2}$", None),
    ],
)
def test_a_page_break_a_line_end_and_a_tab_are_no_lost_backslash(text: str, words: str | None, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(OWN_ROW | {"gold_passage": text}) + "\n" + json.dumps(OWN_ROW | {"id": "b"}))
    told = check(str(path))
    assert words in told.output if words else told.exit_code == 0, told.output
    assert words is None or "U+000" not in words or "holds a LaTeX command" not in told.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("v(t)\tan(t)", None),
        ("Which?\right?", None),
        ("one\ttwo\rthree", None),
        ("What is $y = \tan(t)$?", "(`\\tan`): the program that wrote the file read its `\\` and the next letter"),
        ("What is $\frac{1}{2}$?", "Write the command with its backslash."),
        ("What is\fthis?", "U+000C, a page break"),
    ],
)
def test_a_tab_in_a_cell_is_text_and_no_one_is_told_of_json(text: str, words: str | None, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([["q", "a"], [text, "3"], ["How far?", "3"]])
    told = check(str(path), "--column=question=q", "--column=target=a", "--column=kind=numeric")
    assert words in told.output if words else told.exit_code == 0, told.output
    assert "JSON and Python" not in told.output and "twice" not in told.output


def test_a_line_that_is_nearly_json_says_what_to_change(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    line = json.dumps(OWN_ROW)
    path.write_text(f"{line},\n{line.replace('How', '$' + chr(92) + 'sigma$ How')}\n{line}\n")
    told = check(str(path))
    assert f"line 1: not JSON (Extra data, column {len(line) + 1}). Remove the comma after the object." in told.output
    assert "line 2: not JSON (Invalid \\escape, column 46). Write each backslash twice" in told.output


def test_what_cannot_be_seen_is_shown_as_its_number(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(OWN_ROW | {"question": "How\u200b far\u202e?"}))
    told = check(str(path))
    assert "How\\u200b far\\u202e?" in told.output and "\u202e" not in told.output


def test_the_same_question_with_another_answer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(OWN_ROW | changes) + "\n" for changes in ({}, {"id": "b", "target": "4"}, {"id": "c"})))
    told = check(str(path))
    assert told.exit_code == 0 and "1 question asks the same as an earlier one, with another answer (a and b)" in told.output
    path.write_text("question,answer\nHow far?,3\nHow far?,4\n")
    told = check(str(path), "--column", "question=question", "--column", "target=answer", "--column", "kind=numeric")
    assert told.exit_code == 1 and "is also at" in told.output
    assert "record 1, which asks the same with another answer: '4' here, '3' there. Remove the wrong one" in told.output


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "mcq", "choices": {}, "target": "A"}, "found 0 choices. Give at least two under choices. The shape study takes"),
        ({"kind": "mcq", "choices": {"A": "x"}, "target": "A"}, "found 1 choice. Give at least two"),
        ({"kind": "mcq", "choices": ["x", "y"], "target": "A"}, 'choices is a list. Give an object of label and text, such as {"A": '),
        ({"id": 7}, "id is 7; give text in quotes.\n"),
        ({"choices": None}, "choices is None; give an object, {} if there is nothing to say.\n"),
        ({"tolerance": "5%"}, "tolerance is '5%'. Give a fraction, such as 0.05"),
        *(
            ({"kind": "mcq", "choices": {"A": "x", "B": "y", "C": "z"}, "target": said}, "If several are right, set answer_kind to letters")
            for said in ("AC", "A, C", "A and C", "A;C")
        ),
    ],
)
def test_a_slip_in_our_own_shape_says_what_to_write(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(OWN_ROW | changes) + "\n" + json.dumps(OWN_ROW | {"id": "b"}) + "\n")
    told = check(str(path))
    assert told.exit_code == 1 and words in told.output


def test_one_wrong_letter_is_not_taken_for_several(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(OWN_ROW | {"kind": "mcq", "choices": {"A": "x", "B": "y"}, "target": "AD"}))
    assert "answer_kind" not in check(str(path)).output


def test_a_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    told = check(str(tmp_path))
    assert told.exit_code == 1 and f"{tmp_path} is a folder. Give one file: `cat {tmp_path}/*.jsonl > all.jsonl`" in told.output


def test_a_command_in_a_remedy_runs_as_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "my data"
    folder.mkdir()
    (folder / "a.jsonl").write_text("{}\n")
    told = check(str(folder)).output
    with pytest.raises(InputRefused) as refused:
        refuse_no_file(folder)
    for said in (told, str(refused.value)):
        [shown] = re.findall("`(cat .*?)`", said)
        subprocess.run(shown, shell=True, check=True, cwd=tmp_path)
        assert (tmp_path / "all.jsonl").read_text() == "{}\n"
    (tmp_path / "odd.json").write_text(json.dumps({"it's": [OWN_ROW]}))
    [shown] = re.findall("`(jq .*?)`", check(str(tmp_path / "odd.json")).output)
    assert shlex.split(shown) == ["jq", '.["it\'s"]']


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("b.csv", "q,a\nForce is a vector.,True\nMass is a vector.,false\n", "A) True\n      B) False"),
        ("b.csv", "q,a\nForce is a vector.,True\nIs mass a vector?,no\n", "A) Yes\n      B) No"),
        ("b.jsonl", '{"q": "Is it hot?", "a": true}\n{"q": "Is it cold?", "a": false}\n', "A) Yes\n      B) No"),
        ("b.jsonl", '{"q": "Is it hot?", "a": 1}\n{"q": "Is it cold?", "a": "true"}\n', "A) Yes\n      B) No"),
    ],
    ids=["words", "mixed words", "booleans", "a number and a word"],
)
def test_statements_are_asked_with_the_words_of_their_file(name: str, text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    told = check(str(tmp_path / name), *(f"--column={one}" for one in ("question=q", "target=a", "answer_kind=yes_no")))
    assert told.output.count(words) == told.output.count(") True") + told.output.count(") Yes") == 2, told.output


def test_the_words_of_statements_do_not_depend_on_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text("q,a,kind\nForce is a vector.,True,mcq\nHow far?,1,numeric\nMass is a vector.,False,mcq\n")
    told = check(str(path), *(f"--column={one}" for one in ("question=q", "target=a", "kind=kind", "answer_kind=yes_no")))
    assert told.output.count("A) True\n      B) False") == 2 and "Yes" not in told.output, told.output
