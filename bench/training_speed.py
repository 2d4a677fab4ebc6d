"""Real tokens per second of training on this processor: TRL's defaults against the trainer that `train` builds, on the same rows.

python -m bench.training_speed                      after `dvc checkout data/split models/base`
python -m bench.training_speed --study FILE.jsonl   also with that file's row lengths on a random model (vocabulary 4,096)
python -m bench.training_speed --mixes              TRL's defaults and ours only, on rows of several mixes of lengths
"""

import argparse
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import plumbline.model.quiet  # noqa: F401

# isort: split
import torch
from datasets import Dataset
from torch.nn.functional import scaled_dot_product_attention
from transformers import (
    AutoModelForCausalLM,
    MistralConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
)
from transformers.trainer_utils import IntervalStrategy
from trl import SFTConfig, SFTTrainer

from bench.measurements import Curve, add_json_flag, measured, point, write_measured
from plumbline.model.runtime import prepare_torch
from plumbline.model.tokenization import Example, pad_id, render_example
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.preflight.gradients import gradient_difference
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.attention import attend_per_document
from plumbline.training.lora import lora_config
from plumbline.training.packing import pack
from plumbline.training.prompt import training_prompt
from plumbline.training.schedule import Schedule, rows_per_step
from plumbline.training.trainer import build_trainer

NUM_WARMUP_STEPS = 3
TRL, OURS = "TRL's defaults", "packed, per document"
NUM_MIXED_TOKENS = 60_000
MIXES: dict[str, Callable[[random.Random], float]] = {
    "all of 64 tokens": lambda generator: 64,
    "32 to 128, evenly": lambda generator: generator.uniform(32, 128),
    "long tail, median 64": lambda generator: generator.lognormvariate(4.16, 0.8),
    "nine of 32, one of 480": lambda generator: 480 if generator.random() < 0.1 else 32,
}
"""Name -> tokens of a row, drawn; at least 8 and at most train.max_length."""


class Speed(NamedTuple):
    """What one run of one arm did in its timed steps."""

    tokens_per_processor_second: float
    efficiency: float
    """Real tokens as a share of the positions computed."""


class Clock(TrainerCallback):
    """Times the steps after the warm-up, and counts their real tokens."""

    def __init__(self, num_steps: int, num_warmup_steps: int) -> None:
        self.num_steps, self.num_warmup_steps = num_steps, num_warmup_steps
        self.num_real = self.num_positions = 0
        self.is_timing = False
        self.started = self.took = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.num_warmup_steps:
            self.is_timing = True
            self.started = time.process_time()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.num_steps:
            self.is_timing = False
            self.took = time.process_time() - self.started

    def count(self, inputs: dict[str, Any]) -> None:
        """Add a batch."""
        if self.is_timing:
            self.num_positions += inputs["input_ids"].numel()
            self.num_real += int(inputs["attention_mask"].sum()) if "attention_mask" in inputs else inputs["input_ids"].numel()

    def speed(self) -> Speed:
        """Over the timed steps."""
        return Speed(self.num_real / self.took, self.num_real / self.num_positions)


class Workload(NamedTuple):
    """Rows, a fresh model of the same weights at every call, and how it is trained."""

    name: str
    examples: list[Example]
    model: Callable[[], PreTrainedModel]
    tokenizer: PreTrainedTokenizerBase
    lora: LoraParams
    params: TrainParams


def timed(trainer: SFTTrainer, num_steps: int, num_warmup_steps: int = NUM_WARMUP_STEPS) -> Speed:
    """Train and time."""
    clock = Clock(num_steps, num_warmup_steps)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(clock)
    step = trainer.training_step

    def counting(model: torch.nn.Module, inputs: dict[str, Any], *rest: Any, **more: Any) -> torch.Tensor:
        clock.count(inputs)
        return step(model, inputs, *rest, **more)

    trainer.training_step = counting  # type: ignore[method-assign]
    trainer.train()
    return clock.speed()


def run_trl(work: Workload, *, num_steps: int, rows_per_batch: int, num_warmup_steps: int = NUM_WARMUP_STEPS) -> Speed:
    """TRL's defaults: padded batches of 8, dense attention, gradient checkpointing, the fused head; on a CPU these must be set by hand."""
    torch.use_deterministic_algorithms(False)
    order = list(work.examples)
    random.Random(work.params.seed).shuffle(order)
    rows = Dataset.from_dict({"input_ids": [example.ids for example in order], "labels": [example.labels for example in order]})
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            use_cpu=True,
            bf16=False,
            max_steps=num_steps,
            per_device_train_batch_size=rows_per_batch,
            dataset_kwargs={"skip_prepare_dataset": True},  # the same ids and labels as ours; preparing them would not be timed anyway
            save_strategy="no",
            disable_tqdm=True,
        )
        trainer = SFTTrainer(
            model=work.model(), args=config, train_dataset=rows, processing_class=work.tokenizer, peft_config=lora_config(work.lora)
        )
        return timed(trainer, num_steps, num_warmup_steps)


def run_ours(
    work: Workload,
    *,
    num_steps: int,
    per_document: bool = True,
    only_where_labelled: bool = True,
    fused_nodes: bool = True,
    num_warmup_steps: int = NUM_WARMUP_STEPS,
) -> Speed:
    """The trainer of `stages/train.py`, whole or without one of its parts."""
    prepare_torch()
    packed, size = packed_rows(work)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(
            model=work.model(),
            tokenizer=work.tokenizer,
            train=packed,
            validation=packed.select(range(1)),
            lora=work.lora,
            params=work.params,
            folder=Path(folder),
            schedule=Schedule.of_steps(num_steps, num_rows_per_step=size),
        )
        trainer.args.eval_on_start = False
        trainer.args.eval_strategy = IntervalStrategy.NO
        if not per_document:
            unwrapped = trainer.accelerator.unwrap_model(trainer.model)
            unwrapped.get_base_model().set_attn_implementation("sdpa")
        if not only_where_labelled:
            trainer.compute_loss = partial(SFTTrainer.compute_loss, trainer)  # type: ignore[method-assign]
        if not fused_nodes:
            trainer.rotations = {}
            for module in trainer.accelerator.unwrap_model(trainer.model).modules():
                if getattr(vars(module).get("forward"), "__module__", "").startswith("plumbline."):  # TRL's head is one, too
                    del module.forward
        return timed(trainer, num_steps, num_warmup_steps)


def packed_rows(work: Workload) -> tuple[Dataset, int]:
    """The packed rows, and how many make a step."""
    packed = pack(work.examples, max_length=work.params.max_length, packing=work.params.packing, seed=work.params.seed)
    num_tokens = sum(len(example.ids) for example in work.examples)
    return packed, rows_per_step(num_rows=len(packed), num_tokens=num_tokens, params=work.params)


def compare(work: Workload, *, num_repeats: int, num_steps: int) -> None:
    """Run the arms in turn, every other time in reverse order, and print a line per arm and per ratio."""
    packed, size = packed_rows(work)
    mean = sum(len(example.ids) for example in work.examples) / len(work.examples)
    matching = max(1, round(sum(len(ids) for ids in packed["input_ids"]) / len(packed) * size / mean))
    arms: dict[str, Callable[[], Speed]] = {
        "TRL's defaults, 8 padded rows": lambda: run_trl(work, num_steps=num_steps, rows_per_batch=8),
        f"the same, {matching} rows (our step)": lambda: run_trl(work, num_steps=num_steps, rows_per_batch=matching),
        "packed, dense mask, TRL's head": lambda: run_ours(
            work, num_steps=num_steps, per_document=False, only_where_labelled=False, fused_nodes=False
        ),
        "+ attention per document": lambda: run_ours(work, num_steps=num_steps, only_where_labelled=False, fused_nodes=False),
        "+ head and last MLP where a label is": lambda: run_ours(work, num_steps=num_steps, fused_nodes=False),
        "+ one node per part = Plumbline": lambda: run_ours(work, num_steps=num_steps),
    }
    found: dict[str, list[Speed]] = {name: [] for name in arms}
    for repeat in range(num_repeats):
        for name in list(arms) if repeat % 2 == 0 else reversed(list(arms)):
            found[name].append(arms[name]())
            print(work.name, repeat, name, found[name][-1], file=sys.stderr, flush=True)
    labelled = sum(len(example.ids) - example.num_prompt_tokens for example in work.examples)
    total = sum(len(example.ids) for example in work.examples)
    print(
        f"\n{work.name}: {len(work.examples):,} rows, {mean:.0f} tokens a row, {100 * labelled / total:.0f} % with a label, n = {num_repeats}\n"
    )
    print("| arm | real tokens per processor second | per wall second | real / computed | times TRL's defaults, pair by pair |")
    print("|---|---|---|---|---|")
    naive = next(iter(found.values()))
    for name, speeds in found.items():
        cells = [spread([speed[index] for speed in speeds]) for index in (0, 1)]
        ratios = spread([mine[0] / theirs[0] for mine, theirs in zip(speeds, naive, strict=True)], 2)
        print(f"| {name} | {cells[0]} | {cells[1]} | {statistics.median(speed.efficiency for speed in speeds):.3f} | {ratios} |")


def mixed(name: str, draw: Callable[[random.Random], float], like: Workload) -> Workload:
    """Rows of random tokens in a mix of lengths, half of each with a label; with model and settings of the default run."""
    generator = random.Random(0)
    examples: list[Example] = []
    num_tokens = 0
    while num_tokens < NUM_MIXED_TOKENS:
        length = max(8, min(like.params.max_length, round(draw(generator))))
        examples.append(Example(ids=[generator.randrange(10, 1000) for _ in range(length)], num_prompt_tokens=length // 2))
        num_tokens += length
    return like._replace(name=name, examples=examples)


def compare_mixes(works: Sequence[Workload], *, num_repeats: int, num_steps: int) -> Curve:
    """TRL's defaults and ours in turn, on each mix."""
    points = []
    for work in works:
        arms: dict[str, Callable[[], Speed]] = {
            TRL: lambda work=work: run_trl(work, num_steps=num_steps, rows_per_batch=8),
            OURS: lambda work=work: run_ours(work, num_steps=num_steps),
        }
        found: dict[str, list[Speed]] = {name: [] for name in arms}
        for repeat in range(num_repeats):
            for name in arms if repeat % 2 == 0 else reversed(arms):
                found[name].append(arms[name]())
        rates = {name: [speed.tokens_per_processor_second for speed in speeds] for name, speeds in found.items()}
        real = {f"real / computed, {name}": statistics.median(speed.efficiency for speed in speeds) for name, speeds in found.items()}
        points.append(point(work.name, rates, naive=TRL, ours=OURS, better="more", **real))
        told = ", ".join(f"{name} {spread(values)}" for name, values in rates.items())
        print(f"{work.name}: real tokens per processor second: {told}; ratio {points[-1].ratio}", flush=True)
    return Curve(x="lengths of the rows", unit="tokens/s", better="more", naive=TRL, ours=OURS, points=points)


def compare_attention(*, num_repeats: int) -> None:
    """Forward and backward of one layer's attention over a row of 4,018 tokens in 60 documents: dense mask against document by document."""
    torch.manual_seed(0)
    lengths = torch.full((60,), 67)
    lengths[:2] = torch.tensor([66, 66])
    boundaries = torch.cat([torch.tensor([0]), lengths.cumsum(0)]).to(torch.int32)
    total = int(lengths.sum())
    query, key, value = (torch.randn(1, 4, total, 32, requires_grad=True) for _ in range(3))
    owner = torch.repeat_interleave(torch.arange(60), lengths)
    mask = (owner[:, None] == owner[None]) & torch.ones(total, total, dtype=torch.bool).tril()
    arms: dict[str, Callable[[], torch.Tensor]] = {
        "dense": lambda: scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2),
        "per document": lambda: attend_per_document(torch.nn.Identity(), query, key, value, None, cu_seq_lens_q=boundaries)[0],
    }
    took: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(num_repeats + 1):
        for name, run in arms.items():
            begin = time.process_time()
            run().sum().backward()
            took[name].append(time.process_time() - begin)
    ratios = [dense / own for dense, own in zip(took["dense"][1:], took["per document"][1:], strict=True)]
    print(
        f"\nattention, {total:,} tokens in 60 documents, forward and backward: per document {spread(ratios, 1)} times as fast as a dense mask"
    )


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median, and from least to most."""
    return f"{statistics.median(values):,.{digits}f} [{min(values):,.{digits}f}, {max(values):,.{digits}f}]"


def embedded(root: Path) -> Workload:
    """The rows and the model of the default run."""
    base, params = root / "models" / "base", read_yaml(root / "params.yaml")
    rows = root / "data" / "split" / "train.jsonl"
    if not (base / "manifest.json").is_file() or not rows.is_file():
        sys.exit(f"{rows} or {base} is missing: run `dvc checkout data/split models/base`, or `dvc repro base split`.")
    tokenizer = load_tokenizer(base)
    examples = [
        render_example(tokenizer, training_prompt(row.instruction, row.input), row.output) for row in read_jsonl(rows, InstructionRow)
    ]
    return Workload(
        "embedded rows and model",
        examples,
        lambda: load_model(base, device="cpu"),
        tokenizer,
        LoraParams.model_validate(params["lora"]),
        TrainParams.model_validate(params["train"]),
    )


def study(path: Path, like: Workload) -> Workload:
    """Rows of random tokens with a real file's lengths (4 characters count as a token), on a random model with a vocabulary of 4,096."""
    generator = random.Random(0)
    examples = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip():
            row = json.loads(line)
            asked, said = (max(4, len(str(text)) // 4) for text in (row["instruction"] + (row.get("input") or ""), row["output"]))
            ids = [generator.randrange(10, 4096) for _ in range(asked + said)]
            examples.append(Example(ids=ids, num_prompt_tokens=asked))
    config = MistralConfig(
        vocab_size=4096, hidden_size=128, intermediate_size=384, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=4
    )

    def model() -> PreTrainedModel:
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(config, dtype=torch.float32)

    params = like.params.model_copy(update={"max_length": 2048, "tokens_per_step": 4096})
    fitting = [example for example in examples if len(example.ids) <= params.max_length]
    return Workload("the study's row lengths, random model", fitting, model, like.tokenizer, like.lora, params)


def main() -> None:
    """Run all of it on one thread: its processor time is steady on a shared machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, help="an Alpaca-style JSONL; its row lengths are used as well")
    parser.add_argument("--mixes", nargs="*", choices=["embedded", *MIXES], metavar="MIX", help="all mixes of lengths, or those named")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=13, help=f"of each run; the first {NUM_WARMUP_STEPS} are not timed")
    add_json_flag(parser)
    chosen = parser.parse_args()
    if chosen.json and chosen.mixes is None:
        parser.error("--json holds the curve over --mixes.")
    os.environ["PLUMBLINE_THREADS"] = "1"
    torch.set_num_threads(1)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "trl", "peft"))
    print(f"{platform.platform()}, one thread, Python {platform.python_version()}, {versions}")
    work = embedded(Path.cwd())
    if chosen.mixes is not None:
        wanted = chosen.mixes or ["embedded", *MIXES]
        works = [work._replace(name="rows of the default run") if name == "embedded" else mixed(name, MIXES[name], work) for name in wanted]
        write_measured(
            chosen.json,
            measured(
                name="training",
                title="Training, by the lengths of the rows",
                what="The trainer of `train` against TRL's defaults (8 padded rows, dense attention, gradient checkpointing), one thread. "
                "Real tokens, padding left out, per processor second.",
                curve=compare_mixes(works, num_repeats=chosen.repeats, num_steps=chosen.steps),
            ),
        )
        return
    difference = gradient_difference(Path("models/base"), work.examples[:12], pad=pad_id(work.tokenizer), packing=True).difference
    print(f"gradients of packed against padded rows: {difference:.1e} relative, 12 rows, fp32")
    compare_attention(num_repeats=chosen.repeats)
    compare(work, num_repeats=chosen.repeats, num_steps=chosen.steps)
    if chosen.study is not None:
        compare(study(chosen.study, work), num_repeats=chosen.repeats, num_steps=chosen.steps)


if __name__ == "__main__":
    main()
