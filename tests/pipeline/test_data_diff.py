"""Two versions of the data are compared row by row, over two git revisions."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from plumbline.cleaning.quarantined_row import QuarantinedRow
from plumbline.comparing.row_changes import State, compare
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.rows.instruction_row import InstructionRow
from stages.clean import CleanParams, main

ROOT = Path(__file__).resolve().parents[2]
OLD = [
    {"instruction": "What is force?", "output": "A push."},
    {"instruction": "What is mass?", "output": "Inertia."},
    {"instruction": "What is work?", "output": '{"cut": "off'},
    {"instruction": "What is heat?", "output": "Energy in transit."},
    {"instruction": "What is time?", "output": "What a clock shows."},
]
NEW = [
    {"instruction": "What is light?", "output": "A wave."},
    OLD[0],
    {"instruction": "What is mass?", "output": "A measure of inertia."},
    {"instruction": "What is work?", "output": '{"answer": "Force times way."}'},
    {"instruction": "What is heat?", "output": "I'm sorry, but I cannot answer."},
]


def clean(rows: Sequence[Mapping[str, object]], folder: Path, **changes: object) -> State:
    source = folder / "source.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    params = CleanParams.model_validate(read_yaml(ROOT / "params.yaml")["clean"] | changes)
    kept, quarantined = folder / "data/clean/kept.jsonl", folder / "data/clean/quarantined.jsonl"
    main(params, source=source, kept=kept, quarantined=quarantined, metrics=folder / "metrics.json")
    return State(list(read_jsonl(kept, InstructionRow)), list(read_jsonl(quarantined, QuarantinedRow)))


def test_rows_added_removed_and_changed_are_told_apart_with_their_reasons(tmp_path: Path) -> None:
    changes = compare(clean(OLD, tmp_path / "old"), clean(NEW, tmp_path / "new"))
    assert [(change.kind, change.line, change.why) for change in changes] == [
        ("added", 1, "new in the source"),
        ("changed", 3, "output"),
        ("added", 4, "quarantined before: stringified_json"),
        ("removed", 4, "quarantined now: refusal"),
        ("removed", 5, "not in the source"),
    ]


def test_rows_that_only_moved_are_no_change(tmp_path: Path) -> None:
    assert compare(clean(OLD, tmp_path / "old"), clean(OLD[::-1], tmp_path / "new")) == []


def chat(question: str, answer: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


REFUSAL = "I'm sorry, but I cannot answer."


@pytest.mark.parametrize(
    ("shape", "stays", "old", "new"),
    [
        ("messages", chat("What is force?", "A push."), chat("What is mass?", "Inertia."), chat("What is mass?", REFUSAL)),
        (
            "prompt_completion",
            {"prompt": "What is force?", "completion": "A push."},
            {"prompt": [{"role": "user", "content": "What is mass?"}], "completion": [{"role": "assistant", "content": "Inertia."}]},
            {"prompt": [{"role": "user", "content": "What is mass?"}], "completion": [{"role": "assistant", "content": REFUSAL}]},
        ),
        (
            "alpaca",
            OLD[0],
            {"instruction": "How large is Î¸?", "output": "A right angle."},
            {"instruction": "How large is Î¸?", "output": REFUSAL},
        ),
    ],
    ids=["messages", "turns", "mojibake"],
)
def test_a_row_that_is_quarantined_in_another_line_is_found_by_its_question(
    shape: str, stays: dict[str, object], old: dict[str, object], new: dict[str, object], tmp_path: Path
) -> None:
    before, after = clean([stays, old], tmp_path / "old", format=shape), clean([new, stays], tmp_path / "new", format=shape)
    assert [(change.kind, change.why) for change in compare(before, after)] == [("removed", "quarantined now: refusal")]
    assert [(change.kind, change.why) for change in compare(after, before)] == [("added", "quarantined before: refusal")]


def test_a_line_whose_question_nobody_can_read_is_known_by_its_place(tmp_path: Path) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"
    before = clean(OLD, tmp_path)
    after = clean([*OLD[:4], {"instruction": "What is time?", "output": key}], tmp_path)
    assert [(change.kind, change.line, change.why) for change in compare(before, after)] == [
        ("removed", 5, "quarantined now, by its line: secret")
    ]
    assert [(change.kind, change.line, change.why) for change in compare(after, before)] == [
        ("added", 5, "quarantined before, by its line: secret")
    ]


@pytest.mark.slow
def test_the_verb_compares_two_git_revisions(tmp_path: Path) -> None:
    def run(*command: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
        return subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False, env=environment)

    for command in (["git", "init", "-q"], ["git", "config", "user.email", "a@example.org"], ["git", "config", "user.name", "A"]):
        assert run(*command).returncode == 0
    assert run(sys.executable, "-m", "dvc", "init", "-q").returncode == 0
    for rows in (OLD, NEW):
        clean(rows, tmp_path)
        assert run(sys.executable, "-m", "dvc", "add", "-q", "data/clean/kept.jsonl", "data/clean/quarantined.jsonl").returncode == 0
        run("git", "add", "-A")
        assert run("git", "commit", "-qm", "data").returncode == 0
    shown = run(sys.executable, "-m", "plumbline", "data-diff", "HEAD~1", "HEAD")
    assert shown.returncode == 1, shown.stderr
    assert "HEAD~1 -> HEAD: kept 4 -> 4, quarantined 1 -> 1" in shown.stdout
    assert "+ output: A measure of inertia." in shown.stdout
    assert run(sys.executable, "-m", "plumbline", "data-diff", "HEAD").returncode == 0
    assert run(sys.executable, "-m", "plumbline", "data-diff", "nowhere").returncode == 2
