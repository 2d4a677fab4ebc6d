"""Base answers once more in another batch plan: how far a score moves although the model is the same."""

import logging
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

import plumbline.model.quiet  # noqa: F401
from plumbline.answering.again import AgainFiles, ask_again
from plumbline.answering.noise_plan import NoisePlan
from plumbline.model.orphans import die_with_parent
from plumbline.model.other_model import other_base
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import ArmParams

log = logging.getLogger("answer_again")


class NoiseFloorParams(Params):
    """Who answers again, how much of it, and in which batches."""

    weights: str
    context: str
    """Of the arm that answers again: the reference of the first comparison."""
    fraction: Annotated[float, Field(ge=0, le=1)]
    """Share of the questions; 0: no one answers again."""
    batch_fraction: Annotated[float, Field(gt=0, le=1)]
    """Size of a batch, as a share of `answer.batch_size`; short and long questions are mixed in it. vLLM makes its own batches."""
    engine: Literal["transformers", "vllm"] | None
    """What generates; None: as `answer.engine`."""

    @property
    def arm(self) -> ArmParams:
        """Weights x context, checked as those of an arm are."""
        return ArmParams(weights=self.weights, context=self.context)


def main(params: NoiseFloorParams, answering: AnswerParams, files: AgainFiles, *, base: Path, templates: Path) -> NoisePlan:
    """Write the questions that were asked again, the answers, and how they were asked."""
    arm = params.arm

    def folder() -> Path:
        return other_base(Path(arm.weights), templates=templates) if arm.weights_kind == "model" else base

    answering = answering if params.engine is None else answering.model_copy(update={"engine": params.engine})
    plan = ask_again(arm, answering, files, base=folder, fraction=params.fraction, batch_fraction=params.batch_fraction)
    log.info("%d of %d questions asked again%s", plan.num_asked, plan.num_questions, f": {plan.reason}" if plan.reason else "")
    return plan


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    die_with_parent()
    with inputs_unchanged():
        main(
            load_params("noise_floor", NoiseFloorParams),
            load_params("answer", AnswerParams),
            AgainFiles(
                benchmark=Path("data/split/benchmark.jsonl"),
                asked=Path("data/noise/benchmark.jsonl"),
                answers=Path("data/noise/answers.jsonl"),
                plan=Path("data/noise/plan.json"),
            ),
            base=Path("models/base"),
            templates=Path("examples/chat_templates"),
        )
