"""Training speed on one GPU: real tokens per second, MFU and peak memory of each arm, on a random model of Mistral-7B's shape. Offline.

python -m bench.gpu_train                             N0, N3, N5 and Q2, in less than 10 minutes
python -m bench.gpu_train --arms N1 N2 N4 Q1 Q3       the others
python -m bench.gpu_train --shape tiny --device cpu   the same code on a processor: shows that it runs, but measures nothing useful

N0  TRL's defaults: bf16, gradient checkpointing, 8 padded rows, sdpa      N1  N0 without checkpointing
N2  N1 packed to rows of 2,048, one per micro-batch, sdpa
N3  the trainer of `stages/train.py`: packed, attention per document, micro-batches by PLUMBLINE_MICRO_BATCH_TOKENS (8,192),
    checkpointing by PLUMBLINE_GRADIENT_CHECKPOINTING
N4  N3 with PEFT's own LoRA layers, which cast, scale and add at full width   N5  N3 with each layer through torch.compile
Q1, Q2, Q3  N3 on an nf4 base with micro-batches of 1,024, 4,096 and 16,384 tokens
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import plumbline.model.quiet  # noqa: F401

# isort: split
import torch
from datasets import Dataset
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from transformers import MistralForCausalLM, PreTrainedModel, PrinterCallback, TrainerCallback
from transformers.trainer_utils import IntervalStrategy
from trl import SFTConfig, SFTTrainer

from bench.arms import BudgetSpent, common_flags, peak_flops, peak_memory_bytes, run_arms
from bench.random_model import SHAPES, Lengths, lengths_of, plain_tokenizer, random_examples, random_model
from plumbline.model.runtime import prepare_torch
from plumbline.model.tokenization import Example
from plumbline.number_text import size_text
from plumbline.pipeline.files import write_json
from plumbline.planning.planning import Shape, training_flops_per_token
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.lora import lora_config
from plumbline.training.packing import pack
from plumbline.training.schedule import Schedule
from plumbline.training.trainer import build_trainer

PADDED = ("N0", "N1")
NF4_MICRO_BATCH_TOKENS = {"Q1": 1024, "Q2": 4096, "Q3": 16384}
ARMS = ("N0", "N1", "N2", "N3", "N4", "N5", *NF4_MICRO_BATCH_TOKENS)
LORA_ALPHA = 32


class Timing(NamedTuple):
    """The timed steps of one arm, without the warm-up."""

    num_steps: int
    seconds: float
    num_real_tokens: int
    """Padding not included."""
    num_positions: int
    """Padding included: what was computed."""


class Stopwatch(TrainerCallback):
    """Times whole optimiser steps after the warm-up, by CUDA events if there is a GPU; stops the run when its budget is spent."""

    def __init__(self, *, num_warmup_steps: int, budget_seconds: float) -> None:
        self.num_warmup_steps = num_warmup_steps
        self.deadline = time.perf_counter() + budget_seconds
        self.num_steps = self.num_positions = 0
        self.real: list[torch.Tensor] = []
        self.marks: list[Any] = []

    def _mark(self) -> Any:
        if not torch.cuda.is_initialized():
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.num_warmup_steps:
            self.marks = [self._mark()]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.marks:
            self.num_steps += 1
            self.marks[1:] = [self._mark()]
        if time.perf_counter() > self.deadline:
            control.should_training_stop = True

    def count(self, inputs: dict[str, Any], pad: int) -> None:
        """Add a micro-batch; the sum stays on the device, because fetching it would make the step wait."""
        if self.marks:
            self.num_positions += inputs["input_ids"].numel()
            self.real.append((inputs["input_ids"] != pad).sum())

    def timing(self) -> Timing:
        """What was timed. BudgetSpent if the budget was spent before the first timed step was done."""
        if self.num_steps == 0:
            raise BudgetSpent(f"no step was timed: the budget was spent in the {self.num_warmup_steps} steps of warm-up.")
        begin, end = self.marks
        if isinstance(begin, float):
            seconds = end - begin
        else:
            torch.cuda.synchronize()
            seconds = begin.elapsed_time(end) / 1000
        return Timing(self.num_steps, seconds, sum(int(number) for number in self.real), self.num_positions)


def trl_trainer(model: PreTrainedModel, examples: list[Example], lora: LoraParams, *, arm: str, num_steps: int, folder: str) -> SFTTrainer:
    """N0 to N2: TRL's own trainer with its defaults, except for what the arm changes."""
    on_cpu = model.device.type == "cpu"
    packed = arm not in PADDED
    config = SFTConfig(
        output_dir=folder,
        use_cpu=on_cpu,
        bf16=not on_cpu,
        max_steps=num_steps,
        per_device_train_batch_size=1 if packed else 8,
        gradient_checkpointing=arm == "N0",
        packing=packed,
        max_length=2048,
        dataset_kwargs={"skip_prepare_dataset": True},  # ids and labels are there already; preparing them would not be timed anyway
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
    )
    return SFTTrainer(
        model=model,
        args=config,
        train_dataset=pack(examples, max_length=2048, packing=packed, seed=0),
        processing_class=plain_tokenizer(),
        peft_config=lora_config(lora),
    )


def our_trainer(model: PreTrainedModel, examples: list[Example], lora: LoraParams, *, arm: str, num_steps: int, folder: str) -> SFTTrainer:
    """N3 to N5 and Q: the trainer that `stages/train.py` builds, in the same deterministic mode, one micro-batch a step."""
    prepare_torch()
    if arm in NF4_MICRO_BATCH_TOKENS:
        os.environ["PLUMBLINE_MICRO_BATCH_TOKENS"] = str(NF4_MICRO_BATCH_TOKENS[arm])
    micro_batch_tokens = int(os.environ.get("PLUMBLINE_MICRO_BATCH_TOKENS", "8192"))
    params = TrainParams(
        epochs=1.0,
        max_steps=None,
        learning_rate=1e-4,
        warmup_fraction=0.0,
        lr_schedule="cosine",
        tokens_per_step=micro_batch_tokens,
        max_length=min(2048, micro_batch_tokens),
        packing=True,
        max_grad_norm=1.0,
        evaluations_per_epoch=1,
        early_stop_patience=None,
        replay_fraction=0.0,
        seed=0,
    )
    packed: Dataset = pack(examples, max_length=params.max_length, packing=True, seed=0)
    trainer = build_trainer(
        model=model,
        tokenizer=plain_tokenizer(),
        train=packed,
        validation=packed.select(range(1)),
        lora=lora,
        params=params,
        folder=Path(folder),
        schedule=Schedule.of_steps(num_steps, num_rows_per_step=micro_batch_tokens // params.max_length),
    )
    trainer.args.eval_on_start = False
    trainer.args.eval_strategy = IntervalStrategy.NO
    trainer.args.save_strategy = IntervalStrategy.NO  # type: ignore[assignment]
    assert isinstance(trainer.model, PeftModel)
    if arm == "N4":
        for module in trainer.model.modules():
            if isinstance(module, LoraLayer):
                vars(module).pop("forward", None)
    if arm == "N5":
        torch._dynamo.config.fail_on_recompile_limit_hit = True  # otherwise it would silently go on uncompiled
        base = trainer.model.get_base_model()
        assert isinstance(base, MistralForCausalLM)
        for layer in base.model.layers:  # one compilation serves all layers
            layer.compile()
    return trainer


def time_arm(
    arm: str, shape: Shape, lora: LoraParams, *, device: str, num_warmup_steps: int, num_timed_steps: int, budget_seconds: float
) -> tuple[Timing, Lengths]:
    """Make the model, train, and time: first the warm-up steps, then at most this many timed ones."""
    num_steps = num_warmup_steps + num_timed_steps
    model = random_model(shape, device=device, quantization="nf4" if arm in NF4_MICRO_BATCH_TOKENS else "none")
    examples = random_examples(2000, shape)
    with tempfile.TemporaryDirectory() as folder:
        build = our_trainer if arm not in (*PADDED, "N2") else trl_trainer
        trainer = build(model, examples, lora, arm=arm, num_steps=num_steps, folder=folder)
        watch = Stopwatch(num_warmup_steps=num_warmup_steps, budget_seconds=budget_seconds)
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(watch)
        step, pad = trainer.training_step, int(plain_tokenizer().pad_token_id)  # type: ignore[arg-type]

        def counting(model: torch.nn.Module, inputs: dict[str, Any], *rest: Any, **more: Any) -> torch.Tensor:
            watch.count(inputs, pad)
            return step(model, inputs, *rest, **more)

        trainer.training_step = counting  # type: ignore[method-assign]
        trainer.train()
        return watch.timing(), lengths_of(examples)


def report(timing: Timing, lengths: Lengths, *, shape: Shape, r: int, peak: float | None) -> dict[str, Any]:
    """What an arm's JSON holds; MFU counts the model's operations (4N, no recomputation) for real tokens only."""
    flops = training_flops_per_token(
        shape.size,
        num_lora_weights=shape.num_lora_weights(r, "all-linear"),
        labelled_fraction=lengths.labelled_fraction,
        attended_tokens=lengths.attended_tokens,
    )
    speed = timing.num_real_tokens / timing.seconds
    return {
        "status": "measured",
        "tokens_per_second": speed,
        "mfu": None if peak is None else speed * flops / peak,
        "peak_memory_bytes": peak_memory_bytes(),
        "flops_per_token": flops,
        "real_fraction": timing.num_real_tokens / timing.num_positions,
        "num_timed_steps": timing.num_steps,
        "num_real_tokens": timing.num_real_tokens,
        "num_positions": timing.num_positions,
        "seconds": timing.seconds,
        "lora_r": r,
    }


def row(arm: dict[str, Any]) -> str:
    """A measured arm, in one line."""
    mfu = "unknown" if arm["mfu"] is None else f"{100 * arm['mfu']:.1f} %"
    memory = "unknown" if arm["peak_memory_bytes"] is None else size_text(arm["peak_memory_bytes"])
    return f"{arm['tokens_per_second']:,.0f} real tokens/s, MFU {mfu}, peak memory {memory}, {arm['num_timed_steps']} steps timed"


def main(arguments: list[str] | None = None) -> None:
    """Run the arms, or the one that this process is for."""
    parser = common_flags(__doc__, arms=ARMS, default=("N0", "N3", "N5", "Q2"), out=Path("gpu_train.json"))
    parser.add_argument("--warmup-steps", type=int, default=5)
    parser.add_argument("--timed-steps", type=int, default=20)
    parser.add_argument("--lora-r", type=int, default=16, help="rank; 64 as in the study's log")
    chosen = parser.parse_args(arguments)
    if chosen.only is None:
        forwarded = ["--warmup-steps", str(chosen.warmup_steps), "--timed-steps", str(chosen.timed_steps), "--lora-r", str(chosen.lora_r)]
        run_arms(chosen, module="bench.gpu_train", forwarded=forwarded, row=row)
        return
    shape = SHAPES[chosen.shape]
    lora = LoraParams(r=chosen.lora_r, alpha=LORA_ALPHA, dropout=0.0, target_modules="all-linear", use_rslora=False)
    timing, lengths = time_arm(
        chosen.only,
        shape,
        lora,
        device=chosen.device,
        num_warmup_steps=chosen.warmup_steps,
        num_timed_steps=chosen.timed_steps,
        budget_seconds=chosen.budget_seconds,
    )
    peak = peak_flops(torch.cuda.get_device_name()) if chosen.device == "cuda" else None
    write_json(chosen.out, report(timing, lengths, shape=shape, r=chosen.lora_r, peak=peak))


if __name__ == "__main__":
    sys.exit(main())
