"""Examples of repairs: ten rows of each at random, each shown in the field with the repair."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.cleaning.repair_example import RepairExample
from plumbline.cleaning.repair_examples import MAX_CHARACTERS, NUM_EXAMPLES, shown_part, smallest_ids
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.rows.instruction_row import InstructionRow
from stages.clean import CleanParams, main

ROOT = Path(__file__).resolve().parents[2]


def examples_of(lines: list[bytes], folder: Path, **rules: str) -> tuple[list[RepairExample], list[InstructionRow]]:
    """Clean lines; the examples and the rows kept."""
    section: dict[str, Any] = read_yaml(ROOT / "params.yaml")["clean"]
    params = CleanParams.model_validate(section | {"rules": section["rules"] | rules})
    folder.mkdir(exist_ok=True)
    source = folder / "source.jsonl"
    source.write_bytes(b"".join(line + b"\n" for line in lines))
    outputs = {name: folder / f"{name}.jsonl" for name in ("kept", "quarantined", "metrics", "repair_examples")}
    main(params, source=source, **outputs)
    return list(read_jsonl(outputs["repair_examples"], RepairExample)), list(read_jsonl(outputs["kept"], InstructionRow))


def line_of(instruction: str, output: object, **more: object) -> bytes:
    return json.dumps({"instruction": instruction, "output": output, **more}).encode()


def only_example(line: bytes, code: str, folder: Path, **rules: str) -> RepairExample:
    examples, _ = examples_of([line], folder, **rules)
    return next(example for example in examples if example.code == code)


MANY = [line_of(f" Question {number}?", json.dumps({"answer": number // 2})) for number in range(60)] + [
    line_of(f"Question {number}?", f"Answer {number} ") for number in range(60, 80)
]


def test_the_ten_smallest_ids_of_each_code_are_taken() -> None:
    rows = [(f"{(7 * number) % 100:02}", number, ("even",) if number % 2 == 0 else ("odd", "late")) for number in range(100)]
    chosen = smallest_ids(rows)
    even, late = sorted((7 * number) % 100 for number in range(0, 100, 2)), sorted((7 * number) % 100 for number in range(1, 100, 2))
    assert [int(row_id) for row_id, _ in chosen["even"]] == even[:NUM_EXAMPLES]
    assert [int(row_id) for row_id, _ in chosen["late"]] == late[:NUM_EXAMPLES] == [int(row_id) for row_id, _ in chosen["odd"]]


@pytest.mark.parametrize("chunk_bytes", [1, 700, 1 << 20])
def test_examples_are_the_smallest_ids_of_the_rows_that_stay_however_the_file_is_cut(
    chunk_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plumbline.cleaning.source_lines.CHUNK_BYTES", chunk_bytes)
    _, unique = examples_of(MANY, tmp_path / "unique")
    # The rows with the smallest ids come again: within a chunk they take places, and are then moved out as duplicates.
    smallest = sorted(unique, key=lambda row: row.id)[:25]
    again = [MANY[row.origin.line - 1].replace(b'"instruction": "', b'"instruction": "  ') for row in smallest]
    examples, kept = examples_of([*MANY, *again], tmp_path / "again", duplicate="quarantine")
    assert len(kept) == len(unique)
    for code in ("outer_space", "stringified_json"):
        expected = sorted((row.id, row.origin.line) for row in kept if code in row.repairs)[:NUM_EXAMPLES]
        assert len(expected) == NUM_EXAMPLES
        assert [(example.id, example.origin.line) for example in examples if example.code == code] == expected


def test_the_examples_are_the_same_for_any_number_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plumbline.cleaning.first_pass.PARALLEL_FROM_BYTES", 0)
    monkeypatch.setattr("plumbline.cleaning.source_lines.CHUNK_BYTES", 900)
    found = []
    for workers in ("1", "3"):
        monkeypatch.setenv("PLUMBLINE_WORKERS", workers)
        examples_of(MANY, tmp_path)
        found.append((tmp_path / "repair_examples.jsonl").read_bytes())
    assert found[0] == found[1]


def test_an_example_shows_the_field_that_was_mended(tmp_path: Path) -> None:
    shown = only_example(line_of("Why? ", '{"answer": "It falls."}'), "stringified_json", tmp_path)
    assert (shown.field, shown.before, shown.after) == ("output", '{"answer": "It falls."}', "It falls.")
    shown = only_example(line_of("Why? ", '{"answer": "It falls."}'), "outer_space", tmp_path)
    assert (shown.field, shown.before, shown.after) == ("instruction", "Why? ", "Why?")
    shown = only_example(line_of("Why?", "It falls.", input="Itâ€™s a stone."), "mojibake", tmp_path)
    assert (shown.field, shown.before, shown.after) == ("input", "Itâ€™s a stone.", "It’s a stone.")


def test_an_output_that_was_no_text_is_shown_as_json(tmp_path: Path) -> None:
    shown = only_example(line_of("Why?", {"answer": "It falls.", "law": ["Newton"]}), "wrong_type", tmp_path)
    assert shown.before == '{"answer": "It falls.", "law": ["Newton"]}'
    assert "It falls." in shown.after and "{" not in shown.after


def test_a_repair_of_the_line_shows_the_line(tmp_path: Path) -> None:
    line = b'{"instruction": "Why?", "output": "It falls.",}'
    shown = only_example(line, "line_trailing_comma", tmp_path)
    assert (shown.field, shown.before, shown.after) == ("line", line.decode(), '{"instruction": "Why?", "output": "It falls."}')


def test_a_long_text_is_cut_around_its_first_difference_and_the_cut_is_counted(tmp_path: Path) -> None:
    long = "ab " * 4000
    shown = only_example(line_of("Why?", f"{long}Itâ€™s here. {long}end"), "mojibake", tmp_path, too_long="off")
    assert "Itâ€™s here." in shown.before and "It’s here." in shown.after
    assert len(shown.before) == len(shown.after) == MAX_CHARACTERS
    original, mended = f"{long}Itâ€™s here. {long}end", f"{long}It’s here. {long}end"
    assert shown.num_skipped + len(shown.before) + shown.num_cut_before == len(original)
    assert shown.num_skipped + len(shown.after) + shown.num_cut_after == len(mended)
    assert original[: shown.num_skipped] == mended[: shown.num_skipped]


@pytest.mark.parametrize("at", [0, 150, 1999, 5000, 9999])
def test_what_is_shown_holds_the_difference(at: int) -> None:
    before = "x" * at + "y" + "x" * (10_000 - at)
    start, end = shown_part(before, before.replace("y", ""))
    assert start <= at < end and end - start == MAX_CHARACTERS


def test_key_material_is_no_example_even_where_such_rows_are_kept(tmp_path: Path) -> None:
    key = "sk-ant-api03-" + "Q" * 40
    lines = [line_of(f"Key {number}? ", key) for number in range(3)] + [line_of("Why? ", "It falls.")]
    examples, kept = examples_of(lines, tmp_path, secret="flag")
    assert len(kept) == 4 and [example.before for example in examples] == ["Why? "]
    assert key.encode() not in (tmp_path / "repair_examples.jsonl").read_bytes()
