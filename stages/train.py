"""Fit the LoRA adapter: resumable to the byte, and marked as complete or not."""

import logging
import sys
from pathlib import Path

import plumbline.model.quiet  # noqa: F401
from plumbline.model.orphans import die_with_parent, refuse_to_be_an_orphan
from plumbline.number_text import signed_ascii
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.selecting.opening import opened_task
from plumbline.training.checkpoints import AlreadyRunning, Interrupted
from plumbline.training.finished import choice_of
from plumbline.training.launch import TEMPORARY_FAILURE, asked_for, run_ranks
from plumbline.training.run import TrainFiles, run
from plumbline.training.which_rank import rank

log = logging.getLogger("train")


def main(lora: LoraParams, params: TrainParams, files: TrainFiles) -> None:
    """Train on `files.train` and what is replayed of `files.general`; measure forgetting on the rest of that.

    Exits 75 if a signal stopped it or another process works on the same run: never 0, or DVC would keep half an adapter.
    """
    try:
        finished = run(lora, params, files, None if files.selection is None else opened_task(params, files.selection))
    except (Interrupted, AlreadyRunning) as error:
        log.warning("%s", error)
        sys.exit(TEMPORARY_FAILURE)
    if finished is not None:
        fitted, lost = finished.fitted, finished.forgetting
        log.info(
            "%s after %d of %d steps, best at %d; forgetting: %s nats a token on %d general prompts",
            fitted.stop_reason,
            fitted.num_done_steps,
            finished.schedule.num_planned_steps,
            fitted.best_step,
            signed_ascii(lost.increase),
            lost.num_prompts,
        )
        if (choice := choice_of(finished)) is not None:
            log.info(
                "step %d was chosen by score %.3f (n = %d); the lowest validation loss was at step %d, score %.3f",
                fitted.best_step,
                choice.score,
                len(choice.question_ids),
                choice.lowest_loss_step,
                choice.score_at_lowest_loss,
            )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO if rank() == 0 else logging.ERROR, format="%(name)s: %(message)s")
    die_with_parent()
    refuse_to_be_an_orphan()
    with inputs_unchanged():
        launch = asked_for()
        if launch is not None:
            run_ranks(launch, [sys.executable, "-m", "stages.train"])
        else:
            main(
                load_params("lora", LoraParams),
                load_params("train", TrainParams),
                TrainFiles(
                    train=Path("data/split/train.jsonl"),
                    validation=Path("data/split/validation.jsonl"),
                    general=Path("data/general/answers.jsonl"),
                    ready=Path("data/preflight/ready.json"),
                    base=Path("models/base"),
                    adapter=Path("models/adapter"),
                    record=Path("data/training/record.json"),
                    metrics=Path("metrics/train.json"),
                    loss=Path("metrics/loss.csv"),
                    selection=Path("data/selection/selection.json"),
                ),
            )
