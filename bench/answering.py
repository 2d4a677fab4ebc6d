"""Answering in batches against one question at a time, on the same model and questions.

    python -m bench.answering --questions 10 25 50 100 200 400 --repeats 3

Measures both arms of the run in the workspace (models/base, models/adapter). Both ways use one thread unless PLUMBLINE_THREADS says
otherwise. With two, a token of this small model waits for a sleeping thread, and one question at a time then took three times as long on
an idle machine (docs/benchmarks.md). That would not be a merit of batches. The study's script asked one question at a time: the model is
loaded once, then `generate` per question. That script had no log-probabilities of choices, so both ways leave them out.
Beyond the benchmark's size, questions are repeated under other names.
Prints for each size: processor seconds and wall seconds (median and range of the repetitions, the two ways in alternating
order), the ratio of each repetition's pair, and how many texts are the same.
"""

import plumbline.model.quiet  # noqa: F401 -- before torch, whose threads it makes sleep while they wait

# isort: split
import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from bench.measurements import Curve, Point, add_json_flag, measured, point, write_measured
from plumbline.answering.answering import render
from plumbline.answering.decoding import decode_answer
from plumbline.answering.engine import Prompt
from plumbline.answering.exam_prompt import exam_prompt
from plumbline.answering.generation import TransformersEngine
from plumbline.model.adapter import load_adapter
from plumbline.model.base_files import base_fingerprint
from plumbline.model.runtime import device, prepare_torch
from plumbline.model.tokenization import named_stops, pad_id, stop_ids, template_sha256
from plumbline.model.weights import load_model, load_tokenizer
from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.params import load_params
from plumbline.rows.answer_params import AnswerParams
from plumbline.rows.question import Question

BASE, ADAPTER = Path("models/base"), Path("models/adapter")
SINGLE, BATCHED = "one at a time", "in batches"


@torch.inference_mode()
def one_at_a_time(model: Any, tokenizer: Any, prompts: list[Prompt], *, max_new_tokens: int) -> dict[str, str]:
    """A loop over questions, `generate` for each: id -> text."""
    stops = stop_ids(tokenizer, named_stops(model.generation_config))
    config = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=stops, pad_token_id=pad_id(tokenizer))
    texts = {}
    for prompt in prompts:
        ids = torch.tensor([prompt.ids], device=model.device)
        row = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config)[0, len(prompt.ids) :].tolist()
        texts[prompt.id] = decode_answer(tokenizer, row, stops=stops)
    return texts


def in_batches(engine: TransformersEngine, prompts: list[Prompt], *, max_new_tokens: int) -> dict[str, str]:
    """Answer as the answer stages do: id -> text."""
    answered = engine.answer(engine.units(prompts), max_new_tokens=max_new_tokens)
    return {answer.id: answer.response for batch in answered for answer in batch}


def timed(work: Callable[[], dict[str, str]]) -> tuple[float, float, dict[str, str]]:
    """Processor seconds, wall seconds, texts."""
    busy, start = time.process_time(), time.perf_counter()
    texts = work()
    return time.process_time() - busy, time.perf_counter() - start, texts


def spread(values: list[float], form: str) -> str:
    """Median and range."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def measure_size(
    arm: str, size: int, ways: dict[str, Callable[[], dict[str, str]]], repeats: int
) -> tuple[dict[str, list[float]], dict[str, list[float]], float | None]:
    """Run the ways in turn, their order reversed every other time, and print them: processor and wall seconds by way, share of equal texts."""
    runs: dict[str, list[tuple[float, float, dict[str, str]]]] = {way: [] for way in ways}
    for repeat in range(repeats):
        for way in ways if repeat % 2 == 0 else reversed(ways):
            runs[way].append(timed(ways[way]))
    busy = {way: [run[0] for run in found] for way, found in runs.items()}
    wall = {way: [run[1] for run in found] for way, found in runs.items()}
    share = None
    if SINGLE in runs:
        share = sum(runs[SINGLE][0][2][id] == text for id, text in runs[BATCHED][0][2].items()) / size
    for name, seconds in (("processor", busy), ("wall", wall)):
        told = ", ".join(f"{way} {spread(found, '.2f')}" for way, found in seconds.items())
        if SINGLE in seconds:
            told += f", ratio {spread([one / many for one, many in zip(seconds[SINGLE], seconds[BATCHED], strict=True)], '.1f')}"
        print(f"{arm:5} {size:5} questions, {name:9} s: {told}", flush=True)
    return busy, wall, share


def main(sizes: list[int], repeats: int, arms: list[str], single_up_to: int, once_from: int) -> list[Point]:
    """Measure and print."""
    os.environ.setdefault("PLUMBLINE_THREADS", "1")
    prepare_torch()
    params = load_params("answer", AnswerParams)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    print(
        f"{platform.platform()}, {os.cpu_count()} processors, {torch.get_num_threads()} threads, Python {platform.python_version()}, {versions}"
    )
    print(f"load {os.getloadavg()[0]:.1f} at the start; batches of {params.batch_size}, {repeats} repetitions", flush=True)
    tokenizer = load_tokenizer(BASE)
    questions = list(read_jsonl(Path("data/split/benchmark.jsonl"), Question))
    prompts = [
        render(tokenizer, id=question.id, user=exam_prompt(question, params.instructions.model_dump()), choices={}, params=params)
        for question in questions
    ]
    points = []
    for arm in arms:
        model: Any = load_model(BASE, device=device())
        if arm == "tuned":
            fingerprint, template = base_fingerprint(BASE), template_sha256(tokenizer)
            model = load_adapter(model, ADAPTER, base_fingerprint=fingerprint, template_sha256=template)
        engine = TransformersEngine(model, tokenizer, batch_size=params.batch_size)
        in_batches(engine, prompts[:64], max_new_tokens=8)  # first calls load kernels
        for size in sizes:
            # Evenly over the benchmark, so that every kind is there.
            chosen = [prompts[number * len(prompts) // size % len(prompts)] for number in range(size)]
            chosen = [prompt._replace(id=f"{prompt.id}/{number}") for number, prompt in enumerate(chosen)]
            ways: dict[str, Callable[[], dict[str, str]]] = {
                SINGLE: lambda asked=chosen, model=model: one_at_a_time(model, tokenizer, asked, max_new_tokens=params.max_new_tokens),
                BATCHED: lambda asked=chosen, engine=engine: in_batches(engine, asked, max_new_tokens=params.max_new_tokens),
            }
            if size > single_up_to:
                del ways[SINGLE]
            _, wall, share = measure_size(arm, size, ways, 1 if size >= once_from else repeats)
            besides = {} if share is None else {"share of equal texts": share}
            points.append(point(size, wall, naive=SINGLE, ours=BATCHED, better="less", **besides))
    return points


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m bench.answering", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, nargs="+", default=[10, 25, 50, 100, 200, 400])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--arms", nargs="+", choices=["base", "tuned"], default=["base", "tuned"])
    parser.add_argument("--single-up-to", type=int, default=10**9, metavar="QUESTIONS", help="beyond, in batches only")
    parser.add_argument("--once-from", type=int, default=10**9, metavar="QUESTIONS", help="from this many on, one repetition")
    add_json_flag(parser)
    given = parser.parse_args()
    if given.json and len(given.arms) > 1:
        parser.error("--json holds one arm: name it with --arms.")
    found = main(given.questions, given.repeats, given.arms, given.single_up_to, given.once_from)
    write_measured(
        given.json,
        measured(
            name="answering",
            title="Answering questions",
            what=f"The engine of the answer stages against one question at a time; the {given.arms[0]} model of the run at hand, loaded beforehand, {torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)} each. Wall seconds.",
            curve=Curve(x="questions", unit="s", better="less", naive=SINGLE, ours=BATCHED, points=found),
        ),
    )
