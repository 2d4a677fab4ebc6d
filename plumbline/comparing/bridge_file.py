"""The bridges on record in metrics/judge_bridges.jsonl. Reads and writes that file."""

from pathlib import Path
from typing import Any

from plumbline.comparing.bridges import JudgeBridge
from plumbline.comparing.revisions import Workspace, read_rows
from plumbline.pipeline.files import write_text

RECORD = "metrics/judge_bridges.jsonl"


def recorded_bridges(root: Path) -> list[JudgeBridge]:
    """Every bridge on record in the folder, in the order of the file. NotThere if a line is not a bridge."""
    return list(read_rows(Workspace(root), RECORD, JudgeBridge)) if (root / RECORD).exists() else []


def record_bridge(root: Path, found: dict[str, Any]) -> JudgeBridge:
    """Put a bridge on record, in place of an earlier one between the same two judges."""
    made = JudgeBridge.model_validate({name: value for name, value in found.items() if name != "is_enough"})
    others = [one for one in recorded_bridges(root) if {one.old, one.new} != {made.old, made.new}]
    write_text(root / RECORD, "".join(one.model_dump_json() + "\n" for one in sorted([*others, made], key=lambda one: (one.old, one.new))))
    return made
