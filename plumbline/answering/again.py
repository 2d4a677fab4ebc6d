"""One arm answers once more in another batch plan, which shows how far a score moves by itself. Reads and writes files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from plumbline.answering.noise_plan import AGAIN, NoisePlan
from plumbline.answering.other_plan import is_asked_again, other_batch_size
from plumbline.answering.run import AnswerFiles, answer_benchmark
from plumbline.pipeline.files import write_json
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.arms import ArmParams
from plumbline.rows.question import Question


@dataclass(frozen=True, kw_only=True)
class AgainFiles:
    """What the stage reads and writes."""

    benchmark: Path
    asked: Path
    """Output: the questions that the arm was asked again."""
    answers: Path
    plan: Path


def ask_again(
    arm: ArmParams,
    params: AnswerParams,
    files: AgainFiles,
    *,
    base: Callable[[], Path],
    fraction: float,
    batch_fraction: float,
) -> NoisePlan:
    """Ask the arm a share of the questions again, in another batch plan. `base` finds the folder of its model, if one is needed."""
    questions = list(read_jsonl(files.benchmark, Question))
    asked = [question for question in questions if is_asked_again(question.id, fraction=fraction)]
    reason = reason_not_to_ask(arm, fraction=fraction, num_asked=len(asked))
    answered: list[Answer] = []
    size = other_batch_size(params.batch_size, batch_fraction)
    if reason is None:
        answered = answer_benchmark(
            params.model_copy(update={"batch_size": size}),
            AnswerFiles(
                benchmark=files.benchmark,
                base=base(),
                adapter=Path(arm.weights) if arm.is_trained else None,
                context=Path(arm.context),
                answers=files.answers,
            ),
            arm=AGAIN,
            again=fraction,
        )
    else:
        write_jsonl(files.answers, [])
    write_jsonl(files.asked, asked if answered else [])
    plan = NoisePlan(
        weights=arm.weights,
        context=arm.context,
        engine=answered[0].engine if answered else None,
        batch_size=size if answered and params.engine == "transformers" else None,
        num_asked=len({answer.id for answer in answered}),
        num_questions=len(questions),
        reason=reason,
    )
    write_json(files.plan, plan.model_dump())
    return plan


def reason_not_to_ask(arm: ArmParams, *, fraction: float, num_asked: int) -> str | None:
    """Why the arm is not asked again; None if it is."""
    if arm.weights_kind == "file":
        return f"the answers of {arm.weights} were made elsewhere, so they cannot be made again here"
    if fraction == 0:
        return "noise_floor.fraction is 0"
    return None if num_asked else f"noise_floor.fraction {fraction:g} drew no question"
