"""Read what other stages wrote for people and plots: JSON objects, JSON lines of any shape, CSV tables."""

import csv
import json
from pathlib import Path


def read_object(path: Path) -> dict[str, object]:
    """Return a JSON object. ValueError if the file holds something else."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, but holds a {type(content).__name__}.")
    return content


def read_objects(path: Path) -> list[dict[str, object]]:
    """Return JSON objects, one per line."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file with a header."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
