"""The line of a plan about what is answered a second time."""

from collections.abc import Sequence

from plumbline.answering.other_plan import is_asked_again, other_batch_size
from plumbline.planning.line import Line
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question
from stages.answer_again import NoiseFloorParams


def again_line(params: NoiseFloorParams, answering: AnswerParams, questions: Sequence[Question], *, seconds_of_an_arm: float) -> Line:
    """How many questions the noise floor asks again, and in which batches."""
    number = sum(is_asked_again(question.id, fraction=params.fraction) for question in questions)
    known = f"computed from noise_floor.fraction {params.fraction:g}"
    if not number or params.arm.weights_kind == "file":
        return Line("", "no question is asked again, so there is no noise floor", known)
    batches = f", {other_batch_size(answering.batch_size, params.batch_fraction)} at a time"
    engine = params.engine or answering.engine
    share = number / len(questions)
    return Line(
        "",
        f"and {number} questions again on {engine}{batches if engine == 'transformers' else ''}: as much as {share:.0%} of an arm",
        known,
        share * seconds_of_an_arm,
    )
