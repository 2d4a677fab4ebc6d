"""Choose the questions by which a training keeps its checkpoint, and record everything that decides their score. Reads and writes files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.answering.contexts import read_contexts
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.grading.run import refuse_unbounded_zero
from plumbline.grading.tolerance import Tolerance
from plumbline.pipeline.files import write_json
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.rows.answer_params import GREEDY, AnswerParams
from plumbline.rows.arms import NO_CONTEXT, Arms
from plumbline.rows.context import Context
from plumbline.rows.question import Question
from plumbline.rows.selection import Selection, SelectionFile, SelectionQuestion
from plumbline.rows.training_params import TrainParams
from plumbline.selecting.choice import BY_RULE, chosen_questions
from plumbline.selecting.code_hashes import code_hashes

REMEDY = "or train.select_by=validation_loss."


@dataclass(frozen=True, kw_only=True)
class SelectionFiles:
    """What the stage reads and writes."""

    benchmark: Path
    contexts: Mapping[str, Path]
    """Name of a context -> its file."""
    selection: Path


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How the questions are asked and graded: in the same way as the stages do it after the training."""

    answering: AnswerParams
    tolerance: Tolerance
    arms: Arms

    @property
    def arm(self) -> str | None:
        """The first arm with the adapter, which gives the questions their context; None if no arm has the adapter."""
        return self.arms.trained[0] if self.arms.trained else None

    @property
    def context_name(self) -> str:
        return NO_CONTEXT if self.arm is None else self.arms.root[self.arm].context_name


def write_selection(
    params: TrainParams, asking: Asking, files: SelectionFiles, *, in_development: Callable[[str], bool] | None
) -> Selection | None:
    """Write the file that `train` reads. If the loss chooses, it is always the same.

    `in_development`: whether the questions of a cluster are in the development part; None if no part is kept for the claim.
    Refused if questions must choose and no question may.
    """
    selection = None
    if params.selects_by_score:
        if in_development is None:
            raise Refused(
                "train.select_by is development_score and report.part is all, so questions that choose the checkpoint would also be in the "
                f"claim. Set report.part=final for the claim, report.part=development while you choose among runs, {REMEDY}"
            )
        benchmark = list(read_jsonl(files.benchmark, Question))
        contexts = read_contexts(files.contexts[asking.context_name], benchmark)
        development = [question for question in benchmark if in_development(question.cluster)]
        selection = selected(development, contexts, asking, num=params.num_selection_questions)
    write_json(files.selection, SelectionFile(select_by=params.select_by, selection=selection).model_dump(mode="json"))
    return selection


def selected(development: Sequence[Question], contexts: Mapping[str, Context], asking: Asking, *, num: int) -> Selection:
    """The questions, each with the words that ask it. Refused if a rule can grade none of them."""
    graded = [question for question in development if question.kind in BY_RULE]
    if not graded:
        raise Refused(
            f"train.select_by is development_score, but none of {len(development)} questions of the development part is multiple choice or "
            "numeric. A rule can grade only these while the model trains. "
            f"Raise report.development_fraction, add such questions, {REMEDY}"
        )
    questions = chosen_questions(graded, num=num)
    refuse_unbounded_zero(questions, asking.tolerance)
    instructions = asking.answering.instructions.model_dump()
    return Selection(
        arm=asking.arm,
        num_in_development=len(graded),
        questions=tuple(
            SelectionQuestion(question=one, user=exam_prompt(one, instructions, contexts[one.id].passages), turns=contexts[one.id].turns)
            for one in questions
        ),
        # Only greedy text is graded here, generated in the training's process: the rest of the section must not cause a new training.
        answering=asking.answering.model_copy(
            update={"engine": "transformers", "choice_scoring": "text", "choice_prefix": "", **GREEDY, "seed": 0}
        ),
        relative_tolerance=asking.tolerance.relative,
        absolute_tolerance=asking.tolerance.absolute,
        code=code_hashes(),
    )
