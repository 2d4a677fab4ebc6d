"""`plumbline real` reads what it was given before anything is fetched: the same readers, parameters and words as the stages minutes later."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.commands.real_request import check_overrides
from plumbline.laptop.own_files import ending
from plumbline.pipeline.params import read_yaml
from plumbline.planning.profiles import profile_overrides
from plumbline.planning.real_profile import PROFILE
from plumbline.splitting.benchmark import read_benchmark
from tests.conftest import ROOT

ROWS = "instruction,output\nWhat is force?,A push or a pull.\n"
QUESTION = {"id": "q1", "kind": "numeric", "question": "How long is a mile?", "choices": {}, "target": "1609", "unit": "m"}
QUESTIONS = json.dumps(QUESTION | {"key_points": [], "cluster": "miles"}) + "\n"


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Path]:
    """Rows and questions under names that no override may hold."""
    files = {"clean.source": tmp_path / "my rows, {new}=1.csv", "split.benchmark": tmp_path / "my questions.jsonl"}
    for path, text in zip(files.values(), (ROWS, QUESTIONS), strict=True):
        path.write_text(text)
    return files


def check(given: dict[str, Path], *more: str) -> None:
    check_overrides(ROOT, profile_overrides(ROOT, PROFILE), given, more)


def test_files_that_the_stages_read_are_not_refused(given: dict[str, Path]) -> None:
    check(given)
    check({})


def test_a_header_with_a_typo_is_refused_in_the_words_of_split_with_the_path_of_the_user(given: dict[str, Path]) -> None:
    path = given["split.benchmark"]
    path.write_text(QUESTIONS.replace("kind", "knd"))
    with pytest.raises(ValueError, match="the columns are nearly those of plumbline: 'knd', did you mean 'kind'") as of_the_stage:
        read_benchmark(path, format_name=read_yaml(ROOT / "params.yaml")["split"]["benchmark_format"])
    with pytest.raises(ValueError) as refused:
        check(given)
    assert str(refused.value) == str(of_the_stage.value) and str(refused.value).startswith(str(path))
    check(given, "split.benchmark_format=mapped", "split.benchmark_columns={question: question, target: target, unit: unit, kind: numeric}")


def test_a_question_that_cannot_be_asked_is_refused(given: dict[str, Path]) -> None:
    given["split.benchmark"].write_text(QUESTIONS + QUESTIONS.replace("q1", "q2").replace("1609", "long"))
    with pytest.raises(ValueError, match=r"my questions\.jsonl, line 2"):
        check(given)


def test_rows_that_no_reader_knows_are_refused_by_their_beginning(given: dict[str, Path]) -> None:
    given["clean.source"].write_text("<html>not found</html>")
    with pytest.raises(ValueError, match=r"new}=1\.csv is HTML or XML"):
        check(given)
    given["clean.source"].write_text(ROWS)
    with pytest.raises(ValueError, match=r"=1\.csv is CSV, but clean\.format is parquet|does not begin as Parquet"):
        check(given, "clean.format=parquet")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.max_stps=5", "cannot be used. Could not override 'train.max_stps'"),
        ("split.benchmark_format=sudy", "split.benchmark_format is 'sudy'"),
    ],
)
def test_an_override_with_a_typo_is_refused(given: dict[str, Path], override: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        check(given, override)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("my.Rows.CSV", ".csv"), ("q.csv.gz", ".csv.gz"), ("q.gz", ".gz"), ("v1.2.jsonl", ".jsonl"), ("q", ".jsonl"), ("q.c s v", ".jsonl")],
)
def test_a_copy_ends_as_the_file_of_the_user_does(name: str, kept: str) -> None:
    assert ending(Path(name)) == kept


def test_the_command_line_is_refused_before_anything_slow_is_imported(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    code = (
        "import sys; from click.testing import CliRunner; from plumbline.commands.main import plumbline; "
        "done = CliRunner().invoke(plumbline, ['real', '--small', '--rows', 'a', '--questions', 'b']); "
        "print(done.exit_code, done.output.strip(), 'imported:', *({'dvc', 'numpy', 'scipy', 'torch', 'hydra'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.stdout.startswith("1 real: --small (SMALL=1 of make)") and done.stdout.endswith("imported:\n"), done
