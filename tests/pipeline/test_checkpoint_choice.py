"""The checkpoint is chosen by the task: the best score is kept, not the best loss. The training does not change, and a kill changes no byte."""

import json
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from plumbline.answering.answering import render
from plumbline.answering.engine_choice import open_engine
from plumbline.model.weights import load_tokenizer
from plumbline.pipeline.files import sha256_of
from plumbline.rows.selection import SelectionFile
from plumbline.rows.training_params import LoraParams
from tests.fakes import selection_world
from tests.fakes.selection_world import LORA, params
from tests.fakes.tiny_training import published
from tests.fakes.training_processes import ended, run, start_ranks

pytestmark = pytest.mark.slow
WEIGHTS = "adapter/adapter_model.safetensors"
SHORT: dict[str, Any] = {"epochs": 2.0}
"""Eight steps, evaluated after each second."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("training")
    selection_world.prepare(made, params())
    return made


@pytest.fixture(scope="module")
def chosen(server: ForkServerContext, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which the questions chose the checkpoint, unchanged."""
    root = tmp_path_factory.mktemp("chosen")
    assert run(server, folder, root, params=params(), lora=LORA, steps_noted=True) == 0
    return root


def curve(root: Path) -> dict[int, tuple[float, float]]:
    """Step -> validation loss and score of the evaluations after a step."""
    lines = [line.split(",") for line in (root / "loss.csv").read_text().splitlines()]
    assert lines[0] == ["step", "train_loss", "validation_loss", "development_score", "num_questions"]
    return {int(cells[0]): (float(cells[2]), float(cells[3])) for cells in lines[1:] if cells[2] and int(cells[0]) > 0}


def record_of(root: Path) -> dict[str, Any]:
    return json.loads((root / "record.json").read_text())


def test_where_the_best_loss_is_not_the_best_score_the_best_score_is_kept(
    server: ForkServerContext, folder: Path, chosen: Path, tmp_path: Path
) -> None:
    found, record = curve(chosen), record_of(chosen)
    best_loss, best = min(found, key=lambda step: found[step][0]), record["best_step"]
    assert best != best_loss and found[best][1] > found[best_loss][1], "loss and score agree: this shows nothing"
    assert found[best][1] == max(score for _, score in found.values()) > 0.9
    assert found[best][0] == min(loss for loss, score in found.values() if score == found[best][1]), "of equal scores the lowest loss"
    choice = record["choice"]
    assert (choice["score"], choice["lowest_loss_step"]) == (pytest.approx(found[best][1]), best_loss)
    assert choice["num_evaluations"] == len(found) and len(choice["question_ids"]) == 8
    told = json.loads((chosen / "train.json").read_text())["development_score"]
    assert told["best"] == found[best][1] and told["base"] == 0.0 and told["num_questions"] == 8
    # The same training keeps the other step if the loss chooses.
    assert run(server, folder, tmp_path, params=params(select_by="validation_loss"), lora=LORA) == 0
    assert record_of(tmp_path)["best_step"] == best_loss and "choice" not in record_of(tmp_path)
    assert not {"select_by", "num_selection_questions"} & set(record_of(tmp_path)["train"])
    assert (tmp_path / "loss.csv").read_text().startswith("step,train_loss,validation_loss\n")
    assert sha256_of(tmp_path / WEIGHTS) != sha256_of(chosen / WEIGHTS)


def test_the_answers_are_those_of_the_adapter_once_it_is_saved_and_loaded(folder: Path, chosen: Path) -> None:
    selection = SelectionFile.model_validate_json((folder / "selection.json").read_text()).selection
    assert selection is not None
    tokenizer = load_tokenizer(folder / "base")
    prompts = [render(tokenizer, id=one.question.id, user=one.user, choices={}, params=selection.answering) for one in selection.questions]
    with open_engine(selection.answering, tokenizer, base=folder / "base", adapter=chosen / "adapter") as engine:
        answered = [one for unit in engine.answer(engine.units(prompts), max_new_tokens=12) for one in unit]
    noted = json.loads((chosen / "answers.json").read_text())
    assert noted[str(record_of(chosen)["best_step"])] == {one.id: one.response for one in answered}
    assert len({json.dumps(answers, sort_keys=True) for answers in noted.values()}) > 1, "all steps answer alike: this shows nothing"


@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_to_answer_in_training_changes_no_weight_of_any_step(
    server: ForkServerContext, folder: Path, tmp_path: Path, dropout: float, packing: bool
) -> None:
    lora = LoraParams.model_validate(LORA.model_dump() | {"dropout": dropout})
    for name in ("validation_loss", "development_score"):
        settings = params(**SHORT, select_by=name, packing=packing)
        assert run(server, folder, tmp_path / name, params=settings, lora=lora, steps_noted=True) == 0
    steps = [json.loads((tmp_path / name / "steps.json").read_text()) for name in ("validation_loss", "development_score")]
    assert len(steps[0]) >= 8 and steps[0] == steps[1]
    assert (tmp_path / "development_score/answers.json").exists() and not (tmp_path / "validation_loss/answers.json").exists()
    cut = [
        [line.split(",")[:3] for line in (tmp_path / name / "loss.csv").read_text().splitlines()]
        for name in ("validation_loss", "development_score")
    ]
    assert cut[0] == cut[1], "the losses are those of the run without questions"


def test_training_without_a_better_score_stops_by_its_rule(server: ForkServerContext, folder: Path, tmp_path: Path) -> None:
    rigged = {2: 0.5, 4: 0.75, 6: 0.5, 8: 0.625, 10: 1.0}
    settings = params(early_stop_patience=2)
    assert run(server, folder, tmp_path, params=settings, lora=LORA, rigged=rigged) == 0
    record = record_of(tmp_path)
    assert (record["stop_reason"], record["best_step"], record["num_done_steps"]) == ("early_stop", 4, 8)
    assert record["choice"]["score"] == 0.75 and record["complete"] is True


@pytest.mark.parametrize(
    "stopped",
    [{"at_step": 3}, {"at_checkpoint_write": 5}, {"at_checkpoint_write": 6}, {"at_step": 5, "number": signal.SIGTERM}],
    ids=["between evaluations", "before a checkpoint", "after one", "signal where none is planned"],
)
def test_a_kill_costs_no_byte_and_changes_no_choice(
    server: ForkServerContext, folder: Path, tmp_path: Path, stopped: dict[str, Any]
) -> None:
    settings = {"params": params(**SHORT, early_stop_patience=2), "lora": LORA, "rigged": {2: 0.5, 4: 0.75, 6: 0.5, 8: 0.5}}
    assert run(server, folder, tmp_path / "whole", **settings) == 0
    code = 75 if "number" in stopped else -signal.SIGKILL
    assert run(server, folder, tmp_path / "killed", **settings, **stopped) == code
    assert not published(tmp_path / "killed")
    assert run(server, folder, tmp_path / "killed", **settings) == 0
    assert published(tmp_path / "killed") == published(tmp_path / "whole")
    assert record_of(tmp_path / "killed") == record_of(tmp_path / "whole") and record_of(tmp_path / "whole")["best_step"] == 4


def test_of_several_ranks_the_first_answers_for_all(server: ForkServerContext, folder: Path, tmp_path: Path) -> None:
    rigged = {2: 0.5, 4: 0.75, 6: 0.5, 8: 0.5}
    processes = start_ranks(server, folder, tmp_path, 2, params=params(**SHORT), lora=LORA, rigged=rigged)
    assert ended(processes) == [0, 0]
    assert record_of(tmp_path)["best_step"] == 4 and record_of(tmp_path)["choice"]["num_evaluations"] == 4


def test_other_questions_are_another_run(server: ForkServerContext, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "folder"
    settings = params(**SHORT, max_steps=2)
    selection_world.prepare(other, settings)
    assert run(server, other, tmp_path / "root", params=settings, lora=LORA) == 0
    again = run(server, other, tmp_path / "root", params=settings, lora=LORA, at_step=1)
    assert again == 0, "the same questions: the finished run is read again, and takes no step"
    selection_world.prepare(tmp_path / "moved", settings, among=selection_world.questions(9)[1:])
    (other / "selection.json").write_bytes((tmp_path / "moved/selection.json").read_bytes())
    assert run(server, other, tmp_path / "root", params=settings, lora=LORA, at_step=1) == -signal.SIGKILL
