"""A tiny training in which questions choose the checkpoint: what it reads, and questions that its rows teach to answer."""

from pathlib import Path
from typing import Any

from plumbline.grading.tolerance import Tolerance
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.answer_params import AnswerParams, Instructions
from plumbline.rows.arms import Arms
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.selecting.run import Asking, SelectionFiles, write_selection
from tests.fakes import tiny_training

NONE = "data/context/none.jsonl"
ANSWERING = AnswerParams(
    engine="transformers",
    max_new_tokens=12,
    batch_size=8,
    num_samples=1,
    temperature=0.0,
    seed=1,
    choice_scoring="text",
    choice_prefix="Answer:",
    instructions=Instructions(mcq="Answer with a letter.", numeric="", explanation=""),
)
ARMS = Arms.model_validate({"base": {"weights": "models/base", "context": NONE}, "tuned": {"weights": "models/adapter", "context": NONE}})
LORA = LoraParams.model_validate(tiny_training.LORA.model_dump() | {"r": 16, "alpha": 32})
NUM_ROWS = 20


def params(**changes: Any) -> TrainParams:
    """Six epochs of four steps with two evaluations each, chosen by eight questions."""
    chosen = {
        "select_by": "development_score",
        "num_selection_questions": 8,
        "epochs": 6.0,
        "learning_rate": 3e-3,
        "evaluations_per_epoch": 2,
    }
    return TrainParams.model_validate(tiny_training.TRAIN.model_dump() | chosen | changes)


def asking(**changes: Any) -> Asking:
    return Asking(**({"answering": ANSWERING, "tolerance": Tolerance(relative=0.05, absolute=None), "arms": ARMS} | changes))


def questions(num: int = NUM_ROWS) -> list[Question]:
    """The instructions of the training rows, each with the one answer that they all teach."""
    return [
        Question(
            id=f"q-{number}",
            kind="numeric",
            question=row.instruction,
            choices={},
            target="12",
            unit="N",
            key_points=(),
            cluster=f"c{number}",
        )
        for number, row in enumerate(tiny_training.rows(num, "t"))
    ]


def prepare(folder: Path, chosen: TrainParams, *, among: list[Question] | None = None) -> None:
    """Everything that `train` reads. Every row answers "12 N", and the validation rows say something else: their loss rises while the answers become right."""
    tiny_training.prepare(folder)
    rows = [row.model_copy(update={"output": "Answer: 12 N"}) for row in tiny_training.rows(NUM_ROWS, "t")]
    write_jsonl(folder / "train.jsonl", rows)
    others = [row.model_copy(update={"output": " ".join(["energy momentum"] * 8)}) for row in tiny_training.rows(12, "v")]
    write_jsonl(folder / "validation.jsonl", others)
    write_jsonl(folder / "benchmark.jsonl", questions() if among is None else among)
    (folder / "none.jsonl").write_text("")
    files = SelectionFiles(
        benchmark=folder / "benchmark.jsonl", contexts={"none": folder / "none.jsonl"}, selection=folder / "selection.json"
    )
    write_selection(chosen, asking(), files, in_development=lambda _: True)
