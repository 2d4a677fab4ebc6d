"""The plot template of the scores names columns that the table has."""

import json
import re
from pathlib import Path

from plumbline.reporting.numbers import scores_table

TEMPLATE = Path(__file__).resolve().parents[2] / ".dvc/plots/scores_with_intervals.json"


def test_the_template_is_json_and_every_field_it_reads_is_a_column() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    json.loads(text)
    columns = set(scores_table({}).strip().split(",")) | {"rev"}
    named = set(re.findall(r"datum\.(\w+)", text)) | {
        field for field in re.findall(r'"field": "(\w+)"', text) if not field.startswith("shown_")
    }
    assert named <= columns
