"""Read a benchmark file as it stands: JSON lines, or one JSON list."""

import json
from pathlib import Path
from typing import Any

from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question


def read_plumbline(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Objects of a JSON lines file of our own shape, each with the words that say where it stands."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [
        (f"{path}, line {number}", as_object(line, f"{path}, line {number}")) for number, line in enumerate(lines, start=1) if line.strip()
    ]


def read_study(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Objects of one JSON list, each with the words that say where it stands."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise Refused(f"{path}: no JSON ({error}); a list of questions with id, type, question and answer is read.") from None
    if not isinstance(content, list) or not all(isinstance(question, dict) for question in content):
        raise Refused(f"{path}: not a list of objects; a list of questions with id, type, question and answer is read.")
    return [(f"{path}, question {number}", question) for number, question in enumerate(content, start=1)]


def as_object(line: str, where: str) -> dict[str, Any]:
    """One line as an object."""
    try:
        content = json.loads(line)
    except json.JSONDecodeError as error:
        raise Refused(f"{where}: no JSON ({error}); a question is one object with {sorted(Question.model_fields)}.") from None
    if not isinstance(content, dict):
        raise Refused(f"{where}: not an object; a question is one object with {sorted(Question.model_fields)}.")
    return content
