"""Inputs of the judge stage in a separate folder, and the stage run on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plumbline.judging.params import JudgeParams
from plumbline.judging.run import JudgeFiles
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import Question
from stages.judge import main

ARMS = ("base", "tuned")


def settings(**changes: Any) -> JudgeParams:
    values = {"backend": "claude", "model": "claude-sonnet-5-5", "effort": None, "max_tokens": 1000, "max_replies": 3, "max_cost_usd": 5.0,
              "mode": "direct", "epoch": 1, "num_canary_questions": 0, "retest_fraction": 0.0, "second": None}  # fmt: skip
    return JudgeParams.model_validate({**values, **changes})


POINTS = (
    "water pushes the body up",
    "the push equals the weight of the displaced water",
    "the body is less dense than water",
    "the push grows with the displaced volume",
)
"""Four points: each is a step of the scale."""


def question(number: int, key_points: tuple[str, ...] = POINTS) -> Question:
    return Question(id=f"q{number:03d}", kind="explanation", question=f"Why does body {number} float?", choices={}, target="The water pushes the body up.",
                    unit=None, key_points=key_points, cluster=f"c{number % 7}")  # fmt: skip


def answer(number: int, arm: str, response: str | None = None) -> Answer:
    text = f"The water pushes body {number} up, says {arm}." if response is None else response
    return Answer(id=f"q{number:03d}", arm=arm, response=text, num_tokens=9, stopped="eos", choice_logprobs={}, complete=True)


class Bench:
    """A folder with inputs, and the stage run on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = {name: folder / f"{name}.jsonl" for name in ("questions", "base", "tuned", "judged", "checks", "second")}

    def write(
        self,
        num_questions: int,
        response: Callable[[int, str], str | None] = lambda number, arm: None,
        key_points: tuple[str, ...] = POINTS,
    ) -> "Bench":
        write_jsonl(self.paths["questions"], [question(number, key_points) for number in range(num_questions)])
        for arm in ARMS:
            write_jsonl(self.paths[arm], [answer(number, arm, response(number, arm)) for number in range(num_questions)])
        return self

    @property
    def files(self) -> JudgeFiles:
        """What the stage reads and writes."""
        answers = {arm: self.paths[arm] for arm in ARMS}
        return JudgeFiles(questions=self.paths["questions"], answers=answers, judged=self.paths["judged"], checks=self.paths["checks"],
                          second=self.paths["second"])  # fmt: skip

    @property
    def due(self) -> list[tuple[str, str]]:
        """Which answers need a verdict."""
        return [(row.id, arm) for row in read_jsonl(self.paths["questions"], Question) for arm in ARMS]

    def run(self, **changes: Any) -> list[Judgement]:
        main(settings(**changes), self.files)
        return self.rows()

    def fails(self, **changes: Any) -> object:
        with pytest.raises(SystemExit) as stop:
            self.run(**changes)
        return stop.value.code

    def rows(self) -> list[Judgement]:
        return list(read_jsonl(self.paths["judged"], Judgement))
