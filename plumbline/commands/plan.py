"""Plan a run: what it will take, each number with how it is known. Touches params.yaml, data/split, models/base and the device; writes nothing."""

import json
import shutil
import tempfile
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import plumbline.model.quiet  # noqa: F401

# isort: split
from dvc.exceptions import DvcException
from dvc.utils.hydra import apply_overrides

from plumbline.commands.refusing import refusing, repository
from plumbline.judging.canaries import canaries
from plumbline.judging.params import JudgeParams
from plumbline.judging.prices import ASSUMED_REPLY_TOKENS, PRICES, largest_cost_usd
from plumbline.judging.prompt import JudgeItem, num_characters
from plumbline.model.base_files import read_manifest
from plumbline.model.runtime import device, prepare_torch
from plumbline.model.tokenization import Example, render_example
from plumbline.model.weights import load_tokenizer
from plumbline.number_text import size_text
from plumbline.params_sections import unknown_sections
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import read_yaml
from plumbline.planning.device_probe import NUM_TIMED_STEPS, matrix_speed, seconds_per_step
from plumbline.planning.planning import (
    MISTRAL_7B,
    NUM_CHECKPOINTS,
    SECONDS_PER_DECODING_STEP_ON_GPU,
    Shape,
    activation_bytes,
    base_bytes,
    duration,
    training_flops_per_token,
)
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question
from plumbline.rows.training_params import LoraParams, TrainParams
from plumbline.training.device_readiness import free_bytes
from plumbline.training.general_prompts import num_replay_rows
from plumbline.training.packing import pack
from plumbline.training.prompt import training_prompt
from plumbline.training.rank_batches import micro_batch_rows
from plumbline.training.schedule import Schedule, fewest_packed_rows, plan_training
from plumbline.training.training_arguments import recomputes_activations
from plumbline.training.weight_bytes import BYTES_PER_TRAINED_WEIGHT

CHARACTERS_PER_TOKEN = 4.0
TEMPLATE_TOKENS = 8
ASSUMED_SHARE_OF_MATRIX_SPEED = {"cpu": 0.6, "cuda": 0.5}
"""Of the speed of plain matrix products on the same device. On one H200 a step reached 406 TFLOP/s (docs/benchmarks.md), products about 790."""
CHARACTERS_PER_ANSWER_TOKEN = 4
WIDTH = 110


class NotPlanned(ValueError):
    """The run cannot be planned; the text says what is missing and what to do."""


@dataclass(frozen=True)
class Line:
    """One line of the plan."""

    what: str
    value: str
    known: str
    """counted, computed, measured or assumed, with what it rests on."""


def planned_params(root: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """params.yaml with overrides in DVC's own syntax; the file itself stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "params.yaml"
        shutil.copyfile(root / "params.yaml", copy)
        if overrides:
            apply_overrides(copy, list(overrides))
        return read_yaml(copy)


def profile_overrides(root: Path, name: str) -> list[str]:
    """The lines of a profile. NotPlanned names the profiles where there is none of this name."""
    path = root / "profiles" / name
    if not path.is_file():
        raise NotPlanned(f"no profiles/{name}; there are: {', '.join(sorted(one.name for one in path.parent.iterdir()))}")
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]


def base_is_here(base: Path, section: dict[str, Any]) -> bool:
    """Whether models/base is the base model that the parameters name."""
    if not (base / "manifest.json").is_file():
        return False
    manifest = read_manifest(base)
    named = (manifest.source, manifest.repo, manifest.revision) if section["source"] == "hub" else (manifest.source, None, None)
    return named == (section["source"], section["repo"], section["revision"])


def shape_of(base: Path, section: dict[str, Any], *, here: bool) -> tuple[Shape, str]:
    """The base model's shape, and how it is known."""
    if here:
        return Shape.of_config(json.loads((base / "config.json").read_text(encoding="utf-8"))), "of models/base"
    if section["source"] == "embedded":
        own = section["embedded"]
        heads = own["num_heads"]
        sizes = own["hidden_size"], own["intermediate_size"], own["num_layers"], heads, heads, own["hidden_size"] // heads
        return Shape(*sizes, own["vocab_size"]), "of base.embedded"
    return MISTRAL_7B, f"assumed: as Mistral-7B, until `dvc repro base` has fetched {section['repo']}"


def examples_of(rows: Sequence[InstructionRow], base: Path, *, here: bool) -> tuple[list[Example], str]:
    """The rows as tokens: counted where the tokenizer is here, else placeholders of estimated length."""
    if here:
        tokenizer = load_tokenizer(base)
        return [render_example(tokenizer, training_prompt(row.instruction, row.input), row.output) for row in rows], "counted"
    found = []
    for row in rows:
        asked = round(len(row.instruction + row.input) / CHARACTERS_PER_TOKEN) + TEMPLATE_TOKENS
        found.append(Example(ids=[0] * (asked + max(1, round(len(row.output) / CHARACTERS_PER_TOKEN))), num_prompt_tokens=asked))
    return found, f"estimated, {CHARACTERS_PER_TOKEN:g} characters a token"


def schedule_of(examples: Sequence[Example], params: TrainParams) -> Schedule:
    """The plan that `train` will make of these rows, replay rows included."""
    fitting = [example for example in examples if len(example.ids) <= params.max_length]
    num_replayed = num_replay_rows(len(fitting), params.replay_fraction)
    num_tokens = round(sum(len(example.ids) for example in fitting) * (1 + num_replayed / max(1, len(fitting))))
    num_rows = len(fitting) + num_replayed
    if params.packing:
        packed = len(pack(fitting, max_length=params.max_length, packing=True, seed=params.seed))
        num_rows = packed + (
            fewest_packed_rows(num_tokens, params.max_length)
            - fewest_packed_rows(sum(len(example.ids) for example in fitting), params.max_length)
        )
    return plan_training(num_rows=num_rows, num_tokens=num_tokens, params=params)


def judge_lines(params: JudgeParams, questions: Sequence[Question], answering: AnswerParams) -> list[Line]:
    """What judging will cost."""
    explanations = [question for question in questions if question.kind == "explanation"]
    if params.backend != "claude":
        return [Line("judge", f"{2 * len(explanations)} answers, no cost", f"counted; judge.backend is {params.backend}")]
    text = "x" * (answering.max_new_tokens * CHARACTERS_PER_ANSWER_TOKEN)
    items = [JudgeItem(question.question, question.target, question.key_points, text) for question in explanations for _ in range(2)]
    items += items[: round(len(items) * (params.retest_fraction or 0.0))]
    items += [probe.item for probe in canaries(explanations, num_questions=params.num_canary_questions)]
    characters = [num_characters(item) for item in items]
    price = PRICES.get(params.model or "")
    if price is None:
        return [Line("judge", f"{len(items)} calls, cost unknown", f"the price of {params.model} is not in plumbline/judging/prices.py")]
    assert params.model is not None and params.max_tokens is not None
    batch = params.mode == "batch"

    def cost(tokens: int) -> float:
        each = (largest_cost_usd(params.model or "", num_characters=one, max_tokens=tokens, batch=batch) for one in characters)
        return sum(one for one in each if one is not None)

    about, most = cost(ASSUMED_REPLY_TOKENS), cost(params.max_tokens)
    cap = "no cap" if params.max_cost_usd is None else f"judge.max_cost_usd stops it at {params.max_cost_usd:g} USD"
    return [
        Line("judge", f"{len(items)} calls to {params.model}: about {about:.2f} USD", f"assumed: {ASSUMED_REPLY_TOKENS} tokens a reply"),
        Line("", f"at most {most:.2f} USD", f"computed: every reply fills its {params.max_tokens} tokens; {cap}"),
    ]


def other_source(root: Path, wanted: str) -> str | None:
    """A warning where the rows that are counted come from another file than the run would read."""
    lock = root / "dvc.lock"
    deps = read_yaml(lock)["stages"].get("clean", {}).get("deps", []) if lock.is_file() else []
    read = [str(dep["path"]) for dep in deps if not str(dep["path"]).startswith(("plumbline/", "stages/"))]
    if not read or wanted in read:
        return None
    return f"these are rows of {', '.join(read)}, not of {wanted}: set clean.source in params.yaml, `dvc repro split`, then plan again"


def plan(root: Path, overrides: Sequence[str]) -> list[Line]:
    """All lines of the plan."""
    params = planned_params(root, overrides)
    if (problem := unknown_sections(params, read_yaml(root / "dvc.yaml"))) is not None:
        raise NotPlanned(problem)
    lora, training = LoraParams.model_validate(params["lora"]), TrainParams.model_validate(params["train"])
    answering, section = AnswerParams.model_validate(params["answer"]), params["base"]
    rows_file, benchmark, base = (root / path for path in ("data/split/train.jsonl", "data/split/benchmark.jsonl", "models/base"))
    for path in (rows_file, benchmark):
        if not path.is_file():
            raise NotPlanned(f"{path.relative_to(root)} is missing; run `dvc repro split` first (seconds), it is what the plan counts.")
    rows, questions = list(read_jsonl(rows_file, InstructionRow)), list(read_jsonl(benchmark, Question))
    here = base_is_here(base, section)
    shape, shape_known = shape_of(base, section, here=here)
    examples, counted = examples_of(rows, base, here=here)
    if all(len(example.ids) > training.max_length for example in examples):
        raise NotPlanned(f"none of the {len(examples)} rows is as short as train.max_length, {training.max_length} tokens; raise it.")
    schedule = schedule_of(examples, training)
    where = device()
    total = sum(len(example.ids) for example in examples)
    too_long = sum(len(example.ids) > training.max_length for example in examples)
    lines = [Line("rows", f"{len(rows):,} rows of the last split, {total:,} tokens an epoch", counted)]
    if (elsewhere := other_source(root, params["clean"]["source"])) is not None:
        lines.append(Line("", elsewhere, "dvc.lock"))
    if too_long:
        lines.append(Line("", f"{too_long:,} are longer than train.max_length {training.max_length}: preflight will refuse", counted))
    dry = f", a dry run of {schedule.num_planned_steps:,}" if schedule.num_steps < schedule.num_planned_steps else ""
    lines.append(
        Line("steps", f"{schedule.num_steps:,}{dry}, {schedule.num_warmup_steps} of them warm-up", f"{counted}, as train plans them")
    )
    num_lora = shape.num_lora_weights(lora.r, lora.target_modules)
    num_tokens = schedule.num_steps * training.tokens_per_step
    local = here and section["source"] == "embedded"
    if local:
        step = seconds_per_step(base, [one for one in examples if len(one.ids) <= training.max_length], lora, training, schedule)
        known = f"measured: {NUM_TIMED_STEPS} real steps on {where}; start and validation come on top"
    else:
        labelled = sum(len(example.ids) - example.num_prompt_tokens for example in examples) / total
        attended = sum(len(example.ids) ** 2 for example in examples) / total
        flops = training_flops_per_token(shape, num_lora_weights=num_lora, labelled_fraction=labelled, attended_tokens=attended)
        speed = matrix_speed(where, section["dtype"])
        share = ASSUMED_SHARE_OF_MATRIX_SPEED["cuda" if where.startswith("cuda") else "cpu"]
        step = training.tokens_per_step * flops / (speed * share)
        known = (
            f"assumed: {share:.0%} of matrix products on {where}, measured at {speed / 1e12:.2f} TFLOP/s; {flops / 1e9:.1f} GFLOP a token"
        )
    lines.append(Line("training", f"{duration(step * schedule.num_steps)} for {num_tokens:,} tokens", known))
    largest = len(questions) * answering.max_new_tokens
    batches = -(-len(questions) // answering.batch_size)
    slowest = batches * answering.max_new_tokens * SECONDS_PER_DECODING_STEP_ON_GPU
    lines.append(Line("answers", f"{len(questions)} questions, at most {largest:,} tokens an arm", "computed"))
    if where == "cuda":
        lines.append(
            Line("", f"at most {duration(slowest)} an arm", f"assumed: {SECONDS_PER_DECODING_STEP_ON_GPU * 1000:.0f} ms a step of a batch")
        )
    weights = base_bytes(shape, dtype=section["dtype"], quantization=section["quantization"])
    micro = micro_batch_rows(schedule.num_rows_per_step, training) * training.max_length
    checkpointing = recomputes_activations()
    held = activation_bytes(shape, num_tokens=micro, checkpointing=checkpointing)
    needed, free = weights + BYTES_PER_TRAINED_WEIGHT * num_lora + held, free_bytes(where)
    verdict = (
        "fits"
        if needed < free
        else "does NOT fit: lower PLUMBLINE_MICRO_BATCH_TOKENS, or PLUMBLINE_GRADIENT_CHECKPOINTING=1, or base.quantization=nf4"
    )
    lines += [
        Line("memory", f"{size_text(needed)} of {size_text(free)} free on {where}: {verdict}", f"estimate; shape {shape_known}"),
        Line(
            "",
            f"base {size_text(weights)}, adapter with Adam {size_text(BYTES_PER_TRAINED_WEIGHT * num_lora)}, activations {size_text(held)}",
            f"{micro:,} tokens at once",
        ),
        Line(
            "disk",
            f"base {size_text(base_bytes(shape, dtype=section['dtype'], quantization='none'))}, adapter {size_text(4 * num_lora)}, "
            f"checkpoints {size_text(NUM_CHECKPOINTS * 12 * num_lora)}; free {size_text(shutil.disk_usage(root).free)}",
            "computed; DVC's cache holds one adapter more for each run that is kept",
        ),
    ]
    return lines + judge_lines(JudgeParams.model_validate(params["judge"]), questions, answering)


def table(lines: Sequence[Line]) -> str:
    """The plan for a terminal: what, how much, and how that is known."""
    name = max(len(line.what) for line in lines)
    told = (f"{line.what:{name}}  {line.value}  ({line.known})" for line in lines)
    return "".join(textwrap.fill(line, WIDTH, subsequent_indent=" " * (name + 4)) + "\n" for line in told)


@click.command()
@click.argument("profile", required=False)
@click.option("-S", "--set-param", "overrides", multiple=True, metavar="KEY=VALUE", help="An override, as `dvc exp run` takes it.")
def command(profile: str | None, overrides: tuple[str, ...]) -> None:
    """Say what a run will take, before anything is spent.

    PROFILE is a file of profiles/; without it params.yaml is planned as it stands. Each number says how it is known: counted, computed, measured here
    in a few seconds, or assumed. Reads the training rows and the benchmark that the last `dvc repro split` made; writes nothing.

    Exit 1 if the run cannot be planned.
    """
    root = repository()
    prepare_torch()
    with refusing(1, ValueError, OSError, DvcException):
        chosen = [*(profile_overrides(root, profile) if profile else []), *overrides]
        told = table(plan(root, chosen))
    click.echo(told, nl=False)
