"""What it takes to choose the checkpoint by questions of the benchmark, as lines of the plan. Touches the device, for its speed."""

from collections.abc import Sequence

from plumbline.pipeline.heartbeat import duration
from plumbline.planning.estimates import Planned, answering_seconds
from plumbline.planning.line import Line
from plumbline.reporting.benchmark_parts import in_development
from plumbline.reporting.params import ReportParams
from plumbline.rows.question import Question
from plumbline.selecting.choice import chosen_questions


def selection_lines(planned: Planned, report: ReportParams, questions: Sequence[Question]) -> list[Line]:
    """How many questions are answered in training and how often, and how long that takes at most; no line if the loss chooses."""
    if not planned.training.selects_by_score:
        return []
    if report.part == "all":
        return [Line("selection", "refused: report.part is all, so no question may choose the checkpoint", "train.select_by")]
    development = [one for one in questions if in_development(one.cluster, fraction=report.development_fraction)]
    num = len(chosen_questions(development, num=planned.training.num_selection_questions))
    if num == 0:
        return [Line("selection", "refused: no question of the development part is graded by rule", "counted")]
    times = planned.schedule.num_evaluations
    answering = planned.answering
    seconds, known = answering_seconds(
        planned, num * answering.max_new_tokens, num, max_new_tokens=answering.max_new_tokens, batch_size=answering.batch_size
    )
    return [
        Line("selection", f"{num} questions of the development part, answered at {times} evaluations", "counted"),
        Line("", f"at most {duration(seconds * times)} of the training, in addition to its steps", known, seconds * times),
    ]
