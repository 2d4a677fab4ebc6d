"""`plumbline check-benchmark` says what is read of a file, and needs neither DVC nor torch nor a repository."""

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from plumbline.commands.check_benchmark import command
from plumbline.pipeline.jsonl import read_jsonl
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
    assert "1 questions cannot be graded" in told.output and "question 1 (id 'arc-Own_2026_1')" in told.output
    kept = list(read_jsonl(tmp_path / "mine.jsonl", Question))
    assert [question.id for question in kept] == ["arc-Own_2026_2", "arc-Own_2026_3"]
    assert check(str(tmp_path / "mine.jsonl")).exit_code == 0, "what it wrote can be read"


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
