"""The study's real files are cleaned whole: every line accounted for, no structure left over, no value or key lost."""

import ast
import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from plumbline.cleaning.quarantined_row import QuarantinedRow
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.rows.instruction_row import InstructionRow
from stages.clean import CleanParams, main

ROOT = Path(__file__).resolve().parents[2]
NUM_ROWS = 4397
# The pattern of the count in the study's review (139 raw rows): control characters where LaTeX commands begin.
SWALLOWED = re.compile(r"\t(?:ext|imes|heta|au|an\(|o\b)|\f[a-z]|\x08(?:eta|ar|egin|f)|\r(?:ho|ight|angle)|\n(?:abla|otin)\b")
FORM_WORDS = ("explanation", "answer", "unit", "units")
UNESCAPED = re.compile(r'\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')


def structured(text: str) -> Any:
    """What JSON or Python reads the text as, if a container; broken JSON only where escapes and line breaks broke it."""
    if not text.strip().startswith(("{", "[", '"')):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for read in (json.loads, lambda one: json.loads(UNESCAPED.sub(r"\\\\", one), strict=False), ast.literal_eval):
            try:
                value = read(text)
            except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
                continue
            return value if isinstance(value, dict | list) else None
    return None


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [] if value is None else [value if isinstance(value, str) else json.dumps(value)]


def keys(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for item in value.values() for key in keys(item))]
    return [key for item in value for key in keys(item)] if isinstance(value, list) else []


def letters(text: str) -> str:
    """Letters and digits, lower case: repairs of escapes, white space and mojibake leave these ASCII ones alone."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("cleaned", {"json_object": 353, "json_list": 95, "python_literal": 292, "plain": 3285, "json_scalar": 70}),
        ("raw", {"json_object": 2095, "json_list": 1, "python_literal": 6, "plain": 2242, "json_scalar": 11}),
    ],
)
def test_the_real_file_comes_out_plain_and_whole(name: str, before: dict[str, int], shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "physics" / f"alpaca_physics_5k_{name}.jsonl"
    content = source.read_bytes()
    params = CleanParams.model_validate(read_yaml(ROOT / "params.yaml")["clean"])
    main(params, source=source, kept=tmp_path / "kept", quarantined=tmp_path / "quarantined", metrics=tmp_path / "data.json")
    assert source.read_bytes() == content
    kept = list(read_jsonl(tmp_path / "kept", InstructionRow))
    quarantined = list(read_jsonl(tmp_path / "quarantined", QuarantinedRow))
    summary = json.loads((tmp_path / "data.json").read_text())
    assert len(kept) + len(quarantined) == NUM_ROWS == summary["lines"]
    assert sorted(row.origin.line for row in [*kept, *quarantined]) == list(range(1, NUM_ROWS + 1))
    assert {kind: summary["classes_before"][kind] for kind in before} == before
    assert summary["structured_after"] == 0
    assert {row.reason for row in quarantined} <= {"empty_field", "refusal", "no_answer", "duplicate"}
    originals = [json.loads(line) for line in content.decode("utf-8").split("\n") if line]
    for row in kept:
        original = originals[row.origin.line - 1]["output"]
        assert structured(row.output) is None, f"line {row.origin.line}: {row.output!r}"
        assert not SWALLOWED.search(row.output), f"line {row.origin.line}: {row.output!r}"
        value = structured(original.strip())
        text = letters(row.output)
        parts = leaves(value) if value is not None else [original]
        if "bare_value" in row.repairs:  # no library reads these: compare word by word
            parts = [word for word in re.findall(r"[A-Za-z0-9]+", original) if word.lower() not in FORM_WORDS]
        for part in parts:
            # A restored command has one letter more than its damaged original: compare the text between.
            for piece in re.split(r"[\x00-\x1f]+", part):
                assert letters(piece) in text, f"line {row.origin.line}: {piece!r} is not in {row.output!r}"
        for key in keys(value):
            if key.lower() not in FORM_WORDS:
                assert letters(key) in text, f"line {row.origin.line}: key {key!r}"
