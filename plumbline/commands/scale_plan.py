"""Write the numbers of docs/scale.md: python -m plumbline.commands.scale_plan. With --set NAME=VALUE they are printed for values of your own instead.

Every number is computed from the inputs below, each measured, sourced or assumed; a line says which of them it rests on.
docs/runs/gpu_train.json and gpu_answering.json (what bench/gpu_train.py and bench/gpu_answering.py write) take the place of
sourced speeds where they are there.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plumbline.pages.blocks import filled
from plumbline.pipeline.files import write_text
from plumbline.planning.planning import MISTRAL_7B, Shape, activation_bytes, base_bytes, duration, size, training_flops_per_token
from plumbline.planning.scale_inputs import INPUTS, Facts, Input, with_measurements

DOCUMENT = Path("docs/scale.md")
RUNS = Path("docs/runs")
LLAMA_70B = Shape(
    hidden_size=8192, intermediate_size=28672, num_layers=80, num_heads=64, num_key_value_heads=8, head_dim=128, vocab_size=128256
)
QUESTIONS = {1_000: 500, 100_000: 5_000, 10_000_000: 50_000}
"""Rows -> benchmark questions; both arms answer each, and a judge scores every answer: with fewer explanations it is cheaper."""
DIRECT_UP_TO = 1_000
"""Answers judged call by call; more go to Message Batches."""
NF4_MICRO_BATCH_TOKENS = 4_096
SERVING_CARDS = 4
TRAINING_CARDS = 8
ROUTES = ("7B", "70B, nf4", "70B, bf16")
"""Models, and for the large one the two ways: on one card, or over several."""
WEIGHT_RATIO = LLAMA_70B.num_weights / MISTRAL_7B.num_weights
"""Writing a token reads every weight: a card writes so many times slower."""


@dataclass(frozen=True)
class Line:
    """One step of one run."""

    rows: int
    model: str
    """`any` where the model does not matter."""
    step: str
    engine: str
    hardware: str
    seconds: float
    gpu_hours: float
    usd: float
    """Beside GPU hours."""
    rests_on: str


def data_line(rows: int, facts: Facts) -> Line:
    """Cleaning and splitting: the same for every model."""
    seconds = rows * (facts["clean_seconds"] + facts["split_seconds"])
    memory = rows * max(facts["clean_bytes"], facts["split_bytes"])
    return Line(rows, "any", "clean, split", "local", f"2 cores, {size(memory + 100e6)}", seconds, 0, 0, facts.rests_on())


def training_speed(shape: Shape, mfu: float, facts: Facts) -> float:
    """Tokens per second on one card."""
    lora = shape.num_lora_weights(int(facts["lora_r"]), "all-linear")
    tokens = facts["tokens_per_row"]
    operations = training_flops_per_token(
        shape, num_lora_weights=lora, labelled_fraction=facts["labelled_fraction"], attended_tokens=tokens
    )
    return mfu * facts["peak_flops"] / operations


def training_line(rows: int, route: str, facts: Facts) -> Line:
    """7B on one card; 70B on an nf4 base on one card, or in bf16 over eight."""
    tokens = rows * facts["tokens_per_row"] * facts["epochs"]
    cards, engine = 1, "one process"
    if route == "7B":
        speed, memory = training_speed(MISTRAL_7B, facts["train_mfu"], facts), facts["train_bytes"]
    elif route == "70B, nf4":
        # Without checkpointing a micro-batch of it fits no card.
        speed = training_speed(LLAMA_70B, facts["nf4_mfu"], facts) / facts["checkpointing_work"]
        weights = base_bytes(LLAMA_70B, dtype="bfloat16", quantization="nf4")
        memory = weights + activation_bytes(LLAMA_70B, num_tokens=NF4_MICRO_BATCH_TOKENS, checkpointing=True)
    else:
        cards, engine = TRAINING_CARDS, "FSDP2"
        speed = cards * facts["sharded_tokens_per_second"]
        memory = base_bytes(LLAMA_70B, dtype="bfloat16", quantization="none") / cards
    hardware = f"1 GPU, {size(memory)}" if cards == 1 else f"{cards} GPUs, {size(memory)} of weights each"
    seconds = tokens / speed
    return Line(rows, route, "train", engine, hardware, seconds, cards * seconds / 3600, 0, facts.rests_on())


def answering_line(rows: int, route: str, facts: Facts) -> Line:
    """Both arms answer every question. 7B: on whichever engine is sooner done; 70B: nf4 has transformers only, bf16 needs several cards."""
    tokens = 2 * QUESTIONS[rows] * facts["tokens_per_answer"]
    if route == "70B, nf4":
        seconds = tokens * WEIGHT_RATIO / facts["generate_tokens_per_second"]
        return Line(rows, route, "answer", "transformers", "the same GPU", seconds, seconds / 3600, 0, facts.rests_on())
    if route == "70B, bf16":
        # A server over several cards is as many times as fast, at best.
        seconds = facts["vllm_start_seconds"] + tokens * WEIGHT_RATIO / SERVING_CARDS / facts["vllm_tokens_per_second"]
        gpu_hours = SERVING_CARDS * seconds / 3600
        return Line(rows, route, "answer", "vLLM", f"{SERVING_CARDS} GPUs of 80 GB", seconds, gpu_hours, 0, facts.rests_on())
    generated = tokens / facts["generate_tokens_per_second"]
    served = facts["vllm_start_seconds"] + tokens / facts["vllm_tokens_per_second"]
    seconds, engine = min((generated, "transformers"), (served, "vLLM"))
    return Line(rows, route, "answer", engine, "the same GPU", seconds, seconds / 3600, 0, facts.rests_on())


def judging_line(rows: int, facts: Facts) -> Line:
    """Every answer is judged, some twice, and the judge is probed; base's answers are asked about once, whatever is tuned later.

    All batches are submitted before one is awaited, but for a trial batch that goes before them: at most two limits of a batch, however many there are.
    """
    answers = 2 * QUESTIONS[rows]
    calls = answers * (1 + facts["judge_retests"]) + facts["judge_canaries"]
    each = (facts["judge_input_tokens"] * facts["judge_input_usd"] + facts["judge_output_tokens"] * facts["judge_output_usd"]) / 1e6
    if answers <= DIRECT_UP_TO:
        seconds = calls * facts["reply_seconds"] / facts["judge_concurrency"] * facts["judge_overhead"]
        return Line(rows, "any", "judge", "direct calls", "none", seconds, 0, calls * each, facts.rests_on())
    in_a_batch = min(facts["batch_requests"], facts["batch_bytes"] / (facts["judge_input_tokens"] * facts["bytes_per_token"]))
    trial = min(facts["trial_requests"], in_a_batch) if calls >= facts["trial_from"] else 0
    num_batches = math.ceil((calls - trial) / in_a_batch) + (trial > 0)
    engine = f"Message Batches, {num_batches} of them" + (", the first a trial" if trial else "")
    seconds = (2 if trial else 1) * facts["batch_hours"] * 3600
    return Line(rows, "any", "judge", engine, "none", seconds, 0, calls * each * facts["batch_factor"], facts.rests_on())


def all_lines(facts: Facts) -> list[Line]:
    """Every step of every run."""
    lines: list[Line] = []
    for rows in QUESTIONS:
        lines.append(data_line(rows, facts))
        for route in ROUTES:
            lines += [training_line(rows, route, facts), answering_line(rows, route, facts)]
        lines.append(judging_line(rows, facts))
    return lines


def breaks(mine: Sequence[Line], facts: Facts) -> str:
    """What stops or spoils the run of these lines, in the order in which it meets them; `nothing` where no limit is met."""
    train, judge = (next(line for line in mine if line.step == step) for step in ("train", "judge"))
    rows = train.rows
    found: list[str] = []
    memory = rows * facts["split_bytes"]
    if memory > facts["memory_bytes"]:
        found.append(f"`split` takes {size(memory)} of memory, `clean` {size(rows * facts['clean_bytes'])}")
    if train.model == "70B, bf16":
        weights = size(base_bytes(LLAMA_70B, dtype="bfloat16", quantization="none"))
        found.append(
            f"weights of {weights} need several cards: `PLUMBLINE_LAUNCH=launch/fsdp2.yaml` was never run on GPUs, and vLLM is started by hand"
        )
    if train.seconds > 24 * 3600:
        found.append(f"{hours(train.seconds)} of training" + (" in one process" if train.engine == "one process" else ""))
    steps = rows * facts["tokens_per_row"] * facts["epochs"] / facts["tokens_per_step"]
    if steps < facts["fewest_steps"]:
        found.append(f"{steps:.0f} optimiser steps, {facts['fewest_steps']:g} are wanted: lower `train.tokens_per_step`")
    if judge.usd > facts["judge_cap_usd"]:
        found.append(f"judging costs {judge.usd:,.0f} USD, `judge.max_cost_usd` stops it at {facts['judge_cap_usd']:g}")
    facts.used.clear()
    return "; ".join(f"({place}) {text}" for place, text in enumerate(found, 1)) or "nothing"


def hours(seconds: float) -> str:
    """Days where hours would be many."""
    return f"{seconds / 86400:.1f} days" if seconds > 3 * 86400 else duration(seconds)


def money(gpu_hours: float, usd: float, usd_per_gpu_hour: float | None) -> str:
    """In dollars; GPU hours as a multiple of X where no price is given."""
    if usd_per_gpu_hour is not None:
        return f"{gpu_hours * usd_per_gpu_hour + usd:,.2f} USD"
    parts = [f"{gpu_hours:,.{0 if gpu_hours >= 100 else 2}f} X"] * (gpu_hours > 0) + [f"{usd:,.2f} USD"] * (usd > 0)
    return " + ".join(parts) or "-"


def table(head: str, rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    names = head.split("; ")
    return "\n".join([f"| {' | '.join(names)} |", "|" + "---|" * len(names), *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def blocks(inputs: Mapping[str, Input], usd_per_gpu_hour: float | None = None) -> dict[str, str]:
    """The tables of docs/scale.md by name."""
    facts = Facts(inputs)
    lines = all_lines(facts)
    runs: list[list[str]] = []
    for rows in QUESTIONS:
        for route in ROUTES:
            mine = [line for line in lines if line.rows == rows and line.model in (route, "any")]
            gpu_hours, usd = sum(line.gpu_hours for line in mine), sum(line.usd for line in mine)
            busy, waiting = (hours(sum(line.seconds for line in mine if (line.step == "judge") is judged)) for judged in (False, True))
            train, answer = (next(line for line in mine if line.step == step) for step in ("train", "answer"))
            how = f"{train.engine}, {train.hardware}; {answer.engine}, {answer.hardware}"
            runs.append([f"{rows:,}", route, how, busy, waiting, money(gpu_hours, usd, usd_per_gpu_hour), breaks(mine, facts)])
    share = facts["row_seconds"] / (facts["clean_seconds"] + facts["split_seconds"])
    return {
        "runs": table("rows; model; training and answering; time; the judge's, at most; money; what breaks first", runs),
        "steps": table(
            "rows; model; step; engine; hardware; time; money; rests on",
            (
                [
                    f"{line.rows:,}",
                    line.model,
                    line.step,
                    line.engine,
                    line.hardware,
                    hours(line.seconds),
                    money(line.gpu_hours, line.usd, usd_per_gpu_hour),
                    line.rests_on,
                ]
                for line in lines
            ),
        ),
        "ray": f"Of the time of `clean` and `split` together, Ray on any number of machines takes away at most {share:.0%}.\n",
        "inputs": table(
            "name; value; what; known; source",
            ([f"`{name}`", f"{one.value:.4g}", one.what, f"**{one.known}**", one.source] for name, one in inputs.items()),
        ),
    }


def stored_run(name: str) -> Any:
    """What a benchmark on a GPU left, or None."""
    path = RUNS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def main(words: Sequence[str]) -> None:
    """Write the document, or print the tables for other values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="another value of an input, or usd_per_gpu_hour=..."
    )
    chosen = parser.parse_args(words)
    inputs = with_measurements(INPUTS, stored_run)
    usd_per_gpu_hour = None
    for name, _, value in (pair.partition("=") for pair in chosen.set):
        if name != "usd_per_gpu_hour" and name not in inputs:
            parser.error(f"there is no input {name!r}; there are usd_per_gpu_hour, {', '.join(inputs)}")
        try:
            number = float(value)
        except ValueError:
            parser.error(f"{name}={value}: a number is read")
        if name == "usd_per_gpu_hour":
            usd_per_gpu_hour = number
        else:
            inputs[name] = replace(inputs[name], value=number, known="assumed", source="given by you")
    found = blocks(inputs, usd_per_gpu_hour)
    if chosen.set:
        sys.stdout.write("\n".join(found.values()))
        return
    before = DOCUMENT.read_text(encoding="utf-8")
    after = filled(before, found)
    write_text(DOCUMENT, after)
    sys.stdout.write(f"{DOCUMENT}: {'numbers written anew' if after != before else 'the numbers are those of its inputs'}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
