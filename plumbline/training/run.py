"""The whole training, from input files to output files: rows are read and checked first, then torch is loaded and the adapter is fitted."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.model.base_files import base_fingerprint, read_manifest
from plumbline.model.tokenization import render_example, template_sha256
from plumbline.pipeline.files import sha256_of, write_json, write_text
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.rows.general_answer import GeneralAnswer
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.checkpoint_choice import OpenTask
from plumbline.training.checkpoints import run_folder
from plumbline.training.dialogues import Trainable, dialogue_of, render_dialogue
from plumbline.training.finished import Finished, metrics_of, record_of, save
from plumbline.training.general_prompts import replay_rows
from plumbline.training.loss_curve import loss_table
from plumbline.training.run_identity import RunIdentity, loaded_code, sha256_of_rendered, sha256_of_rows
from plumbline.training.schedule import Schedule, plan_training
from plumbline.training.trackers import wanted_trackers
from plumbline.training.which_rank import is_sharded, num_ranks, rank

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger("train")

AFTER_THE_RUN = ("plumbline.training.likelihoods", "plumbline.training.forgetting", "plumbline.intervals")
"""Modules that only look at the finished model. If one changes, the finished run is measured again, not trained again."""
LIBRARIES = ("torch", "transformers", "peft", "trl")


@dataclass(frozen=True, kw_only=True)
class TrainFiles:
    """What the training reads and writes."""

    train: Path
    validation: Path
    general: Path
    ready: Path
    base: Path
    adapter: Path
    record: Path
    """A copy of the adapter's training.json: a clone without the adapter writes its report with it."""
    metrics: Path
    loss: Path
    selection: Path | None = None
    """Which questions choose the checkpoint; None if none do."""


@dataclass(frozen=True, kw_only=True)
class TrainRows:
    """The rows as read. From here on, a row can only be refused for its length."""

    train: list[InstructionRow]
    validation: list[InstructionRow]
    replayed: list[GeneralAnswer]
    measured: list[GeneralAnswer]


def run(lora: LoraParams, params: TrainParams, files: TrainFiles, open_task: OpenTask | None = None) -> Finished | None:
    """Train, measure what was forgotten, and write the adapter, its metrics and the loss curve. Of several ranks, rank 0 writes.

    `open_task` makes what scores the model on the questions that choose the checkpoint; if it is None, the validation loss chooses.
    Returns None on the other ranks. Interrupted if a signal stopped it, AlreadyRunning if another process is at the same run:
    then nothing is written.
    """
    finished = train_and_measure(read_rows(files, params), lora, params, files, open_task)
    if finished is not None:
        write_text(files.loss, loss_table(finished.fitted.losses))
        write_json(files.record, record_of(finished).model_dump())
        write_json(files.metrics, metrics_of(finished))
    return finished


def read_rows(files: TrainFiles, params: TrainParams) -> TrainRows:
    """Read everything that can be checked without torch. ValueError says what cannot be used."""
    wanted_trackers()
    if json.loads(files.ready.read_text(encoding="utf-8")) != {"ready": True}:
        raise ValueError(f"Preflight did not pass ({files.ready}). Run `dvc repro preflight` and fix what it reports.")
    train, validation = (list(read_jsonl(path, InstructionRow)) for path in (files.train, files.validation))
    answers = list(read_jsonl(files.general, GeneralAnswer))
    return TrainRows(
        train=train,
        validation=validation,
        replayed=replay_rows(answers, num_training_rows=len(train), replay_fraction=params.replay_fraction, seed=params.seed),
        measured=[answer for answer in answers if answer.part == "measured"],
    )


def render_rows(tokenizer: "PreTrainedTokenizerBase", rows: TrainRows, *, max_length: int) -> tuple[list[Trainable], list[Trainable]]:
    """The training examples, replay rows last, and the validation examples. ValueError if one is too long."""
    train, validation = (
        [example for row in part for example in render_dialogue(tokenizer, dialogue_of(row))] for part in (rows.train, rows.validation)
    )
    train += [render_example(tokenizer, answer.prompt, answer.response) for answer in rows.replayed]
    too_long = [len(example.ids) for example in train + validation if len(example.ids) > max_length]
    if too_long:
        raise ValueError(
            f"{len(too_long)} examples are longer than train.max_length ({max(too_long)} > {max_length} tokens). Raise train.max_length."
        )
    return train, validation


def train_and_measure(
    rows: TrainRows, lora: LoraParams, params: TrainParams, files: TrainFiles, open_task: OpenTask | None
) -> Finished | None:
    """Fit the adapter, or resume the run where it stopped, and measure the resulting model. None on all ranks but the first."""
    # Imported here: bad rows are refused before torch, TRL and PEFT are loaded (5 s).
    from plumbline.model.runtime import device, prepare_torch
    from plumbline.model.weights import load_model, load_tokenizer
    from plumbline.training.device_readiness import refuse_half_precision, refuse_unfit_device
    from plumbline.training.fitting import fit
    from plumbline.training.forgetting import forgetting_over_prompts
    from plumbline.training.likelihoods import likelihoods
    from plumbline.training.lora import update_norm_ratio
    from plumbline.training.packing import pack
    from plumbline.training.ranks import join, leave, only_training
    from plumbline.training.trainer import build_trainer

    manifest = read_manifest(files.base)
    prepare_torch(manifest.source)
    join(device())
    refuse_unfit_device(files.base, manifest, lora, params, device=device())
    tokenizer = load_tokenizer(files.base)
    task = None if open_task is None else open_task(tokenizer)  # before the run is identified: its code is part of the run
    train, validation = render_rows(tokenizer, rows, max_length=params.max_length)
    identity = identify(
        files,
        lora,
        params,
        replayed=rows.replayed,
        examples=[*train, *validation],
        template=template_sha256(tokenizer),
        device=device(),
        task_identity=None if task is None else task.identity,
    )
    folder = run_folder(identity.fingerprint())
    with only_training(folder):
        packed, packed_validation = (
            pack(examples, max_length=params.max_length, packing=params.packing, seed=params.seed) for examples in (train, validation)
        )
        num_tokens = sum(len(example.ids) for example in train)
        schedule = plan_training(num_rows=len(packed), num_tokens=num_tokens, params=params)
        say_plan(schedule, num_examples=len(train), num_rows=len(packed))
        trainer = build_trainer(
            model=load_model(files.base, device="cpu" if is_sharded() else device()),  # then no single GPU must hold it all
            tokenizer=tokenizer,
            train=packed,
            validation=packed_validation,
            lora=lora,
            params=params,
            schedule=schedule,
            folder=folder,
        )
        assert trainer.model is not None
        refuse_half_precision(trainer.model)
        fitted = fit(trainer, params=params, num_steps=schedule.num_steps, num_planned_steps=schedule.num_planned_steps, task=task)
        if not is_sharded():
            leave()  # each rank has the whole model: the first measures it
            if rank() > 0:
                return None
        found = likelihoods(fitted.model, tokenizer, rows.measured)
        norm_ratio = update_norm_ratio(fitted.model)
        leave()
        if rank() > 0:
            return None
        finished = Finished(
            identity=identity,
            schedule=schedule,
            fitted=fitted,
            forgetting=forgetting_over_prompts(**found._asdict(), seed=params.seed),
            update_norm_ratio=norm_ratio,
            num_examples=len(train),
            num_replay_examples=len(rows.replayed),
            num_tokens_per_epoch=num_tokens,
            question_ids=() if task is None else task.question_ids,
        )
        save(finished, files.adapter, base=manifest)  # while the run's folder is locked
        return finished


def identify(
    files: TrainFiles,
    lora: LoraParams,
    params: TrainParams,
    *,
    replayed: Sequence[GeneralAnswer],
    examples: Sequence[Trainable],
    template: str,
    device: str,
    task_identity: str | None,
) -> RunIdentity:
    """Collect what the run is keyed by. Called when every module that trains is loaded."""
    from plumbline.model.runtime import summing_threads

    return RunIdentity(
        lora=lora,
        params=params,
        train_sha256=sha256_of(files.train),
        validation_sha256=sha256_of(files.validation),
        replay_sha256=sha256_of_rows(replayed),
        rendered_sha256=sha256_of_rendered(examples),
        base_fingerprint=base_fingerprint(files.base),
        template_sha256=template,
        code=loaded_code(without=AFTER_THE_RUN),
        versions={package: version(package) for package in LIBRARIES},
        device=device,
        num_threads=summing_threads(device),
        num_ranks=num_ranks(),
        sharded=is_sharded(),
        task_sha256=task_identity,
    )


def say_plan(schedule: Schedule, *, num_examples: int, num_rows: int) -> None:
    log.info(
        "%d examples in %d rows; %d steps of %d rows, %d of them warm-up",
        num_examples,
        num_rows,
        schedule.num_steps,
        schedule.num_rows_per_step,
        schedule.num_warmup_steps,
    )
