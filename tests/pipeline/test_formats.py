"""Files as people have them: recognised by their content, named before they are read, and refused if two readings fit or the file is damaged."""

import gzip
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from plumbline.cleaning.quarantined_row import RedactedLine
from plumbline.pipeline.refused import InputRefused
from tests.pipeline.test_clean import clean, write_lines

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples/rows"
ASKED = ["Why does it fall?", "What is mass, in short?", "Who found it?"]
ANSWERED = ["Gravity pulls it.", "A measure of inertia.", 'Newton, "they" say;\nor so.']
PAIRS = list(zip(ASKED, ANSWERED, strict=True))


def turns(asked: str, answer: str, *, role: str = "role", text: str = "content", names: tuple[str, str] = ("user", "assistant")) -> Any:
    return [{role: names[0], text: asked}, {role: names[1], text: answer}]


SHAPES: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "Alpaca": lambda q, a: {"instruction": q, "input": "", "output": a},
    "messages": lambda q, a: {"messages": turns(q, a), "source": "x"},
    "ShareGPT": lambda q, a: {"id": 1, "conversations": turns(q, a, role="from", text="value", names=("human", "gpt"))},
    "prompt and completion": lambda q, a: {"prompt": q, "completion": a},
    "prompt and completion of turns": lambda q, a: {"prompt": turns(q, a)[:1], "completion": turns(q, a)[1:]},
    "question and answer": lambda q, a: {"question": q, "answer": a},
    "Dolly": lambda q, a: {"instruction": q, "context": "", "response": a, "category": "open_qa"},
    "OpenOrca": lambda q, a: {"id": "x", "system_prompt": "", "question": q, "response": a},
    "CAMEL": lambda q, a: {"role_1": "P", "topic;": "t", "message_1": q, "message_2": a},
    "query and response": lambda q, a: {"query": q, "response": a, "type": "x", "original_question": q},
    "problem and solution": lambda q, a: {"problem": q, "solution": a, "level": 1},
    "input and output": lambda q, a: {"input": q, "output": a},
}


def rows_of(shape: str) -> list[dict[str, Any]]:
    return [SHAPES[shape](asked, answer) for asked, answer in PAIRS]


def read(source: Path, folder: Path, **changes: Any) -> list[tuple[str, str]]:
    kept, quarantined, _ = clean(source, folder, **{"format": "auto"} | changes)
    assert not quarantined, quarantined[0]
    return [(row.instruction, row.output) for row in kept]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_recognised_and_said_with_three_rows(shape: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert read(write_lines(tmp_path / "rows.jsonl", rows_of(shape)), tmp_path / "out") == PAIRS
    said = caplog.messages
    assert "is JSON lines; its keys are" in said[0]
    assert f"are read as {shape.removesuffix(' of turns')} (" in said[1] and "3 of the first 3 rows" in said[1]
    assert [line for line in said if line.startswith("line ")] == [
        f"line {number}: asked {asked!r}, answered {answer!r}" for number, (asked, answer) in enumerate(PAIRS, start=1)
    ]


def as_table(path: Path, separator: str) -> None:
    quoted = ["question" + separator + "answer"] + [separator.join('"' + text.replace('"', '""') + '"' for text in pair) for pair in PAIRS]
    path.write_text("\n".join(quoted) + "\n", encoding="utf-8")


def as_arrow(path: Path, kind: str) -> None:
    table = pyarrow.table({"question": ASKED, "answer": ANSWERED})
    opened = pyarrow.ipc.new_file if kind == "file" else pyarrow.ipc.new_stream
    with pyarrow.OSFile(str(path), "wb") as sink, opened(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)


def zstd(content: bytes) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


LINES = "".join(json.dumps(row) + "\n" for row in rows_of("question and answer")).encode()
ARRAY = json.dumps(rows_of("question and answer"), indent=2).encode()
FILES: dict[str, Callable[[Path], Any]] = {
    "JSON lines": lambda path: path.write_bytes(LINES),
    "a JSON array": lambda path: path.write_bytes(ARRAY),
    "CSV": lambda path: as_table(path, ","),
    "TSV": lambda path: as_table(path, "\t"),
    "CSV with ';' between the fields": lambda path: as_table(path, ";"),
    "Parquet": lambda path: pyarrow.parquet.write_table(pyarrow.table({"question": ASKED, "answer": ANSWERED}), path),
    "an Arrow file": lambda path: as_arrow(path, "file"),
    "an Arrow stream": lambda path: as_arrow(path, "stream"),
    "JSON lines in gzip": lambda path: path.write_bytes(gzip.compress(LINES[:40]) + gzip.compress(LINES[40:])),
    "JSON lines in zstd": lambda path: path.write_bytes(zstd(LINES[:40]) + zstd(LINES[40:])),
    "a JSON array in gzip": lambda path: path.write_bytes(gzip.compress(ARRAY)),
    "an Arrow stream in zstd": lambda path: (as_arrow(path, "stream"), path.write_bytes(zstd(path.read_bytes()))),
}


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_of_file_gives_the_same_rows(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    FILES[kind](tmp_path / "rows")
    with caplog.at_level(logging.INFO):
        assert read(tmp_path / "rows", tmp_path / "out") == PAIRS
    assert f"is {kind}; its keys are question, answer" in caplog.messages[0]


@pytest.mark.parametrize("kind", ["CSV", "Parquet"])
def test_turns_in_a_table_are_read(kind: str, tmp_path: Path) -> None:
    conversations = [turns(*pair) for pair in PAIRS]
    if kind == "CSV":
        cells = ['"' + json.dumps(turn).replace('"', '""') + '"' for turn in conversations]
        (tmp_path / "rows").write_text("id,messages\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(cells)), encoding="utf-8")
    else:
        for conversation in conversations:
            conversation[0] |= {"name": None, "tool_calls": None}
        pyarrow.parquet.write_table(pyarrow.table({"messages": conversations}), tmp_path / "rows")
    kept, _, _ = clean(tmp_path / "rows", tmp_path / "out", format="auto")
    assert [(row.instruction, row.output) for row in kept] == PAIRS
    assert {row.flags for row in kept} == {("extra_keys",) if kind == "CSV" else ()}


def test_names_in_capitals_and_with_space_around_them_are_known(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('ID, Question , Answer\n1,Why?,"So, yes."\n2,When?,Now.\n', encoding="utf-8")
    assert read(tmp_path / "rows.csv", tmp_path / "out") == [("Why?", "So, yes."), ("When?", "Now.")]


def test_a_refused_record_that_is_long_is_only_counted(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("question,answer\nWhy?,So.\n" + "x" * 700_000 + "," + "y" * 700_000 + ",z\n", encoding="utf-8")
    _, (row,), _ = clean(tmp_path / "rows.csv", tmp_path / "out", format="auto")
    assert row.reason == "not_object" and isinstance(row.raw, RedactedLine) and row.raw.length > 1_400_000


def refused(rows: list[dict[str, Any]], folder: Path, **changes: Any) -> str:
    with pytest.raises(InputRefused) as refusal:
        clean(write_lines(folder / "rows.jsonl", rows), folder / "out", **{"format": "auto"} | changes)
    assert not (folder / "out").exists()
    return str(refusal.value)


def test_two_readings_that_fit_alike_are_refused_with_the_line_that_decides(tmp_path: Path) -> None:
    rows = [{"problem": asked, "solution": "By and by.", "answer": answer, "messages": turns(asked, answer)} for asked, answer in PAIRS]
    words = refused(rows, tmp_path)
    assert words.startswith("ambiguous_columns: ") and "read in 3 ways" in words
    for line in ("{messages: messages}", "{instruction: problem, output: solution}", "{instruction: problem, output: answer}"):
        assert f"`columns: {line}`" in words
    for columns in ({"messages": "messages"}, {"instruction": "problem", "output": "answer"}):
        assert read(tmp_path / "rows.jsonl", tmp_path / "out", columns=columns) == PAIRS


def test_keys_that_are_not_known_are_refused_and_can_be_named(tmp_path: Path) -> None:
    rows = [{"stem": asked, "about": "", "explanation": answer} for asked, answer in PAIRS]
    words = refused(rows, tmp_path)
    assert words.startswith("missing_columns: ") and "['stem', 'about', 'explanation']" in words and "`columns: {instruction: NAME" in words
    columns = {"instruction": "stem", "input": "about", "output": "explanation"}
    assert read(tmp_path / "rows.jsonl", tmp_path / "out", columns=columns) == PAIRS
    assert "clean.columns names 'nothing'" in refused(rows, tmp_path / "out", columns=columns | {"input": "nothing"})


def test_a_file_is_judged_by_more_than_its_first_row(tmp_path: Path) -> None:
    odd = {"question": "What?", "answer": "That."}
    rows = [odd, *rows_of("Alpaca"), *({"instruction": f"And {n}?", "output": f"Yes, {n}."} for n in range(3))]
    kept, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out", format="auto")
    assert len(kept) == 6 and [(row.reason, row.origin.line) for row in quarantined] == [("missing_key", 1)]
    (tmp_path / "out").rename(tmp_path / "before")
    assert refused([odd, *rows[1:3]], tmp_path).startswith("ambiguous_columns: ")
    mixed = [{"note": str(n)} for n in range(9)]
    assert "only 3 of the first 12 rows are Alpaca" in refused([*rows_of("Alpaca"), *mixed], tmp_path)


def test_columns_are_named_with_a_file_that_is_recognised_only(tmp_path: Path) -> None:
    words = refused(rows_of("Alpaca"), tmp_path, format="alpaca", columns={"instruction": "instruction", "output": "output"})
    assert "clean.format is alpaca, which does not use clean.columns" in words


@pytest.mark.parametrize("kind", ["CSV", "Parquet", "a JSON array in gzip"])
def test_one_process_and_three_read_the_same(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FILES[kind](tmp_path / "rows")
    monkeypatch.setattr("plumbline.cleaning.first_pass.PARALLEL_FROM_BYTES", 0)
    monkeypatch.setattr("plumbline.cleaning.source_lines.CHUNK_BYTES", 100)
    found = []
    for workers in ("1", "3"):
        monkeypatch.setenv("PLUMBLINE_WORKERS", workers)
        assert read(tmp_path / "rows", tmp_path / workers) == PAIRS
        found.append([(tmp_path / workers / name).read_bytes() for name in ("kept.jsonl", "quarantined.jsonl", "data.json")])
    assert found[0] == found[1]


def test_what_is_said_holds_no_key_and_no_control_character(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = "sk-ant-api03-" + "Q" * 40
    rows = [{"question": "Key?", "answer": key, "\x1b[31mred": 1}, *rows_of("question and answer")]
    with caplog.at_level(logging.INFO):
        clean(write_lines(tmp_path / "rows.jsonl", rows), tmp_path / "out", format="auto")
    assert key[:20] not in caplog.text and "holds key material, which is not shown" in caplog.text
    assert "\x1b" not in "".join(caplog.messages)


def cut(content: bytes, at: float = 0.6) -> bytes:
    return content[: int(len(content) * at)]


def arrow_bytes(kind: str, folder: Path) -> bytes:
    as_arrow(folder / "whole", kind)
    return (folder / "whole").read_bytes()


DAMAGED: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "gzip that ends early": (lambda _: cut(gzip.compress(LINES * 50)), "broken_compression"),
    "gzip with a wrong byte": (lambda _: (packed := gzip.compress(LINES * 50))[:-6] + b"\0" + packed[-5:], "broken_compression"),
    "zstd that ends early": (lambda _: cut(zstd(LINES * 50)), "broken_compression"),
    "a JSON array that ends early": (lambda _: cut(ARRAY), "truncated"),
    "a JSON array without its bracket": (lambda _: ARRAY.rstrip().removesuffix(b"]"), "truncated"),
    "a JSON array with a quote too many": (lambda _: ARRAY.replace(b'\\"', b"'").replace(b"Gravity", b'Gra"vity', 1), "truncated"),
    "two JSON arrays": (lambda _: ARRAY + b"\n" + ARRAY, "not_jsonl"),
    "an Arrow file that ends early": (lambda folder: cut(arrow_bytes("file", folder)), "broken_arrow"),
    "an Arrow stream that ends early": (lambda folder: cut(arrow_bytes("stream", folder), 0.8), "broken_arrow"),
    "Parquet in gzip": (lambda _: gzip.compress(b"PAR1" + bytes(80)), "compressed"),
    "a zip": (lambda _: b"PK\x03\x04" + bytes(80), "compressed"),
    "an Excel workbook": (lambda _: b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml" + bytes(80), "foreign"),
    "a pickle": (lambda _: b"\x80\x04\x95" + bytes(80), "foreign"),
    "a SQLite database": (lambda _: b"SQLite format 3\0" + bytes(80), "foreign"),
    "rows under a key": (lambda _: b'{"data": ' + ARRAY.replace(b"\n", b"") + b"}", "not_jsonl"),
    "a CSV header without rows": (lambda _: b"question,answer\n", "empty_input"),
    "an empty JSON array": (lambda _: b"[\n]\n", "not_jsonl"),
    "one object over many lines": (lambda _: b'{\n "question": "Why?",\n "answer": "So."\n}\n', "not_jsonl"),
    "lines that are no JSON": (lambda _: b'{"question": "Why?\n{"answer": "So."\n', "no_rows"),
    "plain text": (lambda _: b"Once upon a time\nthere was a file.\n", "missing_columns"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_or_foreign_file_is_refused_in_a_sentence(kind: str, tmp_path: Path) -> None:
    make, reason = DAMAGED[kind]
    (tmp_path / "rows").write_bytes(make(tmp_path))
    with pytest.raises(InputRefused) as refusal:
        clean(tmp_path / "rows", tmp_path / "out", format="auto")
    assert refusal.value.reason == reason and str(tmp_path / "rows") in str(refusal.value)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_one_bad_element_of_an_array_is_put_aside_alone(tmp_path: Path) -> None:
    good = json.dumps(rows_of("question and answer")[0])
    huge = '{"question": "Why?", "answer": "' + "x, ]} " * 400_000 + '"}'
    (tmp_path / "rows.json").write_text(
        f'[{good}, {{"question": "Why?"}}, [1, 2], {{"question": "{{", "answer": oops}},\n{huge},{good[:-1]}, "n": 1}},]'
    )
    kept, quarantined, _ = clean(tmp_path / "rows.json", tmp_path / "out", format="auto", rules={"duplicate": "off"})
    assert [row.origin.line for row in kept] == [1, 6]
    assert [(row.origin.line, row.reason) for row in quarantined] == [
        (2, "missing_key"),
        (3, "not_object"),
        (4, "not_json"),
        (5, "oversize_line"),
    ]


EXPECTED = {"messages.jsonl": (4, ["tool_calls"])}


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_each_example_file_is_read(name: str, tmp_path: Path) -> None:
    columns = {"instruction": "stem", "output": "explanation"} if name == "own_names.csv" else None
    kept, quarantined, _ = clean(EXAMPLES / name, tmp_path / "out", format="auto", columns=columns)
    num_kept, reasons = EXPECTED.get(name, (4, []))
    assert len(kept) == num_kept and [row.reason for row in quarantined] == reasons
    assert kept[1].output == "Explanation: time is distance over speed, 3 m / 3.0e8 m/s.\nAnswer: 1.0e-8 s"
    assert f"`examples/rows/{name}`" in (ROOT / "docs/formats.md").read_text(encoding="utf-8"), "the table of the docs names it"


READ_ALL = """
import re, sys
from pathlib import Path
import pyarrow, pyarrow.parquet
from plumbline.cleaning.recognition import laid_out
from plumbline.cleaning.source_head import HEAD_BYTES
from plumbline.cleaning.source_lines import read_chunks
def rows(path):
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    return sum(len(chunk.lines) for chunk in read_chunks(path, laid_out(path, head, "auto", None)))
small, large = map(Path, sys.argv[1:])
def peak_kib():  # of this process alone: ru_maxrss begins with what its parent had
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
few = rows(small)
before = peak_kib()
many = rows(large)
print(few, many, (peak_kib() - before) // 1024)
"""
ROW = {"question": "Why does number {} fall?", "answer": "word " * 400}


def write_large(path: Path, kind: str, num: int) -> None:
    rows = ({"question": ROW["question"].format(number), "answer": ROW["answer"]} for number in range(num))
    if kind in ("Parquet", "an Arrow file", "an Arrow stream"):
        table = pyarrow.Table.from_pylist(list(rows))
        if kind == "Parquet":
            # One row group and no dictionary, as a careless writer leaves them.
            pyarrow.parquet.write_table(table, path, row_group_size=num, compression="none", use_dictionary=False)
        else:
            opened = pyarrow.ipc.new_file if kind == "an Arrow file" else pyarrow.ipc.new_stream
            with pyarrow.OSFile(str(path), "wb") as sink, opened(sink, table.schema) as writer:
                writer.write_table(table, max_chunksize=1000)
        return
    lines = [json.dumps(row) for row in rows]
    text = {
        "a JSON array": lambda: "[" + ",".join(lines) + "]",
        "CSV": lambda: "question,answer\n" + "".join(f'"{ROW["question"].format(n)}","{ROW["answer"]}"\n' for n in range(num)),
    }.get(kind, lambda: "\n".join(lines) + "\n")()
    content = text.encode()
    path.write_bytes({"gzip": gzip.compress, "zstd": zstd}.get(kind.split(" in ")[-1], bytes)(content))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(
    "kind", ["JSON lines", "a JSON array", "CSV", "Parquet", "an Arrow file", "an Arrow stream", "JSON lines in gzip", "JSON lines in zstd"]
)
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: Path) -> None:
    few_rows, many_rows = 12_000, 42_000  # 24 and 84 MB of text; Arrow's pool keeps some of what it once had, hence not fewer
    write_large(tmp_path / "small", kind, few_rows)
    write_large(tmp_path / "large", kind, many_rows)
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, tmp_path / "small", tmp_path / "large"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    few, many, grown_mib = map(int, done.stdout.split())
    assert (few, many) == (few_rows, many_rows)
    assert grown_mib < 30, f"reading 84 MB took {grown_mib} MiB more than reading 24 MB"


def test_texts_by_turns_are_a_conversation(tmp_path: Path) -> None:
    rows = [
        {"id": str(place), "data": [f"What is {place}?", "A number.", "And why?", f"It comes behind {place - 1}."]} for place in range(3)
    ]
    kept, quarantined, _ = clean(write_lines(tmp_path / "rows.jsonl", [*rows, {"data": ["Alone?"]}]), tmp_path / "out", format="auto")
    assert [(row.earlier[0].user, row.instruction, row.output) for row in kept] == [
        (f"What is {place}?", "And why?", f"It comes behind {place - 1}.") for place in range(3)
    ]
    assert [row.reason for row in quarantined] == ["unsupported_turns"]


def test_a_table_whose_first_line_says_the_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"\xef\xbb\xbfsep=;\r\nquestion;answer\r\nWhy, then?;So\r\n")
    kept, _, _ = clean(tmp_path / "rows.csv", tmp_path / "out", format="auto")
    assert [(row.instruction, row.origin.line) for row in kept] == [("Why, then?", 1)]
    (tmp_path / "latin.csv").write_bytes("question,answer\nWie groß?,Größer\n".encode("cp1252"))
    with pytest.raises(
        InputRefused, match=r"byte 21 is not UTF-8\. It has another encoding, such as Windows-1252: save it as UTF-8"
    ) as refused:
        clean(tmp_path / "latin.csv", tmp_path / "latin", format="auto")
    assert refused.value.reason == "no_rows"
    assert f"run `iconv -f WINDOWS-1252 -t UTF-8 {tmp_path / 'latin.csv'} > {tmp_path / 'latin_utf8.csv'}`" in str(refused.value)
