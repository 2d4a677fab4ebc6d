"""A remedy that a refusal of `clean` names works: whoever follows it to the letter gets the rows."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from plumbline.pipeline.refused import InputRefused, Refused
from plumbline.splitting.benchmark import read_benchmark
from tests.pipeline.test_clean import clean, write_lines

PAIRS = [
    ("Why is the sky blue over the sea?", "Short wavelengths scatter far more than the long ones do."),
    ("What is the boiling point of water at one bar?", "It boils at one hundred degrees Celsius there."),
    ("How does a transistor amplify small signals?", "A small base current controls a larger collector current."),
]
ROWS = [{"instruction": asked, "output": answer} for asked, answer in PAIRS]
ROOT = Path(__file__).resolve().parents[2]
TURNS = [{"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]} for asked, answer in PAIRS]


def refusal(source: Path, folder: Path, **changes: Any) -> str:
    with pytest.raises(InputRefused) as refused:
        clean(source, folder / "refused", **{"format": "auto"} | changes)
    return str(refused.value)


def columns_in(words: str) -> list[dict[str, str]]:
    return [YAML(typ="safe").load(line)["columns"] for line in re.findall(r"`(columns: \{.*?\})`", words)]


@pytest.mark.parametrize("system", ["system", "system_prompt", " System "])
def test_a_line_that_decides_between_two_readings_reads_the_rows(system: str, tmp_path: Path) -> None:
    rows = [{system: "Be terse.", " Question": asked, "answer": said, "response": f"{said} Indeed."} for asked, said in PAIRS]
    source = write_lines(tmp_path / "rows.jsonl", rows)
    lines = columns_in(refusal(source, tmp_path))
    assert len(lines) == 2 and all(line.keys() == {"instruction", "output", "system"} for line in lines)
    for number, columns in enumerate(lines):
        kept, quarantined, _ = clean(source, tmp_path / str(number), format="auto", columns=columns)
        assert not quarantined and [row.instruction for row in kept] == [f"Be terse.\n\n{asked}" for asked, _ in PAIRS]


def test_a_line_names_the_history_too(tmp_path: Path) -> None:
    rows = [{"question": asked, "answer": said, "response": said, "history": [["Hi", "Hello"]]} for asked, said in PAIRS]
    source = write_lines(tmp_path / "rows.jsonl", rows)
    kept, quarantined, _ = clean(source, tmp_path / "out", format="auto", columns=columns_in(refusal(source, tmp_path))[0])
    assert not quarantined and all(len(row.earlier) == 1 for row in kept)


def test_the_example_for_unknown_keys_names_what_is_never_an_extra(tmp_path: Path) -> None:
    rows = [{"stem": asked, "explanation": said, "system_prompt": "Be terse.", "context": "None."} for asked, said in PAIRS]
    source = write_lines(tmp_path / "rows.jsonl", rows)
    columns = columns_in(refusal(source, tmp_path))[0] | {"instruction": "stem", "output": "explanation"}
    kept, quarantined, _ = clean(source, tmp_path / "out", format="auto", columns=columns)
    assert len(kept) == 3 and not quarantined and kept[0].instruction.startswith("Be terse.")


DOCUMENTS = {
    "an object over many lines": json.dumps({"data": ROWS}, indent=1),
    "its rows behind other keys": json.dumps({"version": "1.0", "about": {"by": ["us"]}, "my rows": ROWS}, indent=2),
    "an object on one line": json.dumps({"licences": [{"id": 1}], "data": ROWS}),
    "a key that is no name": json.dumps({"it's data": ROWS}),
    "objects one after the other": "\n".join(json.dumps(row, indent=1) for row in ROWS),
    "conversations one after the other": "\n".join(json.dumps(row, indent=1) for row in TURNS),
    "one conversation": json.dumps(TURNS[0], indent=1),
    "an array": json.dumps(ROWS, indent=1),
}


def is_refused(kind: str, shape: str) -> bool:
    """Whether the file as a whole is: an array is read, and a line with other keys is put aside as any other."""
    if kind == "an array":
        return shape in ("alpaca", "messages")
    return shape == "auto" or kind not in ("an object on one line", "a key that is no name")


@pytest.mark.skipif(shutil.which("jq") is None, reason="the remedies are commands of jq")
@pytest.mark.parametrize(
    ("kind", "shape"), [(kind, shape) for kind in DOCUMENTS for shape in ("auto", "csv", "alpaca", "messages") if is_refused(kind, shape)]
)
def test_the_command_for_a_json_document_writes_its_rows(kind: str, shape: str, tmp_path: Path) -> None:
    source = tmp_path / "rows.json"
    source.write_text(DOCUMENTS[kind], encoding="utf-8")
    words = refusal(source, tmp_path, format=shape)
    assert ("clean.format to auto" in words) == (kind == "an array"), words
    found = re.search(r"`(jq -c .*?)`", words)
    assert found is not None, words
    lines = subprocess.run(f"{found[1]} rows.json", shell=True, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (tmp_path / "lines.jsonl").write_text(lines, encoding="utf-8")
    kept, quarantined, _ = clean(tmp_path / "lines.jsonl", tmp_path / "out", format="auto")
    expected = PAIRS[:1] if kind == "one conversation" else PAIRS
    assert [(row.instruction, row.output) for row in kept] == expected and not quarantined


def test_a_row_of_turns_names_the_format_that_reads_it(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", [*ROWS, {"conversations": []}, {"messages": []}])
    for shape in ("alpaca", "auto"):
        _, quarantined, _ = clean(source, tmp_path / shape, format=shape)
        told = [row.detail for row in quarantined]
        assert ["clean.format to sharegpt" in told[0], "clean.format to messages" in told[1]] == [True, True]
        assert not any("to auto" in detail for detail in told)


def as_written(words: str, key: str) -> Any:
    """The value of `key` in our params.yaml after the line that an error names has replaced the present one: a second line with this key would break YAML."""
    before, after = re.findall(rf"`({key}: .*?)`", words)[:2]
    text, number = re.subn(rf"^  {before}(?= )", f"  {after}", (ROOT / "params.yaml").read_text(), count=1, flags=re.MULTILINE)
    assert number == 1, before
    return YAML(typ="safe", pure=True).load(text)[{"columns": "clean", "benchmark_columns": "split"}[key]][key]


def test_what_columns_are_to_be_set_to_stands_in_place_of_null(tmp_path: Path) -> None:
    unknown = write_lines(tmp_path / "rows.jsonl", [{"stem": "Why?", "text": "So."}])
    assert as_written(refusal(unknown, tmp_path, format="auto"), "columns") == {"instruction": "NAME", "output": "NAME"}
    alike = write_lines(tmp_path / "rows.jsonl", [{"problem": "Why?", "solution": "So.", "answer": "Yes."}])
    assert as_written(refusal(alike, tmp_path, format="auto"), "columns")["instruction"] == "problem"
    mixed = write_lines(tmp_path / "rows.jsonl", [{"question": "Why?", "answer": "So."}, *({"note": str(n)} for n in range(9))])
    assert as_written(refusal(mixed, tmp_path, format="auto"), "columns") == {"instruction": "question", "output": "answer"}
    for format_name, rows in (("auto", "stem\nWhy?\n"), ("mapped", "stem\nWhy?\n")):
        (tmp_path / "b.csv").write_text(rows)
        with pytest.raises(Refused) as refused:
            read_benchmark(tmp_path / "b.csv", format_name=format_name)
        assert as_written(str(refused.value), "benchmark_columns")["question"] == "NAME"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("question;answer\nWhy?;So.\n", "looks like CSV with ';' between the fields. Set clean.format to auto"),
        ('Pupil asks,Teacher says\n"Why,\nthen?","So,\nthus."\n', "looks like CSV. Set clean.format to auto"),
        ("question\tanswer\nWhy?\tSo.\n", "looks like TSV. Set clean.format to auto"),
        ("sep=;\nquestion;answer\nWhy?;So.\n", "looks like CSV with ';' between the fields. Set clean.format to auto"),
    ],
)
def test_a_table_that_is_read_as_json_lines_is_called_a_table(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(content, encoding="utf-8")
    for shape in ("alpaca", "messages"):
        told = refusal(tmp_path / "rows.csv", tmp_path, format=shape)
        assert words in told and "none of" not in told


def test_json_lines_whose_first_line_is_broken_are_no_table(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('ion": "Why?", "output": "So."}\n' + "".join(json.dumps(row) + "\n" for row in ROWS))
    kept, quarantined, _ = clean(tmp_path / "rows.jsonl", tmp_path / "out", format="alpaca")
    assert (len(kept), [row.origin.line for row in quarantined]) == (len(ROWS), [1])


def windows_1252(*texts: str) -> bytes:
    return b"question,answer\n" + b"".join(f"{asked},So.\n".encode("cp1252") for asked in texts)


@pytest.mark.skipif(shutil.which("iconv") is None, reason="the remedy is a command of iconv")
def test_a_file_in_windows_1252_is_told_once_how_to_become_utf8(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = tmp_path / "my rows.csv"
    source.write_bytes(windows_1252("Wie groß?", "Why?", "How – then?", "Who?"))
    with caplog.at_level("WARNING", logger="clean"):
        kept, quarantined, _ = clean(source, tmp_path / "out", format="auto")
    assert (len(kept), [row.reason for row in quarantined]) == (2, ["invalid_utf8"] * 2)
    [told] = [record.getMessage() for record in caplog.records]
    assert told.startswith("2 of 4 rows are not UTF-8 and are put aside. ") and 'save it as "CSV UTF-8"' in told
    [command] = re.findall(r"`(iconv .*?)`", told)
    subprocess.run(command, shell=True, check=True)
    kept, quarantined, _ = clean(tmp_path / "my rows_utf8.csv", tmp_path / "again", format="auto")
    assert [row.instruction for row in kept] == ["Wie groß?", "Why?", "How – then?", "Who?"] and not quarantined


def test_a_file_of_utf8_with_a_few_other_bytes_is_not_to_be_converted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = tmp_path / "rows.csv"
    source.write_bytes(windows_1252("Wie groß?") + "Wie größer?,Größer.\nWie lang ist ein Fuß?,So.\n".encode())
    with caplog.at_level("WARNING", logger="clean"):
        _, quarantined, _ = clean(source, tmp_path / "out", format="auto")
    assert len(quarantined) == 1 and not caplog.records


COLUMNS = {"question": [asked for asked, _ in PAIRS], "answer": [said for _, said in PAIRS]}
NUMBERED = {key: {str(place): value for place, value in enumerate(values)} for key, values in COLUMNS.items()}


@pytest.mark.parametrize("content", [COLUMNS, NUMBERED], ids=["lists", "numbered, as pandas writes them"])
def test_columns_of_values_are_never_read_as_one_conversation(content: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps(content))
    assert "rows.json holds a column of values under each key. Write one object per row" in refusal(tmp_path / "rows.json", tmp_path)
    with pytest.raises(Refused, match=r"rows\.json holds a column of values under each key"):
        read_benchmark(tmp_path / "rows.json", format_name="auto")


@pytest.mark.skipif(shutil.which("jq") is None, reason="the remedy is a command of jq")
@pytest.mark.parametrize("indent", [None, 2])
def test_rows_under_a_key_each_come_out_by_the_command(indent: int | None, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps({f"row {place}": row for place, row in enumerate(ROWS)}, indent=indent))
    [command] = re.findall(r"`(jq .*?)`", refusal(tmp_path / "rows.json", tmp_path))
    done = subprocess.run(f"{command} {tmp_path / 'rows.json'}", shell=True, check=True, capture_output=True)
    (tmp_path / "lines.jsonl").write_bytes(done.stdout)
    kept, quarantined, _ = clean(tmp_path / "lines.jsonl", tmp_path / "out", format="auto")
    assert [row.instruction for row in kept] == [asked for asked, _ in PAIRS] and not quarantined
    question = {"id": "a", "kind": "numeric", "question": "How far?", "target": "3"}
    (tmp_path / "questions.json").write_text(json.dumps({"q1": question, "q2": question | {"id": "b"}}, indent=indent))
    with pytest.raises(Refused, match=r"a row stands under each key\. Write a list of them alone, as `jq '\[\.\[\]\]'` does"):
        read_benchmark(tmp_path / "questions.json", format_name="auto")


def test_keys_that_are_not_read_are_named_before_the_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"question": asked, "options": ["one", "two"], "answer": said, "id": 7} for asked, said in PAIRS]
    with caplog.at_level("INFO", logger="clean"):
        clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out", format="auto")
    assert "not read: options, id" in [record.getMessage() for record in caplog.records]


def test_a_mark_that_a_row_is_not_trained_is_not_called_unread(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"question": asked, "answer": said, "weight": 0, "id": 7} for asked, said in PAIRS[:1]]
    rows += [{"question": asked, "answer": said, "weight": 1, "id": 7} for asked, said in PAIRS[1:]]
    with caplog.at_level("INFO", logger="clean"):
        _, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out", format="auto")
    assert [record.getMessage() for record in caplog.records if "not read: " in record.getMessage()] == ["not read: id"]
    assert len(quarantined) == 1 and any("marked as not to be trained on" in record.getMessage() for record in caplog.records)
