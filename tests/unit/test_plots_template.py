"""The plot templates name columns that their tables have."""

import json
import re
from pathlib import Path

from plumbline.pipeline.params import read_yaml
from plumbline.reporting.numbers import confusion_table, scores_table
from plumbline.training.loss_curve import LossPoint, loss_table

TEMPLATES = Path(__file__).resolve().parents[2] / ".dvc/plots"


def test_the_template_is_json_and_every_field_it_reads_is_a_column() -> None:
    text = (TEMPLATES / "scores_with_intervals.json").read_text(encoding="utf-8")
    json.loads(text)
    columns = set(scores_table({}).strip().split(",")) | {"rev"}
    named = set(re.findall(r"datum\.(\w+)", text)) | {
        field for field in re.findall(r'"field": "(\w+)"', text) if not field.startswith("shown_")
    }
    assert named <= columns


def test_the_matrix_of_letters_has_a_row_for_each_arm_and_reads_columns_of_its_table() -> None:
    template = json.loads((TEMPLATES / "confusion_by_arm.json").read_text(encoding="utf-8"))
    columns = set(confusion_table([], [], []).strip().split(",")) | {"rev"}
    assert {facet["field"] for facet in template["facet"].values()} == {"rev", "arm"} <= columns
    stage = read_yaml(TEMPLATES.parents[1] / "dvc.yaml")["stages"]["report"]
    [plot] = [plot for one in stage["plots"] for name, plot in one.items() if name == "metrics/mcq_confusion.csv"]
    assert plot["template"] == "confusion_by_arm" and {plot["x"], plot["y"]} <= columns


def test_losses_and_the_score_that_chooses_stand_in_one_plot() -> None:
    text = (TEMPLATES / "loss_and_score.json").read_text(encoding="utf-8")
    template = json.loads(text)
    chosen, by_loss = (loss_table([LossPoint(0, None, 3.0, *score)]).splitlines()[0].split(",") for score in ((0.5, 8), ()))
    assert {"development_score"} <= set(re.findall(r"datum\.(\w+)", text)) <= {*chosen, "shown_score", "field"}
    assert "development_score" not in by_loss, "DVC refuses to draw a column that is not there: only the template may name it"
    [[plot]] = [list(one.values()) for one in read_yaml(TEMPLATES.parents[1] / "dvc.yaml")["plots"]]
    assert plot["template"] == "loss_and_score" and set(plot["y"]["metrics/loss.csv"]) == {"train_loss", "validation_loss"} < set(by_loss)
    losses, scores = template["layer"]
    assert losses["encoding"]["y"]["field"] == "<DVC_METRIC_Y>" and scores["encoding"]["y"]["scale"] == {"domain": [0, 1]}
    assert template["resolve"] == {"scale": {"y": "independent"}}
