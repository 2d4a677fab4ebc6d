"""A folder with everything that the stages read about a hub model, and the stages as calls."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from tests.fakes.answering import answer_arm
from tests.fakes.tiny_training import general_answers, rows

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = [
    Question(
        id="n", kind="numeric", question="What force gives 2 kg 3 m/s^2?", choices={}, target="6", unit="N", key_points=(), cluster="f"
    ),
    Question(
        id="m",
        kind="mcq",
        question="Unit of force?",
        choices={"A": "newton", "B": "joule"},
        target="A",
        unit=None,
        key_points=(),
        cluster="u",
    ),
]


class HubWorld:
    """Stages are called in `folder`: the caller changes to it, and sets DVC_ROOT and PLUMBLINE_HUB_DIR."""

    def __init__(self, folder: Path, overrides: Sequence[str], *, num_rows: int = 100) -> None:
        """`overrides`: name=value over the repository's params.yaml."""
        from dvc.utils.hydra import apply_overrides

        self.folder = folder
        folder.mkdir()
        shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
        apply_overrides(folder / "params.yaml", list(overrides))
        for package in ("plumbline", "stages"):
            (folder / package).symlink_to(ROOT / package)
        write_jsonl(folder / "train.jsonl", rows(num_rows, "t"))
        write_jsonl(folder / "validation.jsonl", rows(12, "v"))
        write_jsonl(folder / "benchmark.jsonl", QUESTIONS)
        write_jsonl(folder / "general.jsonl", general_answers(12))
        self.base, self.adapter = folder / "models/base", folder / "models/adapter"

    def bring_in_base(self, **changes: object) -> None:
        """Run `base`; `changes` are to its parameters."""
        from stages.base import BaseParams, main

        params = load_params("base", BaseParams).model_copy(update=changes)
        main(params, corpus=self.folder / "none.jsonl", templates=ROOT / "examples/chat_templates", base=self.base)

    def preflight(self) -> dict[str, str]:
        """Run `preflight`; check -> status and finding. SystemExit if it is not ready."""
        from plumbline.preflight.run import PreflightFiles
        from stages.preflight import PreflightParams, main

        main(
            load_params("preflight", PreflightParams),
            load_params("lora", LoraParams),
            load_params("train", TrainParams),
            load_params("answer", AnswerParams),
            PreflightFiles(
                template=Path("plumbline/pages/templates/preflight.html.j2"),
                train=self.folder / "train.jsonl",
                validation=self.folder / "validation.jsonl",
                benchmark=self.folder / "benchmark.jsonl",
                general=self.folder / "general.jsonl",
                base=self.base,
                ready=self.folder / "ready.json",
                metrics=self.folder / "preflight.json",
                page=self.folder / "preflight.html",
            ),
        )
        return json.loads((self.folder / "preflight.json").read_text(encoding="utf-8"))["checks"]

    def train(self) -> dict[str, Any]:
        """Run `train`; its metrics."""
        from plumbline.training.run import TrainFiles
        from stages.train import main

        main(
            load_params("lora", LoraParams),
            load_params("train", TrainParams),
            TrainFiles(
                train=self.folder / "train.jsonl",
                validation=self.folder / "validation.jsonl",
                general=self.folder / "general.jsonl",
                ready=self.folder / "ready.json",
                base=self.base,
                adapter=self.adapter,
                record=self.folder / "record.json",
                metrics=self.folder / "train.json",
                loss=self.folder / "loss.csv",
            ),
        )
        return json.loads((self.folder / "train.json").read_text(encoding="utf-8"))

    def answer(self) -> tuple[list[Answer], list[Answer]]:
        """Run the answer stage of two arms; the answers of base and of tuned."""
        params, benchmark = load_params("answer", AnswerParams), self.folder / "benchmark.jsonl"
        for arm, adapter in (("base", None), ("tuned", self.adapter)):
            answer_arm(params, benchmark=benchmark, base=self.base, adapter=adapter, answers=self.folder / f"{arm}.jsonl")
        base, tuned = (list(read_jsonl(self.folder / f"{arm}.jsonl", Answer)) for arm in ("base", "tuned"))
        return base, tuned
