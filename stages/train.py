"""Fit the LoRA adapter: resumable to the byte, and marked for what it is."""

import csv
import hashlib
import io
import json
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import plumbline.model.quiet  # noqa: F401
from plumbline.model.adapter import save_adapter
from plumbline.model.base_files import base_fingerprint, read_manifest
from plumbline.model.orphans import die_with_parent, refuse_to_be_an_orphan
from plumbline.model.tokenization import Example, render_example, template_sha256
from plumbline.pipeline.files import sha256_of, write_json, write_text
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.rows.training_record import TrainingRecord
from plumbline.training.checkpoints import AlreadyRunning, fingerprint_of, loaded_code, run_folder
from plumbline.training.general_prompts import replay_rows
from plumbline.training.launch import asked_for, run_ranks
from plumbline.training.prompt import training_prompt
from plumbline.training.schedule import plan_training
from plumbline.training.which_rank import is_sharded, num_ranks, rank

if TYPE_CHECKING:
    from plumbline.training.trainer import LossPoint

log = logging.getLogger("train")

TEMPORARY_FAILURE = 75
"""Exit code (sysexits' EX_TEMPFAIL) of a run that was stopped and can go on: never 0, or DVC would keep half an adapter."""
AFTER_THE_RUN = (
    "plumbline.training.likelihoods",
    "plumbline.training.forgetting",
    "plumbline.statistics",
    "plumbline.training.forgetting_row",
)
"""Modules that look at the finished model only: when one changes, the finished run is measured again, not made again."""


def loss_table(losses: "list[LossPoint]") -> str:
    """Write the loss curve, of one point or more, as CSV; an empty cell where a step took no such loss."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(losses[0]._fields)
    for point in losses:
        writer.writerow([point.step, *("" if loss is None else round(loss, 5) for loss in point[1:])])
    return text.getvalue()


def sha256_of_rows(rows: Sequence[GeneralAnswer]) -> str | None:
    """Identify what is replayed, order and repetition included; None for nothing."""
    return hashlib.sha256("".join(row.model_dump_json() for row in rows).encode()).hexdigest() if rows else None


def main(
    lora: LoraParams,
    params: TrainParams,
    *,
    train: Path,
    validation: Path,
    general: Path,
    ready: Path,
    base: Path,
    adapter: Path,
    metrics: Path,
    loss: Path,
) -> None:
    """Train on `train` and what is replayed of `general`, watch `validation`, measure forgetting on the rest of `general`.

    Writes the adapter folder, its metrics and the loss curve; of several ranks, rank 0 does.

    Exits 75 where a signal stopped it or another process is at the same run; nothing is published then.
    """
    if json.loads(ready.read_text(encoding="utf-8")) != {"ready": True}:
        raise ValueError(f"{ready} does not say that preflight passed: run `dvc repro preflight` and mend what it names.")
    rows = {path: list(read_jsonl(path, InstructionRow)) for path in (train, validation)}
    answers = list(read_jsonl(general, GeneralAnswer))
    replayed = replay_rows(answers, num_training_rows=len(rows[train]), replay_fraction=params.replay_fraction, seed=params.seed)
    # Imported here: a row that cannot be used is refused before torch, TRL and PEFT are waited for (5 s).
    from plumbline.model.runtime import device, prepare_torch
    from plumbline.model.weights import load_model, load_tokenizer
    from plumbline.training.device_readiness import refuse_half_precision, refuse_unfit_device
    from plumbline.training.forgetting import forgetting_over_prompts
    from plumbline.training.likelihoods import likelihoods
    from plumbline.training.lora import update_norm_ratio
    from plumbline.training.ranks import join, leave, only_training
    from plumbline.training.trainer import Interrupted, build_trainer, fit, pack

    prepare_torch()
    join(device())
    refuse_unfit_device(base, read_manifest(base), lora, params, device=device())
    tokenizer = load_tokenizer(base)
    examples: dict[Path, list[Example]] = {
        path: [render_example(tokenizer, training_prompt(row.instruction, row.input), row.output) for row in rows.pop(path)]
        for path in (train, validation)
    }
    examples[train] += [render_example(tokenizer, answer.prompt, answer.response) for answer in replayed]
    too_long = [len(example.ids) for example in examples[train] + examples[validation] if len(example.ids) > params.max_length]
    if too_long:
        raise ValueError(
            f"{len(too_long)} examples are longer than train.max_length ({max(too_long)} > {params.max_length} tokens): raise it."
        )
    identity = {
        "lora": lora.model_dump(),
        "train": params.model_dump(),
        "data": [sha256_of(train), sha256_of(validation)],
        "replay": sha256_of_rows(replayed),
        "base": base_fingerprint(base),
        "template": template_sha256(tokenizer),
        "code": loaded_code(without=AFTER_THE_RUN),
        "versions": [version(package) for package in ("torch", "transformers", "peft", "trl")],
        "device": device(),
        "ranks": num_ranks(),
        "sharded": is_sharded(),
    }
    folder = run_folder(fingerprint_of(identity))
    try:
        with only_training(folder):
            packed = {
                path: pack(rows, max_length=params.max_length, packing=params.packing, seed=params.seed) for path, rows in examples.items()
            }
            schedule = plan_training(
                num_rows=len(packed[train]), num_tokens=sum(len(example.ids) for example in examples[train]), params=params
            )
            log.info(
                "%d examples in %d rows; %d steps of %d rows, %d of them warm-up",
                len(examples[train]),
                len(packed[train]),
                schedule.num_steps,
                schedule.num_rows_per_step,
                schedule.num_warmup_steps,
            )
            trainer = build_trainer(
                model=load_model(base, device="cpu" if is_sharded() else device()),  # then no card must hold it all
                tokenizer=tokenizer,
                train=packed[train],
                validation=packed[validation],
                lora=lora,
                params=params,
                folder=folder,
                num_steps=schedule.num_steps,
                num_planned_steps=schedule.num_planned_steps,
                num_warmup_steps=schedule.num_warmup_steps,
                num_steps_per_evaluation=schedule.num_steps_per_evaluation,
                num_rows_per_step=schedule.num_rows_per_step,
            )
            assert trainer.model is not None
            refuse_half_precision(trainer.model)
            fitted = fit(trainer, params=params, num_steps=schedule.num_steps, num_planned_steps=schedule.num_planned_steps)
            if not is_sharded():
                leave()  # each rank has the whole model: the first measures it
                if rank() > 0:
                    return
            found = likelihoods(fitted.model, tokenizer, [answer for answer in answers if answer.part == "measured"])
            norm_ratio = update_norm_ratio(fitted.model)
            leave()
            if rank() > 0:
                return
            complete = fitted.stop_reason != "max_steps"
            forgetting = forgetting_over_prompts(**found._asdict(), seed=params.seed)
            save_adapter(
                adapter,
                model=fitted.model,
                weights=fitted.weights,
                record=TrainingRecord(
                    complete=complete,
                    stop_reason=fitted.stop_reason,
                    num_planned_steps=schedule.num_planned_steps,
                    num_done_steps=fitted.num_done_steps,
                    best_step=fitted.best_step,
                    base_fingerprint=identity["base"],
                    template_sha256=identity["template"],
                    train_sha256=identity["data"][0],
                    validation_sha256=identity["data"][1],
                    replay_sha256=identity["replay"],
                    lora=lora,
                    train=params,
                ),
            )
    except (Interrupted, AlreadyRunning) as error:
        log.warning("%s", error)
        sys.exit(TEMPORARY_FAILURE)
    curve = {point.step: point for point in fitted.losses}
    last = max(curve)
    write_text(loss, loss_table(fitted.losses))
    write_json(
        metrics,
        {
            "complete": complete,
            "stop_reason": fitted.stop_reason,
            "num_planned_steps": schedule.num_planned_steps,
            "num_done_steps": fitted.num_done_steps,
            "best_step": fitted.best_step,
            "num_examples": len(examples[train]),
            "num_replay_examples": len(replayed),
            "num_tokens_per_epoch": sum(len(example.ids) for example in examples[train]),
            "num_epochs_done": round(fitted.num_done_steps / schedule.num_steps_per_epoch, 4),
            "scale": lora.alpha / (lora.r**0.5 if lora.use_rslora else lora.r),
            "update_norm_ratio": round(norm_ratio, 4),
            "validation_loss": {
                "base": round(curve[0].validation_loss or float("nan"), 4),
                "best": round(curve[fitted.best_step].validation_loss or float("nan"), 4),
                "final": round(curve[last].validation_loss or float("nan"), 4),
            },
            "forgetting": forgetting.model_dump(),
        },
    )
    log.info("%s after %d of %d steps, best at %d", fitted.stop_reason, fitted.num_done_steps, schedule.num_planned_steps, fitted.best_step)
    log.info("forgetting: %+.2f nats a token on %d general prompts", forgetting.increase, forgetting.num_prompts)


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
                train=Path("data/split/train.jsonl"),
                validation=Path("data/split/validation.jsonl"),
                general=Path("data/answers/general.jsonl"),
                ready=Path("data/preflight/ready.json"),
                base=Path("models/base"),
                adapter=Path("models/adapter"),
                metrics=Path("metrics/train.json"),
                loss=Path("metrics/loss.csv"),
            )
