"""Measure this machine's device for a few seconds: matrix products, real training steps. Touches torch and a temporary folder."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from plumbline.model.runtime import device
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.dialogues import Trainable
from plumbline.training.packing import pack
from plumbline.training.schedule import Schedule
from plumbline.training.trainer import build_trainer

NUM_TIMED_STEPS = 6


@cache
def matrix_speed(where: str, dtype: str) -> float:
    """Floating-point operations a second of plain matrix products on the device: the fastest of about a second, because others may use the machine as well."""
    side = 4096 if where == "cuda" else 1024
    left, right = (torch.randn(side, side, device=where).to(getattr(torch, dtype)) for _ in range(2))
    torch.mm(left, right)  # the first product also sets up what the others use
    took: list[float] = []
    while len(took) < 3 or sum(took) < 1.0:
        began = time.perf_counter()
        torch.mm(left, right)
        if where == "cuda":
            torch.cuda.synchronize()
        took.append(time.perf_counter() - began)
    return 2 * side**3 / min(took)


class _StepTimes(TrainerCallback):
    """When each step ended."""

    def __init__(self) -> None:
        self.ended: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.ended.append(time.perf_counter())


def seconds_per_step(base: Path, examples: Sequence[Trainable], lora: LoraParams, params: TrainParams, schedule: Schedule) -> float:
    """Seconds of a real training step, measured over a few in a temporary folder."""
    packed = pack(examples, max_length=params.max_length, packing=params.packing, seed=params.seed)
    timed = max(2, min(schedule.num_planned_steps, NUM_TIMED_STEPS))
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(
            model=load_model(base, device=device()),
            tokenizer=load_tokenizer(base),
            train=packed,
            validation=packed.select(range(1)),
            lora=lora,
            params=params,
            folder=Path(folder),
            schedule=Schedule(
                num_rows_per_step=schedule.num_rows_per_step,
                num_steps_per_epoch=schedule.num_planned_steps,
                num_planned_steps=schedule.num_planned_steps,
                num_steps=timed,
                num_steps_per_evaluation=timed + 1,
                num_warmup_steps=schedule.num_warmup_steps,
            ),
        )
        trainer.args.eval_on_start = False
        watch = _StepTimes()
        trainer.add_callback(watch)
        trainer.train()
    # The first step also sets up what the others use.
    return statistics.median(after - before for before, after in pairwise(watch.ended))
