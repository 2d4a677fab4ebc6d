"""Every bad input of the case list becomes what its policy allows, and no good line next to it is lost."""

import base64
import json
import os
import time
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from plumbline.cleaning.quarantined_row import QuarantinedRow, RedactedLine
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.pipeline.refused import InputRefused
from plumbline.rows.instruction_row import InstructionRow
from stages.clean import CleanParams, main

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(os.environ.get("PLUMBLINE_SHARED", ROOT.parent / "shared")) / "cases" / "cleaning" / "bad_inputs.jsonl"
LINES = [json.loads(line) for line in CASES.read_text(encoding="ascii").splitlines()] if CASES.is_file() else []
FRAME = ("State Newton's second law.", "What is the SI unit of energy?")
# Flags that say "ordinary text, have a look"; a row that only bears them was accepted as it is.
SOFT = {"context_leak"}


def clean_params() -> CleanParams:
    # The policy of the cases is that of Alpaca lines; auto reads some of the files that it refuses.
    return CleanParams.model_validate(read_yaml(ROOT / "params.yaml")["clean"] | {"format": "alpaca"})


@pytest.mark.parametrize("case", LINES, ids=[case["name"] for case in LINES])
def test_a_bad_input_becomes_what_the_policy_allows(case: Mapping[str, Any], tmp_path: Path) -> None:
    expected = case["expected"]
    content = base64.b64decode(case["raw_bytes_base64"])
    source = tmp_path / "source.jsonl"
    source.write_bytes(content)
    outputs = {name: tmp_path / f"{name}.json" for name in ("kept", "quarantined", "metrics")}
    started = time.perf_counter()
    try:
        main(clean_params(), source=source, **outputs)
    except InputRefused as refusal:
        assert "reject_file" in expected["allowed_outcomes"], f"refused: {refusal}"
        assert not any(path.exists() for path in outputs.values())
        assert refusal.reason == expected["reason"]
        return
    assert time.perf_counter() - started < 5
    assert source.read_bytes() == content
    kept = list(read_jsonl(outputs["kept"], InstructionRow))
    quarantined = list(read_jsonl(outputs["quarantined"], QuarantinedRow))
    summary = json.loads(outputs["metrics"].read_text())
    num_lines = content.count(b"\n") + (not content.endswith(b"\n"))
    assert num_lines == summary["lines"] == len(kept) + len(quarantined) + summary["blank"]
    framing = [row for row in kept if row.instruction in FRAME]
    assert len([row for row in framing if not row.repairs and not row.flags]) == expected["good_lines_kept"]
    tested = [row for row in kept if row.instruction not in FRAME]
    outcomes = set()
    for row in tested:
        outcomes.add("repair" if row.repairs else "flag" if set(row.flags) - SOFT else "accept")
        if set(row.flags):
            outcomes.add("flag")
        if "record" in expected:
            assert {"instruction": row.instruction, "input": row.input, "output": row.output} == expected["record"]
        assert unicodedata.is_normalized("NFC", row.output)
    for row in quarantined:
        outcomes.add("reject")
        assert row.reason == expected["reason"]
        assert (isinstance(row.raw, RedactedLine)) == (row.reason == "secret")
    if case["name"] == "nfc_nfd_duplicates":
        outcomes.discard("accept")
        outcomes.discard("repair")
    assert outcomes <= set(expected["allowed_outcomes"]), outcomes
    if expected["allowed_outcomes"] == ["accept"]:
        assert not quarantined and all(not row.repairs and not row.flags for row in tested)
