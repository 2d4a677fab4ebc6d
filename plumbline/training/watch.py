"""Watch a training run while the trainer works: the best adapter, the progress, signals, patience, and a loss that is not finite."""

import json
import logging
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from peft import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from plumbline.pipeline.files import replacing_folder, write_json
from plumbline.pipeline.heartbeat import Progress
from plumbline.training.checkpoint_choice import NUM_QUESTIONS, SCORE, Evaluated, is_planned
from plumbline.training.launch import taken_signals
from plumbline.training.ranks import any_rank, from_rank_0, whole
from plumbline.training.which_rank import rank

log = logging.getLogger("train")


class NonFiniteLoss(ValueError):
    """The loss is NaN or infinite, so no adapter is written."""


class Watch(TrainerCallback):
    """Keeps the best adapter and the progress; stops on signals, on NaN and by patience."""

    def __init__(self, folder: Path, *, patience: int | None, num_steps: int, num_planned_steps: int, tokens_per_step: int) -> None:
        self.folder = folder
        self.num_planned_steps = num_planned_steps
        self.tokens_per_step = tokens_per_step
        self.patience = patience
        self.noted = False
        """This process has received a signal."""
        self.signalled = False
        """All ranks know about a signal, so they stop after the same step."""
        self.stopped_early = False
        self.progress = Progress("train", total=num_steps, unit="step", shown=rank() == 0)
        self._said = ""
        self._num_evaluated = 0

    @property
    def best_file(self) -> Path:
        return self.folder / "best" / "best.json"

    def best(self) -> Evaluated:
        """The evaluation of the adapter that is kept; step 0 if there is none yet."""
        if not self.best_file.is_file():
            return Evaluated(0, math.inf)
        return Evaluated(**json.loads(self.best_file.read_text(encoding="utf-8")))

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.progress.begin_at(state.global_step)

    def on_prediction_step(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._num_evaluated += 1
        self.progress.say(f"validation batch {self._num_evaluated}, {self._said}".removesuffix(", "))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.progress.update(state.global_step - self.progress.done)
        self.signalled = any_rank(self.noted)
        if self.signalled:
            control.should_save = control.should_training_stop = True

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, float] | None = None, **_: Any
    ) -> None:
        for name in ("loss", "eval_loss"):
            value = (logs or {}).get(name)
            if value is not None and not math.isfinite(value):
                raise NonFiniteLoss(
                    f"{name} is {value} at step {state.global_step}. No adapter was written. Lower train.learning_rate or lora.alpha."
                )
        if logs and "loss" in logs:
            self._said = f"loss {logs['loss']:.3f}, {self.progress.per_second * self.tokens_per_step:,.0f} tokens/s"
            self.progress.say(self._said)

    def on_evaluate(  # pyright: ignore[reportIncompatibleMethodOverride]  (the base class takes these as keywords)
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        model: torch.nn.Module,
        **_: Any,
    ) -> None:
        found = Evaluated(state.global_step, metrics["eval_loss"], metrics.get(SCORE))
        step = found.step
        self._num_evaluated = 0
        self.progress.say(self._said)
        if not is_planned(step, num_steps_per_evaluation=int(state.eval_steps), num_steps=state.max_steps):
            return
        log.info("step %d of %d: %s", step, state.max_steps, found.in_words(metrics.get(NUM_QUESTIONS)))
        best = from_rank_0(self.best() if rank() == 0 else Evaluated(0, math.inf))
        if step > 0 and (best.step == 0 or found.is_better_than(best)):
            held = get_peft_model_state_dict(model, save_embedding_layers=False)
            weights = {name: whole(tensor) for name, tensor in held.items()}
            # The first step of a warm-up has a rate of 0, so the adapter is still zero: it is never the best, even if all others are worse.
            if rank() > 0 or not any(bool(tensor.any()) for name, tensor in weights.items() if "lora_B" in name):
                return
            with replacing_folder(self.folder / "best") as partial:
                save_file({name: tensor.contiguous() for name, tensor in sorted(weights.items())}, partial / "best.safetensors")
                write_json(partial / "best.json", found._asdict())
            return
        steps = {int(entry["step"]) for entry in state.log_history if "eval_loss" in entry and entry["step"] > best.step}
        # With a lowered max_steps, the full run has no such last evaluation: a dry run that ends there has not stopped by patience.
        evaluations_since = sum(step % state.eval_steps == 0 or step == self.num_planned_steps for step in steps)
        if self.patience is not None and step > 0 and evaluations_since >= self.patience:
            self.stopped_early = True
            control.should_training_stop = True


@contextmanager
def signals_to(watch: Watch) -> Iterator[None]:
    """Turn SIGTERM, SIGINT and SIGHUP into a checkpoint and an orderly stop. SIGHUP is left alone if it is ignored, as under nohup."""

    def note(number: int, frame: FrameType | None) -> None:
        log.warning("%s: writing a checkpoint, then stopping", signal.Signals(number).name)
        watch.noted = True

    before = {number: signal.signal(number, note) for number in taken_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
