"""Before torch is loaded, read which questions choose the checkpoint; after that, open their scorer. Reads a file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.pipeline.refused import Refused
from plumbline.rows.training_params import TrainParams
from plumbline.training.checkpoint_choice import OpenTask, TaskScorer
from plumbline.training.which_rank import is_sharded

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

AGAIN = "Run `dvc repro selection`, then this again."


def opened_task(params: TrainParams, path: Path) -> OpenTask | None:
    """A function that opens the questions for a tokenizer; None if the loss chooses. Refused if the file's parameters or code differ."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Refused(f"{path} is missing. It says what chooses the checkpoint. {AGAIN}") from None
    written_for = json.loads(text).get("select_by")
    if written_for != params.select_by:
        raise Refused(f"train.select_by is {params.select_by}, but {path} was written for {written_for}. {AGAIN}")
    if not params.selects_by_score:
        return None
    if is_sharded():
        raise Refused(
            "train.select_by is development_score, but PLUMBLINE_LAUNCH spreads the weights over the ranks (FSDP), so no rank can answer. "
            "Set PLUMBLINE_LAUNCH to a number of processes, or train.select_by to validation_loss."
        )
    # Imported here: if the loss chooses, the code that asks and grades must not be part of the training.
    from plumbline.rows.selection import SelectionFile
    from plumbline.selecting.code_hashes import code_hashes

    selection = SelectionFile.model_validate_json(text).selection
    assert selection is not None, "the stage writes a selection if questions choose"
    here = code_hashes()
    if changed := sorted(name for name in here if selection.code.get(name) != here[name]):
        raise Refused(f"{', '.join(changed)}: this code answers or grades the questions of {path}, and has changed since then. {AGAIN}")

    def open_task(tokenizer: "PreTrainedTokenizerBase") -> TaskScorer:
        # Imported here: it loads torch.
        from plumbline.selecting.task_scorer import QuestionScorer

        return QuestionScorer(selection, tokenizer)

    return open_task
